import Diagnostics
import Dispatch
import Engine
import Pipelines
import Synchronization

/// What a run does, while it does it, on standard error: on a terminal a line for each running stage that is rewritten,
/// above it what has ended; elsewhere a line for each stage that ended.
final class ProgressDisplay: RunObserver {
  private struct Running {
    let name: String
    let begin: DispatchTime
    var rows = 0
    var holder: String?
  }

  private struct State {
    var running: [Running] = []
    /// Lines on the terminal that are rewritten.
    var drawn = 0
    var ended = 0
    var toExecute = 0
    var isFinished = false
  }

  /// What a stage has to say beside its numbers; the page of the run has all of it.
  private static let mostNotes = 12

  private let state = Mutex(State())
  private let isLive: Bool
  private let clock = DispatchQueue(label: "millrace.progress")

  init(live: Bool) {
    isLive = live
  }

  func runStarted(id: String, stages: Int, toExecute: Int) {
    state.withLock { $0.toExecute = toExecute }
    if isLive, toExecute > 0 { tick() }
  }

  func stageStarted(_ stage: String, reasons: [Reason]) {
    state.withLock { state in
      state.running.append(Running(name: stage, begin: .now()))
      draw(&state)
    }
  }

  func stageProgressed(_ stage: String, output: String, rows: Int) {
    state.withLock { state in
      // The clock draws: stages may tell of thousands of batches a second.
      if let at = state.running.firstIndex(where: { $0.name == stage }) { state.running[at].rows = max(state.running[at].rows, rows) }
    }
  }

  func storeWaits(holder: LockHolder?) {
    state.withLock { say("the store waits for " + (holder.map(\.description) ?? "another process"), &$0) }
  }

  func cacheFailed(_ diagnostic: Diagnostic) {
    var warning = diagnostic
    warning.severity = .warning
    state.withLock { say(warning.description, &$0) }
  }

  func stageWaits(_ stage: String, holder: LockHolder?) {
    let words = "waits for another run" + (holder.map { " (\($0))" } ?? "")
    state.withLock { state in
      if let at = state.running.firstIndex(where: { $0.name == stage }) { state.running[at].holder = words }
      if isLive { draw(&state) } else { Standard.error("\(stage): \(words)\n") }
    }
  }

  func stageEnded(_ report: RunReport.Stage) {
    state.withLock { state in
      state.running.removeAll { $0.name == report.name }
      switch report.status {
      case .cached, .skipped: break
      case .executed, .failed:
        state.ended += 1
        let rows = report.rows.map { ", " + counted($0, "row") } ?? ""
        let notes = report.notes.prefix(Self.mostNotes).map { "\n  " + singleLine($0) }.joined()
        say("\(report.name) (\(report.kind)): \(report.status.rawValue) in \(secondsText(report.seconds))\(rows)\(notes)", &state)
      }
    }
  }

  func warned(_ stage: String, _ warning: Diagnostic) {
    var warning = warning
    warning.severity = .warning
    if !warning.message.contains("\"\(stage)\"") { warning.message = "stage \"\(stage)\": " + warning.message }
    state.withLock { say(warning.description, &$0) }
  }

  /// Those of severity `error` are told when the run has ended.
  func expectationEnded(_ stage: String, _ report: RunReport.Expectation) {
    guard report.severity == .warn, let warning = report.diagnostic else { return }
    warned(stage, warning)
  }

  func stageRetries(_ stage: String, _ failure: Diagnostic) {
    state.withLock { state in state.running.removeAll { $0.name == stage } }
    warned(stage, failure)
  }

  /// Takes the rewritten lines away; nothing is drawn afterwards.
  func finish() {
    state.withLock { state in
      state.isFinished = true
      erase(&state)
    }
  }

  private func tick() {
    let goesOn = state.withLock { state in
      draw(&state)
      return !state.isFinished
    }
    if goesOn { clock.asyncAfter(deadline: .now() + .milliseconds(150)) { [self] in tick() } }
  }

  private func say(_ line: String, _ state: inout State) {
    erase(&state)
    Standard.error(line + "\n")
    draw(&state)
  }

  private func erase(_ state: inout State) {
    // Cursor up, then clear to the end of the screen.
    if state.drawn > 0 { Standard.error("\u{1B}[\(state.drawn)A\u{1B}[J") }
    state.drawn = 0
  }

  private func draw(_ state: inout State) {
    guard isLive, !state.isFinished else { return }
    let width = Standard.terminalWidth - 1
    let lines = state.running.map { stage in
      let seconds = Double(DispatchTime.now().uptimeNanoseconds &- stage.begin.uptimeNanoseconds) / 1e9
      let rows = stage.rows > 0 ? ", " + counted(stage.rows, "row") : ""
      return "  \(stage.name) … " + (stage.holder ?? secondsText(seconds) + rows)
    }
    let total = state.running.isEmpty ? [] : ["\(state.ended) of \(state.toExecute) done"]
    let text = (total + lines).map { cut($0, to: width) + "\n" }.joined()
    // One write: no flicker.
    let up = state.drawn > 0 ? "\u{1B}[\(state.drawn)A\u{1B}[J" : ""
    Standard.error(up + text)
    state.drawn = total.count + lines.count
  }
}

extension RunReport.Stage {
  /// Of the first output that is a table.
  var rows: Int? { outputs.lazy.compactMap { $0.record.table?.rows }.first }
}
