import Columns

/// Finds out how the cells of a text column are written, from all of them: which type reads them without loss, and what must
/// be said for it (a date's format, a decimal comma, marks between thousands, texts that mean null, blanks at the ends).
///
/// A type is found that at least 99 of 100 cells have which are not empty; the others are `misfits`. It is never chosen
/// between two readings: numbers with zeros in front stay text, numbers with codes such as C489449 among them too, and so do
/// dates of which day and month cannot be told apart.
public struct ColumnGuess {
  public struct Found: Equatable, Sendable {
    public var type = ColumnType.string
    public var format: String?
    public var nulls: [String] = []
    public var trim = false
    /// The mark between thousands, to be taken out.
    public var thousands: Character?
    /// Numbers need this decimal mark; nil where either does.
    public var decimal: Character?
    /// Whole numbers, some written as 13085.0: what is to be taken off their ends.
    public var zeroEnd: String?
    /// Cells that are not of the type.
    public var misfits = 0
    /// Why it stayed text although its cells look like more, or what was taken for what.
    public var note: String?
    /// Its cells may be read in two ways.
    public var isDoubtful = false

    public init() {}
  }

  private static let missing: [String] = ["NA", "N/A", "na", "n/a", "NaN", "nan", "null", "NULL", "None", "-", ".", "?"]
  private static let missingBytes = missing.map { Array($0.utf8) }
  /// Of so many cells one may be otherwise.
  private static let cellsPerMisfit = 100

  /// Cells that are neither empty nor mean null.
  public private(set) var cells = 0
  /// Digits only, without zeros in front: a number in every style, and nothing else.
  private var plainCells = 0, plainWhole = 1
  private var nulls: Set<Int> = []
  private var hasBlanks = false
  private var numbers = NumberStyle.all
  private var dates = DateStyle.all
  private var truths = 0, isoDates = 0, isoTimes = 0, floats = 0
  /// Numbers with zeros in front; letters with three digits or more behind them, and the first such cell.
  private var zeroLeaders = 0, codes = 0, firstCode = ""

  public init() {}

  public mutating func add(_ column: Column) {
    if column.count == column.nullCount { return }
    let text = column.text
    for row in 0..<column.count where !column.isNull(row) { add(text[row]) }
  }

  private mutating func add(_ whole: UnsafeBufferPointer<UInt8>) {
    var start = 0, end = whole.count
    while start < end, whole[start] == 32 || whole[start] == 9 { start += 1 }
    while end > start, whole[end - 1] == 32 || whole[end - 1] == 9 { end -= 1 }
    if end - start < whole.count { hasBlanks = true }
    if start == end {
      // An empty text in quotes is a text, where others are too.
      return
    }
    let cell = UnsafeBufferPointer(rebasing: whole[start..<end])
    if cell.count <= 4, let at = Self.missingBytes.firstIndex(where: { $0.elementsEqual(cell) }) {
      nulls.insert(at)
      return
    }
    cells += 1
    if isPlain(cell) {
      plainCells += 1
      plainWhole = max(plainWhole, cell.count)
      return
    }
    look(cell)
  }

  private func isPlain(_ cell: UnsafeBufferPointer<UInt8>) -> Bool {
    // More digits than a Double holds exactly are nothing plain.
    guard cell.count <= 15, cell[0] != 48 || cell.count == 1 else { return false }
    for byte in cell where byte &- 48 > 9 { return false }
    return true
  }

  private mutating func look(_ cell: UnsafeBufferPointer<UInt8>) {
    // A style with this many misfits so far is none; the last word is at the end.
    let most = 64 + cells / 50
    for at in numbers.indices where numbers[at].misfits <= most { numbers[at].add(cell) }
    if floats <= most, !Self.isFloat(cell) { floats += 1 }
    if truths <= most, !(cell.elementsEqual("true".utf8) || cell.elementsEqual("false".utf8)) { truths += 1 }
    if isoDates <= most, cell.count != 10 || CivilDate(String(decoding: cell, as: UTF8.self)) == nil { isoDates += 1 }
    if isoTimes <= most, !Self.isoTime.contains(where: { $0.read(cell) != nil }) { isoTimes += 1 }
    var hasDead = false
    for at in dates.indices {
      dates[at].add(cell)
      if dates[at].misfits > most { hasDead = true }
    }
    if hasDead { dates.removeAll { $0.misfits > most } }
    if cell.count > 1, cell[0] == 48, cell.allSatisfy({ $0 &- 48 < 10 }) { zeroLeaders += 1 }
    if Self.isCode(cell) {
      if codes == 0 { firstCode = String(decoding: cell, as: UTF8.self) }
      codes += 1
    }
  }

  /// Digits, one point, an exponent; finite, and no whole number with more digits than a Double holds.
  private static func isFloat(_ cell: UnsafeBufferPointer<UInt8>) -> Bool {
    guard let first = cell.first(where: { $0 != 45 }), first &- 48 < 10, cell.allSatisfy({ $0 &- 48 < 10 || $0 == 46 || $0 == 45 || $0 == 43 || $0 | 32 == 101 }) else {
      return false
    }
    // Zeros in front are a code's.
    let digits = cell.drop { $0 == 45 }
    if digits.count > 1, digits.first == 48, digits.dropFirst().first! &- 48 < 10 { return false }
    if digits.count > 15, digits.allSatisfy({ $0 &- 48 < 10 }) { return false }
    return Double(String(decoding: cell, as: UTF8.self))?.isFinite == true
  }

