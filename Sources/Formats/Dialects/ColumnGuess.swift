import Columns

/// Finds out how the cells of a text column are written, from all of them: which type reads every one without loss, and what
/// must be said for it (a date's format, a decimal comma, marks between thousands, texts that mean null, blanks at the ends).
///
/// Numbers with zeros in front stay text, and so do dates of which day and month cannot be told apart.
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
    /// Why it stayed text although its cells look like more.
    public var note: String?

    public init() {}
  }

  private static let missing: [String] = ["NA", "N/A", "na", "n/a", "NaN", "nan", "null", "NULL", "None", "-", ".", "?"]
  private static let missingBytes = missing.map { Array($0.utf8) }

  private var cells = 0
  private var nulls: Set<Int> = []
  private var hasBlanks = false
  private var numbers = NumberStyle.all
  private var isTruth = true, isISODate = true, isISOTime = true, isFloat = true
  private var dates: [DateStyle] = []
  private var hasDates = true

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
    for at in numbers.indices { numbers[at].add(cell) }
    if isFloat { isFloat = Self.isFloat(cell) }
    if isTruth { isTruth = cell.elementsEqual("true".utf8) || cell.elementsEqual("false".utf8) }
    if isISODate { isISODate = cell.count == 10 && CivilDate(String(decoding: cell, as: UTF8.self)) != nil }
    if isISOTime { isISOTime = Self.isoTime.contains { $0.read(cell) != nil } }
    guard hasDates else { return }
    if cells == 1 { dates = DateStyle.all.filter { $0.reads(cell) } } else { dates.removeAll { !$0.reads(cell) } }
    hasDates = !dates.isEmpty
  }

  /// Digits, one point, an exponent; finite.
  private static func isFloat(_ cell: UnsafeBufferPointer<UInt8>) -> Bool {
    guard let first = cell.first(where: { $0 != 45 }), first &- 48 < 10, cell.allSatisfy({ $0 &- 48 < 10 || $0 == 46 || $0 == 45 || $0 == 43 || $0 | 32 == 101 }) else {
      return false
    }
    // Zeros in front are a code's.
    let digits = cell.drop { $0 == 45 }
    if digits.count > 1, digits.first == 48, digits.dropFirst().first! &- 48 < 10 { return false }
    return Double(String(decoding: cell, as: UTF8.self))?.isFinite == true
  }

  private static let isoTime: [DateFormat] = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S.%f"]
    .compactMap { try? DateFormat.parse($0, withTime: true).get() }

  public var found: Found {
    var found = Found()
    if cells == 0 { return found }
    func typed(_ type: ColumnType) -> Found {
      var found = Found()
      found.type = type
      found.nulls = nulls.sorted().map { Self.missing[$0] }
      found.trim = hasBlanks
      return found
    }
    if numbers[0].type == nil, numbers[1].type != nil, numbers[2].type != nil {
      found.note = "a comma with three digits behind it: between thousands or before decimals; say the type, and \"decimal\" or \"replace\""
      return found
    }
    for style in numbers {
      guard let type = style.type else { continue }
      found = typed(type)
      found.decimal = style.fraction > 0 ? Character(Unicode.Scalar(style.mark)) : nil
      found.thousands = style.hasGroups ? style.group.map { Character(Unicode.Scalar($0)) } : nil
      return found
    }
    if isFloat {
      found = typed(.float64)
      found.decimal = "."
      return found
    }
    if isTruth { return typed(.bool) }
    if isISODate { return typed(.date) }
    if isISOTime { return typed(.timestamp()) }
    guard let first = dates.first else { return found }
    let orders = Set(dates.map(\.order))
    if orders.count > 1 {
      found.note = "dates of which day and month cannot be told apart; say type and format: " + dates.map { "\"\($0.format)\"" }.prefix(2).joined(separator: " or ")
      return found
    }
    found = typed(first.hasTime ? .timestamp() : .date)
    found.format = first.format
    return found
  }
}

/// One way to write dates, tried on every cell.
private struct DateStyle {
  enum Order { case yearFirst, dayFirst, monthFirst }

  let format: String
  let order: Order
  let hasTime: Bool
  private let reader: DateFormat

  func reads(_ cell: UnsafeBufferPointer<UInt8>) -> Bool { reader.read(cell) != nil }

  static let all: [DateStyle] = {
    let days: [(String, Order)] = [
      ("%Y/%m/%d", .yearFirst), ("%Y.%m.%d", .yearFirst), ("%d/%m/%Y", .dayFirst), ("%m/%d/%Y", .monthFirst), ("%d.%m.%Y", .dayFirst),
      ("%d-%m-%Y", .dayFirst), ("%m-%d-%Y", .monthFirst), ("%d/%m/%y", .dayFirst), ("%m/%d/%y", .monthFirst), ("%d.%m.%y", .dayFirst),
      ("%d-%m-%y", .dayFirst), ("%m-%d-%y", .monthFirst), ("%d %b %Y", .dayFirst), ("%d-%b-%Y", .dayFirst), ("%d-%b-%y", .dayFirst),
      ("%b %d, %Y", .monthFirst), ("%b %d %Y", .monthFirst), ("%Y-%m-%d", .yearFirst),
    ]
    return days.flatMap { day, order in
      ["", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p", "T%H:%M"].compactMap { time -> DateStyle? in
        guard let reader = try? DateFormat.parse(day + time, withTime: !time.isEmpty).get() else { return nil }
        return DateStyle(format: day + time, order: order, hasTime: !time.isEmpty, reader: reader)
      }
    }
  }()
}

/// One way to write numbers: a decimal mark, a mark between thousands.
private struct NumberStyle {
  let mark: UInt8
  let group: UInt8?
  private var fits = true
  private(set) var hasGroups = false
  private(set) var fraction = 0
  private var whole = 1

  init(mark: UInt8, group: UInt8?) {
    self.mark = mark
    self.group = group
  }

  /// The plain one first.
  static let all = [NumberStyle(mark: 46, group: nil), NumberStyle(mark: 46, group: 44), NumberStyle(mark: 44, group: nil), NumberStyle(mark: 44, group: 46)]

  var type: ColumnType? {
    guard fits, whole + fraction <= ColumnType.widestDecimal, group == nil || hasGroups else { return nil }
    return fraction == 0 ? .int64 : .decimal(precision: whole + fraction, scale: fraction)
  }

  mutating func add(_ cell: UnsafeBufferPointer<UInt8>) {
    guard fits else { return }
    fits = false
    var at = cell.first == 45 ? 1 : 0, digits = 0, run = 0, groups = 0, isZero = true
    let start = at
    while at < cell.count {
      let byte = cell[at]
      if byte &- 48 < 10 {
        digits += 1
        run += 1
        if byte != 48 { isZero = false }
      } else if byte == group {
        guard groups == 0 ? (1...3).contains(run) : run == 3 else { return }
        groups += 1
        run = 0
      } else {
        break
      }
      at += 1
    }
    // No zeros in front; −0 would come back as 0.
    guard digits > 0, digits == 1 || cell[start] != 48, groups == 0 || run == 3 else { return }
    var places = 0
    if at < cell.count {
      guard cell[at] == mark else { return }
      places = cell.count - at - 1
      guard places > 0, cell[(at + 1)...].allSatisfy({ $0 &- 48 < 10 }) else { return }
      if cell[(at + 1)...].contains(where: { $0 != 48 }) { isZero = false }
    }
    if isZero, cell[0] == 45 { return }
    if groups > 0 { hasGroups = true }
    whole = max(whole, digits)
    fraction = max(fraction, places)
    fits = true
  }
}
