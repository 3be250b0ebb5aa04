import Dispatch
import Synchronization

/// Starts pieces of work when what they need is done, several at a time, the longest remaining path first. Knows order
/// and nothing else: not what the work is, nor whether it is needed.
///
///     let fates = Scheduler(needs: [[], [0], [0]], costs: [1, 2, 1], width: 2).run { index in … }
// @unchecked: `state` is touched only on `turnstile`; everything else is constant; `work` runs on `workers`.
final class Scheduler: @unchecked Sendable {
  enum Verdict: Sendable {
    case done
    /// What needs this piece is not started.
    case failed
    /// To be done again after so many seconds; what needs it waits.
    case again(Double)
    /// Nothing more is started.
    case stop
  }

  enum Fate: Hashable, Sendable {
    case ended
    /// Something before it failed, or the work was stopped.
    case skipped
  }

  private enum Piece { case waiting(Int), ready, running, ended, skipped }

  private struct State {
    var pieces: [Piece]
    /// The pieces that may start, the next one last.
    var ready: [Int]
    var running = 0
    /// Of those that have begun: how many wait for a disk.
    var aside = 0
    /// Those that may use a processor; of many that wait some count, since each holds a few open files.
    var active: Int { running - min(aside, Scheduler.mostAside) }
    var memory = 0
    /// Threads without work.
    var idle: [DispatchQueue] = []
    var isStopped = false
  }

  private let dependents: [[Int]]
  /// Cost of a piece and of the dearest chain behind it.
  private let remaining: [Double]
  private let memory: [Int]
  private let budget: Int
  private let width: Int
  private let turnstile = DispatchQueue(label: "millrace.scheduler")
  private let group = DispatchGroup()
  private let busy = Atomic<Int>(0)
  private let ready = Atomic<Int>(0)
  private let isCancelled: @Sendable () -> Bool
  private var state: State
  /// What `run` was given, while it runs.
  private var work: (@Sendable (Int) -> Verdict)?
  private static let mostAside = 32

  /// `needs[i]` are indices below i. `memory` are estimates in bytes: pieces run together while their sum fits `budget`,
  /// one always.
  init(needs: [[Int]], costs: [Double], width: Int, memory: [Int] = [], budget: Int = .max, isCancelled: @escaping @Sendable () -> Bool = { false }) {
    var dependents = [[Int]](repeating: [], count: needs.count)
    for (index, list) in needs.enumerated() {
      for need in Set(list) {
        precondition(need < index, "piece \(index) was said to need \(need), which does not stand before it")
        dependents[need].append(index)
      }
    }
    var remaining = costs
    for index in needs.indices.reversed() {
      remaining[index] += dependents[index].map { remaining[$0] }.max() ?? 0
    }
    self.dependents = dependents.map { $0.sorted() }
    self.remaining = remaining
    self.width = max(1, width)
    self.memory = memory.isEmpty ? Array(repeating: 0, count: needs.count) : memory
    self.budget = budget
    self.isCancelled = isCancelled
    state = State(
      pieces: needs.map { Set($0).isEmpty ? .ready : .waiting(Set($0).count) },
      ready: needs.indices.filter { needs[$0].isEmpty }.sorted { remaining[$0] < remaining[$1] || remaining[$0] == remaining[$1] && $0 > $1 })
  }

  /// How many pieces run at this moment.
  var runningCount: Int { busy.load(ordering: .relaxed) }

  /// How many could run, and wait for their turn.
  var readyCount: Int { ready.load(ordering: .relaxed) }

  /// Returns when every piece has ended or was skipped. `work` is called once for each piece that is started.
  func run(_ work: @escaping @Sendable (Int) -> Verdict) -> [Fate] {
    turnstile.sync {
      self.work = work
      launch()
    }
    group.wait()
    return turnstile.sync {
      self.work = nil
      return state.pieces.map { if case .ended = $0 { .ended } else { .skipped } }
    }
  }

  /// Called by work that is to wait for a disk and not to compute: another piece may start meanwhile.
  func aside<Result>(_ body: () throws -> Result) rethrows -> Result {
    turnstile.sync { step(1) }
    defer { turnstile.sync { step(-1) } }
    return try body()
  }

  /// On `turnstile`.
  private func step(_ change: Int) {
    state.aside += change
    launch()
  }

  /// On `turnstile`.
  private func launch() {
    guard let work else { return }
    while state.active < width, !state.isStopped, let index = next() {
      state.pieces[index] = .running
      state.running += 1
      state.memory &+= memory[index]
      busy.store(state.running, ordering: .relaxed)
      group.enter()
      // A queue of its own has a thread of its own, also while others wait for a disk.
      let thread = state.idle.popLast() ?? DispatchQueue(label: "millrace.stages")
      thread.async {
        let verdict = work(index)
        // At once, on this thread: handing it to another costs more than it takes.
        self.turnstile.sync {
          self.state.idle.append(thread)
          self.end(index, verdict)
          if case .again(let seconds) = verdict {
            self.group.enter()
            self.wake(index, after: seconds)
          }
          self.launch()
          self.group.leave()
        }
      }
    }
    ready.store(state.ready.count, ordering: .relaxed)
  }

  /// Waits in small steps, so that nobody waits for a piece that will not be done any more. On `turnstile`.
  private func wake(_ index: Int, after seconds: Double) {
    let step = 0.1
    turnstile.asyncAfter(deadline: .now() + min(seconds, step)) {
      if self.state.isStopped || self.isCancelled() {
        self.state.pieces[index] = .skipped
        self.skip(behind: index)
      } else if seconds > step {
        return self.wake(index, after: seconds - step)
      } else {
        self.makeReady(index)
        self.launch()
      }
      self.group.leave()
    }
  }

  /// Takes the ready piece with the longest path behind it that fits; the earlier of equals.
  private func next() -> Int? {
    let fits = { (index: Int) in
      let (sum, over) = self.state.memory.addingReportingOverflow(self.memory[index])
      return self.state.active == 0 || !over && sum <= self.budget
    }
    return state.ready.lastIndex(where: fits).map { state.ready.remove(at: $0) }
  }

  private func makeReady(_ index: Int) {
    state.pieces[index] = .ready
    var low = 0, high = state.ready.count
    while low < high {
      let middle = (low + high) / 2, other = state.ready[middle]
      if remaining[other] < remaining[index] || remaining[other] == remaining[index] && other > index { low = middle + 1 } else { high = middle }
    }
    state.ready.insert(index, at: low)
  }

  private func end(_ index: Int, _ verdict: Verdict) {
    state.pieces[index] = .ended
    state.running -= 1
    state.memory &-= memory[index]
    busy.store(state.running, ordering: .relaxed)
    switch verdict {
    case .done:
      for dependent in dependents[index] {
        guard case .waiting(let count) = state.pieces[dependent] else { continue }
        if count == 1 { makeReady(dependent) } else { state.pieces[dependent] = .waiting(count - 1) }
      }
    case .failed: skip(behind: index)
    case .again: state.pieces[index] = .waiting(1)
    case .stop: state.isStopped = true
    }
  }

  private func skip(behind index: Int) {
    var pending = dependents[index]
    while let next = pending.popLast() {
      if case .skipped = state.pieces[next] { continue }
      state.pieces[next] = .skipped
      pending += dependents[next]
    }
  }
}
