import Diagnostics

/// The settings as written, completed by the defaults: what a recipe hashes and what `decodeSettings` takes; and everything
/// that is wrong with them, each at its `Place.setting`. Objects whose keys are ours come out sorted, objects whose keys are the
/// user's in their order; texts with a form in their one form; a single item where many may stand as a list.
///
/// `owner` ends the messages: `of stage "sales" (clean)`.
public func canonicalSettings<T: Settings>(
  of type: T.Type, written: JSONValue?, owner: String = ""
) -> (canonical: JSONValue, mistakes: [Diagnostic]) {
  canonicalSettings(SettingsDescription(of: type), written: written, owner: owner)
}

public func canonicalSettings(
  _ description: SettingsDescription, written: JSONValue?, owner: String = ""
) -> (canonical: JSONValue, mistakes: [Diagnostic]) {
  var check = SettingsCheck(owner: owner.isEmpty ? "" : " " + owner)
  let canonical = check.object(written ?? [:], as: description, at: [])
  return (canonical, check.mistakes)
}

/// A stage with the settings that `canonicalSettings` made without mistakes.
public func decodeSettings<T: Decodable>(_ type: T.Type, from canonical: JSONValue) throws -> T {
  try canonical.decoded(as: type)
}

/// Both in one: for tests and for commands that take settings.
public func settings<T: Settings>(_ type: T.Type, written: JSONValue, owner: String = "") throws -> T {
  let (canonical, mistakes) = canonicalSettings(of: type, written: written, owner: owner)
  guard mistakes.isEmpty else { throw Mistakes(mistakes) }
  return try decodeSettings(type, from: canonical)
}

extension Place {
  /// The key at the end of a path, not its value: a setting that nobody knows.
  public static func settingKey(_ path: [PathStep]) -> Place { .setting(path, offset: keyOffset, length: 0) }

  // No text has such an offset.
  static var keyOffset: Int { -1 }
}

extension [PathStep] {
  /// For messages: `columns.price.type`, `keep[1]`.
  public var dotted: String {
    reduce(into: "") { text, step in
      switch step {
      case .key(let key): text += text.isEmpty ? key : ".\(key)"
      case .index(let index): text += "[\(index)]"
      }
    }
  }
}

struct SettingsCheck {
  let owner: String
  var mistakes: [Diagnostic] = []

