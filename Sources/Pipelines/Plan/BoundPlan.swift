import Columns
import Diagnostics

/// A document whose every name, type and setting has been settled: what the engine runs.
public struct BoundPlan: Sendable {
  /// The pipeline's name.
  public let pipeline: String
  /// The document as the person named it, for messages.
  public let file: String
  /// Every stage after the ones it needs; else in the order of the document.
  public let stages: [BoundStage]
  /// The document with every parameter resolved, for the record of the run.
  public let resolved: JSONValue
  public let warnings: [Diagnostic]

  public init(pipeline: String, file: String, stages: [BoundStage], resolved: JSONValue, warnings: [Diagnostic]) {
    self.pipeline = pipeline
    self.file = file
    self.stages = stages
    self.resolved = resolved
    self.warnings = warnings
  }

  public subscript(stage name: String) -> BoundStage? { stages.first { $0.name == name } }
}

/// One stage of a bound plan.
public struct BoundStage: Sendable {
  public let name: String
  public let stage: any Stage
  public let contract: Contract
  /// The settings as written, completed by the defaults, resolved: what the recipe hashes.
  public let settings: JSONValue
  public let binding: Binding
  public let inputs: [BoundInput]
  /// By place in `stage.sources`; nil where no file was looked for (`check`).
  public let files: [[SourceFile]]?
  /// Typed literals for `$name`; only those that the stage's settings mention.
  public let parameters: [String: ParameterValue]
  /// Where the document has the stage's name, for messages.
  public let span: TextSpan?

  public init(
    name: String, stage: any Stage, contract: Contract, settings: JSONValue, binding: Binding, inputs: [BoundInput],
    files: [[SourceFile]]?, parameters: [String: ParameterValue], span: TextSpan?
  ) {
    self.name = name
    self.stage = stage
    self.contract = contract
    self.settings = settings
    self.binding = binding
    self.inputs = inputs
    self.files = files
    self.parameters = parameters
    self.span = span
  }
}

/// What is connected to one input.
public struct BoundInput: Hashable, Sendable {
  public let port: String
  public let alias: String
  /// Index into the plan's stages.
  public let stage: Int
  /// That stage's output.
  public let output: String
  public let type: ArtifactType

  public init(port: String, alias: String, stage: Int, output: String, type: ArtifactType) {
    self.port = port
    self.alias = alias
    self.stage = stage
    self.output = output
    self.type = type
  }
}
