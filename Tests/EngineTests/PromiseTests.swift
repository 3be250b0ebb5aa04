import Columns
import Diagnostics
import Pipelines
import Testing

@testable import Engine

/// The plan's promise over random graphs and random edits: a run executes all of `would-execute`, none of `cached`, and
/// of `may-execute` exactly those whose read columns came out as they never had before.
@Suite(.serialized) struct PromiseTests {
  /// Marsaglia's xorshift64: enough to choose edits, the same in every run of the tests.
  struct Dice {
    var state: UInt64
    mutating func roll(_ sides: Int) -> Int {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return Int(state % UInt64(sides))
    }
  }

  /// What a stage does, in plain Swift: few different values, so that cutoff happens often.
  struct Model: Equatable {
    var offset: Int
    /// (producer, reads x, reads y)
    var needs: [(Int, Bool, Bool)]

    static func == (a: Model, b: Model) -> Bool { a.offset == b.offset && a.needs.map(\.0) == b.needs.map(\.0) }

    func values(_ inputs: [(x: Int64, y: Int64)]) -> (x: Int64, y: Int64) {
      var sum = Int64(offset)
      for (need, input) in zip(needs, inputs) { sum += (need.1 ? input.x : 0) + (need.2 ? 2 * input.y : 0) }
      return (sum % 3, sum % 2)
    }

    /// What a recipe of it would hold: settings and the values read.
    func recipe(_ inputs: [(x: Int64, y: Int64)]) -> String {
      "\(offset)" + zip(needs, inputs).map { "|\($0.1 ? "\($1.x)" : "-"),\($0.2 ? "\($1.y)" : "-")" }.joined()
    }
  }

  @Test(arguments: 1...10) func planAgreesWithRun(seed: Int) throws {
    var dice = Dice(state: UInt64(seed) &* 0x9E37_79B9_7F4A_7C15)
    let story = Story()
    var models: [Model] = (0..<8).map { at in
      Model(offset: dice.roll(3), needs: at < 2 ? [] : (0..<1 + dice.roll(2)).map { _ in
        let columns = 1 + dice.roll(3)
        return (dice.roll(at), columns & 1 != 0, columns & 2 != 0)
      })
    }
    var known: Set<String> = []
    for edit in 0..<10 {
      var options = RunOptions(width: 1 + dice.roll(3))
      switch dice.roll(4) {
      case 0: options.force = ["s\(dice.roll(8))"]
      case 1: for suffix in ["", "-wal", "-shm"] { Disk.remove(story.store.path + "/catalog.sqlite" + suffix) }
      default: if edit > 0 { models[dice.roll(8)].offset = dice.roll(3) }
      }
      define(models, in: story)
      var values: [(x: Int64, y: Int64)] = [], recipes: [String] = []
      for model in models {
        let inputs = model.needs.map { values[$0.0] }
        recipes.append(model.recipe(inputs))
        values.append(model.values(inputs))
      }
      let plan = try story.planned(options)
      let report = try story.run(options)
      _ = story.worked()
      let executed = Set(report.names(.executed))
      #expect(report.status == .succeeded)
      #expect(executed.isSuperset(of: plan.names(.wouldExecute)), "seed \(seed), edit \(edit)")
      #expect(executed.isDisjoint(with: plan.names(.cached)), "seed \(seed), edit \(edit)")
      for name in plan.names(.mayExecute) {
        #expect(executed.contains(name) == !known.contains(recipes[Int(name.dropFirst())!]), "seed \(seed), edit \(edit), \(name)")
      }
      for (at, value) in values.enumerated() {
        let expected = Story.table(x: [value.x], y: [value.y])
        #expect(report[stage: "s\(at)"]?.outputs[0].record.table?.partitions[0].columns == expected.columns.map(\.digest))
      }
      known.formUnion(recipes)
    }
  }

  private func define(_ models: [Model], in story: Story) {
    for (at, model) in models.enumerated() {
      let needs = model.needs.enumerated().map { place, need in
        Story.Need(alias: "i\(place)", stage: "s\(need.0)", reads: .named((need.1 ? ["x"] : []) + (need.2 ? ["y"] : [])))
      }
      story.add("s\(at)", settings: ["offset": .integer(model.offset)], needs: needs) { inputs, context in
        let values = try inputs.many("table").map { _, artifact -> (x: Int64, y: Int64) in
          guard case .table(let table) = artifact else { preconditionFailure("an input is no table") }
          let batch = try table.wholeBatch()
          let cell = { (name: String) in table.schema.names.contains(name) ? Story.cells(batch, name)[0] : 0 }
          return (cell("x"), cell("y"))
        }
        let value = model.values(values)
        try context.writeTable("table", Story.table(x: [value.x], y: [value.y]))
        return Metrics()
      }
    }
  }
}
