import Columns
import Diagnostics
import Pipelines
import Testing

@testable import Engine

@Suite(.serialized) struct ReportTests {
  @Test func theRecordOfARun() throws {
    let story = Story()
    try story.write("rows.csv", "1,10\n2,20\n")
    story.addReader("rows", file: "rows.csv")
    story.addSum("sum", from: "rows")
    story.addPage("page", from: "sum", file: "<b>&.txt")
    var options = RunOptions(width: 2)
    options.toolVersion = "1.2.3"
    let report = try story.run(options)
    let json = report.json(store: "artifacts")
    #expect(json.members?.map(\.key) == [
      "run", "pipeline", "file", "status", "started", "seconds", "executed", "cached", "failed", "skipped", "width", "millrace", "stages",
    ])
    #expect(json["executed"] == 3)
    let rows = json["stages"]?.array?[0]
    #expect(rows?["outputs"]?["table"]?["rows"] == 2)
    #expect(rows?["outputs"]?["table"]?["path"]?.string == "artifacts/objects/\(report[stage: "rows"]!.outputs[0].record.digest)/part-00000.arrow")
    let registry = RunRegistry(store: story.store)
    let record = try registry.record("last")
    #expect(record["document"] == ["pipeline": "story"])
    #expect(record["stages"]?.array?.count == 3)
    #expect(try registry.resolve("last~0") == report.id)
    #expect { try registry.resolve("last~1") } throws: { "\($0)" == "error: \"last~1\" goes behind the first of 1 runs" }
    let page = String(decoding: Disk.contents("\(story.store.runs)/\(report.id)/run.html")!, as: UTF8.self)
    #expect(page.contains("&lt;b&gt;&amp;.txt</a>"))
    #expect(page.contains("href=\"./%3Cb%3E%26.txt\""))
    #expect(!page.contains("<b>"))
    #expect(!page.contains("http"))
    let statistics = StoreStatistics(of: story.store)
    #expect((statistics.objects, statistics.recipes, statistics.runs) == (3, 3, 1))
  }

  @Test func anArtifactIsReadBack() throws {
    let story = Story()
    try story.write("rows.csv", "1,10\n2,20\n")
    story.addReader("rows", file: "rows.csv")
    story.addSum("sum", from: "rows")
    let reader = ArtifactReader(store: story.store)
    #expect { try reader.open(story.plan, stage: "sum") } throws: {
      "\($0)" == "error: stage \"sum\" has not been run as the document stands now\n  hint: millrace run story.json --to sum"
    }
    try story.run()
    let opened = try reader.open(story.plan, stage: "rows", output: "table")
    guard case .table(let table) = opened.artifact else {
      Issue.record("no table")
      return
    }
    #expect(try table.wholeBatch()["y"].allValues == [.int(10), .int(20)])
    #expect(try table.wholeBatch(["y", "x"]).schema.names == ["y", "x"])
    #expect { try reader.open(story.plan, stage: "rows", output: "tabel") } throws: {
      "\($0)" == "error: stage \"rows\" has no output \"tabel\"\n  hint: did you mean \"table\"?"
    }
  }

  @Test func partitionsDictionariesDocumentsAndWarnings() throws {
    let story = Story()
    let schema = Schema([Field("name", .string)])
    let outputs = [
      Binding.Output("table", .table(TableType(schema))), Binding.Output("facts", .document(about: "test")),
    ]
    story.add("many", outputs: outputs) { _, context in
      // Out of order, and with dictionaries that do not continue each other.
      for (key, batches) in [("b", [["x", "y"], ["y", "z"]]), ("a", [["q"]])] {
        let sink = try context.openTable("table", schema: schema, partition: key)
        for values in batches {
          let column = Column.dictionary(codes: values.indices.map { Int32($0) }, values: values)
          try sink.append(Batch(schema: schema, columns: [column], count: values.count))
        }
        try sink.close()
      }
      try context.writeDocument("facts", ["pi": 3.14])
      context.warn(Diagnostic("two rows were odd", at: .data(file: "f.csv", line: 3, byte: nil, column: "name")))
      return Metrics()
    }
    let first = try story.run()
    let second = try story.run()
    #expect(second.count(.cached) == 1)
    #expect(second.stages[0].warnings == first.stages[0].warnings)
    #expect(second.stages[0].warnings.map(\.description) == ["f.csv, line 3, column \"name\": warning: two rows were odd"])
    let opened = try ArtifactReader(store: story.store).open(story.plan, stage: "many")
    guard case .table(let table) = opened.artifact else {
      Issue.record("no table")
      return
    }
    #expect(table.partitions.map(\.key) == ["a", "b"])
    #expect(try table.wholeBatch()["name"].allValues == ["q", "x", "y", "y", "z"].map { .string($0) })
    let facts = try ArtifactReader(store: story.store).open(story.plan, stage: "many", output: "facts")
    guard case .document(let document) = facts.artifact else {
      Issue.record("no document")
      return
    }
    #expect(document == ["pi": 3.14])
  }
}
