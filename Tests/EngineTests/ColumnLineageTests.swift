import Columns
import Pipelines
import Testing

@testable import Engine

@Suite(.serialized) struct ColumnLineageTests {
  /// `stage.column way: where from`, a step each.
  private func told(_ column: String, of stage: String, _ story: Story, _ report: RunReport) throws -> [String] {
    let artifact = try #require(report[stage: stage]?.outputs.first?.record.digest)
    let lineage = try #require(ColumnLineage(of: column, in: artifact, StoreView(story.store)))
    #expect(lineage.run == report.id && !lineage.isCut)
    return lineage.steps.map { step in
      let from = step.from.map { "\($0.stage ?? "?").\($0.column ?? "all")" }
      return ([("\(step.place.stage).\(step.place.column ?? "all")"), "\(step.way.rawValue):"] + from + step.files).joined(separator: " ")
    }
  }

  private func story() throws -> Story {
    let story = Story()
    try story.write("rows.csv", "1,10\n2,20\n")
    story.addReader("rows", file: "rows.csv")
    story.add(
      "model", needs: [Story.Need(alias: "table", stage: "rows", reads: .named(["y"]))],
      outputs: [Binding.Output("model", .document(about: "test"))]
    ) { _, context in
      try context.writeDocument("model", ["a": 1])
      return Metrics()
    }
    // x as it comes; y of x and the model.
    story.add("scored", needs: [
      Story.Need(alias: "table", stage: "rows", reads: .named(["x"])), Story.Need(alias: "model", stage: "model", reads: .all),
    ]) { _, context in
      try context.writeTable("table", Story.table(x: [1, 2], y: [5, 7]))
      return Metrics()
    }
    return story
  }

  @Test func theSameDigestIsTheSameColumn() throws {
    let story = try story()
    let report = try story.run()
    #expect(try told("x", of: "scored", story, report) == ["scored.x same: rows.x", "rows.x origin: rows.csv"])
  }

  @Test func whatIsMadeComesFromAllThatIsRead() throws {
    let story = try story()
    let report = try story.run()
    #expect(try told("y", of: "scored", story, report) == [
      "scored.y stage: rows.x model.all", "rows.x origin: rows.csv", "model.all stage: rows.y", "rows.y origin: rows.csv",
    ])
  }

  /// Of rows that are not kept the recipe remembers digests: the way goes on through them.
  @Test func rowsThatAreNotKept() throws {
    let story = Story()
    try story.write("base.txt", "3 4")
    story.addSource("base", file: "base.txt", batches: 2)
    story.addMap("moved", from: "base", add: 0)
    story.addMap("last", from: "moved", add: 1)
    story["moved"].keep = false
    let report = try story.run()
    #expect(try told("y", of: "last", story, report) == ["last.y same: moved.y", "moved.y same: base.y", "base.y origin: base.txt"])
    #expect(try told("x", of: "last", story, report) == ["last.x name: moved.x", "moved.x same: base.x", "base.x origin: base.txt"])
  }

  @Test func whatIsNotThere() throws {
    let story = try story()
    let report = try story.run(), view = StoreView(story.store)
    let scored = try #require(report[stage: "scored"]?.outputs.first?.record.digest), model = try #require(report[stage: "model"]?.outputs.first?.record.digest)
    #expect(ColumnLineage(of: "z", in: scored, view) == nil)
    #expect(ColumnLineage(of: "x", in: model, view) == nil)
    #expect(ColumnLineage(of: "x", in: Digest(of: "nothing"), view) == nil)
    // Without the recipes nothing is known but who made it.
    for key in story.store.recipeKeys { Disk.remove("\(story.store.recipes)/\(key).json") }
    #expect(try told("y", of: "scored", story, report) == ["scored.y unknown:"])
  }
}
