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

  /// The stage that a person named; throws with what may have been meant, the variants of a matrix among it.
  public func stage(named name: String) throws(Diagnostic) -> BoundStage {
    if let stage = self[stage: name] { return stage }
    let names = stages.filter(\.isStage).map(\.name), gathered = Gathering.name(of: name)
    let begin = name.last == "]" ? name.dropLast() + "," : name + "["
    let variants = names.filter { $0.hasPrefix(begin) && $0 != gathered }
    guard !variants.isEmpty else {
      let known = name.contains("[") ? names : names.map(Variant.writtenName).unique
      throw Diagnostic("pipeline \"\(pipeline)\" has no stage \"\(name)\"", hint: hint(forUnknown: name, among: known))
    }
    let shown = variants.prefix(6).joined(separator: ", ") + (variants.count > 6 ? " and \(variants.count - 6) more" : "")
    throw Diagnostic(
      "stage \"\(name)\" of pipeline \"\(pipeline)\" has \(variants.count) variants, and one has to be named", expected: shown,
      hint: names.contains(gathered) ? "all of them as one table: \(gathered)" : nil)
  }
}

/// One stage of a bound plan; never changes. A class: a plan is handed around by the thousand stages, and a copy of one would count all of its parts.
public final class BoundStage: Sendable {
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
  /// False: what it makes is handed to its consumers and not stored.
  public let keep: Bool
  /// Which values of the matrix it is made with.
  public let variant: Variant
  public let retries: RetryPolicy
  /// How long one attempt may take.
  public let timeout: Duration?
  /// Of a stage that an expectation is.
  public let expectation: BoundExpectation?
  /// Places of expectations of severity `error` that have to hold before it may run.
  public let guards: [Int]
  /// Turns a place among the settings or the wiring into one of the document's text.
  public let locate: @Sendable (Diagnostic) -> Diagnostic

  public init(
    name: String, stage: any Stage, contract: Contract, settings: JSONValue, binding: Binding, inputs: [BoundInput],
    files: [[SourceFile]]?, parameters: [String: ParameterValue], span: TextSpan?, keep: Bool = true,
    variant: Variant = .none, retries: RetryPolicy = .never, timeout: Duration? = nil, expectation: BoundExpectation? = nil,
    guards: [Int] = [], locate: @escaping @Sendable (Diagnostic) -> Diagnostic = { $0 }
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
    self.keep = keep
    self.variant = variant
    self.retries = retries
    self.timeout = timeout
    self.expectation = expectation
    self.guards = guards
    self.locate = locate
  }

  /// Whether the document has it, as itself or as one of its variants; expectations are told of with their stage.
  public var isStage: Bool { expectation == nil }

  /// The settings without the paths of sources: which files they mean is told by the files' names and bytes, and where those
  /// lie changes nothing.
  public var settingsOfRecipe: JSONValue { stage.sources.reduce(settings) { $0.removing($1.setting) } }
}

extension JSONValue {
  /// Without the member at a path of keys.
  fileprivate func removing(_ path: [PathStep]) -> JSONValue {
    guard case .key(let key)? = path.first, let members else { return self }
    return .object(members.compactMap { member in
      if member.key != key { return member }
      return path.count == 1 ? nil : JSONMember(key, member.value.removing(Array(path.dropFirst())))
    })
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
