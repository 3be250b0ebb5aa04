import Diagnostics
import Pipelines

/// Told what happens in a run while it happens. Called from the engine's threads, several at a time; must not block.
public protocol RunObserver: Sendable {
  /// Before anything is executed. `stages` take part; `toExecute` of them may be executed.
  func runStarted(id: String, stages: Int, toExecute: Int)
  func stageStarted(_ stage: String, reasons: [Reason])
  /// Rows written to one output so far.
  func stageProgressed(_ stage: String, output: String, rows: Int)
  /// Another process makes the same artifact. Told again when it was stopped or went on.
  func stageWaits(_ stage: String, holder: LockHolder?)
  /// A collection works, or stands still, in the store.
  func storeWaits(holder: LockHolder?)
  /// The shared cache could not do what it was asked for; the run goes on without it.
  func cacheFailed(_ diagnostic: Diagnostic)
  /// Executed, cached, failed or skipped.
  func stageEnded(_ report: RunReport.Stage)
  func warned(_ stage: String, _ warning: Diagnostic)
  /// An expectation of a stage was looked at, or is known.
  func expectationEnded(_ stage: String, _ report: RunReport.Expectation)
  /// It failed, and is tried again; `failure` says when.
  func stageRetries(_ stage: String, _ failure: Diagnostic)
}

extension RunObserver {
  public func runStarted(id: String, stages: Int, toExecute: Int) {}
  public func stageStarted(_ stage: String, reasons: [Reason]) {}
  public func stageProgressed(_ stage: String, output: String, rows: Int) {}
  public func stageWaits(_ stage: String, holder: LockHolder?) {}
  public func storeWaits(holder: LockHolder?) {}
  public func cacheFailed(_ diagnostic: Diagnostic) {}
  public func stageEnded(_ report: RunReport.Stage) {}
  public func warned(_ stage: String, _ warning: Diagnostic) {}
  public func expectationEnded(_ stage: String, _ report: RunReport.Expectation) {}
  public func stageRetries(_ stage: String, _ failure: Diagnostic) {}
}
