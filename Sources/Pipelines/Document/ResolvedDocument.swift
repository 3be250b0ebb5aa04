import Diagnostics

/// A document whose parameters have their values: what is planned, and what a run records.
public struct ResolvedDocument: Sendable {
  public let document: PipelineDocument
  public let stages: [ResolvedStage]
  /// In the order of the document.
  public let parameters: [ResolvedParameter]
  /// By name, for `$p` in expressions.
  public let values: [String: ParameterValue]

  public subscript(stage name: String) -> ResolvedStage? { stages.first { $0.name == name } }

  /// The document with resolved values and without parameters, for the record of a run. An expression's `$p` stays;
  /// the values that were bound stand under `parameters`.
  public var json: JSONValue {
    var members = [JSONMember("pipeline", .string(document.name))]
    if !document.summary.isEmpty { members.append(JSONMember("summary", .string(document.summary))) }
    if !parameters.isEmpty {
      members.append(JSONMember("parameters", .object(parameters.map { JSONMember($0.name, $0.value.json) })))
    }
    members.append(JSONMember("stages", .object(stages.filter { $0.gathering == nil }.map { JSONMember($0.name, $0.json) })))
    return .object(members)
  }
}

/// One stage with resolved settings.
public struct ResolvedStage: Sendable {
  /// `segments`, or of a variant `segments[k=3,seed=1]`.
  public let name: String
  public let written: DocumentStage
  public let variant: Variant
  public let inputs: [DocumentInput]
  /// The settings as written, `${p}` replaced.
  public let with: JSONValue
  public let expect: [JSONValue]
  /// Texts that came from path parameters, by their path under `with`, and what they are relative to. Paths that are not
  /// here are relative to the document.
  public let pathOrigins: [[PathStep]: PathOrigin]
  /// Parameters that its texts name as `$p`, in the order of their declaration.
  public let mentioned: [String]
  /// Of all parameters by name, those of the variant among them.
  public let values: [String: ParameterValue]
  /// Of a stage that the document does not have: which variants it puts together.
  public let gathering: Gathering?

  public var kind: String { written.kind }
  public var keep: Bool { written.keep }

  public func pathOrigin(of path: [PathStep]) -> PathOrigin {
    // A single text may stand where its canonical form is a list of one.
    pathOrigins[path] ?? (path.last == .index(0) ? pathOrigins[Array(path.dropLast())] : nil) ?? .document
  }

  var json: JSONValue {
    var members = [JSONMember("stage", .string(kind))]
    if inputs.count == 1, inputs[0].alias == nil {
      members.append(JSONMember("from", inputs[0].reference.json))
    } else if !inputs.isEmpty {
      members.append(JSONMember("from", .object(inputs.map { JSONMember($0.alias ?? "", $0.reference.json) })))
    }
    members.append(JSONMember("with", with))
    if !keep { members.append(JSONMember("keep", false)) }
    if !expect.isEmpty { members.append(JSONMember("expect", .array(expect))) }
    return .object(members)
  }
}

extension InputReference {
  public var json: JSONValue {
    switch self {
    case .output(let stage, let output): .string(Self.text(stage, output))
    case .all(let stage, let output): ["all": .string(Self.text(stage, output))]
    case .artifact(let digest): ["artifact": .string(digest)]
    case .run(let id, let stage, let output): ["run": .string(id), "of": .string(Self.text(stage, output))]
    }
  }

  private static func text(_ stage: String, _ output: String?) -> String { output.map { "\(stage).\($0)" } ?? stage }
}

/// What the parameters of a document are, as far as it is known.
struct GivenValues {
  var parameters: [ResolvedParameter] = []
  /// Of those with one value.
  var values: [String: ParameterValue] = [:]
  /// Of those with several, in the order of the matrix.
  var axes: [DocumentAxis] = []
  /// Those of which nothing is known.
  var unvalued: Set<String>
  var mistakes: [Diagnostic] = []
}

extension PipelineDocument {
  /// Gives every parameter its value (`set`, as typed after `--set`; of several for one name the last counts) and replaces
  /// `${p}`. Throws every mistake at once.
  public func resolve(set: [(name: String, value: String)] = []) throws(Mistakes) -> ResolvedDocument {
    let given = values(set: set, unvalued: [])
    guard given.mistakes.isEmpty else { throw Mistakes(given.mistakes) }
    var mistakes: [Diagnostic] = []
    let resolved = resolved(given, mistakes: &mistakes)
    guard mistakes.isEmpty else { throw Mistakes(mistakes) }
    return resolved
  }

  /// Of the parameters in `unvalued` it has been told why they have no value.
  func values(set: [(name: String, value: String)], unvalued: Set<String>) -> GivenValues {
    var all = GivenValues(unvalued: unvalued), given: [String: ParameterValue] = [:]
    for (name, text) in set {
      guard let parameter = self[parameter: name] else {
        all.mistakes.append(
          Diagnostic(
            "unknown parameter \"\(name)\" in --set \(name)=\(text)",
            hint: parameters.isEmpty ? "the document has no parameters" : hint(forUnknown: name, among: parameters.map(\.name))))
        continue
      }
      if unvalued.contains(name) { continue }
      given[name] = parameter.type.value(ofText: text)
      if given[name] == nil {
        all.unvalued.insert(name)
        all.mistakes.append(
          Diagnostic("--set \(name)=\(text) does not fit", expected: parameter.type.words, found: JSONValue.string(text).canonical))
      }
    }
    for parameter in parameters where !all.unvalued.contains(parameter.name) {
      let origin = given[parameter.name] == nil ? PathOrigin.document : .commandLine
      if let axis = matrix.first(where: { $0.name == parameter.name }) {
        // A value that is given on the command line is the only one.
        let several = given[parameter.name].map { [$0] } ?? axis.values
        all.axes.append(DocumentAxis(name: axis.name, values: several))
        all.parameters.append(ResolvedParameter(name: parameter.name, type: parameter.type, value: .list(several), origin: origin))
      } else if let value = given[parameter.name] ?? parameter.standard {
        all.parameters.append(ResolvedParameter(name: parameter.name, type: parameter.type, value: value, origin: origin))
        all.values[parameter.name] = value
      } else {
        all.unvalued.insert(parameter.name)
        all.mistakes.append(
          Diagnostic(
            "parameter \"\(parameter.name)\" has no value", at: .text(source.span(ofKey: ["parameters", .key(parameter.name)])),
            expected: parameter.type.words, hint: "set it with --set \(parameter.name)=…, or give it a default"))
      }
    }
    // In the order of the matrix, whatever that of the parameters is.
    all.axes = matrix.compactMap { axis in all.axes.first { $0.name == axis.name } }
    return all
  }

  func resolved(_ given: GivenValues, mistakes: inout [Diagnostic]) -> ResolvedDocument {
    let stages = MatrixExpansion(self, given).stages(mistakes: &mistakes)
    return ResolvedDocument(document: self, stages: stages, parameters: given.parameters, values: given.values)
  }
}
