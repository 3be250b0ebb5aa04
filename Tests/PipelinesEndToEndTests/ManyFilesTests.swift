import Pipelines
import Testing

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A month a file, two years: what one of them costs, and that it costs nothing else.
@Suite struct ManyFilesTests {
  private let document = """
    { "pipeline": "months", "stages": {
        "lines": { "stage": "ingest", KEEP "with": { "path": "months/*.csv", "maxQuarantine": 100, "columns": {
            "invoice": { "type": "string" }, "customer": { "type": "string" }, "at": { "type": "timestamp" },
            "quantity": { "type": "int32" }, "price": { "type": "decimal(10,2)" } } } },
        "sales": { "stage": "clean", KEEP "from": "lines", "with": {
            "require": ["customer"], "keep": ["quantity > 0"], "amount": "quantity * price" } },
        "valued": { "stage": "feature-engineer", KEEP "from": "sales", "with": { "derive": { "revenue": "quantity * price" } } },
        "customers": { "stage": "rfm", "from": "valued", "with": {
            "customer": "customer", "at": "at", "amount": "revenue", "order": "invoice", "period": "PERIOD", "until": "2011-10-15",
            "holdout": "2011-12-20" } } } }
    """

  /// Lines of one month: customers come back in other months, orders reach over days and over the month's end.
  private func month(_ number: Int, salt: Int = 0) -> String {
    var state = UInt64(number * 1_000 + salt + 1)
    func next(_ below: UInt64) -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (state >> 33) % below
    }
    let year = 2010 + number / 12, inYear = number % 12 + 1
    var text = "invoice,customer,at,quantity,price\n"
    for _ in 0..<60 {
      let customer = next(10) == 0 ? "" : "c\(next(25))"
      let day = next(28) + 1, price = next(5_000)
      text += "i\(next(400)),\(customer),\(year)-\(inYear < 10 ? "0" : "")\(inYear)-\(day < 10 ? "0" : "")\(day) 10:00:00,"
      text += "\(next(20) == 0 ? "lots" : "\(Int(next(12)) - 2)"),\(price / 100).\(price % 100 < 10 ? "0" : "")\(price % 100)\n"
    }
    return text
  }

  private func name(_ number: Int) -> String { "months/\(2010 + number / 12)-\(number % 12 < 9 ? "0" : "")\(number % 12 + 1).csv" }

  private func run(_ folder: Folder, _ document: String, store: String = "store", _ more: String...) throws -> JSONValue {
    folder.write(document, to: "months.json")
    let outcome = Executable.run(["run", "months.json", "--artifacts", store, "--json", "--quiet"] + more, in: folder.path)
    try #require(outcome.code == 0, "\(outcome.error)")
    return try JSONReader.read(Array(outcome.out.utf8), file: "run --json").value
  }

  private func partitions(_ run: JSONValue) -> [String] {
    run["stages"]!.array!.map { stage in
      stage["partitions"].map { "\($0["executed"]!.int!) of \($0["of"]!.int!)" } ?? stage["status"]!.string!
    }
  }

  private func results(_ run: JSONValue) -> [String] {
    run["stages"]!.array!.flatMap { stage in
      stage["outputs"]!.members!.map { "\(stage["name"]!.string!).\($0.key) \($0.value["digest"]!.string!)" } + [stage["metrics"]!.canonical]
    }
  }

  @Test(arguments: ["", "\"keep\": false,"], ["day", "month"]) func oneMonthIsRead(keep: String, period: String) throws {
    let folder = Folder()
    mkdir(folder.path + "/months", 0o700)
    let document = document.replacing("KEEP", with: keep).replacing("PERIOD", with: period)
    for at in 0..<23 { folder.write(month(at), to: name(at)) }
    let first = try run(folder, document)
    #expect(partitions(first) == Array(repeating: "23 of 23", count: 4))
    #expect(partitions(try run(folder, document)) == Array(repeating: "cached", count: 4))

    folder.write(month(23), to: name(23))
    let added = try run(folder, document)
    #expect(partitions(added) == Array(repeating: "1 of 24", count: 4))
    #expect(added["stages"]!.array![0]["reasons"]!.array!.map { $0["name"]!.string! } == ["2011-12.csv"])
    #expect(results(added) == results(try run(folder, document, store: "again", "-j", "1")))

    folder.write(month(6, salt: 5), to: name(6))
    let changed = try run(folder, document)
    #expect(partitions(changed) == Array(repeating: "1 of 24", count: 4))
    #expect(results(changed) == results(try run(folder, document, store: "fresh", "-j", "4")))
    #expect(results(changed) != results(added))

    // All rows as one file: customers come out as from 24.
    var whole = month(0).prefix { $0 != "\n" } + "\n"
    for at in 0..<24 { whole += month(at, salt: at == 6 ? 5 : 0).drop { $0 != "\n" }.dropFirst() }
    folder.write(String(whole), to: "whole.csv")
    let single = try run(folder, document.replacing("months/*.csv", with: "whole.csv"), store: "single")
    #expect(partitions(single) == Array(repeating: "executed", count: 4))
    #expect(results(single).suffix(3) == results(changed).suffix(3))
    for stage in 0..<3 {
      let (a, b) = (single["stages"]!.array![stage]["metrics"]!, changed["stages"]!.array![stage]["metrics"]!)
      for member in a.members! where member.key != "bytes" { #expect(b[member.key] == member.value, "\(stage) \(member.key)") }
    }

    unlink(folder.path + "/" + name(0))
    let deleted = try run(folder, document)
    #expect(partitions(deleted) == Array(repeating: "0 of 23", count: 4))
    #expect(results(deleted) == results(try run(folder, document, store: "less")))
  }

  @Test func tooManyBadRowsAreCountedOverAllFiles() {
    let folder = Folder()
    mkdir(folder.path + "/months", 0o700)
    for at in 0..<4 { folder.write(month(at), to: name(at)) }
    folder.write(document.replacing("KEEP", with: "").replacing("PERIOD", with: "day").replacing("100", with: "8"), to: "months.json")
    let outcome = folder.millrace("run", "months.json", "--quiet")
    #expect(outcome.code == 1)
    #expect(outcome.error.contains("of 240 rows cannot be read"), "\(outcome.error)")
  }
}
