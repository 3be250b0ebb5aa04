import Diagnostics

/// The variants that `{"all": "segments"}` puts together, as `segments[*]`.
public struct Gathering: Hashable, Sendable {
  public let stage: String
  /// Names of outputs as the document has them; nil is the main one.
  public let outputs: [String?]
  public let variants: [Variant]

  public static func name(of stage: String) -> String { stage + "[*]" }
}

/// Makes the stages of a document from those that it has: each once for every combination of the values that reach it.
struct MatrixExpansion {
  private let document: PipelineDocument
  private let axes: [DocumentAxis]
  private let parameters: [ResolvedParameter]
  private let values: [String: ParameterValue]
  private let reach: MatrixReach
  /// More variants of one stage than anybody looks at.
  private static let limit = 10_000

  init(_ document: PipelineDocument, _ given: GivenValues) {
    self.document = document
    axes = given.axes
    parameters = given.parameters
    values = given.values
    reach = MatrixReach(document)
  }

  /// A stage with too many variants is told and left out.
  func stages(mistakes: inout [Diagnostic]) -> [ResolvedStage] {
    var made: [ResolvedStage] = [], leftOut: Set<String> = []
    for stage in document.stages {
      let names = reach.axes(of: stage.name)
      var count = 1
      for axis in axes where names.contains(axis.name) { count = count.multipliedReportingOverflow(by: axis.values.count).partialValue }
      if names.isEmpty {
        made.append(resolved(stage, Variant(entries: []), values, parameters))
      } else if count > Self.limit || axes.count > 12 {
        mistakes.append(Diagnostic(
          "stage \"\(stage.name)\" has more than \(Self.limit) variants", at: .text(document.span(of: stage.name)),
          found: names.joined(separator: " × ")))
        leftOut.insert(stage.name)
      } else {
        for variant in axes.variants(of: names) { made.append(self.variant(of: stage, variant)) }
      }
    }
    return made + gatherings(without: leftOut)
  }

  /// With the values of the variant in place of the lists of the matrix.
  private func variant(of stage: DocumentStage, _ variant: Variant) -> ResolvedStage {
    var values = values, parameters = parameters
    for entry in variant.entries {
      values[entry.name] = entry.value
      if let at = parameters.firstIndex(where: { $0.name == entry.name }) {
        parameters[at] = ResolvedParameter(name: entry.name, type: parameters[at].type, value: entry.value, origin: parameters[at].origin)
      }
    }
    return resolved(stage, variant, values, parameters)
  }

  private func resolved(
    _ stage: DocumentStage, _ variant: Variant, _ values: [String: ParameterValue], _ parameters: [ResolvedParameter]
  ) -> ResolvedStage {
    var origins: [[PathStep]: PathOrigin] = [:], mentioned: Set<String> = []
    let names = parameters.map(\.name)
    let with = stage.with.mappingTexts(at: []) { text, path in
      mentioned.formUnion(Template.mentions(of: names, in: text))
      guard text.utf8.contains(UInt8(ascii: "$")) else { return .string(text) }
      let template = Template(text)
      let value = template.resolved(values)
      // A text that begins with a path is relative to what that path is relative to.
      if let first = template.pieces.first?.parameter, let parameter = parameters.first(where: { $0.name == first }), parameter.type.isPath {
        origins[path] = parameter.origin
        for index in (value.array ?? []).indices { origins[path + [.index(index)]] = parameter.origin }
      }
      return value
    }
    let expect = stage.expect.map { item in
      item.mappingTexts(at: []) { text, _ in text.utf8.contains(UInt8(ascii: "$")) ? Template(text).resolved(values) : .string(text) }
    }
    let inputs = axes.isEmpty ? stage.inputs : stage.inputs.map { input in
      let reference: InputReference
      switch input.reference {
      case .output(let name, let output): reference = .output(stage: name + variant.projected(on: reach.axes(of: name)).suffix, output: output)
      case .all(let name, let output): reference = .output(stage: Gathering.name(of: name), output: output)
      case .artifact, .run: reference = input.reference
      }
      return DocumentInput(alias: input.alias, reference: reference)
    }
    return ResolvedStage(
      name: stage.name + variant.suffix, written: stage, variant: variant, inputs: inputs, with: with, expect: expect, pathOrigins: origins,
      mentioned: names.filter(mentioned.contains), values: values, gathering: nil)
  }

  /// One stage for each whose variants are read together, in the order of the document.
  private func gatherings(without leftOut: Set<String>) -> [ResolvedStage] {
    var asked: [String: [String?]] = [:]
    for stage in document.stages {
      for input in stage.inputs {
        guard case .all(let name, let output) = input.reference, !asked[name, default: []].contains(output) else { continue }
        asked[name, default: []].append(output)
      }
    }
    return document.stages.compactMap { stage in
      guard let outputs = asked[stage.name], !leftOut.contains(stage.name), !reach.axes(of: stage.name).isEmpty else { return nil }
      let variants = axes.variants(of: reach.axes(of: stage.name))
      let inputs = outputs.flatMap { output in
        variants.map { DocumentInput(alias: $0.suffix + (output.map { "." + $0 } ?? ""), reference: .output(stage: stage.name + $0.suffix, output: output)) }
      }
      return ResolvedStage(
        name: Gathering.name(of: stage.name), written: stage, variant: Variant(entries: []), inputs: inputs, with: [:], expect: [], pathOrigins: [:],
        mentioned: [], values: values, gathering: Gathering(stage: stage.name, outputs: outputs, variants: variants))
    }
  }
}
