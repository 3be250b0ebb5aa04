import Diagnostics
import Pipelines
import Testing

/// Files with which the main job cannot, or can hardly, be done: a whole run of each ends with a sentence or a documented result, by the exit codes.
@Suite struct BadInputTests {
  struct Case: CustomTestStringConvertible {
    let name: String
    /// The text of sales.csv.
    let text: String
    let code: Int32
    /// Stages that do not come out, with the first line of what is said of each, without its place.
    let failed: [String: String]
    /// Text that some diagnosis of a model begins with.
    var diagnoses: [String: String] = [:]

    var testDescription: String { name }
  }

  static let document = """
    { "pipeline": "value",
      "stages": {
        "sales": { "stage": "ingest", "with": { "path": "sales.csv", "columns": {
            "customer": { "type": "string" }, "at": { "type": "date" }, "amount": { "type": "decimal(10,2)" } } } },
        "customers": { "stage": "rfm", "from": "sales", "with": {
            "customer": "customer", "at": "at", "amount": "amount", "period": "day", "unit": "week" } },
        "purchases": { "stage": "fit", "from": "customers", "with": { "model": "bg-nbd" } },
        "spend": { "stage": "fit", "from": "customers", "with": { "model": "gamma-gamma" } },
        "value": { "stage": "predict", "from": { "customers": "customers", "purchases": "purchases", "spend": "spend" },
          "with": { "horizon": "39 weeks", "discount": "15%/year" } },
        "groups": { "stage": "segment", "from": "customers", "with": {
            "method": "k-means", "k": 2, "on": ["frequency", "recency"], "seed": 1 } }
      } }
    """

  static let header = "customer,at,amount\n"

  /// Day `day` of 2024 as the file has it.
  static func date(_ day: Int) -> String {
    var (day, month) = (day, 0)
    for length in [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
      if day < length { break }
      day -= length
      month += 1
    }
    return "2024-\(month < 9 ? "0" : "")\(month + 1)-\(day < 9 ? "0" : "")\(day + 1)"
  }

  static func sales(_ rows: [(customer: Int, day: Int, amount: String)]) -> String {
    header + rows.map { "c\($0.customer),\(date($0.day)),\($0.amount)\n" }.joined()
  }

  static let nobody = [
    "purchases": "no model can be fitted: there are no customers",
    "spend": "no model can be fitted: there are no customers",
    "groups": "no segments can be made: there are no rows",
  ]

  static func lonely(_ repeats: Int) -> [String: String] {
    [
      "purchases": "BG/NBD cannot be fitted to 1 customer: four parameters need at least 10",
      "spend":
        "Gamma-Gamma cannot be fitted: only \(repeats) of the 1 customers have a repeat purchase and a positive mean spend; at least 5 are needed",
      "groups": "k-means cannot make 2 segments of 1 distinct point",
    ]
  }

