import Columns
import Diagnostics

/// One row of a sheet: its cells that hold something, from left to right as they stand in the part.
struct SheetRow {
  struct Cell {
    /// From 0.
    let column: Int
    let kind: CellKind
    let text: Range<Int>
  }

  /// From 1, as the spreadsheet counts.
  var number = 0
  var cells: [Cell] = []
  /// The texts of all cells.
  var bytes: [UInt8] = []

  func text(_ cell: Cell) -> String { String(decoding: bytes[cell.text], as: UTF8.self) }
}

/// Reads the rows of a sheet. What a cell holds is decided here: shared, inline and formula texts; booleans; errors as
/// their text (`#N/A`); numbers in their shortest spelling; numbers whose format is a time as that time.
final class SheetPart: XMLHandler {
  private let row: (SheetRow) throws -> Bool
  private let texts: SharedTextsPart
  private let formats: [CellFormat]
  private let serial: SerialTime
  private let file: String, sheet: String

  private(set) var isDone = false
  private var failure: (any Error)?
  private var current = SheetRow()
  private var isInRow = false, isInValue = false, isInInline = false, phonetic = 0
  private var column = 0, nextColumn = 0
  private var content = Content.number
  private var style = 0
  private var value: [UInt8] = []

  static let columnLimit = 16_384
  /// The longest text a cell may have; spreadsheets stop at 32,767 characters.
  static let cellLimit = 16 << 20

  private enum Content { case number, shared, text, inline, bool, error, time }

  /// `row` says whether it wants another.
  init(_ workbook: Workbook, sheet: String, texts: SharedTextsPart, formats: [CellFormat], row: @escaping (SheetRow) throws -> Bool) {
    self.row = row
    self.texts = texts
    self.formats = formats
    self.sheet = sheet
    serial = SerialTime(is1904: workbook.is1904)
    file = workbook.name
  }

  func drain() throws { if let failure { throw failure } }

  func start(_ name: XMLName, _ attributes: XMLAttributes) {
    if isDone { return }
    switch name {
    case "row":
      let told = attributes.string("r").flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
      current.number = told ?? current.number + 1
      current.cells.removeAll(keepingCapacity: true)
      current.bytes.removeAll(keepingCapacity: true)
      nextColumn = 0
      isInRow = true
    case "c":
      column = attributes["r"].flatMap(Self.column) ?? nextColumn
      nextColumn = column + 1
      content = attributes["t"].map(Self.content) ?? .number
      style = attributes["s"].flatMap { Int(String(cString: $0)) } ?? 0
      value.removeAll(keepingCapacity: true)
    case "v": isInValue = content != .inline
    case "is": isInInline = true
    case "rPh": phonetic += 1
    case "t": if isInInline, phonetic == 0 { isInValue = true }
    default: break
    }
  }

  func end(_ name: XMLName) {
    if isDone { return }
    switch name {
    case "v", "t": isInValue = false
    case "is": isInInline = false
    case "rPh": phonetic -= 1
    case "c": if isInRow { closeCell() }
    case "row":
      isInRow = false
      do { if try !row(current) { isDone = true } } catch { fail(error) }
    case "sheetData": isDone = true
    default: break
    }
  }

  func text(_ bytes: UnsafeBufferPointer<UInt8>) {
    guard isInValue, !isDone else { return }
    if value.count + bytes.count > Self.cellLimit { return fail(mistake("a cell holds more than \(Self.cellLimit) bytes")) }
    value.append(contentsOf: bytes)
  }

  private func fail(_ error: any Error) {
    failure = error
    isDone = true
  }

  private func mistake(_ message: String) -> Diagnostic {
    Diagnostic("sheet \"\(sheet)\": \(message)", at: .data(file: file, line: current.number, byte: nil, column: Self.letters(column)))
  }

  private static func content(_ text: UnsafePointer<CChar>) -> Content {
    switch XMLName(text) {
    case "s": .shared
    case "str": .text
    case "inlineStr": .inline
    case "b": .bool
    case "e": .error
    case "d": .time
    default: .number
    }
  }

  /// `AB12` is column 27; nil where it is no such reference.
  private static func column(_ reference: UnsafePointer<CChar>) -> Int? {
    var at = 0, column = 0
    while true {
      let letter = UInt8(bitPattern: reference[at]) & 0xDF
      guard letter >= 65, letter <= 90, UInt8(bitPattern: reference[at]) >= 65 else { break }
      column = column * 26 + Int(letter - 64)
      at += 1
      if at > 3 { return nil }
    }
    return at > 0 && column <= columnLimit ? column - 1 : nil
  }

  static func letters(_ column: Int) -> String {
    var rest = column + 1, letters = ""
    while rest > 0 {
      letters = String(UnicodeScalar(UInt8(65 + (rest - 1) % 26))) + letters
      rest = (rest - 1) / 26
    }
    return letters
  }

