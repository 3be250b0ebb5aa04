import Columns
import Diagnostics
import Pipelines

/// Why a stage is to be executed, or was: from it back to the first causes, each stage once.
public struct StageStory: Sendable {
  public struct Step: Sendable {
    public let name: String
    public let kind: String
    /// Of the plan; `cached` where a run of the past is told.
    public let status: PlanReport.Status
    /// The run that executed it, where the past is told and its record is there.
    public let run: String?
    /// Of the plan, or of that run.
    public let reasons: [Reason]
    /// Those that lead to another stage, by place among `reasons`.
    let followed: Set<Int>

    public var json: JSONValue {
      .object([
        JSONMember("name", .string(name)), JSONMember("kind", .string(kind)), JSONMember("status", .string(status.rawValue)),
        run.map { JSONMember("run", .string($0)) }, JSONMember("reasons", .array(reasons.map(\.json))),
      ].compactMap { $0 })
    }
  }

  /// The stage asked about, then those that its reasons lead to, the nearest first.
  public let steps: [Step]

  /// What did not come from another stage.
  public var causes: [(stage: String, reason: Reason)] {
    steps.flatMap { step in step.reasons.enumerated().filter { !step.followed.contains($0.offset) }.map { (step.name, $0.element) } }
  }
}

extension Executor {
  /// The story of one stage as the plan stands now.
  public func story(of name: String, _ plan: BoundPlan, _ options: RunOptions) throws -> StageStory {
    var options = options
    options.to = [name]
    let report = try self.plan(plan, options)
    let past = Past(RunRegistry(store: store), pipeline: plan.pipeline)
    var steps: [StageStory.Step] = [], told: Set<String> = []
    /// Names, and the newest run that may have made them; nil: as the plan stands.
    var next: [(name: String, before: Int?)] = [(name, nil)], at = 0
    while at < next.count {
      let (name, before) = next[at]
      at += 1
      guard told.insert(name).inserted, let stage = report[stage: name] else { continue }
      var reasons = stage.reasons, run: Past.Execution?
      if stage.status == .cached {
        run = past.execution(of: name, giving: stage.made?.outputs.map(\.record.digest.description), since: before ?? 0)
        reasons = run?.reasons ?? []
      }
      var followed: Set<Int> = []
      for (place, reason) in reasons.enumerated() {
        let producer: String?
        switch reason.kind {
        case .upstream: producer = reason.name
        case .input:
          let alias = reason.name?.prefix { $0 != "." }
          producer = plan[stage: name]?.inputs.first { alias == $0.alias[...] }.map { plan.stages[$0.stage].name }
        default: producer = nil
        }
        guard let producer, report[stage: producer] != nil else { continue }
        followed.insert(place)
        next.append((producer, run?.place))
      }
      steps.append(StageStory.Step(
        name: name, kind: stage.kind, status: stage.status, run: run?.id, reasons: reasons, followed: followed))
    }
    return StageStory(steps: steps)
  }
}

/// The records of a pipeline's runs, read as far back as is asked.
private final class Past {
  struct Execution {
    let id: String
    /// The newest run is 0.
    let place: Int
    let reasons: [Reason]
  }

  private let registry: RunRegistry
  private let ids: [String]
  private var records: [JSONValue?] = []

  init(_ registry: RunRegistry, pipeline: String) {
    self.registry = registry
    ids = registry.list().filter { $0.pipeline == pipeline && $0.summary != nil }.map(\.id)
  }

  /// The newest run, not younger than the one at `since`, that executed a stage; with `digests` one that gave those.
  func execution(of name: String, giving digests: [String]?, since: Int) -> Execution? {
    for place in ids.indices.dropFirst(since) {
      guard let stage = record(place)?["stages"]?.array?.first(where: { $0["name"]?.string == name }), stage["status"]?.string == "executed" else {
        continue
      }
      if let digests, stage["outputs"]?.members?.map({ $0.value["digest"]?.string ?? "" }) != digests { continue }
      return Execution(id: ids[place], place: place, reasons: (stage["reasons"]?.array ?? []).compactMap { Reason(json: $0) })
    }
    return nil
  }

  private func record(_ place: Int) -> JSONValue? {
    while records.count <= place { records.append(try? registry.record(ids[records.count])) }
    return records[place]
  }
}
