import Diagnostics
import Pipelines
import Testing

#if canImport(Glibc)
  import Glibc
#endif

/// pipelines/online-retail.json against the known answers (pandas, lifetimes): every count, sum, parameter and prediction.
@Suite(.serialized) struct OnlineRetailTests {
  @Test func cleaningCustomersModelsAndPredictions() throws {
    guard let shared = Executable.shared, let cleaning = try knownAnswers("online_retail_II_cleaning.json"),
      let daily = try knownAnswers("online_retail_II_daily.json")
    else { return }
    let folder = Folder()
    let source = "source=\(shared)/data/online_retail_II/online_retail_II.csv.gz"
    let run = try PipelineRun("online-retail", in: folder, "--set", source)

    #expect(try run.metric("transactions", "rows") == cleaning["raw"]?["rows"]?.double)
    #expect(try run.rows("transactions", "quarantine") == 0)
    #expect((try run.metric("sales", "amount_in") - cleaning["raw"]!["amount_sum"]!.double!).magnitude < 1e-6)
    var left = 1_067_371.0
    let steps = try #require(cleaning["cleaning_steps"]?.array)
    let removed = try #require(try run.stage("sales")["metrics"]?["removed"]?.members)
    for (step, rule) in zip(steps.dropFirst(), removed) {
      left -= rule.value.double ?? .nan
      #expect(left == step["rows"]?.double, "\(rule.key)")
    }
    #expect(steps.count == removed.count + 1)
    #expect(try run.rows("sales") == 779_425)
    #expect(try run.rows("sales") + run.rows("sales", "quarantine") == 1_067_371)
    #expect((try run.metric("sales", "amount_kept") - cleaning["clean"]!["amount_sum"]!.double!).magnitude < 1e-6)

    try expectCustomers(daily, folder, source)
    for (stage, key, names) in [("purchases", "bgnbd", ["r", "alpha", "a", "b"])] {
      let mle = try #require(daily["fits"]?[key]?["mle"])
      for name in names { #expect(close(try run.metric(stage, .key(name)), mle["params"]![name]!.double!, relative: 1e-3), "\(name)") }
      #expect((try run.metric(stage, "log_likelihood") - mle["log_likelihood"]!.double!).magnitude <= 1e-4)
    }
    let spend = try #require(daily["gamma_gamma"]?["mle"])
    for name in ["p", "q", "v"] { #expect(close(try run.metric("spend", .key(name)), spend["params"]![name]!.double!, relative: 1e-3), "\(name)") }
    #expect((try run.metric("spend", "log_likelihood") - spend["log_likelihood"]!.double!).magnitude <= 1e-4)

    try expectIncrements(folder, source, before: run)
  }

  /// Row for row its first 20 and last 5 customers, and the sums over all.
  private func expectCustomers(_ daily: JSONValue, _ folder: Folder, _ source: String) throws {
    let customers = try exported("online-retail", "customers", in: folder, "--set", source)
    #expect(customers.count == 5878)
    let first = try #require(daily["rfm"]?["first20"]?.array), last = try #require(daily["rfm"]?["last5"]?.array)
    for (row, known) in zip(customers.prefix(20), first) + zip(customers.suffix(5), last) {
      let cells = known.array ?? []
      #expect(row["customer"] == cells[0].double.map { String(Int($0)) })
      for (name, cell) in zip(["frequency", "recency", "age", "monetary"], cells.dropFirst()) {
        #expect(close(Double(row[name]!)!, cell.double!, relative: 1e-12), "\(row["customer"]!) \(name)")
      }
    }
    for (name, key) in [("frequency", "frequency"), ("recency", "recency"), ("age", "T"), ("monetary", "monetary_value")] {
      let sum = customers.reduce(0) { $0 + (Double($1[name]!) ?? .nan) }
      #expect(close(sum, daily["rfm"]!["aggregates"]![key]!["sum"]!.double!, relative: 1e-12), "sum of \(name)")
    }
  }

  /// Twice; another horizon; a rule that no row breaks; and a copy whose descriptions alone differ.
  private func expectIncrements(_ folder: Folder, _ source: String, before: PipelineRun) throws {
    #expect(try PipelineRun("online-retail", in: folder, "--set", source).executed == [])
    let behindValue = ["value", "segments", "tiers", "names", "pictures", "csv", "page"]
    let longer = try PipelineRun("online-retail", in: folder, "--set", source, "--set", "horizon=52 weeks")
    #expect(longer.executed.allSatisfy(behindValue.contains) && longer.executed.contains("value"), "\(longer.executed)")
    let narrow = try PipelineRun("online-retail", in: folder, "--set", source, "-j", "1", "--no-cache")
    #expect(narrow.digests == before.digests)
  }

  @Test func tenNamedSegments() throws {
    guard let shared = Executable.shared, let known = try knownAnswers("online_retail_II_segments.json") else { return }
    let folder = Folder()
    let document = text(ofFile: Executable.packageRoot + "/pipelines/online-retail.json")
      .replacing("\"scores\": {}", with: "\"scores\": { \"ties\": \"rank\" }")
    folder.write(document, to: "ranked.json")
    let outcome = folder.millrace(
      "run", "ranked.json", "--set", "source=\(shared)/data/online_retail_II/online_retail_II.csv.gz", "--to", "names", "--json", "--quiet")
    try #require(outcome.code == 0, "\(outcome.error)")
    let run = try JSONReader.read(Array(outcome.out.utf8), file: "run --json").value
    let names = try #require(run["stages"]?.array?.first { $0["name"] == "names" })
    let counted = try #require(names["metrics"]?["segments"]?.array)
    let expected = try #require(known["rfm_segments"]?["counts"]?.members)
    #expect(counted.count == expected.count)
    for (name, rows) in expected.map({ ($0.key, $0.value.int) }) {
      #expect(counted.first { $0["label"]?.string == name }?["rows"]?.int == rows, "\(name)")
    }
  }
}

private func + (a: Zip2Sequence<ArraySlice<[String: String]>, [JSONValue]>, b: Zip2Sequence<ArraySlice<[String: String]>, [JSONValue]>) -> [([String: String], JSONValue)] {
  Array(a) + Array(b)
}