  private func closeCell() {
    guard column < Self.columnLimit else { return fail(mistake("a row has more than \(Self.columnLimit) cells")) }
    switch content {
    case .shared:
      guard !value.isEmpty else { return }
      let digits = String(decoding: value, as: UTF8.self).filter { !$0.isWhitespace }
      guard let at = Int(digits), at >= 0, at < texts.count else {
        return fail(mistake("a cell refers to shared text \(escaped(digits)), and the workbook has \(texts.count)"))
      }
      texts.withText(at) { if !$0.isEmpty { append(.text, $0) } }
    case .text, .inline:
      unescapeText(&value, from: 0)
      if !value.isEmpty { append(.text, value) }
    case .error: if !value.isEmpty { append(.text, value) }
    case .bool:
      guard let first = value.first else { return }
      append(.bool, Array((first == UInt8(ascii: "1") || first == UInt8(ascii: "t") ? "true" : "false").utf8))
    case .time:
      var time = TimeParser(zone: nil), micros: Int64 = 0
      if value.last == UInt8(ascii: "Z") { value.removeLast() }
      guard !value.isEmpty else { return }
      let isTime = value.withUnsafeBufferPointer { time.parseTimestamp($0.baseAddress!, $0.count, &micros) == .none }
      if isTime { append(value.count == 10 ? .date : .timestamp, Array((value.count == 10 ? String(timestampText(micros).prefix(10)) : timestampText(micros)).utf8)) } else { append(.text, value) }
    case .number: closeNumber()
    }
  }

  private func closeNumber() {
    guard !value.isEmpty else { return }
    let format = style >= 0 && style < formats.count ? formats[style] : .number
    if format == .number, Self.isShortest(value) { return append(.number, value) }
    let text = String(decoding: value, as: UTF8.self)
    guard let number = Double(text), number.isFinite else { return append(.text, value) }
    if format != .number, let cell = serial.cell(number, format) { return append(cell.kind, Array(cell.text.utf8)) }
    append(.number, Array(shortest(number).utf8))
  }

  /// Few enough digits for a Double to hold, and none too many.
  private static func isShortest(_ text: [UInt8]) -> Bool {
    var at = text[0] == UInt8(ascii: "-") ? 1 : 0, digits = 0, point = -1
    let start = at
    while at < text.count {
      if text[at] &- 48 <= 9 { digits += 1 } else if text[at] == UInt8(ascii: "."), point < 0, at > start { point = at } else { return false }
      at += 1
    }
    guard digits > 0, digits <= 15 else { return false }
    if text[start] == 48, text.count > start + 1, point != start + 1 { return false }
    if point >= 0 { return point < text.count - 1 && text[text.count - 1] != 48 && !(digits > 0 && text[start] == 48 && text[(point + 1)...].prefix(4).allSatisfy { $0 == 48 }) }
    return !(start == 1 && text[1] == 48)
  }

  private func append(_ kind: CellKind, _ text: [UInt8]) { text.withUnsafeBufferPointer { append(kind, $0) } }

  private func append(_ kind: CellKind, _ text: UnsafeBufferPointer<UInt8>) {
    let start = current.bytes.count
    if start + text.count > 4 * Self.cellLimit { return fail(mistake("a row holds more than \(4 * Self.cellLimit) bytes")) }
    current.bytes.append(contentsOf: text)
    current.cells.append(.init(column: column, kind: kind, text: start..<current.bytes.count))
  }
}

/// The shortest text that reads back as the same Double; whole numbers without `.0`.
func shortest(_ number: Double) -> String {
  let text = "\(number == 0 ? 0 : number)"
  return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
}

/// Cells that one cell spans, of which only the first holds something.
final class MergedCells: XMLHandler {
  private(set) var areas: [(rows: ClosedRange<Int>, columns: ClosedRange<Int>)] = []
  private static let limit = 100_000

  func start(_ name: XMLName, _ attributes: XMLAttributes) {
    guard name == "mergeCell", areas.count < Self.limit, let text = attributes.string("ref") else { return }
    let corners = text.split(separator: ":").map(Self.corner)
    guard corners.count == 2, let from = corners[0], let to = corners[1], from.row <= to.row, from.column <= to.column else { return }
    areas.append((from.row...to.row, from.column...to.column))
  }
  func end(_ name: XMLName) {}
  func text(_ bytes: UnsafeBufferPointer<UInt8>) {}

  /// `C4` is row 4, column 2.
  private static func corner(_ text: Substring) -> (row: Int, column: Int)? {
    let letters = text.prefix { $0.isASCII && $0.isLetter }.uppercased()
    guard (1...3).contains(letters.utf8.count), let row = Int(text.dropFirst(letters.count)), row > 0 else { return nil }
    return (row, letters.utf8.reduce(0) { $0 * 26 + Int($1 - 64) } - 1)
  }
}
