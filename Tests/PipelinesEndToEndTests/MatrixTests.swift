import Pipelines
import Testing

/// One document, several values of its parameters at once.
@Suite struct MatrixTests {
  private static let document = """
    {
      "pipeline": "m",
      "parameters": { "least": { "type": "int" }, "word": { "type": "string", "default": "x" }, "high": { "type": "int" } },
      "matrix": { "least": [1, 2, 3], "high": [10, 20] },
      "stages": {
        "rows": { "stage": "ingest", "with": { "path": "rows.csv", "columns": { "n": { "type": "int32" }, "word": { "type": "string" } } } },
        "some": { "stage": "clean", "from": "rows", "with": { "keep": ["n >= $least", "word <> '${word}'"] } },
        "both": { "stage": "clean", "from": "some", "with": { "keep": ["n < $high"] } },
        "sums": { "stage": "aggregate", "from": "both", "with": { "aggregates": { "total": "sum(n)" } } },
        "table": { "stage": "clean", "from": { "all": "sums" }, "with": { "keep": ["total > 0"] } }
      }
    }

    """

  private func folder(_ document: String = MatrixTests.document) -> Folder {
    let folder = Folder()
    folder.write("n,word\\n1,a\\n2,b\\n3,c\\n15,d\\n".replacing("\\n", with: "\n"), to: "rows.csv")
    folder.write(document, to: "m.json")
    return folder
  }

  private func run(_ folder: Folder, _ arguments: String...) throws -> (code: Int32, executed: [String], cached: Int) {
    let outcome = Executable.run(["run", "m.json", "--quiet", "--json"] + arguments, in: folder.path)
    let stages = try json(outcome.out)["stages"]?.array ?? []
    return (
      outcome.code, stages.filter { $0["status"]?.string == "executed" }.map { $0["name"]?.string ?? "" }, stages.count { $0["status"]?.string == "cached" }
    )
  }

