/// The cells of one row as text, unquoted; used again for the next row.
struct LooseRow: Equatable {
  /// What the scanner found against the rules; the first of a row.
  enum Flaw: UInt8 {
    case none
    /// A quote inside a cell that is not enclosed.
    case strayQuote
    /// Text behind a closing quote.
    case textBehindQuote
    /// The same, and no other quote closes the cell: its quotes are characters.
    case textBehindLastQuote
    case unclosedQuote
  }

  var bytes: [UInt8] = []
  /// Where each cell's text ends in `bytes`.
  var ends: [Int] = []
  var isQuoted: [Bool] = []
  var flaw = Flaw.none
  /// How far was looked for the end of what a quote opens, in vain; 0: nowhere.
  var lookedTo = 0

  static func == (a: LooseRow, b: LooseRow) -> Bool {
    a.bytes == b.bytes && a.ends == b.ends && a.isQuoted == b.isQuoted && a.flaw == b.flaw
  }

  var count: Int { ends.count }
  func range(_ cell: Int) -> Range<Int> { (cell == 0 ? 0 : ends[cell - 1])..<ends[cell] }
  subscript(cell: Int) -> ArraySlice<UInt8> { bytes[range(cell)] }
  func text(_ cell: Int) -> String { String(decoding: self[cell], as: UTF8.self) }
  var texts: [String] { (0..<count).map(text) }
  func isEmpty(_ cell: Int) -> Bool { range(cell).isEmpty }
  /// A line without anything but blanks.
  var isBlank: Bool { count == 1 && !isQuoted[0] && bytes.allSatisfy { $0 == 32 || $0 == 9 } }
  /// No text in any cell.
  var isAllEmpty: Bool { bytes.isEmpty }

  mutating func clear() {
    bytes.removeAll(keepingCapacity: true)
    ends.removeAll(keepingCapacity: true)
    isQuoted.removeAll(keepingCapacity: true)
    flaw = .none
    lookedTo = 0
  }

  mutating func endCell(quoted: Bool) {
    ends.append(bytes.count)
    isQuoted.append(quoted)
  }

  mutating func append(_ text: some Sequence<UInt8>, quoted: Bool = false) {
    bytes.append(contentsOf: text)
    endCell(quoted: quoted)
  }

  /// Cells as they come; for rows that are made anew.
  init(_ cells: [ArraySlice<UInt8>] = []) { for cell in cells { append(cell) } }

  mutating func removeCell(_ cell: Int) {
    let range = range(cell)
    bytes.removeSubrange(range)
    ends.remove(at: cell)
    isQuoted.remove(at: cell)
    for at in cell..<ends.count { ends[at] -= range.count }
  }

  mutating func insertEmptyCell(_ cell: Int) {
    ends.insert(cell == 0 ? 0 : ends[cell - 1], at: cell)
    isQuoted.insert(false, at: cell)
  }

  /// Keeps the first `count` cells.
  mutating func cut(to count: Int) {
    guard count < ends.count else { return }
    bytes.removeLast(bytes.count - (count == 0 ? 0 : ends[count - 1]))
    ends.removeLast(ends.count - count)
    isQuoted.removeLast(isQuoted.count - count)
  }

  mutating func pad(to count: Int) { while ends.count < count { endCell(quoted: false) } }
}
