import Diagnostics
import Pipelines

/// Which stages are meant, as people write it: one grammar for every command.
///
///     fit              the stage
///     +fit             and all that it needs;  rfm+  and all that needs it;  2+value+1  so many steps each way
///     seg*             every stage whose name fits
///     kind:visualize   every stage of the kind
///     stale  failed  all
///     kind:fit,stale   what both mean;  "a b"  what either means
struct Selector: Sendable {
  enum Word: Hashable, Sendable {
    case name(String)
    /// With `*` for any characters.
    case pattern(String)
    case kind(String)
    case stale, failed, all
  }

  struct Term: Hashable, Sendable {
    let word: Word
    /// How many steps before and behind it; nil: no limit.
    let before: Int?
    let behind: Int?
  }

  /// Any of these; each is all of its terms.
  let alternatives: [[Term]]

  var isAboutStore: Bool { alternatives.joined().contains { $0.word == .stale || $0.word == .failed } }
  var isAboutFreshness: Bool { alternatives.joined().contains { $0.word == .stale } }

  /// Throws in the words of `option`, which the person wrote it behind.
  init(_ text: String, option: String) throws(Diagnostic) {
    var alternatives: [[Term]] = []
    for part in Self.parts(text[...], at: " ") where !part.isEmpty {
      var terms: [Term] = []
      for term in Self.parts(part, at: ",") {
        guard let read = Self.term(term) else {
          throw Diagnostic(
            "\(option) \(JSONValue.string(text).canonical) is no selector",
            expected: "a stage, kind:KIND, stale, failed or all, with + before or behind it and commas between",
            found: JSONValue.string(String(term)).canonical)
        }
        terms.append(read)
      }
      alternatives.append(terms)
    }
    if alternatives.isEmpty { throw Diagnostic("\(option) names no stage") }
    self.alternatives = alternatives
  }

  /// Values of a variant, `[k=3,seed=1]`, stay together.
  private static func parts(_ text: Substring, at separator: Character) -> [Substring] {
    var parts: [Substring] = [], start = text.startIndex, depth = 0
    for at in text.indices {
      switch text[at] {
      case "[": depth += 1
      case "]": depth -= 1
      case separator where depth <= 0:
        parts.append(text[start..<at])
        start = text.index(after: at)
      default: break
      }
    }
    return parts + [text[start...]]
  }

  private static func term(_ text: Substring) -> Term? {
    let parts = parts(text, at: "+")
    // A name begins with a letter: a number or nothing in front of the first + counts steps.
    let isCount = { (part: Substring) in part.isEmpty || part.utf8.allSatisfy { (48...57).contains($0) } && part.utf8.count < 7 }
    var before: Int? = 0, behind: Int? = 0, body: Substring
    switch parts.count {
    case 1: body = parts[0]
    case 2 where isCount(parts[0]) && !parts[1].isEmpty: (before, body) = (Int(parts[0]), parts[1])
    case 2 where isCount(parts[1]): (body, behind) = (parts[0], Int(parts[1]))
    case 3 where isCount(parts[0]) && isCount(parts[2]): (before, body, behind) = (Int(parts[0]), parts[1], Int(parts[2]))
    default: return nil
    }
    guard let word = word(String(body)) else { return nil }
    return Term(word: word, before: before, behind: behind)
  }

  private static func word(_ text: String) -> Word? {
    switch text {
    case "stale": return .stale
    case "failed": return .failed
    case "all": return .all
    default:
      if text.hasPrefix("kind:") { return isName(String(text.dropFirst(5))) ? .kind(String(text.dropFirst(5))) : nil }
      if isName(text) { return .name(text) }
      if let open = text.firstIndex(of: "["), text.last == "]", isName(String(text[..<open])) { return .name(text) }
      let letters = text.split(separator: "*", omittingEmptySubsequences: false).joined()
      return text.contains("*") && (letters.isEmpty || isName("a" + letters)) ? .pattern(text) : nil
    }
  }

  /// What it names that is not there.
  func mistakes(option: String, in graph: StageGraph, of pipeline: String) -> [Diagnostic] {
    alternatives.joined().compactMap { term in
      switch term.word {
      case .name(let name) where !graph.names.indices.contains(where: { graph.isMeant($0, by: name) }):
        Diagnostic(
          "\(option) names stage \"\(name)\", which pipeline \"\(pipeline)\" does not have",
          hint: hint(forUnknown: name, among: name.contains("[") ? graph.stageNames : graph.writtenNames))
      case .kind(let kind) where !graph.kinds.contains(kind):
        Diagnostic("\(option) names kind \"\(kind)\", of which pipeline \"\(pipeline)\" has no stage", hint: hint(forUnknown: kind, among: Array(Set(graph.kinds)).sorted()))
      case .pattern(let pattern) where !graph.stageNames.contains(where: { Self.fits($0, pattern) }):
        Diagnostic("\(option) names \"\(pattern)\", which fits no stage of pipeline \"\(pipeline)\"")
      default: nil
      }
    }
  }

