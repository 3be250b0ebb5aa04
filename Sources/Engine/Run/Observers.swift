import Diagnostics

/// Several that are told of one run, in their order.
public struct Observers: RunObserver {
  private let all: [any RunObserver]

  public init(_ all: [any RunObserver]) { self.all = all }

  public func runStarted(id: String, stages: Int, toExecute: Int) { for one in all { one.runStarted(id: id, stages: stages, toExecute: toExecute) } }
  public func stageStarted(_ stage: String, reasons: [Reason]) { for one in all { one.stageStarted(stage, reasons: reasons) } }
  public func stageProgressed(_ stage: String, output: String, rows: Int) { for one in all { one.stageProgressed(stage, output: output, rows: rows) } }
  public func stageWaits(_ stage: String, holder: LockHolder?) { for one in all { one.stageWaits(stage, holder: holder) } }
  public func storeWaits(holder: LockHolder?) { for one in all { one.storeWaits(holder: holder) } }
  public func cacheFailed(_ diagnostic: Diagnostic) { for one in all { one.cacheFailed(diagnostic) } }
  public func stageEnded(_ report: RunReport.Stage) { for one in all { one.stageEnded(report) } }
  public func warned(_ stage: String, _ warning: Diagnostic) { for one in all { one.warned(stage, warning) } }
  public func expectationEnded(_ stage: String, _ report: RunReport.Expectation) { for one in all { one.expectationEnded(stage, report) } }
  public func stageRetries(_ stage: String, _ failure: Diagnostic) { for one in all { one.stageRetries(stage, failure) } }
}
