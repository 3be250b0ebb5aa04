import Columns
import Pipelines

/// Stages that run at once because rows stream among them: their seats and the rows on their way.
///
/// At most `seats` of them are busy; one that waits for rows, or for room for rows, gives its seat away. So a pass of any
/// length runs with a single thread busy, and nobody holds a seat while waiting for somebody else's.
final class StreamPass: Sendable {
  /// Why a producer's rows are not taken any more.
  enum Leaving {
    /// The consumer has all it wants: rows are digested and dropped.
    case satisfied
    /// The consumer failed: the producer's work is of no use.
    case failed
  }

  private struct Link {
    var steps: [RowStep<Batch>] = []
    var batches = 0
    var isEnded = false
    var isBroken = false
    var leaving: Leaving?
  }

  private struct State {
    var busy = 0
    var links: [Link]
  }

  private let seats: Int
  private let capacity: Int
  private let state: Monitor<State>
  private let busyChanged: @Sendable (Int) -> Void

  /// `busyChanged` is told +1 and −1 as stages begin to be busy and stop.
  init(links: Int, width: Int, busyChanged: @escaping @Sendable (Int) -> Void) {
    seats = max(1, width)
    // Two windows of work: one in hand, one on its way.
    capacity = max(2, 2 * width)
    state = Monitor(State(links: Array(repeating: Link(), count: links)))
    self.busyChanged = busyChanged
  }

  func sitDown() {
    state.wait { state in
      guard state.busy < self.seats else { return nil }
      state.busy += 1
      return ()
    } as Void
    busyChanged(1)
  }

  func standUp() {
    state.change { $0.busy -= 1 }
    busyChanged(-1)
  }

  /// Waits for an answer; without a seat where it takes time.
  private func wait<Result>(for answer: (inout State) throws -> Result?) throws -> Result {
    if let result = try state.change(answer) { return result }
    standUp()
    defer { sitDown() }
    return try state.wait(for: answer)
  }

  // MARK: The producer's side

  /// Hands a step over; waits while the consumer has enough to do.
  func push(_ step: RowStep<Batch>, to link: Int) throws {
    try wait { state -> Void? in
      switch state.links[link].leaving {
      case .failed: throw StreamBroken()
      case .satisfied: return ()
      case nil: break
      }
      if case .batch = step {
        guard state.links[link].batches < self.capacity else { return nil }
        state.links[link].batches += 1
      }
      state.links[link].steps.append(step)
      return ()
    }
  }

  /// All rows have been handed over, or none will be any more.
  func end(_ link: Int, broken: Bool) {
    state.change {
      $0.links[link].isEnded = true
      $0.links[link].isBroken = broken
    }
  }

  // MARK: The consumer's side

  func next(of link: Int, atMost batches: Int) throws -> [RowStep<Batch>] {
    try wait { state -> [RowStep<Batch>]? in
      var taken: [RowStep<Batch>] = [], count = 0
      for step in state.links[link].steps {
        if case .batch = step {
          if count == batches { break }
          count += 1
        }
        taken.append(step)
      }
      if !taken.isEmpty {
        state.links[link].steps.removeFirst(taken.count)
        state.links[link].batches -= count
        return taken
      }
      if !state.links[link].isEnded { return nil }
      if state.links[link].isBroken { throw StreamBroken() }
      return []
    }
  }

  /// The consumer takes no more.
  func leave(_ link: Int, _ leaving: Leaving) {
    state.change {
      $0.links[link].leaving = leaving
      $0.links[link].steps = []
      $0.links[link].batches = 0
    }
  }
}

/// The stage at the other end of a stream failed; what it said is told of it.
struct StreamBroken: Error {}

/// One input of a running stage, as it arrives.
// @unchecked: `isRead` is touched by the one thread that asks.
final class StreamedInput: ArrivingRows, @unchecked Sendable {
  private let pass: StreamPass
  private let link: Int
  private let schema: Schema
  private var isRead = false

  init(_ pass: StreamPass, link: Int, schema: Schema) {
    self.pass = pass
    self.link = link
    self.schema = schema
  }

  func next(atMost batches: Int) throws -> [RowStep<Batch>] {
    precondition(!isRead, "a table that its binding reads once was read again")
    let steps = try pass.next(of: link, atMost: max(1, batches))
    isRead = steps.isEmpty
    return steps.map { step in
      guard case .batch(let batch) = step, batch.schema.names != schema.names else { return step }
      return .batch(batch.selecting(schema.names))
    }
  }
}