  /// One to four letters, perhaps a hyphen, three digits or more.
  private static func isCode(_ cell: UnsafeBufferPointer<UInt8>) -> Bool {
    let letters = cell.prefix { ($0 | 32) &- 97 < 26 }.count
    guard (1...4).contains(letters), letters < cell.count else { return false }
    let digits = cell[(letters + (cell[letters] == 45 ? 1 : 0))...]
    return digits.count >= 3 && digits.allSatisfy { $0 &- 48 < 10 }
  }

  private static let isoTime: [DateFormat] = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S.%f"]
    .compactMap { try? DateFormat.parse($0, withTime: true).get() }
}

// MARK: What was found

extension ColumnGuess {
  public var found: Found { found(decimal: nil) }

  /// The mark that the numbers of this column have and no other reading of them; nil where either would do.
  public var decimalVote: Character? {
    let styles = bestNumbers(decimal: nil)
    guard !styles.isEmpty, styles.contains(where: \.isTelling), styles.allSatisfy({ $0.mark == styles[0].mark }) else { return nil }
    return styles[0].isWholeWithZero ? nil : Character(Unicode.Scalar(styles[0].mark))
  }

  /// `wanted`: the file's decimal mark, where other columns tell it.
  public func found(decimal wanted: Character?) -> Found {
    if cells == 0 { return Found() }
    var best: Found?
    func offer(_ misfits: Int, _ type: ColumnType, _ more: (inout Found) -> Void = { _ in }) {
      guard isFew(misfits), best.map({ misfits < $0.misfits }) ?? true else { return }
      best = typed(type, misfits)
      more(&best!)
    }
    let styles = bestNumbers(decimal: wanted)
    if wanted == nil, let note = doubtfulComma(styles) { return text(note, isDoubtful: true) }
    if let style = styles.first, let type = style.type(plainWhole: plainWhole) {
      offer(style.misfits, type) { found in
        found.decimal = style.fraction > 0 && !style.isWholeWithZero ? Character(Unicode.Scalar(style.mark)) : nil
        found.thousands = style.hasGroups ? String(decoding: style.group, as: UTF8.self).first : nil
        if style.isWholeWithZero {
          found.zeroEnd = style.mark == 46 ? ".0" : ",0"
          found.note = "whole numbers, some with \(found.zeroEnd!) behind them, which is taken off: 13085\(found.zeroEnd!) is 13085 in other tables"
        }
      }
    }
    if zeroLeaders == 0, wanted != "," { offer(floats, .float64) { $0.decimal = "." } }
    offer(plainCells + truths, .bool)
    offer(plainCells + isoDates, .date)
    offer(plainCells + isoTimes, .timestamp())
    let fewest = dates.map { plainCells + $0.misfits }.min() ?? cells
    if let first = dates.first(where: { plainCells + $0.misfits == fewest }), isFew(fewest), best.map({ fewest < $0.misfits }) ?? true {
      let rivals = dates.filter { fewest == 0 ? $0.misfits == 0 : isFew(plainCells + $0.misfits) }
      if rivals.contains(where: { $0.order != first.order }) {
        var formats: [String] = []
        for style in rivals where !formats.contains(style.format) { formats.append(style.format) }
        return text(
          "dates of which day and month cannot be told apart; say type and format: " + formats.map { "\"\($0)\"" }.prefix(2).joined(separator: " or "),
          isDoubtful: true)
      }
      offer(fewest, first.hasTime ? .timestamp() : .date) { $0.format = first.format }
    }
    guard let best else { return text(nil) }
    if best.type.isNumeric, best.misfits > 0, codes > 0 || zeroLeaders > 0 {
      return text(codes > 0 ? "\(codes) of \(cells) cells are codes such as \(firstCode), the others numbers" : nil)
    }
    return best
  }

  /// Number styles with the fewest misfits, the first is preferred; none where there are too many.
  private func bestNumbers(decimal wanted: Character?) -> [NumberStyle] {
    let usable = numbers.filter { style in
      isFew(style.misfits) && style.type(plainWhole: plainWhole) != nil && (wanted == nil || !style.isTelling || wanted?.asciiValue == style.mark || style.isWholeWithZero)
    }
    guard let fewest = usable.map({ $0.misfits }).min() else { return [] }
    return usable.filter { $0.misfits == fewest }
  }

  /// `1,234` alone may be read in two ways.
  private func doubtfulComma(_ styles: [NumberStyle]) -> String? {
    guard let first = styles.first, first.mark == 46, first.group == [44], styles.contains(where: { $0.mark == 44 }) else { return nil }
    return "a comma with three digits behind it: between thousands or before decimals; say the type, and \"decimal\" or \"replace\""
  }

  private func isFew(_ misfits: Int) -> Bool { misfits == 0 || misfits <= cells / Self.cellsPerMisfit }

  private func typed(_ type: ColumnType, _ misfits: Int) -> Found {
    var found = Found()
    found.type = type
    found.nulls = nulls.sorted().map { Self.missing[$0] }
    found.trim = hasBlanks
    found.misfits = misfits
    return found
  }

  private func text(_ note: String?, isDoubtful: Bool = false) -> Found {
    var found = Found()
    found.note = note
    found.isDoubtful = isDoubtful
    return found
  }
}
