import Pipelines
import Testing

/// Sales with two that cleaning removes.
let salesCSV = """
  invoice,customer,at,quantity,price
  1001,ann,2011-01-03 10:00:00,2,3.50
  1002,ben,2011-01-04 11:30:00,1,10.00
  1003,,2011-01-05 09:15:00,4,1.25
  1004,ann,2011-02-01 12:00:00,-1,3.50
  1005,cleo,2011-02-07 16:45:00,3,2.00
  1006,ben,2011-03-11 08:05:00,5,1.10

  """

let shopDocument = """
  {
    "pipeline": "shop",
    "parameters": { "least": { "type": "int", "default": 0 } },
    "stages": {
      "sales": { "stage": "ingest", "with": { "path": "sales.csv", "columns": {
          "invoice":  { "source": "invoice", "type": "string" },
          "customer": { "source": "customer", "type": "string" },
          "at":       { "source": "at", "type": "timestamp" },
          "quantity": { "source": "quantity", "type": "int32" },
          "price":    { "source": "price", "type": "decimal(12,2)" } } } },
      "good": { "stage": "clean", "from": "sales", "with": { "require": ["customer"], "keep": ["quantity > $least"] } },
      "spent": { "stage": "aggregate", "from": "good", "with": {
          "by": { "customer": "customer" }, "aggregates": { "revenue": "sum(quantity * price)" } } }
    }
  }
  """

func shop() -> Folder {
  let folder = Folder()
  folder.write(salesCSV, to: "sales.csv")
  folder.write(shopDocument, to: "shop.json")
  return folder
}

func json(_ text: String) throws -> JSONValue { try JSONReader.read(Array(text.utf8), file: "output").value }

