import Pipelines
import Testing

/// pipelines/quickstart.json: data made here, so it runs on any machine.
@Suite struct QuickstartTests {
  @Test func truthComesBackAndNothingRunsTwice() throws {
    let folder = Folder()
    // Pictures need the renderer, which RenderingTests and `make run` cover.
    let size = ["--set", "customers=6000", "--to", "tiers", "--to", "names", "--to", "segments"]
    func run(_ more: [String] = []) throws -> JSONValue {
      let outcome = Executable.run(
        ["run", Executable.packageRoot + "/pipelines/quickstart.json", "--artifacts", folder.path + "/store", "--json", "--quiet"] + size + more,
        in: folder.path)
      try #require(outcome.code == 0, "\(outcome.error)")
      return try JSONReader.read(Array(outcome.out.utf8), file: "run --json").value
    }
    let first = try run()
    func stage(_ name: String) throws -> JSONValue { try #require(first["stages"]?.array?.first { $0["name"]?.string == name }) }
    let shop = try #require(try stage("shop")["metrics"])
    let read = try #require(try stage("transactions")["metrics"])
    #expect(read["rows"] == shop["rows"])
    #expect(read["rows"]!.int! == read["kept"]!.int! + read["quarantined"]!.int!)
    #expect(read["quarantined"]!.int! > 0)
    #expect(try stage("customers")["metrics"]?["customers"]?.int == 6000)
    // The truth is r .55, α 10.5 weeks; days merge a few purchases, so the fit is near, not equal.
    let fit = try #require(try stage("purchases")["metrics"])
    #expect((0.45...0.66).contains(fit["r"]!.double!), "r = \(fit["r"]!.double!)")
    #expect((60...90).contains(fit["alpha"]!.double!), "α = \(fit["alpha"]!.double!) days")
    let second = try run()
    #expect(second["executed"]?.int == 0)
    let again = try run(["--no-cache", "-j", "1"])
    for (a, b) in zip(first["stages"]!.array!, again["stages"]!.array!) {
      for (x, y) in zip(a["outputs"]!.members!, b["outputs"]!.members!) { #expect(x.value["digest"] == y.value["digest"], "\(a["name"]!) \(x.key)") }
    }
  }

  /// What `make bench` times: `clean` and `feature-engineer` with a choice of columns.
  @Test func benchmarkDocument() throws {
    let folder = Folder()
    #expect(folder.millrace("simulate", "shop.csv", "--customers", "500", "--quiet").code == 0)
    folder.write(
      text(ofFile: Executable.packageRoot + "/Tests/Benchmarks/transactions.json")
        .replacing("\"distinct\": true", with: "\"distinct\": true, \"columns\": [\"price\", \"customer\", \"at\", \"invoice\", \"quantity\"]"),
      to: "narrow.json")
    let document = Executable.packageRoot + "/Tests/Benchmarks/transactions.json"
    var customers: [String] = []
    for name in [document, "narrow.json"] {
      let outcome = folder.millrace("run", name, "--set", "source=shop.csv", "--artifacts", "store", "--json", "--quiet")
      try #require(outcome.code == 0, "\(outcome.error)")
      let run = try JSONReader.read(Array(outcome.out.utf8), file: "run --json").value
      let stage = run["stages"]?.array?.first { $0["name"] == "customers" }
      #expect(stage?["outputs"]?["table"]?["rows"]?.int == 500)
      customers.append(stage?["outputs"]?["table"]?["digest"]?.string ?? "")
    }
    #expect(customers[0] == customers[1])
  }

  @Test(arguments: [
    "quickstart", "online-retail", "cdnow", "segmentation-and-value", "value-and-forecast", "crm-six-month-value", "value-prediction", "retention-campaign",
  ]) func everyDocumentChecks(name: String) {
    let folder = Folder()
    let outcome = folder.millrace("check", Executable.packageRoot + "/pipelines/\(name).json")
    #expect(outcome.code == 0, "\(outcome.error)")
  }

  @Test(arguments: ["stages.md", "pipeline.schema.json"]) func generatedPagesAreCurrent(page: String) {
    let folder = Folder()
    #expect(folder.millrace("docs", folder.path).code == 0)
    #expect(folder.text(page) == text(ofFile: Executable.packageRoot + "/docs/" + page), "run: make docs")
  }
}
