/// What the cells of each column look like in rows that have all their cells, so that a row with too few or too many can be
/// told where it was broken.
///
/// A shape is a text with its digits as 9 and its letters as a or A. A column is strict when few shapes cover its cells.
struct ColumnShapes {
  private var shapes: [[[UInt8]: Int]]
  private var filled: [Int]
  private var empties: [Int]
  private var quoted: [Int]
  private static let longest = 48, most = 24

  init(columns: Int) {
    shapes = Array(repeating: [:], count: columns)
    filled = Array(repeating: 0, count: columns)
    empties = filled
    quoted = filled
  }

  var count: Int { shapes.count }

  mutating func add(_ row: LooseRow) {
    guard row.count == shapes.count else { return }
    for at in 0..<row.count {
      if row.isQuoted[at] { quoted[at] += 1 }
      if row.isEmpty(at) {
        empties[at] += 1
        continue
      }
      filled[at] += 1
      if shapes[at].count <= Self.most { shapes[at][Self.shape(row[at]), default: 0] += 1 }
    }
  }

  static func shape(_ text: ArraySlice<UInt8>) -> [UInt8] {
    text.prefix(longest).map { byte in
      switch byte {
      case 48...57: 57
      case 65...90: 65
      case 97...122: 97
      default: byte
      }
    }
  }

  /// Whether cells of this column are told from those of others.
  func isStrict(_ column: Int) -> Bool {
    filled[column] + empties[column] >= 4 && (filled[column] == 0 || shapes[column].count <= Self.most && shapes[column].count * 4 <= filled[column])
  }

  var hasStrict: Bool { shapes.indices.contains { isStrict($0) && filled[$0] > 0 } }

  /// How well a text fits a column: 3 as others do, 1 nothing speaks against it, less than 0 it does not.
  func fit(_ text: ArraySlice<UInt8>, _ column: Int) -> Int {
    if text.isEmpty { return empties[column] == 0 ? -1 : filled[column] == 0 ? 3 : 2 }
    if filled[column] == 0 { return -2 }
    if isStrict(column) { return shapes[column][Self.shape(text)] != nil ? 3 : -2 }
    return 1
  }

  /// Whether the text is one of the shapes of a strict column that at least one of twenty of its cells have.
  func knows(_ text: ArraySlice<UInt8>, _ column: Int) -> Bool {
    !text.isEmpty && isStrict(column) && shapes[column][Self.shape(text), default: 0] * 20 >= max(1, filled[column])
  }

  /// Cells of this column are always enclosed.
  func isAlwaysQuoted(_ column: Int) -> Bool { filled[column] > 0 && quoted[column] == filled[column] + empties[column] }
}
