import Diagnostics

/// A pipeline as it was written: names, wiring and settings, each with its place. What a kind makes of its settings is
/// settled later; everything that can be known without the catalog of kinds has been checked.
///
///     let document = try PipelineDocument(bytes, file: "pipelines/shop.json")
///     let resolved = try document.resolve(set: [("until", "2011-06-30")])
public struct PipelineDocument: Sendable {
  public let source: JSONDocument
  public let name: String
  public let summary: String
  public let parameters: [DocumentParameter]
  /// Parameters with several values at once, in the order of the document.
  public let matrix: [DocumentAxis]
  /// In the order of the document.
  public let stages: [DocumentStage]

  /// `file` is the document as the person named it. Throws every mistake at once, in the order of the text.
  public init(_ bytes: [UInt8], file: String) throws(Mistakes) {
    let (document, reader) = try Self.read(bytes, file: file)
    guard reader.mistakes.isEmpty else { throw Mistakes(reader.mistakes.inOrderOfText) }
    self = document
  }

  /// Reads a document and gives its parameters their values (`set`, as typed after `--set`). Throws all that is wrong at once, also what kinds say
  /// of settings and inputs: nobody has to mend a name to be told of a wrong setting.
  public static func resolved(
    _ bytes: [UInt8], file: String, set: [(name: String, value: String)] = [], kinds catalog: StageCatalog
  ) throws(Mistakes) -> ResolvedDocument {
    let (document, reader) = try Self.read(bytes, file: file)
    let given = document.values(set: set, unvalued: reader.gaps.unvalued)
    var all = reader.mistakes + given.mistakes
    let resolved = document.resolved(given, mistakes: &all)
    if all.isEmpty { return resolved }
    let gaps = reader.gaps.completed(in: document, unvalued: given.unvalued)
    do throws(Mistakes) { _ = try resolved.bound(to: catalog, finding: nil, gaps) } catch { all += error.all }
    throw Mistakes(all.inOrderOfText)
  }

  /// As far as it can be read. Throws where that is not far enough to go on: broken JSON, no object, too many mistakes.
  private static func read(_ bytes: [UInt8], file: String) throws(Mistakes) -> (document: PipelineDocument, reader: DocumentReader) {
    let (json, found) = JSONReader.readAll(bytes, file: file)
    guard let json else { throw Mistakes(found) }
    var reader = DocumentReader(json, mistakes: found)
    let document = reader.read()
    if reader.isFull { reader.mistakes.append(Diagnostic("these are the first \(reader.mistakes.count) mistakes; there may be more")) }
    guard let document, found.isEmpty, !reader.isFull else { throw Mistakes(reader.mistakes.inOrderOfText) }
    return (document, reader)
  }

  init(
    source: JSONDocument, name: String, summary: String, parameters: [DocumentParameter], matrix: [DocumentAxis], stages: [DocumentStage]
  ) {
    self.source = source
    self.name = name
    self.summary = summary
    self.parameters = parameters
    self.matrix = matrix
    self.stages = stages
  }

  public var file: String { source.text.file }
  public subscript(stage name: String) -> DocumentStage? { stages.first { $0.name == name } }
  public subscript(parameter name: String) -> DocumentParameter? { parameters.first { $0.name == name } }
}

/// One stage as it was written.
public struct DocumentStage: Sendable {
  public let name: String
  /// The word under `"stage"`.
  public let kind: String
  public internal(set) var inputs: [DocumentInput]
  /// The settings as written, `${p}` not yet replaced; an object.
  public let with: JSONValue
  /// False: the output is streamed into its consumers instead of being stored.
  public let keep: Bool
  /// What is expected of its inputs and outputs, as written: a list of objects.
  public var expect: [JSONValue] = []
  public var retries = RetryPolicy.never
  /// How long one attempt may take.
  public var timeout: Duration?

  var readsAllVariants: Bool { inputs.contains { if case .all = $0.reference { true } else { false } } }
}

/// One thing that a stage reads.
public struct DocumentInput: Hashable, Sendable {
  /// The key of `from`; nil when `from` is a single text.
  public let alias: String?
  public let reference: InputReference
}

public enum InputReference: Hashable, Sendable {
  /// `"sales"` or `"sales.quarantine"`; without a name the main output is meant.
  case output(stage: String, output: String?)
  /// `{"all": "segments"}`: all variants of a stage, as one table.
  case all(stage: String, output: String?)
  /// `{"artifact": "<digest>"}`
  case artifact(digest: String)
  /// `{"run": "<id or tag>", "of": "segments.profile"}`
  case run(id: String, stage: String, output: String?)
}

extension InputReference {
  /// The stage of this document that is read.
  var stage: String? {
    switch self {
    case .output(let stage, _), .all(let stage, _): stage
    case .artifact, .run: nil
    }
  }
}

/// `[a-z][a-z0-9_-]{0,63}`: stages, outputs, parameters, aliases and pipelines.
public func isName(_ text: String) -> Bool {
  let bytes = Array(text.utf8)
  guard let first = bytes.first, (97...122).contains(first), bytes.count <= 64 else { return false }
  return bytes.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") }
}

/// Words of selectors, which no stage may have for its name.
let reservedWords = ["stale", "failed", "all", "kind", "last"]

extension [Diagnostic] {
  /// Mistakes of a text in its order; those without a place in it stay behind, in theirs.
  public var inOrderOfText: [Diagnostic] {
    enumerated().sorted { a, b in
      switch (a.element.place, b.element.place) {
      case (.text(let x), .text(let y)): (x.line, x.column, a.offset) < (y.line, y.column, b.offset)
      case (.text, _): true
      case (_, .text): false
      default: a.offset < b.offset
      }
    }.map(\.element)
  }
}
