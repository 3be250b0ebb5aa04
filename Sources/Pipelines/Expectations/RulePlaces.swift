import Diagnostics

/// Where the document has the expectations that became rules of a stage.
struct RulePlaces {
  let setting: String
  /// How many rules the setting had before.
  let first: Int
  let spans: [TextSpan]
}

extension ResolvedDocument {
  /// A mistake in a rule at its expectation; any other as it is.
  func located(_ mistake: Diagnostic, from rules: RulePlaces?) -> Diagnostic {
    guard let rules, case .setting(let path, _, _) = mistake.place, path.count >= 2, path[0] == .key(rules.setting), case .index(let at) = path[1],
      at >= rules.first, at - rules.first < rules.spans.count
    else { return mistake }
    var moved = mistake
    moved.place = .text(rules.spans[at - rules.first])
    return moved
  }

  /// A mistake below another part of a stage than its settings.
  func located(_ mistake: Diagnostic, stage: String, in part: String) -> Diagnostic {
    guard case .setting(let path, let offset, let length) = mistake.place else { return mistake }
    var moved = mistake
    moved.place = .text(span(of: stage, setting: path, offset: offset, length: length, in: part))
    return moved
  }
}
