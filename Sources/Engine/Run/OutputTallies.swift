import Columns
import Pipelines
import Synchronization

/// What is counted for expectations while the rows of an output are written. Their order must be that of the table; where it is not, or
/// counting fails, nothing is known, and the artifact is read for it.
// @unchecked: mutable state lies in `state`, a mutex; rows of one output come one batch at a time.
final class OutputTallies: @unchecked Sendable {
  private struct State {
    var tallies: [(expectation: Int, tally: ExpectationTally)] = []
    var partition: String?
    var isVoid = false
  }
  private let state = Mutex(State())

  func add(_ tally: ExpectationTally, of expectation: Int) { state.withLock { $0.tallies.append((expectation, tally)) } }

  /// `isAlone`: every partition before it is closed.
  func open(_ partition: String, isAlone: Bool) {
    state.withLock { state in
      if let before = state.partition, !isAlone || !before.utf8.lexicographicallyPrecedes(partition.utf8) { state.isVoid = true }
      state.partition = partition
      for (_, tally) in state.tallies { tally.open(partition: partition) }
    }
  }

  func add(_ batch: Batch) {
    state.withLock { state in
      if state.isVoid { return }
      for (_, tally) in state.tallies {
        do { try tally.add(batch) } catch { state.isVoid = true }
      }
    }
  }

  var counts: [(expectation: Int, counts: JSONValue)] {
    state.withLock { state in state.isVoid || state.partition == nil ? [] : state.tallies.map { ($0.expectation, $0.tally.counts.json) } }
  }
}
