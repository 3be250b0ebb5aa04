import Diagnostics

/// From places of the stage that speaks to places in the text.
extension PipelineDocument {
  /// The stage's name.
  public func span(of stage: String) -> TextSpan { source.span(ofKey: path(of: stage)) }

  /// Where the document has a stage, or the stage that a variant (`segments[k=3]`) is one of.
  func path(of stage: String) -> [PathStep] { ["stages", .key(Variant.writtenName(of: stage))] }

  /// The word under `"stage"`.
  public func span(ofKindOf stage: String) -> TextSpan { source.span(of: path(of: stage) + ["stage"]) }

  /// A setting's value, or where it has to be added when it is absent: the key of the object around it, `with`, or the stage.
  public func span(of stage: String, setting path: [PathStep]) -> TextSpan {
    source.span(of: self.path(of: stage) + ["with"] + path)
  }

  /// The input with an alias; of a single `from`, and for nil, all of `from`.
  public func span(ofInput alias: String?, stage: String) -> TextSpan {
    let from = path(of: stage) + ["from"]
    if let alias, source.node(at: from + [.key(alias)]) != nil { return source.span(of: from + [.key(alias)]) }
    return source.node(at: from)?.members == nil ? source.span(of: from) : source.span(ofKey: from)
  }
}

extension ResolvedDocument {
  /// The same mistake with its place in the text. Offsets count UTF-8 bytes of the resolved setting; they are followed back
  /// through `${p}` and JSON's escapes.
  public func located(_ diagnostic: Diagnostic, stage: String) -> Diagnostic {
    var located = diagnostic
    switch diagnostic.place {
    case .setting(let path, let offset, let length): located.place = .text(span(of: stage, setting: path, offset: offset, length: length))
    case .input(let alias): located.place = .text(document.span(ofInput: alias, stage: stage))
    case .nowhere: located.place = .text(document.span(of: stage))
    case .text, .data: break
    }
    return located
  }

  public func located(_ mistakes: Mistakes, stage: String) -> Mistakes {
    Mistakes(mistakes.all.map { located($0, stage: stage) })
  }

  /// `part` of the stage holds the setting.
  public func span(of stage: String, setting path: [PathStep], offset: Int = 0, length: Int = 0, in part: String = "with") -> TextSpan {
    let source = document.source
    let whole = document.path(of: stage) + [.key(part)] + path
    if offset == Place.keyOffset { return source.span(ofKey: whole) }
    guard offset > 0 || length > 0, case .string(let text) = source.reached(whole).node.content else { return source.span(of: whole) }
    let template = Template(text)
    // A value that is one parameter has no places inside it.
    if template.pieces.count == 1, template.pieces[0].parameter != nil { return source.span(of: whole) }
    let range = template.source(ofResult: offset, length: max(1, length), self[stage: stage]?.values ?? values)
    return source.span(inStringAt: whole, offset: range.lowerBound, length: max(1, range.count))
  }
}
