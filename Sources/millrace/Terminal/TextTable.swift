/// Rows under titles, columns aligned by the widest cell.
///
///     stage     status    seconds
///     sales     executed     0.21
struct TextTable {
  enum Alignment { case left, right }

  private let titles: [String]
  private let alignments: [Alignment]
  private var rows: [[String]] = []

  init(_ columns: [(title: String, alignment: Alignment)]) {
    titles = columns.map(\.title)
    alignments = columns.map(\.alignment)
  }

  mutating func append(_ row: [String]) { rows.append(row.map(singleLine)) }

  /// With a line feed behind every line. Without titles where all of them are empty.
  func text(indent: Int = 0) -> String {
    let all = (titles.contains { !$0.isEmpty } ? [titles] : []) + rows
    var widths = [Int](repeating: 0, count: titles.count)
    for row in all { for at in row.indices { widths[at] = max(widths[at], row[at].unicodeScalars.count) } }
    let margin = String(repeating: " ", count: indent)
    return all.reduce(into: "") { text, row in
      var line = margin
      for at in row.indices {
        let padding = String(repeating: " ", count: widths[at] - row[at].unicodeScalars.count)
        line += (at == 0 ? "" : "  ") + (alignments[at] == .left ? row[at] + padding : padding + row[at])
      }
      while line.utf8.last == UInt8(ascii: " ") { line.removeLast() }
      text += line + "\n"
    }
  }
}

/// No control character reaches a terminal.
func singleLine(_ text: String) -> String {
  guard text.unicodeScalars.contains(where: { $0.value < 32 || $0.value == 127 || (128..<160).contains($0.value) }) else { return text }
  var clean = String.UnicodeScalarView()
  for scalar in text.unicodeScalars {
    clean.append(scalar.value < 32 || scalar.value == 127 || (128..<160).contains(scalar.value) ? " " : scalar)
  }
  return String(clean)
}

/// At most `length` characters, the last of a cut one is `…`.
func cut(_ text: String, to length: Int) -> String {
  text.unicodeScalars.count <= length ? text : String(text.unicodeScalars.prefix(max(0, length - 1))) + "…"
}
