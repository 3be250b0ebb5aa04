import Columns
import Models
import Pipelines
import Statistics
import Testing

@testable import Stages

/// Fits tested against each other, and what a document says of its data.
@Suite struct ComparisonsTests {
  private func fit(_ settings: JSONValue, _ customers: Batch, width: Int = 2) throws -> JSONValue {
    try #require(try runRoom(Fit.self, settings, ["customers": .table(customers, timeUnit: .week)], width: width).documents["model"])
  }

  /// CDNOW: that customers leave is no accident; which of the models says how, the data do not tell.
  @Test func cdnow() throws {
    guard let (customers, _) = LifetimeData.cdnow else { return }
    let found = try #require(try fit(["model": "bg-nbd", "compare": ["nbd", "pareto-nbd", "bg-nbd", "mbg-nbd"]], customers)["comparisons"]?.array)
    #expect(found.map { $0["model"]!.string! } == ["nbd", "pareto-nbd", "mbg-nbd"])
    #expect(found.map { $0["test"]!.string! } == ["likelihood-ratio", "vuong", "vuong"])
    // 2 (9763.658 − 9582.4292), of the notes.
    #expect((found[0]["statistic"]!.double! - 362.4576).magnitude < 2e-3)
    #expect(found[0]["degrees"] == 2 && found[0]["p"]!.double! < 1e-70 && found[0]["favours"] == "bg-nbd")
    #expect((found[1]["log_likelihood"]!.double! + 9594.9762).magnitude < 1e-4)
    #expect(found[1]["z"]!.double! > 0)
    #expect(found[2]["z"]!.double! < 0 && found[2]["p"]!.double! > 0.5 && found[2]["favours"] == "neither")
    // From the other side the same test.
    let back = try #require(try fit(["model": "pareto-nbd", "compare": ["bg-nbd"]], customers)["comparisons"]?.array)
    #expect((back[0]["z"]!.double! + found[1]["z"]!.double!).magnitude < 1e-6)
    let plain = try #require(try fit(["model": "nbd", "compare": ["bg-nbd"]], customers)["comparisons"]?.array)
    #expect((plain[0]["statistic"]!.double! - found[0]["statistic"]!.double!).magnitude < 1e-6 && plain[0]["favours"] == "bg-nbd")
  }

  @Test func whatCannotBeCompared() throws {
    let customers = LifetimeData.customers([], [], [], [], [])
    func said(_ settings: JSONValue) -> [String] { complaints { try fit(settings, customers) } }
    #expect(said(["model": "bg-bb", "compare": ["nbd"]]) == [
      "\"compare\" means nothing to bg-bb; expected \"model\": \"bg-nbd\", \"mbg-nbd\", \"pareto-nbd\", \"nbd\" or \"auto\""
    ])
    #expect(said(["model": "bg-nbd", "compare": ["nbd"], "prior": "weak"]) == [
      "\"compare\" is not possible with \"prior\": the tests are of plain maximum likelihood"
    ])
  }

  /// The digest is of the columns that are read, and of nothing else.
  @Test func theDataOfAModel() throws {
    guard let (customers, _) = LifetimeData.cdnow else { return }
    let one = try #require(try fit(["model": "bg-nbd"], customers)["data"])
    #expect(one["rows"] == 2357 && one["digest"]!.string!.utf8.count == 32)
    #expect(try fit(["model": "mbg-nbd"], customers, width: 1)["data"] == one)
    #expect(try fit(["model": "gamma-gamma"], customers)["data"]?["digest"] != one["digest"])
    let names = customers.schema.names
    func changed(_ name: String) -> Batch {
      let column = Column.full(.float64, customers[name].doubles().enumerated().map { $0.offset == 5 ? $0.element + 1 : $0.element })
      let fields = customers.schema.fields.map { $0.name == name ? Field(name, .float64) : $0 }
      return Batch(schema: Schema(fields), columns: names.map { $0 == name ? column : customers[$0] }, count: customers.count)
    }
    #expect(try fit(["model": "bg-nbd"], changed("monetary"))["data"] == one)
    #expect(try fit(["model": "bg-nbd"], changed("age"))["data"]?["digest"] != one["digest"])
    let attributes: JSONValue = ["model": "ols", "attributes": ["target": "monetary", "features": ["frequency", "recency"], "importance": 0]]
    #expect(try fit(attributes, customers)["data"]?["rows"] == 2357)
  }
}
