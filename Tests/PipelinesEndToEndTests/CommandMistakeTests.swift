import Testing

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// What people read when a document or its inputs do not fit: whole messages, and exit code 2.
@Suite struct CommandMistakeTests {
  private func refused(_ document: String, _ arguments: [String] = [], command: String = "check") -> String {
    let folder = shop()
    folder.write(document, to: "shop.json")
    let outcome = Executable.run([command, "shop.json"] + arguments, in: folder.path)
    #expect(outcome.code == 2)
    #expect(outcome.out == "")
    #expect(!folder.names(under: "").contains("artifacts"))
    return outcome.error
  }

  @Test func threeAtOnce() {
    let document = shopDocument.replacing("\"clean\"", with: "\"cleen\"").replacing("\"source\": \"price\"", with: "\"sauce\": \"price\"")
      .replacing("\"path\": \"sales.csv\"", with: "\"path\": 7")
    #expect(refused(document) == """
      shop.json:5:53: error: pipeline "shop", stage "sales" (ingest): setting "path" does not fit
        5 |     "sales": { "stage": "ingest", "with": { "path": 7, "columns": {
          |                                                     ^
        expected a path, found the number 7
      shop.json:10:23: error: pipeline "shop", stage "sales" (ingest): unknown setting "columns.price.sauce"
        10 |         "price":    { "sauce": "price", "type": "decimal(12,2)" } } } },
           |                       ^~~~~~~
        hint: did you mean "source"?
      shop.json:11:24: error: pipeline "shop", stage "good": unknown kind "cleen"
        11 |     "good": { "stage": "cleen", "from": "sales", "with": { "require": ["customer"], "keep": ["quanti…
           |                        ^~~~~~~
        hint: did you mean "clean"?

      """)
  }

  @Test func unknownKind() {
    #expect(refused(shopDocument.replacing("\"aggregate\"", with: "\"agregate\"")) == """
      shop.json:12:25: error: pipeline "shop", stage "spent": unknown kind "agregate"
        12 |     "spent": { "stage": "agregate", "from": "good", "with": {
           |                         ^~~~~~~~~~
        hint: did you mean "aggregate"?

      """)
  }

  @Test func valueThatDoesNotFit() {
    #expect(refused(shopDocument, ["--set", "least=many"], command: "run") == """
      error: --set least=many does not fit
        expected a whole number, found "many"

      """)
  }

  @Test func parameterThatNobodyKnows() {
    #expect(refused(shopDocument, ["--set", "lest=1"], command: "plan") == """
      error: unknown parameter "lest" in --set lest=1
        hint: did you mean "least"?

      """)
  }

  @Test func missingDataFile() {
    #expect(refused(shopDocument.replacing("sales.csv", with: "sale.csv"), command: "run") == """
      shop.json:5:53: error: pipeline "shop", stage "sales" (ingest): there is no file "sale.csv"
        5 |     "sales": { "stage": "ingest", "with": { "path": "sale.csv", "columns": {
          |                                                     ^~~~~~~~~~
        hint: did you mean "sales.csv"?

      """)
  }

  @Test func missingDataFileAndUnknownStages() {
    #expect(refused(shopDocument.replacing("sales.csv", with: "sale.csv"), ["--to", "nosuch", "--force", "god"], command: "run") == """
      error: --force names stage "god", which pipeline "shop" does not have
        hint: did you mean "good"?
      error: --to names stage "nosuch", which pipeline "shop" does not have
        hint: known: sales, good, spent
      shop.json:5:53: error: pipeline "shop", stage "sales" (ingest): there is no file "sale.csv"
        5 |     "sales": { "stage": "ingest", "with": { "path": "sale.csv", "columns": {
          |                                                     ^~~~~~~~~~
        hint: did you mean "sales.csv"?

      """)
  }

  /// Kinds without a quarantine end, and say which rows they could not do.
  @Test(arguments: [
    ("sum(100 / (quantity - 1))", """
      shop.json:13:70: error: pipeline "shop", stage "spent" (aggregate): aggregate "revenue" fails on 1 of 4 rows, first on row 2: division by zero
        13 | …      "by": { "customer": "customer" }, "aggregates": { "revenue": "sum(100 / (quantity - 1))" } } }
           |                                                                     ^~~~~~~~~~~~~~~~~~~~~~~~~~~
        found customer = ben, quantity = 1
        hint: try_cast and nullif give null in place of an error; a clean or feature-engineer stage before keeps such rows in quarantine

      """),
    ("sum(quantity) / (count(*) - 1)", """
      shop.json:13:70: error: pipeline "shop", stage "spent" (aggregate): aggregate "revenue" fails on 2 of 3 groups: division by zero
        13 | … "by": { "customer": "customer" }, "aggregates": { "revenue": "sum(quantity) / (count(*) - 1)" } } }
           |                                                                ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~
        found customer = ann
        hint: try_cast and nullif give null in place of an error

      """),
  ]) func rowsThatAnAggregateCannotDo(expression: String, expected: String) {
    let folder = shop()
    folder.write(shopDocument.replacing("sum(quantity * price)", with: expression), to: "shop.json")
    let outcome = folder.millrace("run", "shop.json", "--quiet")
    #expect(outcome.code == 1)
    #expect(outcome.error == expected)
  }

  @Test func keyThatFailsOnARow() {
    let folder = shop()
    folder.write(shopDocument.replacing("{ \"customer\": \"customer\" }", with: "{ \"many\": \"10 / (quantity - 1)\" }"), to: "shop.json")
    let outcome = folder.millrace("run", "shop.json", "--quiet")
    #expect(outcome.code == 1)
    #expect(outcome.error.hasPrefix(
      "shop.json:13:25: error: pipeline \"shop\", stage \"spent\" (aggregate): key \"many\" fails on 1 of 4 rows, first on row 2: division by zero\n"))
  }

  @Test func missingDocument() {
    let outcome = Folder().millrace("run", "shop.json")
    #expect(outcome.code == 2)
    #expect(outcome.error == "shop.json: error: cannot be opened: No such file or directory\n")
  }

  @Test func notJSON() {
    #expect(refused("{ \"pipeline\": 'shop' }") == """
      shop.json:1:15: error: not JSON
        1 | { "pipeline": 'shop' }
          |               ^
        expected a value, found "'"
        hint: texts stand in double quotes

      """)
  }

  @Test func duplicateKeyIsNotStrict() {
    #expect(refused("{ \"a\": 1, \"a\": 2 }", ["--syntax"]).hasPrefix("shop.json:1:11: error: "))
  }

  @Test func stageThatFails() {
    let folder = shop()
    folder.write("invoice,customer\n1,ann\n", to: "sales.csv")
    let outcome = folder.millrace("run", "shop.json", "--quiet")
    #expect(outcome.code == 1)
    #expect(outcome.error == """
      shop.json:5:5: error: pipeline "shop", stage "sales" (ingest): sales.csv: the header has no column "at"
        5 |     "sales": { "stage": "ingest", "with": { "path": "sales.csv", "columns": {
          |     ^~~~~~~
        hint: known: invoice, customer
      shop.json:5:5: error: pipeline "shop", stage "sales" (ingest): sales.csv: the header has no column "quantity"
        5 |     "sales": { "stage": "ingest", "with": { "path": "sales.csv", "columns": {
          |     ^~~~~~~
        hint: known: invoice, customer
      shop.json:5:5: error: pipeline "shop", stage "sales" (ingest): sales.csv: the header has no column "price"
        5 |     "sales": { "stage": "ingest", "with": { "path": "sales.csv", "columns": {
          |     ^~~~~~~
        hint: known: invoice, customer

      """)
  }

  @Test func syntaxOfTheTestSuite() {
    guard let shared = Executable.shared else { return print("JSONTestSuite: not here, nothing checked") }
    let folder = shared + "/corpora/jsontestsuite"
    var found: [String] = []
    if let stream = opendir(folder + "/test_parsing") ?? opendir(folder) {
      let base = access(folder + "/test_parsing", R_OK) == 0 ? folder + "/test_parsing" : folder
      while let entry = readdir(stream) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) { $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) } }
        if name.hasSuffix(".json"), name.hasPrefix("y_") || name.hasPrefix("n_") { found.append(base + "/" + name) }
      }
      closedir(stream)
    }
    #expect(found.count > 50)
    let here = Folder()
    // Duplicate keys are allowed by RFC 8259 and refused by us.
    let accepted = found.filter { $0.contains("/y_") && !$0.contains("duplicated_key") }.sorted()
    let all = Executable.run(["check", "--syntax"] + accepted, in: here.path)
    #expect(all.code == 0, "\(all.error)")
    for path in found.sorted() where path.contains("/n_") {
      let one = Executable.run(["check", "--syntax", path], in: here.path)
      #expect(one.code == 2, "\(path): \(one.out)\(one.error)")
    }
  }
}
