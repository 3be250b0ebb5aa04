import Pipelines
import Testing

/// What a document expects of its tables: counted once, told in every run, and in the way of what reads them.
@Suite struct ExpectationTests {
  private static let rows = """
    id,country,price,at
    1,UK,2.50,2011-12-01
    2,UK,3.00,2011-12-02
    3,France,-1.00,2011-12-03
    3,,4.00,2011-12-04

    """

  private func folder(_ expect: String, of stage: String = "sales", keep: String = "", clean: String = "") -> Folder {
    let folder = Folder()
    folder.write(Self.rows, to: "rows.csv")
    folder.write(document(expect, of: stage, keep: keep, clean: clean), to: "p.json")
    return folder
  }

  private func document(_ expect: String, of stage: String = "sales", keep: String = "", clean: String = "") -> String {
    let own = { (name: String) in name == stage ? "\"expect\": [\(expect)], " : "" }
    return """
      {
        "pipeline": "p",
        "parameters": { "today": { "type": "date", "default": "2011-12-05" }, "least": { "type": "int", "default": 0 } },
        "stages": {
          "sales": { "stage": "ingest", \(own("sales"))\(keep)"with": { "path": "rows.csv", "columns": { "id": { "type": "int32" },
            "country": { "type": "string" }, "price": { "type": "decimal(12,2)" }, "at": { "type": "date" } } } },
          "good": { "stage": "clean", "from": "sales", \(own("good"))"with": { "keep": ["id > $least"]\(clean) } },
          "days": { "stage": "aggregate", "from": "good", \(own("days"))"with": { "by": ["at"], "aggregates": { "n": "count(*)" } } },
          "today": { "stage": "clean", "from": "days", "with": { "keep": ["at <= $today"] } }
        }
      }
      """
  }

  /// status of the stages, then of what is expected, of `run --json`.
  private func run(_ folder: Folder, _ arguments: String...) throws -> (code: Int32, stages: [String], expectations: [String]) {
    let outcome = Executable.run(["run", "p.json", "--quiet", "--json"] + arguments, in: folder.path)
    let report = try json(outcome.out)
    var expectations: [String] = []
    for stage in report["stages"]?.array ?? [] {
      for entry in stage["expectations"]?.array ?? [] {
        let word = entry["holds"]?.bool.map { $0 ? "met" : "not met" } ?? "unknown"
        expectations.append("\(entry["status"]?.string ?? ""): \(entry["expects"]?.string ?? ""), \(word)" + (entry["found"]?.string.map { ", " + $0 } ?? ""))
      }
    }
    return (outcome.code, (report["stages"]?.array ?? []).map { $0["status"]?.string ?? "" }, expectations)
  }