  @Test func everyVariantIsMadeOnceAndWhatUsesNoneIsShared() throws {
    let folder = folder()
    #expect(try run(folder).executed.sorted() == [
      "both[least=1,high=10]", "both[least=1,high=20]", "both[least=2,high=10]", "both[least=2,high=20]", "both[least=3,high=10]", "both[least=3,high=20]",
      "rows", "some[least=1]", "some[least=2]", "some[least=3]",
      "sums[*]", "sums[least=1,high=10]", "sums[least=1,high=20]", "sums[least=2,high=10]", "sums[least=2,high=20]", "sums[least=3,high=10]",
      "sums[least=3,high=20]", "table",
    ])
    #expect(try run(folder).executed == [])
    // A further value costs its own variants, and what reads all of them.
    folder.write(Self.document.replacing("[10, 20]", with: "[10, 20, 30]"), to: "m.json")
    #expect(try run(folder).executed.filter { !$0.hasPrefix("both[") }.sorted() == ["sums[*]", "table"])
    // The order of the values is no part of a variant.
    folder.write(Self.document.replacing("[1, 2, 3]", with: "[3, 1, 2]"), to: "m.json")
    #expect(try run(folder).executed == ["sums[*]", "table"])
  }

  /// One entry of the document is wrong once, however many variants it has.
  @Test func whatAllVariantsGetWrongIsToldOnce() {
    let folder = folder(Self.document.replacing("\"n < $high\"]", with: "\"n < $high\"], \"distinct\": \"$word\""))
    let outcome = folder.millrace("check", "m.json")
    #expect(outcome.code == 2)
    #expect(outcome.error == """
      m.json:8:94: error: pipeline "m", stage "both[least=1,high=10]" (clean): setting "distinct" does not fit
        8 | …both": { "stage": "clean", "from": "some", "with": { "keep": ["n < $high"], "distinct": "$word" } },
          |                                                                                          ^~~~~~~
        expected true or false, or a list of texts, found the text "$word"
        hint: write "${word}" for the value of parameter "word"

      """)
  }

  @Test func allVariantsAreOneTable() throws {
    let folder = folder()
    #expect(try run(folder).code == 0)
    #expect(folder.millrace("export", "m.json", "table", "--to", "t.csv").code == 0)
    #expect(folder.text("t.csv") == """
      least,high,total
      1,10,6
      1,20,21
      2,10,5
      2,20,20
      3,10,3
      3,20,18

      """)
    #expect(folder.millrace("show", "m.json", "sums[least=2,high=20]").out.contains("20"))
    let text = folder.millrace("run", "m.json").out
    #expect(text.contains("\nsome\n  least  rows_in  rows_kept"), "\(text)")
    #expect(folder.text("artifacts/runs/latest/run.html").contains("<h2>Matrix</h2>"))
  }

  @Test(arguments: [
    (["--only", "some"], "some[least=1] some[least=2] some[least=3]"), (["--only", "some[least=2]"], "some[least=2]"),
    (["--only", "both[high=10]"], "both[least=1,high=10] both[least=2,high=10] both[least=3,high=10]"),
    (["--only", "both[high=10,least=2]"], "both[least=2,high=10]"), (["--only", "1+sums[least=1,high=10]"], "both[least=1,high=10] sums[least=1,high=10]"),
    (["--only", "sums[*]"], "sums[*]"), (["--only", "s*", "--exclude", "sums some[least=1]"], "some[least=2] some[least=3] sums[*]"),
  ]) func selectorsKnowVariants(options: [String], names: String) throws {
    let folder = folder()
    // The folder is there as long as it is named.
    let outcome = withExtendedLifetime(folder) { Executable.run(["list", "m.json", "--json"] + options, in: folder.path) }
    let listed = try json(outcome.out).array?.map { $0["name"]?.string ?? "" }.joined(separator: " ")
    #expect(listed == names)
  }

  @Test(arguments: [
    (
      ["why", "m.json", "some"],
      "error: stage \"some\" of pipeline \"m\" has 3 variants, and one has to be named\n  expected some[least=1], some[least=2], some[least=3]\n"
    ),
    (
      ["show", "m.json", "sums[least=2]"],
      "error: stage \"sums[least=2]\" of pipeline \"m\" has 2 variants, and one has to be named\n  expected sums[least=2,high=10], sums[least=2,high=20]\n"
    ),
    (
      ["export", "m.json", "sums", "--to", "s.csv"],
      """
      error: stage "sums" of pipeline "m" has 6 variants, and one has to be named
        expected sums[least=1,high=10], sums[least=1,high=20], sums[least=2,high=10], sums[least=2,high=20], sums[least=3,high=10], sums[least=3,high=20]
        hint: all of them as one table: sums[*]

      """
    ),
    (["why", "m.json", "sms"], "error: pipeline \"m\" has no stage \"sms\"\n  hint: did you mean \"sums\"?\n"),
    (["run", "m.json", "--only", "sms"], "error: --only names stage \"sms\", which pipeline \"m\" does not have\n  hint: did you mean \"sums\"?\n"),
  ]) func aNameWithoutItsVariant(command: [String], message: String) {
    let folder = folder()
    #expect(folder.millrace("run", "m.json", "--quiet").code == 0)
    let outcome = withExtendedLifetime(folder) { Executable.run(command, in: folder.path) }
    #expect(outcome.code == 2)
    #expect(outcome.error == message)
  }

  @Test func aValueOnTheCommandLineIsTheOnlyOne() throws {
    let folder = folder()
    #expect(try run(folder, "--set", "high=20").executed.count == 1 + 3 + 3 + 3 + 2)
    #expect(folder.millrace("plan", "m.json", "--set", "high=20", "--quiet").out.hasSuffix("0 would execute, 0 may execute, 12 cached\n"))
    #expect(folder.millrace("why", "m.json", "some[least=2]").out.hasPrefix("some[least=2] (clean): cached, made by run "))
  }

  @Test(arguments: [
    ("\"least\": [1, 2, 3]", "\"leest\": [1]", "4:15: error: the matrix names parameter \"leest\", and there is no such parameter"),
    ("\"least\": [1, 2, 3]", "\"least\": []", "4:24: error: the values of \"least\" do not fit"),
    ("\"least\": [1, 2, 3]", "\"least\": [1, \"a\"]", "4:28: error: a value of \"least\" does not fit"),
    ("\"least\": [1, 2, 3]", "\"least\": [1, 1]", "4:28: error: a value of \"least\" stands there twice"),
    ("{ \"all\": \"sums\" }", "{ \"all\": \"rows\" }", "10:42: error: stage \"table\" reads all variants of \"rows\", which has none"),
    ("{ \"all\": \"sums\" }", "{ \"all\": \"sms\" }", "10:42: error: stage \"table\" reads \"sms\", and there is no such stage"),
  ]) func mistakesAreTold(old: String, new: String, told: String) {
    let outcome = folder(Self.document.replacing(old, with: new)).millrace("check", "m.json")
    #expect(outcome.code == 2)
    #expect(outcome.error.contains("m.json:" + told + "\n"), "\(outcome.error)")
  }
}
