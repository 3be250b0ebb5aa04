/// Rows as text of the common kind: commas, quotes doubled inside quotes, LF.
enum LooseText {
  /// One row. A cell that was enclosed and empty stays so; a row of one empty cell is `""`, because an empty line is none.
  static func append(_ row: LooseRow, delimiter: UInt8 = 44, to text: inout [UInt8]) {
    for cell in 0..<row.count {
      if cell > 0 { text.append(delimiter) }
      append(row[cell], isQuoted: row.isQuoted[cell] || row.count == 1, delimiter: delimiter, to: &text)
    }
    text.append(10)
  }

  static func append(names: [String], delimiter: UInt8 = 44, to text: inout [UInt8]) {
    for (at, name) in names.enumerated() {
      if at > 0 { text.append(delimiter) }
      append(Array(name.utf8)[...], isQuoted: names.count == 1, delimiter: delimiter, to: &text)
    }
    text.append(10)
  }

  private static func append(_ cell: ArraySlice<UInt8>, isQuoted: Bool, delimiter: UInt8, to text: inout [UInt8]) {
    if cell.isEmpty {
      if isQuoted { text += [34, 34] }
      return
    }
    guard cell.contains(where: { $0 == delimiter || $0 == 34 || $0 == 10 || $0 == 13 }) else {
      text.append(contentsOf: cell)
      return
    }
    text.append(34)
    for byte in cell {
      if byte == 34 { text.append(34) }
      text.append(byte)
    }
    text.append(34)
  }
}
