import Diagnostics

/// A parameter with several values at once.
public struct DocumentAxis: Hashable, Sendable {
  public let name: String
  public let values: [ParameterValue]

  /// Whether a value may stand in the name of a variant: `segments[k=3]`.
  static func canName(_ text: String) -> Bool {
    !text.isEmpty && text.unicodeScalars.allSatisfy { $0.value >= 32 && $0.value != 127 && !"[],=\"".unicodeScalars.contains($0) }
  }
}

/// Which variant of a stage it is: the values of the axes that reach it, in the order of the matrix.
public struct Variant: Hashable, Sendable {
  public struct Entry: Hashable, Sendable {
    public let name: String
    public let value: ParameterValue
  }

  public let entries: [Entry]

  public init(entries: [Entry]) { self.entries = entries }

  /// Of a stage that no axis reaches.
  public static let none = Variant(entries: [])

  /// `[k=3,seed=1]`; empty of a stage that no axis reaches.
  public var suffix: String {
    entries.isEmpty ? "" : "[" + entries.map { "\($0.name)=\($0.value.text)" }.joined(separator: ",") + "]"
  }

  /// What the document calls a stage: `segments` for `segments[k=3,seed=1]`, `segments[*]` and itself.
  public static func writtenName(of stage: String) -> String { String(stage.prefix { $0 != "[" }) }

  /// The part of it that reaches another stage.
  func projected(on names: [String]) -> Variant { Variant(entries: entries.filter { names.contains($0.name) }) }

  public var json: JSONValue { .object(entries.map { JSONMember($0.name, $0.value.json) }) }
}

/// Which axes reach which stage: those that its texts name, and those that reach what it reads.
struct MatrixReach {
  /// By stage, in the order of the matrix.
  private(set) var axes: [String: [String]] = [:]

  /// The document has no cycles. No recursion: a chain may be thousands of stages long.
  init(_ document: PipelineDocument) {
    let names = document.matrix.map(\.name)
    if names.isEmpty { return }
    let places = Dictionary(document.stages.indices.map { (document.stages[$0].name, $0) }, uniquingKeysWith: { first, _ in first })
    for root in document.stages.indices where axes[document.stages[root].name] == nil {
      var path = [root]
      while let at = path.last {
        let stage = document.stages[at]
        if axes[stage.name] != nil {
          path.removeLast()
          continue
        }
        let open = stage.inputs.compactMap { input in input.reference.stage.flatMap { places[$0] } }.filter { axes[document.stages[$0].name] == nil }
        if !open.isEmpty {
          path += open
          continue
        }
        path.removeLast()
        var own: Set<String> = []
        stage.forEachText { text, _ in
          own.formUnion(Template(text).pieces.compactMap(\.parameter).filter(names.contains))
          own.formUnion(Template.mentions(of: names, in: text))
        }
        for input in stage.inputs { if case .output(let name, _) = input.reference { own.formUnion(axes[name] ?? []) } }
        axes[stage.name] = names.filter(own.contains)
      }
    }
  }

  func axes(of stage: String) -> [String] { axes[stage] ?? [] }
}

extension [DocumentAxis] {
  /// Every combination of the values of some axes, the last one changing fastest.
  func variants(of names: [String]) -> [Variant] {
    filter { names.contains($0.name) }.reduce([Variant(entries: [])]) { variants, axis in
      variants.flatMap { variant in axis.values.map { Variant(entries: variant.entries + [.init(name: axis.name, value: $0)]) } }
    }
  }
}