@Suite struct CommandTests {
  @Test(arguments: [
    (["run"], "Runs what a pipeline document says and has not been done yet."),
    (["plan"], "Says what a run would do, and why; runs nothing."),
    (["check"], "Tells all mistakes of pipeline documents; opens no data file."),
    (["graph"], "Draws the stages of a pipeline and what flows between them."),
    (["show"], "Shows what a stage made: columns, profile and first rows of a table;"),
    (["export"], "Writes what a stage made to a file:"),
    (["convert"], "Converts any readable file to csv, jsonl, parquet or arrow,"),
    (["why"], "Tells why a stage is to be executed, or when and why it was, back to"),
    (["list"], "Lists the stages of a pipeline: all, or those that selectors name."),
    (["lock"], "Writes down what a document reads and gives, in a small file beside it,"),
    (["runs", "compare"], "Shows what differs between two runs: settings, files, rows, columns,"),
    (["runs", "reproduce"], "Does a recorded run again, all of it and without the store, and says"),
    (["runs", "trace"], "When each stage of a run was at work, for Perfetto"),
    (["runs", "pin"], "Keeps a run, and all that it gave, whatever cache gc is told."),
    (["runs", "unpin"], "Lets cache gc take a run again."),
    (["cache", "verify"], "Reads every artifact and recipe, and tells what is not as it was written."),
    (["cache", "gc"], "Takes old runs away, and the artifacts that no other run gave."),
    (["view"], "Shows the store as pages for a browser on this machine: runs, comparisons,"),
    (["runs"], "Lists the runs of a store, or shows one."),
    (["runs", "list"], "Lists the runs of a store, the newest first."),
    (["runs", "show"], "Shows one run: its stages, reasons and outputs."),
    (["cache"], "Looks after the store of artifacts."),
    (["cache", "stats"], "Says how much a store holds."),
    (["stages"], "Lists the kinds of stages, or describes one."),
    (["stages", "list"], "Lists the kinds of stages that a document may name."),
    (["stages", "describe"], "Describes one kind: its inputs, outputs and settings"),
    (["schema"], "Prints the JSON Schema of pipeline documents, for editors."),
    (["simulate"], "Writes transactions of a simulated shop, whose truth is known, as a"),
  ])
  func help(command: [String], abstract: String) {
    let folder = Folder()
    let outcome = Executable.run(command + ["--help"], in: folder.path)
    #expect(outcome.code == 0)
    #expect(outcome.error == "")
    #expect(outcome.out.replacing("\n", with: " ").contains(abstract)) // lines are wrapped
    if !["runs", "cache", "stages"].contains(command.last!) || command.count > 1 { #expect(outcome.out.contains("--quiet")) }
  }

  @Test(arguments: [
    ["no-such-command"], ["run"], ["run", "shop.json", "--set", "least"], ["run", "shop.json", "-j", "0"],
    ["run", "shop.json", "--memory", "much"], ["graph", "shop.json", "--format", "png"], ["convert", "sales.csv", "sales.doc"],
    ["convert", "sales.csv", "-"], ["convert", "sales.csv", "x.csv", "--no-such-flag"], ["show", "shop.json", "Sales"], ["show", "shop.json", "sales", "--rows", "-1"],
  ])
  func wrongUsage(arguments: [String]) {
    let folder = shop()
    let outcome = Executable.run(arguments, in: folder.path)
    #expect(outcome.code == 64)
    #expect(outcome.out == "")
    #expect(outcome.error.hasPrefix("Error: "))
    #expect(!folder.names(under: "").contains("artifacts"))
  }

  @Test func aSheetOfNoWorkbook() {
    let folder = shop()
    let outcome = folder.millrace("convert", "sales.csv", "x.csv", "--sheet", "One")
    #expect(outcome.code == 2)
    #expect(outcome.error == "sales.csv: error: a sheet is named, and the file is no workbook\n  expected a workbook (.xlsx, .xlsm), found csv\n")
  }

  @Test func runTwice() throws {
    let folder = shop()
    let first = folder.millrace("run", "shop.json", "--json")
    #expect(first.code == 0, "\(first.error)")
    let one = try json(first.out)
    #expect(one["status"]?.string == "succeeded" && one["pipeline"]?.string == "shop")
    #expect(one["executed"]?.int == 3 && one["cached"]?.int == 0)
    #expect(one["stages"]?.array?.map { $0["outputs"]?.members?.first?.value["rows"]?.int } == [6, 4, 3])
    #expect(first.error.contains("good (clean): executed in "))

    let second = folder.millrace("run", "shop.json", "--json")
    let two = try json(second.out)
    #expect(two["executed"]?.int == 0 && two["cached"]?.int == 3)
    #expect(second.error == "")

    let planned = try json(folder.millrace("plan", "shop.json", "--json", "--set", "least=1").out)
    #expect(planned["stages"]?.array?.map { $0["status"]?.string } == ["cached", "would-execute", "may-execute"])
    #expect(folder.millrace("plan", "shop.json").out.hasSuffix("\npipeline shop: 0 would execute, 0 may execute, 3 cached\n"))

    let listed = folder.millrace("runs", "list", "--json")
    #expect(try json(listed.out).array?.map { $0["executed"]?.int } == [0, 3])
    let shown = folder.millrace("runs", "show", "last~1")
    // The words of every other place, not those of the record.
    #expect(shown.out.contains("  first run\n") && !shown.out.contains("first-run"))
    #expect(shown.out.contains("pipeline shop (shop.json), succeeded") && shown.out.contains("3 executed, 0 cached"))
    #expect(try json(folder.millrace("runs", "show", "--json").out)["executed"]?.int == 0)
    #expect(try json(folder.millrace("cache", "stats", "--json").out)["runs"]?.int == 2)
  }

  @Test func runTellsWhatItDid() {
    let folder = shop()
    let outcome = folder.millrace("run", "shop.json", "--quiet", "--artifacts", "kept")
    #expect(outcome.code == 0)
    #expect(outcome.error == "")
    #expect(outcome.out.contains("pipeline shop succeeded in ") && outcome.out.contains(": 3 executed, 0 cached\n"))
    #expect(outcome.out.contains("  run  kept/runs/") && outcome.out.contains("/run.html\n"))
    #expect(folder.names(under: "").contains("kept") && !folder.names(under: "").contains("artifacts"))
    let again = folder.millrace("run", "shop.json", environment: ["MILLRACE_ARTIFACTS=kept"])
    #expect(again.out.contains(": 0 executed, 3 cached\n"))
  }

  @Test func showATable() throws {
    let folder = shop()
    let early = folder.millrace("show", "shop.json", "spent")
    #expect(early.code == 2)
    #expect(early.error == """
      shop.json:12:5: error: stage "spent" has not been run as the document stands now
        12 |     "spent": { "stage": "aggregate", "from": "good", "with": {
           |     ^~~~~~~
        hint: millrace run shop.json --to spent

      """)
    _ = folder.millrace("run", "shop.json")
    let text = folder.millrace("show", "shop.json", "good", "--rows", "1")
    #expect(text.code == 0, "\(text.error)")
    #expect(text.out.hasPrefix("good.table: 4 rows, 5 columns, "))
    #expect(text.out.contains("price     decimal(12,2)      0         4  1.10                 10.00\n"))
    #expect(text.out.hasSuffix("1001     ann       2011-01-03 10:00:00         2   3.50\n"))
    let value = try json(folder.millrace("show", "shop.json", "spent", "--json").out)
    #expect(value["rows"]?.int == 3)
    #expect(value["columns"]?.array?.first?["name"]?.string == "customer")
    #expect(value["first"]?.array?.first?["customer"]?.string == "ann")
    let wrong = folder.millrace("show", "shop.json", "spend")
    #expect(wrong.code == 2)
    #expect(wrong.error == "error: pipeline \"shop\" has no stage \"spend\"\n  hint: did you mean \"spent\"?\n")
  }

  @Test func exportATable() {
    let folder = shop()
    _ = folder.millrace("run", "shop.json")
    let outcome = folder.millrace("export", "shop.json", "good", "--to", "good.csv")
    #expect(outcome.code == 0)
    #expect(outcome.error == "good.csv: 4 rows\n")
    #expect(folder.text("good.csv") == """
      invoice,customer,at,quantity,price
      1001,ann,2011-01-03 10:00:00,2,3.50
      1002,ben,2011-01-04 11:30:00,1,10.00
      1005,cleo,2011-02-07 16:45:00,3,2.00
      1006,ben,2011-03-11 08:05:00,5,1.10

      """)
    let odd = folder.millrace("export", "shop.json", "good", "--to", "good.doc")
    #expect(odd.code == 2)
    #expect(odd.error == "error: good.doc: the ending does not say how to write a table\n  expected one of .csv, .parquet, .arrow, .jsonl\n")
  }

  @Test func graphs() {
    let folder = shop()
    #expect(folder.millrace("graph", "shop.json").out == """
      flowchart LR
        s0["sales<br/>ingest"]
        s1["good<br/>clean"]
        s2["spent<br/>aggregate"]
        s0 --> s1
        s1 --> s2

      """)
    #expect(folder.millrace("graph", "shop.json", "--format", "dot").out.contains("  \"sales\" -> \"good\";\n"))
    let svg = folder.millrace("graph", "shop.json", "--format", "svg").out
    #expect(svg.hasPrefix("<svg ") && svg.hasSuffix("</svg>\n") && svg.contains(">spent</text>"))
  }

  @Test func schemaAndKinds() throws {
    let folder = Folder()
    let schema = try json(folder.millrace("schema").out)
    #expect(schema["$schema"]?.string == "https://json-schema.org/draft/2020-12/schema")
    #expect(schema["$defs"]?["with-clean"] != nil)
    #expect(folder.millrace("stages").out.contains("\nrfm"))
    let page = folder.millrace("stages", "describe", "simulate")
    #expect(page.out.hasPrefix("simulate: transactions with known truth"))
    #expect(page.out.contains("customers") && page.out.contains("10000"))
    let wrong = folder.millrace("stages", "describe", "cleen")
    #expect(wrong.code == 2)
    #expect(wrong.error == "error: there is no kind of stage \"cleen\"\n  hint: did you mean \"clean\"?\n")
    #expect(folder.millrace("docs", ".").code == 0)
    #expect(try json(folder.text("pipeline.schema.json")) == schema)
    #expect(folder.text("stages.md").hasPrefix("# Kinds of stages\n"))
  }

  @Test func simulateIsTheSameAtAnyWidth() {
    let folder = Folder()
    for (name, width) in [("a.csv", "1"), ("b.csv", "1"), ("c.csv", "7")] {
      #expect(folder.millrace("simulate", name, "--customers", "500", "--weeks", "30", "--seed", "5", "-j", width, "--quiet").code == 0)
    }
    let first = folder.text("a.csv")
    #expect(first.hasPrefix("Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country\n"))
    #expect(first.utf8.count > 50_000)
    #expect(folder.text("b.csv") == first)
    #expect(folder.text("c.csv") == first)
    #expect(folder.millrace("simulate", "d.csv", "--customers", "500", "--weeks", "30", "--seed", "6", "--quiet").code == 0)
    #expect(folder.text("d.csv") != first)
    let wrong = folder.millrace("simulate", "e.csv", "--customers", "0")
    #expect(wrong.code == 2)
    #expect(!folder.names(under: "").contains("e.csv"))
  }
}
