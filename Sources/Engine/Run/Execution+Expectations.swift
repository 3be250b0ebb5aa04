import Columns
import Diagnostics
import Pipelines

/// What is expected of tables: counted while they are written where that can be, and asked before what reads them begins.
extension Execution {
  /// Tallies for the outputs of a stage that is about to run.
  func tallies(of stage: BoundStage, _ index: Int) -> [String: OutputTallies] {
    var tallies: [String: OutputTallies] = [:]
    for at in expectations[index] ?? [] {
      let node = plan.stages[at]
      guard let expectation = node.expectation?.expectation, let schema = node.inputs[0].type.table?.schema,
        let tally = try? ExpectationTally(expectation, schema: schema, bindings: node.parameters.bindings, width: { self.grantedWidth })
      else { continue }
      let output = node.inputs[0].output
      let own = tallies[output] ?? OutputTallies()
      own.add(tally, of: at)
      tallies[output] = own
    }
    return tallies
  }

  func note(_ counts: [(expectation: Int, counts: JSONValue)]) {
    if counts.isEmpty { return }
    ledger.withLock { ledger in for (index, counts) in counts { ledger.counted[index] = counts } }
  }

  /// An expectation of severity `error` that is not met, or could not be looked at.
  func unmetExpectation(before entry: PlanReport.Stage) -> Reason? {
    for index in plan.stages[entry.index].guards {
      guard let found = ledger.withLock({ $0.settled[index] }), found.made == nil || isUnmet(index, found), let expectation = plan.stages[index].expectation else { continue }
      return Reason(.expectation, name: "\(expectation.subject): \(expectation.expectation.words)")
    }
    return nil
  }

  func isUnmet(_ index: Int, _ settled: Settled) -> Bool {
    guard let expectation = plan.stages[index].expectation?.expectation, expectation.severity == .error, let made = settled.made else { return false }
    return !expectation.outcome(of: made.metrics).holds
  }

  func expectationReport(_ index: Int, _ settled: Settled) -> RunReport.Expectation? {
    guard let bound = plan.stages[index].expectation else { return nil }
    let outcome = settled.made.map { bound.expectation.outcome(of: $0.metrics) }
    return RunReport.Expectation(
      bound: bound, status: settled.status, outcome: outcome, counts: settled.made?.metrics ?? [:], mistakes: settled.mistakes,
      recipe: settled.recipe.key.description)
  }
}
