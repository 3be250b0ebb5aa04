import Pipelines
import Testing

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A pipeline over files that say nothing about themselves.
@Suite struct DirtyFilesTests {
  private let document = """
    { "pipeline": "dirty", "stages": {
        "lines": { "stage": "ingest", "with": { "path": "in/*.csv", "dialect": "auto", "tolerant": true, "columns": {
            "invoice": { "type": "string" }, "day": { "type": "date" }, "price": { "type": "decimal(10,2)" } } } },
        "sales": { "stage": "clean", "from": "lines", "with": { "keep": ["price > 0"], "amount": "price" } } } }
    """

  @Test func everyFileIsReadInItsOwnWayAndTheRunSaysHow() throws {
    let folder = Folder()
    mkdir(folder.path + "/in", 0o700)
    folder.write("invoice;day;price\na;28/01/2018;1.234,50\nb;03/02/2018;6,95\nc;04/02/2018\n", to: "in/1.csv")
    folder.write("invoice,day,price\nd,2018-01-28,10.00\ne,2018-02-03,many\nf,2018-02-04,0.00\n", to: "in/2.csv")
    folder.write(document, to: "p.json")
    func run() throws -> JSONValue {
      let outcome = folder.millrace("run", "p.json", "--artifacts", "store", "--json", "--quiet")
      try #require(outcome.code == 0, "\(outcome.error)")
      return try JSONReader.read(Array(outcome.out.utf8), file: "run").value
    }
    let first = try run(), lines = try #require(first["stages"]?.array?.first?["metrics"])
    #expect(lines["dialects"]?.array?.map { $0["delimiter"] } == [";", ","])
    #expect(lines["rows"] == 6 && lines["kept"] == 5 && lines["quarantined"] == 1 && lines["total"] == 6)
    #expect(lines["repaired"]?["short rows padded"] == 1)
    let sales = try #require(first["stages"]?.array?.last?["metrics"])
    #expect(sales["amount_in"] == 1251.45 && sales["amount_kept"] == 1251.45 && sales["rows_kept"] == 3)
    let note = "1.csv: delimiter \";\": "
    let shown = folder.millrace("runs", "show", "last", "--artifacts", "store").out
    #expect(shown.contains("\nlines\n") && shown.contains(note) && shown.contains("1.csv: 1 short row padded"), "\(shown)")
    #expect(folder.text("store/runs/latest/run.html").contains("1.csv: delimiter &quot;;&quot;: "))
    // What was found depends on the bytes alone: nothing is done again, and of a changed file only that.
    #expect(try run()["executed"] == 0)
    folder.write("invoice|day|price\nd|2018-01-28|10.00\n", to: "in/2.csv")
    let third = try run()
    #expect(third["stages"]?.array?.first?["partitions"]?["executed"] == 1)
    #expect(third["stages"]?.array?.first?["metrics"]?["dialects"]?.array?.map { $0["delimiter"] } == [";", "|"])
  }
}
