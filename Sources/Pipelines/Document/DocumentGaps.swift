import Diagnostics

/// What nobody can know of a document with mistakes, so that kinds can be asked about the rest and say nothing that may be wrong.
struct DocumentGaps: Sendable {
  /// Stages of which kind or settings do not read: no kind is asked about them.
  var misread: Set<String> = []
  /// Stages of which inputs do not read: of their settings what is true of any input is told.
  var unconnected: Set<String> = []
  /// Parameters whose values are not known: without one, of no known type, not declared.
  var unvalued: Set<String> = []
  /// Texts of which nobody can say what they would be: what kinds find wrong with them has been told.
  var unresolved: [TextSpan] = []
  /// Stages with such a text: their settings are looked at, what they would give is not known.
  private(set) var unsettled: Set<String> = []

  /// With the texts in which a parameter without value stands, or that are no templates at all.
  func completed(in document: PipelineDocument, unvalued: Set<String>) -> DocumentGaps {
    var gaps = self
    gaps.unvalued = unvalued
    let types = Dictionary(document.parameters.map { ($0.name, $0.type) }, uniquingKeysWith: { first, _ in first })
    for stage in document.stages {
      stage.forEachText { text, path in
        guard text.utf8.contains(UInt8(ascii: "$")) else { return }
        let template = Template(text), names = template.pieces.compactMap(\.parameter)
        let isKnown =
          template.unfinished == nil && !names.contains(where: unvalued.contains) && Template.mentions(of: Array(unvalued), in: text).isEmpty
          && (template.pieces.count == 1 || names.allSatisfy { types[$0]?.fitsInText ?? true })
        if isKnown { return }
        gaps.unresolved.append(document.source.span(inStringAt: ["stages", .key(stage.name)] + path, offset: 0, length: text.utf8.count))
        if path.first == "with" { gaps.unsettled.insert(stage.name) }
      }
    }
    return gaps
  }

  func hides(_ mistake: Diagnostic) -> Bool { unresolved.contains { $0.holds(mistake.place) } }
}

extension TextSpan {
  /// Whether a place begins within this one, or is its quote.
  fileprivate func holds(_ place: Place) -> Bool {
    guard case .text(let other) = place else { return false }
    return other.line == line && other.column >= column - 1 && other.column < column + length
  }
}
