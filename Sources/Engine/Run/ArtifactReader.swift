import Columns
import Diagnostics
import Pipelines

/// Opens what a plan's stages made, for `show` and `export`.
public struct ArtifactReader: Sendable {
  private let executor: Executor

  public init(store: ArtifactStore) { executor = Executor(store: store) }

  /// An artifact and what is recorded of it.
  public struct Opened: Sendable {
    public let output: String
    public let artifact: Artifact
    public let record: ArtifactRecord
    public let metrics: JSONValue
  }

  /// The artifact of one output (nil: the main one), as the plan stands now. Throws when the stage is stale: what is
  /// shown is always what the document says.
  public func open(_ plan: BoundPlan, stage name: String, output: String? = nil, width: Int = 1) throws -> Opened {
    let stage = try plan.stage(named: name)
    let outputs = stage.binding.outputs
    guard let declared = output.map({ wanted in outputs.first { $0.name == wanted } }) ?? outputs.first else {
      throw Diagnostic("stage \"\(name)\" has no output \"\(output ?? "")\"", hint: hint(forUnknown: output ?? "", among: outputs.map(\.name)))
    }
    var options = RunOptions(width: width)
    options.to = [name]
    guard let planned = try executor.plan(plan, asking: options)[stage: name], let made = planned.made else {
      throw Diagnostic(
        "stage \"\(name)\" has not been run as the document stands now", at: stage.span.map { .text($0) } ?? .nowhere,
        hint: "millrace run \(plan.file) --to \(name)")
    }
    if !made.isStored {
      throw Diagnostic(
        "the outputs of stage \"\(name)\" are not kept", at: stage.span.map { .text($0) } ?? .nowhere,
        hint: "take \"keep\": false away from the stage, then millrace run \(plan.file) --to \(name)")
    }
    let record = made.record(of: declared.name)
    guard executor.store.isIntact(record, width: width) else {
      throw Diagnostic("the artifact of stage \"\(name)\" is damaged", hint: "millrace run \(plan.file) --force \(name)")
    }
    return Opened(
      output: declared.name, artifact: try executor.store.open(record, type: declared.type, reads: .all), record: record, metrics: made.metrics)
  }
}
