import ArgumentParser
import Diagnostics
import Engine
import Pipelines
import Synchronization

/// How a run tells what it does, on standard error.
enum LogStyle: String, ExpressibleByArgument, CaseIterable {
  /// Lines that are rewritten.
  case live
  /// A line for each stage that ended.
  case plain
  /// A JSON object a line for each event (`RunLog`).
  case json
}

/// `--log json`: each event of a run as a JSON object on a line of its own: `time`, `event`, `run`, and what the event is about. For machines that collect logs.
final class RunLog: RunObserver {
  private struct State {
    var run: String?
    /// When a stage's rows were last told, by stage and output.
    var told: [String: ContinuousClock.Instant] = [:]
  }

  private let state = Mutex(State())
  /// Rows are told so often at most.
  private static let pause = ContinuousClock.Duration.seconds(1)

  func runStarted(id: String, stages: Int, toExecute: Int) {
    state.withLock { $0.run = id }
    write("run-started", ["stages": .integer(stages), "toExecute": .integer(toExecute)])
  }

  func stageStarted(_ stage: String, reasons: [Reason]) {
    write("stage-started", ["stage": .string(stage), "reasons": .array(reasons.map(\.json))])
  }

  func stageProgressed(_ stage: String, output: String, rows: Int) {
    let now = ContinuousClock.now
    let isDue = state.withLock { state in
      if let last = state.told[stage + "\n" + output], now - last < Self.pause { return false }
      state.told[stage + "\n" + output] = now
      return true
    }
    if isDue { write("stage-progressed", ["stage": .string(stage), "output": .string(output), "rows": .integer(rows)]) }
  }

  func stageWaits(_ stage: String, holder: LockHolder?) { write("stage-waits", .object([JSONMember("stage", .string(stage))] + members(holder))) }
  func storeWaits(holder: LockHolder?) { write("store-waits", .object(members(holder))) }
  func cacheFailed(_ diagnostic: Diagnostic) { write("cache-failed", told(diagnostic)) }

  func stageEnded(_ report: RunReport.Stage) {
    var ended: [JSONMember] = [
      JSONMember("stage", .string(report.name)), JSONMember("kind", .string(report.kind)), JSONMember("status", .string(report.status.rawValue)),
    ]
    if report.status == .executed || report.status == .failed { ended.append(JSONMember("seconds", .double(report.seconds))) }
    if let rows = report.rows { ended.append(JSONMember("rows", .integer(rows))) }
    write("stage-ended", .object(ended))
  }

  func warned(_ stage: String, _ warning: Diagnostic) {
    var warning = warning
    warning.severity = .warning
    write("warning", .object([JSONMember("stage", .string(stage))] + told(warning).members!))
  }

  func expectationEnded(_ stage: String, _ report: RunReport.Expectation) {
    var ended: [JSONMember] = [
      JSONMember("stage", .string(stage)), JSONMember("expectation", .string(report.words)), JSONMember("severity", .string(report.severity.rawValue)),
      JSONMember("outcome", .string(report.word)),
    ]
    if let found = report.outcome?.found { ended.append(JSONMember("found", .string(found))) }
    write("expectation-ended", .object(ended))
  }

  func stageRetries(_ stage: String, _ failure: Diagnostic) {
    write("stage-retries", .object([JSONMember("stage", .string(stage))] + told(failure).members!))
  }

  func runEnded(_ report: RunReport) {
    write("run-ended", report.summary)
  }

  /// A mistake or a warning that is told outside of the observer.
  func tell(_ diagnostic: Diagnostic) { write(diagnostic.severity.rawValue, told(diagnostic)) }

  private func told(_ diagnostic: Diagnostic) -> JSONValue {
    .object([JSONMember("text", .string(diagnostic.description))] + (diagnostic.json.members ?? []))
  }

  private func members(_ holder: LockHolder?) -> [JSONMember] { holder.map { [JSONMember("holder", .string($0.description))] } ?? [] }

  private func write(_ event: String, _ about: JSONValue) {
    // Under the lock, so that lines stay whole and in the order of their times.
    state.withLock { state in
      let head: [JSONMember] = [JSONMember("time", .string(Instant.now.description)), JSONMember("event", .string(event))]
      let run = state.run.map { [JSONMember("run", .string($0))] } ?? []
      Standard.error(JSONValue.object(head + run + (about.members ?? []).filter { $0.key != "run" }).canonical + "\n")
    }
  }
}
