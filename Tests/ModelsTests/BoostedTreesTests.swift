import Foundation
import Testing

@testable import Models

/// Trees against XGBoost's own Python on the same rows. Where the library is absent they say so and pass.
@Suite struct BoostedTreesTests {
  static let isHere: Bool = {
    do {
      _ = try BoostedTrees.libraryVersion()
      return true
    } catch {
      print("note: \((error as? BoostedTrees.Failure)?.words ?? ""); trees were not compared")
      return false
    }
  }()

  static let growths: [(name: String, growth: BoostedTrees.Growth)] = {
    var boosting = BoostedTrees.Growth()
    (boosting.trees, boosting.maxDepth, boosting.learningRate, boosting.seed) = (30, 4, 0.1, 1)
    var tweedie = boosting
    tweedie.objective = .tweedie(power: 1.5)
    var forest = BoostedTrees.Growth()
    (forest.isForest, forest.trees, forest.learningRate, forest.subsample, forest.columnSample, forest.l2, forest.seed) = (true, 50, 1, 0.8, 0.8, 1e-5, 1)
    return [("boosting", boosting), ("boosting_tweedie", tweedie), ("forest", forest)]
  }()

  @Test(arguments: ["boosting", "boosting_tweedie", "forest"]) func asInPython(name: String) throws {
    guard Self.isHere else { return }
    let reference = try Reference.values("attributes.json")["synthetic"]
    let rows = reference["rows"].items
    func texts(_ at: Int) -> [String?] { rows.map { if case .text(let text) = $0[at] { text } else { nil } } }
    let y = rows.map { $0[5].number }
    let attributes: [AttributeFit.Attribute] = (0..<3).map { at in ("\(at)", .numbers(rows.map { $0[at].number }), .number) }
      + [3, 4].map { ("\($0)", .levels(texts($0)), .oneHot(baseline: nil)) }
    let x = try AttributeEncoder.learn(attributes, target: y, missing: .keep, unseen: .usual, dropsBaseline: false, seed: 1).encoded.columns
    #expect(x.count == 10)
    let trees = try BoostedTrees.grow(x, y, Self.growths.first { $0.name == name }!.growth)
    let values = try trees.values(x, rows: y.count)
    for (found, expected) in zip(values, reference[name, "values"].numbers) { #expect(relative(found, expected) < 1e-5) }
    let parts = try trees.contributions(x, rows: y.count)
    for (row, known) in reference[name, "contributions"].items.enumerated() {
      for (found, expected) in zip(parts.columns.map { $0[row] } + [parts.base], known.numbers) { #expect((found - expected).magnitude < 1e-3) }
    }
    // What the columns add to the base is the value, of a model of the logarithm its logarithm.
    let sum = parts.base + parts.columns.reduce(0) { $0 + $1[7] }
    #expect((sum - (trees.isLog ? log(values[7]) : values[7])).magnitude < 1e-3)
    #expect(try BoostedTrees.grow(x, y, Self.growths.first { $0.name == name }!.growth) == trees)
    // Rows do not know each other.
    let few = try trees.values(x.map { Array($0[40..<43]) }, rows: 3)
    #expect(few == Array(values[40..<43]))
  }
}
