/// Where in a text the table begins: lines in front of it, rows of names, found by how rows look.
///
/// Lines in front have another number of cells than the table, or text in one cell only. Names are text over columns of
/// numbers and dates; where all columns are text, the first row names them when its cells are filled and differ.
struct TableFrame {
  private(set) var preambleRows: Int
  private(set) var headerRows: Int
  private(set) var reasons: [String] = []

  private static let longestPreamble = 100, mostHeaderRows = 5

  init(_ trial: DialectTrial, _ told: DialectDetection.Told) {
    preambleRows = told.preambleRows ?? 0
    headerRows = told.headerRows ?? 1
    let rows = trial.rows, width = trial.width
    var first = 0
    if told.preambleRows == nil { first = Self.firstRow(rows, width) }
    let body = Array(rows[min(first, rows.count)...])
    if told.headerRows == nil {
      headerRows = Self.names(body, width)
      reasons.append(headerRows == 0 ? "no header: the first row looks like the others" : "header: \(headerRows) row\(headerRows == 1 ? "" : "s")")
    }
    if told.preambleRows == nil, first > 0 {
      // Counted in lines: a row in front may hold line ends.
      preambleRows = rows[..<first].reduce(0) { $0 + 1 + $1.bytes.filter { $0 == 10 }.count }
      reasons.append("\(preambleRows) line\(preambleRows == 1 ? "" : "s") in front of the table")
    }
  }

  /// The row at which the table begins, its header if it has one.
  private static func firstRow(_ rows: [LooseRow], _ width: Int) -> Int {
    guard width > 1 else { return 0 }
    func filled(_ row: LooseRow) -> Int { (0..<row.count).filter { !row.isEmpty($0) }.count }
    let limit = min(rows.count, longestPreamble)
    // The first row that has the table's cells and text in more than one of them.
    guard let full = (0..<limit).first(where: { rows[$0].count == width && filled(rows[$0]) > 1 }) else { return 0 }
    if full == 0 { return 0 }
    // It is the header, or the row before is: names that are one too few or too many.
    if names(Array(rows[full...]), width) == 0 || !looksLikeNames(rows[full]) {
      var above = full - 1
      while above > 0, rows[above].isBlank { above -= 1 }
      let row = rows[above]
      if row.count > 1, row.count * 2 > width, looksLikeNames(row) { return above }
    }
    return full
  }

  private static func looksLikeNames(_ row: LooseRow) -> Bool {
    var texts = 0, empty = 0
    for cell in 0..<row.count {
      let kind = CellLook(row[cell])
      if row.isEmpty(cell) { empty += 1 } else if kind == .text || kind == .word || kind == .code || kind == .truth { texts += 1 } else { return false }
    }
    return texts > 1 && empty * 2 <= row.count
  }

  /// How many of the first rows are names.
  private static func names(_ rows: [LooseRow], _ width: Int) -> Int {
    guard let first = rows.first else { return 1 }
    let body = rows.dropFirst().filter { $0.count == width && !$0.isAllEmpty }
    guard !body.isEmpty else { return looksLikeNames(first) || width == 1 && !CellLook(first[0]).isTyped ? 1 : 0 }
    // Of each column: the share of numbers, dates and the like below.
    var typed = Array(repeating: false, count: width), kinds = Array(repeating: Set<CellLook>(), count: width)
    for column in 0..<width {
      var values = 0, hits = 0
      for row in body where !row.isEmpty(column) {
        let kind = CellLook(row[column])
        values += 1
        kinds[column].insert(kind)
        if kind.isTyped, kind != .empty { hits += 1 }
      }
      typed[column] = values > 0 && hits * 10 >= values * 7
    }
    func votes(_ row: LooseRow) -> (names: Int, values: Int) {
      var names = 0, values = 0
      for column in 0..<min(row.count, width) where typed[column] && !row.isEmpty(column) {
        let kind = CellLook(row[column])
        if kind.isTyped, kind != .empty { if isYear(row[column]) && !kinds[column].contains(.date) { names += 0 } else { values += 1 } } else if kind != .empty { names += 1 }
      }
      return (names, values)
    }
    let head = votes(first)
    if head.values > head.names { return 0 }
    if head.names == 0 {
      if typed.contains(true), head.values > 0 { return 0 }
      // Text columns only: names differ from each other and from what is below.
      let texts = first.texts
      let filled = texts.filter { !$0.isEmpty }
      guard filled.count * 2 >= texts.count, Set(filled).count == filled.count || filled.count < 2 else { return 0 }
      if (0..<first.count).contains(where: { !first.isEmpty($0) && CellLook(first[$0]).isNumber }) { return 0 }
      for column in 0..<min(first.count, width) where !first.isEmpty(column) {
        if body.contains(where: { $0[column] == first[column] }) { return 0 }
      }
      return 1
    }
    // Further rows of names: text over the columns of numbers, no number.
    var count = 1
    for at in 1..<min(rows.count, mostHeaderRows) {
      let row = rows[at]
      if row.isBlank { break }
      let more = votes(row)
      if row.isAllEmpty, at + 1 < rows.count { continue }
      guard more.values == 0, more.names > 0, more.names * 2 >= typed.filter({ $0 }).count || more.names >= 2 && head.names < typed.filter({ $0 }).count,
        rows.count > at + 1 else { break }
      count = at + 1
    }
    return count
  }

  /// Years name columns as often as they are values.
  private static func isYear(_ cell: ArraySlice<UInt8>) -> Bool {
    cell.count == 4 && (cell.first == 49 || cell.first == 50) && cell.allSatisfy { $0 &- 48 < 10 }
  }
}