  mutating func object(_ written: JSONValue, as description: SettingsDescription, at path: [PathStep]) -> JSONValue {
    guard let members = written.members else {
      misfit(written, path.isEmpty ? "an object" : SettingShape.group(description).words, at: path)
      return written
    }
    var canonical: [JSONMember] = []
    for member in members {
      let place = path + [.key(member.key)]
      guard let item = description[member.key] else {
        mistakes.append(
          Diagnostic(
            "unknown setting \"\(place.dotted)\"\(owner)", at: .settingKey(place),
            hint: description.names.isEmpty ? "it has no settings" : hint(forUnknown: member.key, among: description.names)))
        continue
      }
      canonical.append(JSONMember(member.key, value(member.value, as: item.shape, range: item.range, at: place)))
    }
    for item in description.items where written[item.name] == nil {
      if let standard = item.standard {
        canonical.append(JSONMember(item.name, completed(standard, as: item.shape)))
      } else {
        mistakes.append(
          Diagnostic(
            "missing setting \"\((path + [.key(item.name)]).dotted)\"\(owner)", at: .setting(path + [.key(item.name)]),
            expected: item.shape.words, hint: item.help.isEmpty ? nil : "\(item.name): \(item.help)"))
      }
    }
    return .object(canonical.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) })
  }

  mutating func value(_ written: JSONValue, as shape: SettingShape, range: SettingRange? = nil, at path: [PathStep]) -> JSONValue {
    switch shape {
    case .boolean:
      if written.bool == nil { misfit(written, shape.words, at: path) }
    case .integer:
      guard let whole = written.int else {
        misfit(written, numberWords(shape, range), at: path)
        return written
      }
      checkRange(written, shape, range, at: path)
      return .integer(whole)
    case .number:
      guard let number = written.double else {
        misfit(written, numberWords(shape, range), at: path)
        return written
      }
      checkRange(written, shape, range, at: path)
      return .double(number)
    case .text:
      if written.string == nil { misfit(written, shape.words, at: path) }
    case .formed(let form):
      guard let canonical = written.string.flatMap(form.canonical) else {
        misfit(written, form.words, at: path)
        return written
      }
      return .string(canonical)
    case .choice(let cases): choice(written, of: cases, words: shape.words, at: path)
    case .optional(let inner):
      return written.isNull ? .null : value(written, as: inner, range: range, at: path)
    case .list(let inner):
      guard let items = written.array else {
        misfit(written, shape.words, at: path, hint: inner.accepts(written) ? "put it in brackets: [ ]" : nil)
        return written
      }
      return list(items, as: inner, range: range, at: path)
    case .oneOrMany(let inner):
      if let items = written.array { return list(items, as: inner, range: range, at: path) }
      guard inner.accepts(written) else {
        misfit(written, shape.words, at: path)
        return written
      }
      return .array([value(written, as: inner, range: range, at: path)])
    case .named(let inner):
      guard let members = written.members else {
        misfit(written, shape.words, at: path)
        return written
      }
      return .object(members.map { JSONMember($0.key, value($0.value, as: inner, range: range, at: path + [.key($0.key)])) })
    case .either(let a, let b):
      var best: (mistakes: [Diagnostic], canonical: JSONValue)?
      for form in [a, b] where form.accepts(written) {
        var trial = SettingsCheck(owner: owner)
        let canonical: JSONValue
        if case .choice(let cases) = form {
          // Who mistypes a word is told of the other form too.
          trial.choice(written, of: cases, words: shape.words, at: path)
          canonical = written
        } else {
          canonical = trial.value(written, as: form, range: range, at: path)
        }
        if trial.mistakes.isEmpty { return canonical }
        // Of two forms that the value could mean, the one with fewer mistakes was meant.
        if best == nil || trial.mistakes.count < best!.mistakes.count { best = (trial.mistakes, canonical) }
      }
      guard let best else {
        misfit(written, shape.words, at: path)
        return written
      }
      mistakes += best.mistakes
      return best.canonical
    case .group(let description): return object(written, as: description, at: path)
    case .shortened(let description, let item):
      if written.members != nil { return object(written, as: description, at: path) }
      let before = mistakes.count
      guard item.shape.accepts(written) else {
        misfit(written, shape.words, at: path)
        return written
      }
      let short = value(written, as: item.shape, range: item.range, at: path)
      // The same object as the long form makes, so that both are one recipe.
      return mistakes.count > before ? written : object(.object([JSONMember(item.name, short)]), as: description, at: path)
    case .secret:
      guard let members = written.members, members.count == 1, let name = written["secret"]?.string, !name.isEmpty else {
        // What was found may be the secret itself: it is not repeated.
        mistakes.append(
          Diagnostic(
            "setting \"\(path.dotted)\"\(owner) takes the name of a secret, never its value", at: .setting(path), expected: shape.words))
        return .null
      }
    case .any: break
    }
    return written
  }

  private mutating func choice(_ written: JSONValue, of cases: [String], words: String, at path: [PathStep]) {
    guard let word = written.string else { return misfit(written, words, at: path) }
    if cases.contains(word) { return }
    mistakes.append(
      Diagnostic(
        "unknown value of setting \"\(path.dotted)\"\(owner)", at: .setting(path), expected: words, found: written.words,
        hint: nearest(to: word, among: cases).map { "did you mean \"\($0)\"?" }))
  }

  private mutating func list(_ items: [JSONValue], as shape: SettingShape, range: SettingRange?, at path: [PathStep]) -> JSONValue {
    var canonical: [JSONValue] = []
    for (index, item) in items.enumerated() { canonical.append(value(item, as: shape, range: range, at: path + [.index(index)])) }
    return .array(canonical)
  }

  // Defaults take the same way as what is written, so that writing a default changes no recipe.
  private func completed(_ standard: JSONValue, as shape: SettingShape) -> JSONValue {
    var check = SettingsCheck(owner: "")
    let canonical = check.value(standard, as: shape, at: [])
    // A default inside a nested object may be unset; it is only needed once someone writes that object.
    return check.mistakes.isEmpty ? canonical : standard
  }

  private func numberWords(_ shape: SettingShape, _ range: SettingRange?) -> String {
    range.map { "\(shape.words) \($0.words)" } ?? shape.words
  }

  private mutating func checkRange(_ written: JSONValue, _ shape: SettingShape, _ range: SettingRange?, at path: [PathStep]) {
    guard let range, let number = written.number, !range.contains(number) else { return }
    mistakes.append(
      Diagnostic(
        "setting \"\(path.dotted)\"\(owner) is out of range", at: .setting(path), expected: numberWords(shape, range), found: number.text))
  }

  private mutating func misfit(_ written: JSONValue, _ expected: String, at path: [PathStep], hint: String? = nil) {
    mistakes.append(
      Diagnostic(
        path.isEmpty ? "the settings\(owner) do not fit" : "setting \"\(path.dotted)\"\(owner) does not fit", at: .setting(path),
        expected: expected, found: written.words, hint: hint))
  }
}

extension SettingShape {
  /// Whether the kind of JSON is right: which of several forms was meant.
  func accepts(_ value: JSONValue) -> Bool {
    switch self {
    case .boolean: value.bool != nil
    case .integer, .number: value.number != nil
    case .text, .formed, .choice: value.string != nil
    case .optional(let inner): value.isNull || inner.accepts(value)
    case .list: value.array != nil
    case .named, .group, .secret: value.members != nil
    case .oneOrMany(let inner): value.array != nil || inner.accepts(value)
    case .either(let a, let b): a.accepts(value) || b.accepts(value)
    case .shortened(_, let item): value.members != nil || item.shape.accepts(value)
    case .any: true
    }
  }
}
