import Charts
import Pipelines

/// A document as people read it: a fitted model as a table of parameters with their errors, anything else as names and values.
struct DocumentCard {
  let card: Card
  let isModel: Bool

  init(_ document: JSONValue, alias: String) {
    if let model = document["model"]?.string, let parameters = document["parameters"]?.members {
      isModel = true
      card = Card("\(words(of: alias)): \(model)", Self.blocks(ofModel: document, parameters))
    } else {
      isModel = false
      card = Card(words(of: alias), Self.blocks(of: document))
    }
  }

  // MARK: Models

  private static func blocks(ofModel document: JSONValue, _ parameters: [JSONMember]) -> [Block] {
    let errors = document["standard_errors"]
    let smallest = parameters.compactMap { $0.value.double }.filter { $0 != 0 }.map(abs).min() ?? 1
    let format = NumberFormat(decimals: max(4, decimals(for: smallest)))
    let rows = parameters.map { parameter -> [Charts.Table.Cell] in
      [.text(parameter.key), cell(parameter.value), errors?[parameter.key].map(cell) ?? .missing]
    }
    var blocks: [Block] = []
    if document["converged"]?.bool == false {
      blocks.append(.note("The search stopped before it reached the maximum: these numbers are not a fit."))
    }
    for diagnosis in document["diagnoses"]?.array ?? [] { if let text = diagnosis.string { blocks.append(.note(text)) } }
    blocks.append(
      .table(Charts.Table(columns: [.text("parameter"), .number("estimate", format), .number("± standard error", format)], rows: rows)))
    let told = ["model", "parameters", "standard_errors", "covariance", "diagnoses", "left_out", "made_by"]
    let rest = document.members?.filter { !told.contains($0.key) } ?? []
    var pairs = flat(rest, under: "")
    for reason in document["left_out"]?.array ?? [] {
      guard let why = reason["reason"]?.string, let count = reason["customers"] else { continue }
      pairs.append(("left out: \(why)", text(count)))
    }
    blocks.append(.definitions(pairs))
    return blocks
  }

  private static func cell(_ value: JSONValue) -> Charts.Table.Cell { value.double.map { .number($0) } ?? .missing }

  // MARK: Anything

  /// Objects inside objects deeper than this are shown as JSON.
  private static let deepest = 4
  /// Longer lists and texts are cut, and it is said.
  private static let longest = 200

  private static func blocks(of document: JSONValue, depth: Int = 0) -> [Block] {
    guard depth < deepest, let members = document.members else {
      return document.array.map { list($0, depth: depth) } ?? [.paragraph(text(document))]
    }
    var blocks: [Block] = [], pairs: [(String, String)] = [], cards: [Card] = []
    for member in members {
      switch member.value {
      case .object(let inner) where !inner.isEmpty: cards.append(Card(words(of: member.key), Self.blocks(of: member.value, depth: depth + 1)))
      case .array(let items) where items.contains(where: { $0.members != nil || $0.array != nil }):
        cards.append(Card(words(of: member.key), list(items, depth: depth + 1)))
      case .null, .bool, .number, .string, .array, .object: pairs.append((words(of: member.key), text(member.value)))
      }
    }
    if !pairs.isEmpty { blocks.append(.definitions(pairs)) }
    if !cards.isEmpty { blocks.append(.cards(cards)) }
    return blocks
  }

  private static func list(_ items: [JSONValue], depth: Int) -> [Block] {
    let shown = items.prefix(longest)
    var blocks: [Block]
    if items.allSatisfy({ $0.members != nil }) {
      let keys = shown.flatMap { $0.members?.map(\.key) ?? [] }.unique
      let columns = keys.map { key -> Charts.Table.Column in
        shown.allSatisfy { $0[key].map { $0.isNull || $0.double != nil } ?? true } ? .number(words(of: key)) : .text(words(of: key))
      }
      let rows = shown.map { item in
        zip(keys, columns).map { key, column -> Charts.Table.Cell in
          guard let value = item[key], !value.isNull else { return .missing }
          return column.isNumeric ? cell(value) : .text(text(value))
        }
      }
      blocks = keys.isEmpty ? [] : [.table(Charts.Table(columns: columns, rows: rows))]
    } else {
      blocks = [.list(shown.map(text))]
    }
    if shown.count < items.count { blocks.append(.paragraph("and \(items.count - shown.count) more")) }
    return blocks
  }

  /// `units: {time: "day"}` is "units time: day".
  private static func flat(_ members: [JSONMember], under prefix: String) -> [(String, String)] {
    members.flatMap { member -> [(String, String)] in
      let name = prefix + words(of: member.key)
      if let inner = member.value.members { return flat(inner, under: name + " ") }
      return [(name, text(member.value))]
    }
  }

  static func text(_ value: JSONValue) -> String {
    switch value {
    case .null: return "–"
    case .bool(let value): return value ? "yes" : "no"
    case .number(let number): return text(number)
    case .string(let text): return text.count > 2000 ? text.prefix(2000) + "…" : text
    case .array(let items) where items.allSatisfy { $0.members == nil && $0.array == nil }:
      let shown = items.prefix(longest).map(text).joined(separator: ", ")
      return items.count > longest ? shown + " … and \(items.count - longest) more" : shown
    case .array, .object:
      let json = value.canonical
      return json.count > longest ? json.prefix(longest) + "…" : json
    }
  }

  /// Whole numbers in full, others with four digits that matter and at least two decimals.
  private static func text(_ number: JSONNumber) -> String {
    if let whole = number.int64, whole.magnitude < 1 << 53 { return NumberFormat.integer.text(Double(whole)) }
    guard let value = number.double else { return number.text }
    if abs(value) < 1e-6 || abs(value) >= 1e15 { return rounded("\(value)") }
    return NumberFormat(decimals: decimals(for: abs(value))).text(value)
  }

  // 3.4280537977333362e-15 → 3.428e-15
  private static func rounded(_ text: String) -> String {
    guard let e = text.firstIndex(of: "e"), text[..<e].count > 6, let value = Double(text[..<e]) else { return text }
    return NumberFormat(decimals: 3).text(value) + text[e...]
  }

  // 12345.678 → 2; 1.5 → 4; 0.0123 → 5
  private static func decimals(for size: Double) -> Int {
    if size >= 10_000 { return 2 }
    if size >= 0.1 { return 4 }
    var decimals = 5, edge = 0.01
    while size < edge, decimals < 10 {
      decimals += 1
      edge /= 10
    }
    return decimals
  }
}
