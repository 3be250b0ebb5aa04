import Diagnostics
import Dispatch
import Pipelines
import Synchronization

/// Sends events of a run while it goes on, one after the other on a queue of its own; nothing of the run waits for it. What cannot be delivered is told at the
/// end, and the run is what it is: lineage is about the work, not part of it. What was not done again has no events.
public final class LineageObserver: RunObserver {
  private let place: LineagePlace
  private let view: StoreView
  private let names: @Sendable (String) -> LineageEvent
  private let queue = DispatchQueue(label: "millrace.lineage")

  private struct State {
    var event: LineageEvent?
    /// As the record will have them: of stages that ended, by name.
    var ended: [String: JSONValue] = [:]
    var underWay: [String] = []
    var sent = 0
    var failure: Diagnostic?
    var lost = 0
  }

  private let state = Mutex(State())

  /// - Parameter namespace: of jobs and data sets.
  public init(_ place: LineagePlace, namespace: String, plan: BoundPlan, store: ArtifactStore, toolVersion: String, folder: String) throws {
    try place.begin()
    self.place = place
    view = StoreView(store)
    let pipeline = plan.pipeline
    names = { LineageEvent(namespace: namespace, pipeline: pipeline, run: $0, toolVersion: toolVersion, folder: folder) }
  }

  public func runStarted(id: String, stages: Int, toExecute: Int) {
    let event = names(id), time = Instant.now.description
    state.withLock { $0.event = event }
    send { _ in event.ofPipeline(.start, at: time) }
  }

  public func stageStarted(_ stage: String, reasons: [Reason]) {
    let time = Instant.now.description
    let (event, isFirst) = state.withLock { state in
      let isFirst = !state.underWay.contains(stage)
      if isFirst { state.underWay.append(stage) }
      return (state.event, isFirst)
    }
    // One that is tried again has begun already.
    send { _ in event?.ofStage(stage, isFirst ? .start : .running, at: time) }
  }

  public func stageEnded(_ report: RunReport.Stage) {
    let time = Instant.now.description, store = view.store.path
    let (event, wasUnderWay) = state.withLock { state in
      state.ended[report.name] = report.json(store: store)
      let wasUnderWay = state.underWay.contains(report.name)
      state.underWay.removeAll { $0 == report.name }
      return (state.event, wasUnderWay)
    }
    if !wasUnderWay { return }
    let outcome: LineageEvent.State =
      switch report.status {
      case .executed, .cached: .complete
      case .failed: .fail
      case .skipped: .abort
      }
    send { [view] ended in event?.ofStage(report, outcome, at: time, RunTrace(stages: ended, view)) }
  }

  /// Waits for what is left to be sent.
  /// - Returns: what is to be told where not all of it arrived.
  public func finish(_ report: RunReport?) -> Diagnostic? {
    let time = Instant.now.description
    let (event, underWay) = state.withLock { ($0.event, $0.underWay) }
    for stage in underWay { send { _ in event?.ofStage(stage, .abort, at: time) } }
    let outcome: LineageEvent.State =
      switch report?.status {
      case .succeeded: .complete
      case .failed: .fail
      case .cancelled, nil: .abort
      }
    let mistakes = report?.stages.flatMap(\.mistakes) ?? []
    send { _ in event?.ofPipeline(outcome, at: time, because: mistakes) }
    queue.sync {}
    return state.withLock { state in
      guard var failure = state.failure else { return nil }
      failure.severity = .warning
      failure.hint = "\(state.lost) of \(state.sent + state.lost) events were not delivered; the run itself is not touched by it"
      return failure
    }
  }

  private func send(_ made: @escaping @Sendable ([String: JSONValue]) -> JSONValue?) {
    queue.async { [self] in
      // A server that was away once costs the run its patience once.
      let (ended, isLost) = state.withLock { ($0.ended, $0.failure != nil) }
      if isLost { return state.withLock { $0.lost += 1 } }
      guard let event = made(ended) else { return }
      do {
        try place.send(event)
        state.withLock { $0.sent += 1 }
      } catch {
        let told = error as? Diagnostic ?? (error as? Refusal)?.diagnostic ?? Diagnostic("\(error)")
        state.withLock { state in
          state.failure = told
          state.lost += 1
        }
      }
    }
  }
}
