import Columns
import Pipelines
import Testing

@testable import Engine

/// Graphs that no person draws: nothing may depend on their depth or width.
@Suite(.serialized) struct ManyStagesTests {
  private func story(_ count: Int, needs: (Int) -> Int?) -> Story {
    let story = Story()
    for at in 0..<count {
      let need = needs(at).map { [Story.Need(alias: "table", stage: "s\($0)", reads: .named(["x"]))] } ?? []
      story.stages.append(Story.Definition(
        name: "s\(at)", settings: ["at": .integer(at)], needs: need, file: nil,
        outputs: [Binding.Output("table", .table(TableType(Story.schema)))]
      ) { _, context in
        try context.writeTable("table", Story.table(x: [Int64(at)], y: [0]))
        return Metrics()
      })
    }
    return story
  }

  /// A chain, a fan, and stages that know nothing of each other.
  @Test(arguments: [("chain", 5000), ("fan", 5000), ("apart", 10_000)]) func allAreMadeOnce(shape: String, count: Int) throws {
    let story = story(count) { at in
      switch shape {
      case "chain": at == 0 ? nil : at - 1
      case "fan": at == 0 ? nil : 0
      default: nil
      }
    }
    let plan = story.plan, executor = Executor(store: story.store)
    #expect(try executor.run(plan, RunOptions(width: 2)).count(.executed) == count)
    #expect(try executor.plan(plan, RunOptions()).names(.cached).count == count)
    var options = RunOptions()
    options.only = ["2+s4000+2"]
    #expect(try executor.run(plan, options).count(.cached) == (shape == "chain" ? 4003 : shape == "fan" ? 2 : 1))
  }
}
