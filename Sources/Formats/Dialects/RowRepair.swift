/// Puts the cells of a row with too few or too many of them under the columns they fit.
///
/// Of all ways to leave out empty cells, to join neighbours that a delimiter inside text has torn apart, to part cells whose
/// delimiter is missing, and to put nulls between, the one whose cells look most like those of other rows wins; it must
/// be better than padding or cutting at the end.
struct RowRepair {
  let shapes: ColumnShapes
  let delimiter: [UInt8]
  let quote: UInt8?
  /// Rows that are further off are not repaired.
  private static let farthest = 12, longest = 400

  private enum Step {
    case none
    case cell
    case null
    case dropped
    /// This many cells become one.
    case joined(Int)
    /// One cell becomes two: the second begins here, `gap` bytes behind the end of the first.
    case parted(at: Int, gap: Int)
  }

  /// How well a row that has all its cells, or is padded or cut, fits.
  func score(_ row: LooseRow) -> Int { plainScore(row) }

  /// The least score of a row that is taken for a row of this table although it was read with another delimiter.
  var convincing: Int { (0..<shapes.count).reduce(0) { $0 + (shapes.isStrict($1) ? 2 : 1) } }

  /// With another delimiter between what is joined.
  func reading(_ delimiter: [UInt8]) -> RowRepair { RowRepair(shapes: shapes, delimiter: delimiter, quote: quote) }

  /// Nil: nothing better than the plain way is known.
  func repaired(_ row: LooseRow) -> LooseRow? {
    let columns = shapes.count, cells = row.count
    guard columns > 1, cells != columns, abs(cells - columns) <= Self.farthest, max(cells, columns) <= Self.longest, shapes.hasStrict else {
      return nil
    }
    let impossible = -1_000_000
    var best = Array(repeating: Array(repeating: impossible, count: columns + 1), count: cells + 1)
    var steps = Array(repeating: Array(repeating: Step.none, count: columns + 1), count: cells + 1)
    best[0][0] = 0
    for at in 0...cells {
      for column in 0...columns where best[at][column] > impossible {
        let score = best[at][column]
        func reach(_ cell: Int, _ next: Int, _ value: Int, _ step: Step) {
          if value > best[cell][next] {
            best[cell][next] = value
            steps[cell][next] = step
          }
        }
        if at < cells, column < columns { reach(at + 1, column + 1, score + shapes.fit(row[at], column), .cell) }
        if column < columns, columns > cells { reach(at, column + 1, score + min(0, shapes.fit([], column) - 2) - 1, .null) }
        if at < cells, row.isEmpty(at), cells > columns { reach(at + 1, column, score - 1, .dropped) }
        if cells > columns, column < columns, at + 2 <= cells {
          for many in 2...min(cells - at, cells - columns + 1) where at + many <= cells && !row.isQuoted[at..<at + many].contains(true) {
            reach(at + many, column + 1, score + shapes.fit(joined(row, at, many)[...], column) - 2, .joined(many))
          }
        }
        if columns > cells, at < cells, column + 1 < columns, let (place, gap, value) = parting(row, at, column) {
          reach(at + 1, column + 2, score + value - 1, .parted(at: place, gap: gap))
        }
      }
    }
    guard best[cells][columns] > plainScore(row) else { return nil }
    return follow(steps, row)
  }

  /// Nulls or a cut at the end.
  private func plainScore(_ row: LooseRow) -> Int {
    (0..<shapes.count).reduce(0) { score, column in
      column < row.count ? score + shapes.fit(row[column], column) : score + min(0, shapes.fit([], column) - 2) - 1
    } - 3 * (row.count > shapes.count ? (shapes.count..<row.count).filter { !row.isEmpty($0) }.count : 0)
  }

  private func joined(_ row: LooseRow, _ at: Int, _ many: Int) -> [UInt8] {
    var text = Array(row[at])
    for cell in at + 1..<at + many { text += delimiter + row[cell] }
    return text
  }

  /// The best place to part a cell. Without a quote between, both parts must be known.
  private func parting(_ row: LooseRow, _ cell: Int, _ column: Int) -> (at: Int, gap: Int, value: Int)? {
    let text = row[cell]
    guard text.count > 1, shapes.isStrict(column) || shapes.isStrict(column + 1) else { return nil }
    var best: (at: Int, gap: Int, value: Int)?
    if row.isQuoted[cell] {
      guard let quote else { return nil }
      for place in text.indices.dropFirst() where text[place] == quote && place + 1 < text.endIndex {
        let (left, right) = (text[..<place], text[(place + 1)...])
        guard shapes.knows(left, column) || shapes.knows(right, column + 1) else { continue }
        let value = shapes.fit(left, column) + shapes.fit(right, column + 1)
        if value > best?.value ?? 1 { best = (place - text.startIndex, 1, value) }
      }
      return best
    }
    guard text.count <= 96 else { return nil }
    for place in text.indices.dropFirst() {
      let (left, right) = (text[..<place], text[place...])
      guard shapes.knows(left, column), shapes.knows(right, column + 1) else { continue }
      if best == nil { best = (place - text.startIndex, 0, 6) }
    }
    return best
  }

  private func follow(_ steps: [[Step]], _ row: LooseRow) -> LooseRow {
    var cells: [(text: [UInt8], quoted: Bool)] = []
    var at = row.count, column = shapes.count
    while at > 0 || column > 0 {
      switch steps[at][column] {
      case .none: preconditionFailure("a repaired row has no way back")
      case .cell:
        at -= 1
        column -= 1
        cells.append((Array(row[at]), row.isQuoted[at]))
      case .null:
        column -= 1
        cells.append(([], false))
      case .dropped: at -= 1
      case .joined(let many):
        at -= many
        column -= 1
        cells.append((joined(row, at, many), false))
      case .parted(let place, let gap):
        at -= 1
        column -= 2
        let text = Array(row[at])
        cells.append((Array(text[(place + gap)...]), row.isQuoted[at]))
        cells.append((Array(text[..<place]), row.isQuoted[at]))
      }
    }
    var made = LooseRow()
    for cell in cells.reversed() { made.append(cell.text, quoted: cell.quoted) }
    return made
  }
}