  static let cases = [
    Case(name: "an empty file", text: "", code: 1, failed: ["sales": "sales.csv: the file is empty"]),
    Case(name: "a header only", text: header, code: 1, failed: nobody),
    Case(name: "no row that fits", text: header + "c1,yesterday,1.00\nc2,2024-01-01,much\nc3\n", code: 1, failed: nobody),
    Case(name: "one customer", text: sales((0..<6).map { (1, 30 * $0, "12.50") }), code: 1, failed: lonely(1)),
    Case(name: "one purchase", text: sales([(1, 0, "12.50")]), code: 1, failed: lonely(0)),
    Case(
      name: "no repeat customers", text: sales((0..<60).map { ($0, $0, "5.00") }), code: 1,
      failed: [
        "purchases": "BG/NBD cannot be fitted: none of the 60 customers bought again, so nothing is known of rates or dropout",
        "spend": "Gamma-Gamma cannot be fitted: only 0 of the 60 customers have a repeat purchase and a positive mean spend; at least 5 are needed",
        "groups": "k-means cannot make 2 segments of 1 distinct point",
      ]),
    Case(
      name: "refunds only", text: sales((0..<120).map { ($0 % 30, ($0 % 7 + 1) * ($0 / 30) * 12, "-5.00") }), code: 1,
      failed: [
        "spend": "Gamma-Gamma cannot be fitted: only 0 of the 30 customers have a repeat purchase and a positive mean spend; at least 5 are needed"
      ]),
    Case(
      name: "a fit that cannot converge: everybody buys every week for the same amount",
      text: sales((0..<1000).map { ($0 % 50, $0 / 50 * 7, "10.00") }), code: 1,
      failed: ["groups": "k-means cannot make 2 segments of 1 distinct point"],
      diagnoses: ["purchases": "the search stopped before the maximum (gradient per customer ", "spend": "parameter q ended on the edge of the search, "]),
    Case(
      name: "the same amount whenever they buy", text: sales((0..<400).map { ($0 % 80, $0 % 80 + $0 / 80 * ($0 % 80 % 11 + 3), "10.00") }), code: 0,
      failed: [:], diagnoses: ["spend": "parameter q ended on the edge of the search, "]),
  ]

  @Test(arguments: cases) func endsWithASentence(_ row: Case) throws {
    let folder = Folder()
    folder.write(Self.document, to: "value.json")
    folder.write(row.text, to: "sales.csv")
    let outcome = Executable.run(["run", "value.json", "--keep-going", "--quiet", "--json"], in: folder.path)
    #expect(outcome.code == row.code)

    let said = outcome.error.split(separator: "\n").filter { $0.contains(": error: ") }.map(String.init).sorted()
    let kinds = ["sales": "ingest", "purchases": "fit", "spend": "fit", "groups": "segment"]
    let expected = row.failed.map { "pipeline \"value\", stage \"\($0.key)\" (\(kinds[$0.key]!)): \($0.value)" }.sorted()
    #expect(said.map { String($0[$0.firstRange(of: "error: ")!.upperBound...]) }.sorted() == expected)
    #expect(said.allSatisfy { $0.hasPrefix("value.json:") })

    let report = try JSONReader.read(Array(outcome.out.utf8), file: "run --json").value
    let stages = report["stages"]?.array ?? []
    for stage in stages {
      let name = stage["name"]?.string ?? ""
      #expect((stage["status"]?.string == "failed") == (row.failed[name] != nil), "\(name)")
      // Whatever was read is in the table or in quarantine.
      if name == "sales", stage["status"]?.string == "executed" {
        let rows = (stage["outputs"]?["table"]?["rows"]?.int ?? -1) + (stage["outputs"]?["quarantine"]?["rows"]?.int ?? 0)
        #expect(rows == row.text.split(separator: "\n").count - 1)
      }
    }
    // Finite numbers or none at all, even of models at the edge.
    if !row.failed.keys.contains(where: { ["sales", "purchases", "spend"].contains($0) }) {
      let value = Executable.run(["export", "value.json", "value", "--to", "value.csv", "--quiet"], in: folder.path)
      #expect(value.code == 0)
      let text = folder.text("value.csv").lowercased()
      #expect(text.split(separator: "\n").count > 50 && !text.contains("nan") && !text.contains("inf"))
    }
    for (stage, diagnosis) in row.diagnoses {
      let shown = Executable.run(["show", "value.json", stage], in: folder.path)
      #expect(shown.out.contains("\"" + diagnosis), "\(stage): \(shown.out)")
    }
    // Nothing is worse the second time: the same end, and what came out is not made again.
    let again = Executable.run(["run", "value.json", "--keep-going", "--quiet", "--json"], in: folder.path)
    #expect(again.code == row.code)
    let second = try JSONReader.read(Array(again.out.utf8), file: "run --json").value
    #expect((second["stages"]?.array ?? []).allSatisfy { $0["status"]?.string != "executed" })
  }
}