  @Test(arguments: [
    (#"{ "notNull": "country" }"#, "country is never null, not met, 1 of 4 rows, first row 4: country = null"),
    (#"{ "notNull": ["id", "at"] }"#, "id, at are never null, met"),
    (#"{ "unique": "id" }"#, "id is unique, not met, 1 of 4 rows, first row 4: id = 3"),
    (#"{ "unique": ["id", "country"] }"#, "id, country are unique together, met"),
    (#"{ "column": "price", "min": 0, "max": 10 }"#, #"price is at least 0 and at most 10, not met, 1 of 4 rows, first row 3: price = "-1.00""#),
    (#"{ "column": "country", "in": ["UK", "France"] }"#, "country is one of UK, France, met"),
    (#"{ "column": "at", "min": "2011-12-02" }"#, #"at is at least 2011-12-02, not met, 1 of 4 rows, first row 1: at = "2011-12-01""#),
    (#"{ "rows": { "min": 5 } }"#, "at least 5 rows, not met, 4 rows"),
    (#"{ "rows": 4, "name": "all four" }"#, "all four, met"),
    (#"{ "sql": "country <> 'DE'" }"#, "country <> 'DE', not met, 1 of 4 rows, first row 4: country = null"),
    (#"{ "sql": "id > $least" }"#, "id > $least, met"),
    (#"{ "fresh": "at", "within": "1 day", "asOf": "${today}" }"#, "at is at most 1 day old on 2011-12-05, met"),
    (#"{ "fresh": "at", "within": "1 day", "asOf": "2011-12-06" }"#, "at is at most 1 day old on 2011-12-06, not met, the latest is 2011-12-04"),
  ]) func eachFormIsCountedOnceAndTheSameFromTheStore(expect: String, came: String) throws {
    // While the rows are written.
    let folder = folder(expect)
    let isMet = came.hasSuffix(", met")
    let first = try run(folder)
    #expect(first.expectations == ["executed: " + came])
    #expect(first.code == (isMet ? 0 : 1))
    #expect(first.stages == ["executed"] + Array(repeating: isMet ? "executed" : "skipped", count: 3))
    // Nothing is looked at again, and what was not met is not forgotten.
    let second = try run(folder)
    #expect(second.expectations == ["cached: " + came])
    #expect(second.code == first.code)
    #expect(second.stages == ["cached"] + Array(repeating: isMet ? "cached" : "skipped", count: 3))
    // From the artifact of a run that expected nothing.
    let late = self.folder("")
    #expect(try run(late).code == 0)
    late.write(document(expect), to: "p.json")
    let third = try run(late)
    #expect(third.expectations == ["executed: " + came])
    #expect(third.stages == ["cached"] + Array(repeating: isMet ? "cached" : "skipped", count: 3))
  }

  @Test func aMistakeIsToldAndWarningsLetTheRunGoOn() throws {
    let folder = folder(#"{ "column": "price", "min": 0 }, { "notNull": "country", "severity": "warn" }"#)
    let told = folder.millrace("run", "p.json")
    #expect(told.code == 1)
    let place = "p.json:5:46"
    #expect(told.error.contains("\(place): error: pipeline \"p\", stage \"sales\" (ingest): expectation not met: price is at least 0\n"), "\(told.error)")
    #expect(told.error.contains("  found 1 of 4 rows, first row 3: price = \"-1.00\"\n"))
    #expect(told.error.contains("warning: stage \"sales\": expectation not met: country is never null\n"), "\(told.error)")
    #expect(
      told.out.contains("sales: country is never null  warn      not met   1 of 4 rows, first row 4: country = null\n"), "\(told.out)")
    // The plan says that nothing will come of it.
    let plan = folder.millrace("plan", "p.json", "--quiet")
    #expect(plan.out.contains("good   clean      blocked  not met: sales: price is at least 0"), "\(plan.out)")
    #expect(plan.out.hasSuffix("pipeline p: 0 would execute, 0 may execute, 1 cached, 3 blocked\n"))
    #expect(folder.text("artifacts/runs/latest/run.html").contains("<h2>Expectations</h2>"))
    // The artifact stays.
    #expect(folder.millrace("show", "p.json", "sales").code == 0)
    folder.write(document(#"{ "column": "price", "min": 0, "severity": "warn" }, { "notNull": "country", "severity": "warn" }"#), to: "p.json")
    // Severity is no part of what was counted.
    let after = try run(folder)
    #expect(after.code == 0 && after.stages == ["cached", "executed", "executed", "executed"])
    #expect(after.expectations.map { $0.prefix(6) } == ["cached", "cached"])
    let compared = folder.millrace("runs", "compare", "last~1", "last", "--json")
    #expect(compared.code == 0)
  }

  /// Only the columns that it names.
  @Test func itIsLookedAtAgainWhenItsColumnsChange() throws {
    let folder = folder(#"{ "column": "price", "min": -5 }, { "unique": "at" }, { "rows": { "min": 1 } }"#)
    #expect(try run(folder).code == 0)
    folder.write(Self.rows.replacing("France", with: "Spain"), to: "rows.csv")
    let names = try run(folder)
    #expect(names.stages[0] == "executed")
    #expect(names.expectations.map { String($0.prefix(6)) } == ["cached", "cached", "cached"])
    folder.write(Self.rows.replacing("2.50", with: "2.51"), to: "rows.csv")
    #expect(try run(folder).expectations.map { String($0.prefix(8)) } == ["executed", "cached: ", "cached: "])
  }

  @Test func freshnessIsComparedInEveryRunAndCountedOnce() throws {
    let folder = folder(#"{ "fresh": "at", "within": "2 days", "asOf": "${today}" }"#)
    #expect(try run(folder).code == 0)
    let later = try run(folder, "--set", "today=2011-12-30")
    #expect(later.code == 1)
    #expect(later.expectations == ["cached: at is at most 2 days old on 2011-12-30, not met, the latest is 2011-12-04"])
    #expect(later.stages == ["cached", "skipped", "skipped", "skipped"])
  }

  @Test func anInputMayBeExpectedAndBlocksOnlyItsReader() throws {
    let folder = folder(#"{ "input": "table", "rows": { "min": 10 } }"#, of: "days")
    let outcome = try run(folder)
    #expect(outcome.code == 1)
    #expect(outcome.stages == ["executed", "executed", "skipped", "skipped"])
    #expect(outcome.expectations == ["executed: at least 10 rows, not met, 4 rows"])
  }

  @Test func rowsMayBePutAside() throws {
    let folder = folder(#"{ "column": "price", "min": 0, "severity": "quarantine" }, { "notNull": "country", "severity": "quarantine" }"#, of: "good")
    #expect(try run(folder).code == 0)
    #expect(folder.millrace("show", "p.json", "good").out.contains("2 rows"))
    let aside = folder.millrace("show", "p.json", "good.quarantine", "--json").out
    #expect(aside.contains("IS NOT FALSE") && aside.contains("\\\"country\\\" IS NOT NULL"))
    // With another rule the stage is another one.
    folder.write(document(#"{ "column": "price", "min": 3, "severity": "quarantine" }"#, of: "good"), to: "p.json")
    #expect(try run(folder).stages[1] == "executed")
  }

  @Test func whatIsNotKeptIsLookedAtToo() throws {
    let folder = folder(#"{ "unique": "id", "severity": "warn" }, { "rows": 4 }"#, keep: #""keep": false, "#)
    let first = try run(folder)
    #expect(first.code == 0)
    #expect(first.expectations == ["executed: id is unique, not met, 1 of 4 rows, first row 4: id = 3", "executed: 4 rows, met"])
    #expect(try run(folder).stages == ["cached", "cached", "cached", "cached"])
  }

  @Test(arguments: [
    (#"{ "notNul": "id" }"#, "5:48: error: pipeline \"p\", stage \"sales\" (ingest): unknown key \"notNul\" of an expectation"),
    (#"{ "severity": "warn" }"#, "5:46: error: pipeline \"p\", stage \"sales\" (ingest): the expectation does not say what is expected"),
    (#"{ "unique": "idd" }"#, "5:58: error: pipeline \"p\", stage \"sales\" (ingest): no column \"idd\" in the input"),
    (#"{ "unique": "id", "severty": "warn" }"#, "5:64: error: pipeline \"p\", stage \"sales\" (ingest): unknown key \"severty\" of an expectation with \"unique\""),
    (#"{ "unique": "id", "severity": "fatal" }"#, "5:76: error: pipeline \"p\", stage \"sales\" (ingest): \"severity\" of an expectation does not fit"),
    (#"{ "unique": "id", "severity": "quarantine" }"#, "5:76: error: pipeline \"p\", stage \"sales\" (ingest): kind \"ingest\" cannot put rows aside"),
    (#"{ "column": "price", "min": "x" }"#, "5:74: error: pipeline \"p\", stage \"sales\" (ingest): \"min\" of an expectation does not fit"),
    (#"{ "sql": "prise > 0" }"#, "5:56: error: pipeline \"p\", stage \"sales\" (ingest): unknown column \"prise\""),
    (#"{ "rows": { "min": 3, "max": 2 } }"#, "5:56: error: pipeline \"p\", stage \"sales\" (ingest): \"rows\" does not fit"),
    (#"{ "fresh": "id", "within": "1 day", "asOf": "${today}" }"#, "5:57: error: pipeline \"p\", stage \"sales\" (ingest): column \"id\" does not say when"),
    (#"{ "of": "quarantin", "rows": 0 }"#, "5:54: error: pipeline \"p\", stage \"sales\" (ingest): stage \"sales\" (ingest) has no output \"quarantin\""),
  ]) func mistakesInThemAreToldBeforeDataMoves(expect: String, told: String) {
    let folder = folder(expect)
    let outcome = folder.millrace("check", "p.json")
    #expect(outcome.code == 2)
    #expect(outcome.error.hasPrefix("p.json:" + told + "\n"), "\(outcome.error)")
  }

  /// A recipe that gave no artifact is named by the records of runs alone.
  @Test func whatWasCountedGoesWithTheLastRunThatTellsOfIt() throws {
    let folder = folder(#"{ "notNull": "country", "severity": "warn" }"#)
    _ = try run(folder)
    folder.write(document(#"{ "unique": "id", "severity": "warn" }"#), to: "p.json")
    let second = try run(folder)
    let kept = try json(Executable.run(["cache", "gc", "--dry-run", "--json"], in: folder.path).out)
    #expect(kept["recipes"]?.array == [])
    let collected = try json(Executable.run(["cache", "gc", "--keep-runs", "1", "--json"], in: folder.path).out)
    #expect(collected["recipes"]?.array?.count == 1 && collected["artifacts"]?.array == [])
    let third = try run(folder)
    #expect(third.expectations == second.expectations.map { $0.replacing("executed", with: "cached") })
    #expect(third.stages == Array(repeating: "cached", count: 4))
  }
}