  /// By place in the graph. `stale` and `failed` are places too.
  func selected(in graph: StageGraph, stale: [Bool], failed: Set<String>) -> [Bool] {
    var selected = [Bool](repeating: false, count: graph.names.count)
    for terms in alternatives {
      let each = terms.map { graph.reached(from: meant($0.word, graph, stale, failed), before: $0.before, behind: $0.behind) }
      for at in selected.indices where each.allSatisfy({ $0[at] }) { selected[at] = true }
    }
    return selected
  }

  private func meant(_ word: Word, _ graph: StageGraph, _ stale: [Bool], _ failed: Set<String>) -> [Bool] {
    switch word {
    case .name(let name): graph.names.indices.map { graph.isMeant($0, by: name) }
    case .pattern(let pattern): graph.names.indices.map { graph.isStage[$0] && Self.fits(graph.names[$0], pattern) }
    case .kind(let kind): graph.kinds.indices.map { graph.isStage[$0] && graph.kinds[$0] == kind }
    case .stale: zip(graph.isStage, stale).map { $0 && $1 }
    case .failed: graph.names.map { failed.contains($0) }
    case .all: graph.isStage
    }
  }

  /// `*` stands for any characters.
  private static func fits(_ name: String, _ pattern: String) -> Bool {
    let pieces = pattern.split(separator: "*", omittingEmptySubsequences: false)
    guard var rest = name.hasPrefix(pieces[0]) ? name.dropFirst(pieces[0].count) : nil, let last = pieces.last else { return false }
    for piece in pieces.dropFirst().dropLast() where !piece.isEmpty {
      guard let found = rest.firstRange(of: piece) else { return false }
      rest = rest[found.upperBound...]
    }
    return rest.hasSuffix(last)
  }
}

/// Names, kinds and wiring: all that a selector looks at. Every stage stands behind what it needs.
struct StageGraph {
  let names: [String]
  let kinds: [String]
  /// Places of what each stage reads.
  let needs: [[Int]]
  /// Expectations are among the rest, and no selector means them: they go with their stage.
  let isStage: [Bool]
  /// By place: of a variant the stage that it is one of, and its values as they stand in its name.
  private let variants: [(stage: String, values: [String])?]

  var stageNames: [String] { zip(names, isStage).filter(\.1).map(\.0) }
  /// As the document has them: one name for all variants of a stage.
  var writtenNames: [String] { stageNames.map(Variant.writtenName).unique }

  /// Whether a name means the stage at a place: `segments` every variant, `segments[k=3]` those with that value.
  func isMeant(_ at: Int, by name: String) -> Bool {
    guard isStage[at] else { return false }
    if names[at] == name { return true }
    guard let variant = variants[at] else { return false }
    if variant.stage == name { return true }
    guard name.hasPrefix(variant.stage + "["), name.last == "]" else { return false }
    return name.dropFirst(variant.stage.count + 1).dropLast().split(separator: ",").allSatisfy { variant.values.contains(String($0)) }
  }

  private static func variant(_ name: String) -> (stage: String, values: [String])? {
    guard let open = name.firstIndex(of: "["), !name.hasSuffix("[*]") else { return nil }
    return (String(name[..<open]), name[open...].dropFirst().dropLast().split(separator: ",").map(String.init))
  }

  init(_ plan: BoundPlan) {
    names = plan.stages.map(\.name)
    kinds = plan.stages.map { $0.contract.kind }
    needs = plan.stages.map { $0.inputs.map(\.stage) }
    isStage = plan.stages.map(\.isStage)
    variants = names.map(Self.variant)
  }

  /// Without wiring: to look at names only.
  init(names: [String], kinds: [String], needs: [[Int]]? = nil) {
    self.names = names
    self.kinds = kinds
    self.needs = needs ?? names.map { _ in [] }
    isStage = names.map { _ in true }
    variants = names.map(Self.variant)
  }

  /// Those marked, and what lies so many steps before and behind them.
  func reached(from marked: [Bool], before: Int?, behind: Int?) -> [Bool] {
    var found = marked
    if before != 0 {
      var steps = marked.map { $0 ? 0 : Int.max }
      for at in needs.indices.reversed() where steps[at] < before ?? .max {
        for need in needs[at] { steps[need] = min(steps[need], steps[at] + 1) }
      }
      for at in found.indices where steps[at] != .max { found[at] = true }
    }
    if behind != 0 {
      var steps = marked.map { $0 ? 0 : Int.max }
      for at in needs.indices {
        let nearest = needs[at].map { steps[$0] }.min() ?? .max
        if nearest < behind ?? .max { steps[at] = min(steps[at], nearest + 1) }
      }
      for at in found.indices where steps[at] != .max { found[at] = true }
    }
    return found
  }
}
