import Columns
import Diagnostics
import Pipelines

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// What a column holds, in one pass: nulls, smallest, largest, and how many distinct values while they are few.
public struct ColumnProfile: Sendable {
  /// Counting stops here: more are told as "more than".
  public static let distinctLimit = 1000

  public let field: Field
  public private(set) var rows = 0
  public private(set) var nulls = 0
  public private(set) var smallest: Value?
  public private(set) var largest: Value?
  private var patterns: Set<UInt64> = []
  private var texts: Set<[UInt8]> = []
  private var low: [UInt8]?, high: [UInt8]?

  public init(_ field: Field) { self.field = field }

  public var distinct: Int { max(patterns.count, texts.count) }
  public var isDistinctExact: Bool { distinct <= Self.distinctLimit }
  public var distinctText: String { isDistinctExact ? grouped(distinct) : "> " + grouped(Self.distinctLimit) }

  public mutating func add(_ column: Column) {
    rows += column.count
    nulls += column.nullCount
    switch column.type {
    case .string: addTexts(column)
    case .int32, .date: addNumbers(column, Int32.self) { UInt64(truncatingIfNeeded: $0) }
    case .int64, .timestamp, .decimal: addNumbers(column, Int64.self) { UInt64(bitPattern: $0) }
    case .float64: addNumbers(column, Double.self) { $0.bitPattern }
    case .bool:
      for row in 0..<column.count where !column.isNull(row) {
        let value = column.bits[row]
        patterns.insert(value ? 1 : 0)
        if smallest == nil || !value { smallest = .bool(value) }
        if largest == nil || value { largest = .bool(value) }
      }
    }
  }

  // NaN is neither smallest nor largest: every comparison with it is false.
  private mutating func addNumbers<T: BitwiseCopyable & Comparable>(_ column: Column, _ type: T.Type, _ pattern: (T) -> UInt64) {
    let cells = column.values(as: T.self)
    var lowest: Int?, highest: Int?
    for row in 0..<column.count where !column.isNull(row) {
      let cell = cells[row]
      if patterns.count <= Self.distinctLimit { patterns.insert(pattern(cell)) }
      guard cell == cell else { continue }
      if lowest == nil || cell < cells[lowest!] { lowest = row }
      if highest == nil || cell > cells[highest!] { highest = row }
    }
    guard let lowest, let highest else { return }
    let (small, large) = (column.value(at: lowest), column.value(at: highest))
    if smallest.map({ Self.precedes(small, $0) }) ?? true { smallest = small }
    if largest.map({ Self.precedes($0, large) }) ?? true { largest = large }
  }

  private static func precedes(_ a: Value, _ b: Value) -> Bool {
    switch (a, b) {
    case (.int(let a), .int(let b)): a < b
    case (.float(let a), .float(let b)): a < b
    case (.decimal(let a, _), .decimal(let b, _)): a < b
    case (.date(let a), .date(let b)): a < b
    case (.timestamp(let a), .timestamp(let b)): a < b
    default: false
    }
  }

  private mutating func addTexts(_ column: Column) {
    if column.count == column.nullCount { return }
    let text = column.text
    guard case .codes(let codes, let values) = column.storage else {
      for row in 0..<column.count where !column.isNull(row) { addText(text[row]) }
      return settleTexts()
    }
    // Each value of the dictionary once, however many rows have it.
    let code: UnsafeBufferPointer<Int32> = codes.values()
    var isUsed = [Bool](repeating: false, count: values.count)
    for row in 0..<column.count where !column.isNull(row) { isUsed[Int(code[row])] = true }
    for at in isUsed.indices where isUsed[at] { addText(values[at]) }
    settleTexts()
  }

  private mutating func addText(_ text: UnsafeBufferPointer<UInt8>) {
    if texts.count <= Self.distinctLimit { texts.insert(Array(text)) }
    if low.map({ Self.order(text, $0) < 0 }) ?? true { low = Array(text) }
    if high.map({ Self.order(text, $0) > 0 }) ?? true { high = Array(text) }
  }

  private mutating func settleTexts() {
    smallest = low.map { .string(String(decoding: $0, as: UTF8.self)) }
    largest = high.map { .string(String(decoding: $0, as: UTF8.self)) }
  }

  /// By bytes, as tables are ordered.
  private static func order(_ a: UnsafeBufferPointer<UInt8>, _ b: [UInt8]) -> Int {
    let common = min(a.count, b.count)
    let first = common == 0 ? 0 : b.withUnsafeBufferPointer { Int(memcmp(a.baseAddress!, $0.baseAddress!, common)) }
    return first != 0 ? first : a.count - b.count
  }

  public var json: JSONValue {
    [
      "name": .string(field.name), "type": .string(field.type.description), "nulls": .integer(nulls), "min": (smallest ?? .null).json,
      "max": (largest ?? .null).json, "distinct": isDistinctExact ? .integer(distinct) : .null,
    ]
  }
}

extension Value {
  /// Numbers as numbers (decimals with their digits), dates and times as CSV has them.
  public var json: JSONValue {
    switch self {
    case .null: .null
    case .bool(let value): .bool(value)
    case .int(let value): .integer(value)
    case .float(let value): .double(value)
    case .decimal: (try? JSONReader.read(Array(description.utf8), file: "decimal").value) ?? .string(description)
    case .string, .date, .timestamp: .string(description)
    }
  }
}
