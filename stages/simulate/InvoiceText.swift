import Columns

/// Lines of CSV under construction. What all lines of one invoice have in common is written once and copied.
struct InvoiceText: ~Copyable {
  private var bytes: UnsafeMutablePointer<UInt8>
  private var capacity: Int
  private(set) var count = 0

  /// Three pieces of 64 bytes: `489434,` and `,2009-12-01 07:45:00,` and `,13085.0,United Kingdom` with the end of the line.
  private let common: UnsafeMutablePointer<UInt8>
  private var head = 0, moment = 0, tail = 0

  private static let home: StaticString = "United Kingdom"
  private static let countries: [StaticString] = [
    "EIRE", "Germany", "France", "Netherlands", "Spain", "Switzerland", "Belgium", "Portugal", "Australia", "Italy", "Norway",
    "Sweden", "Cyprus", "Finland", "Austria", "Denmark", "Japan", "Poland", "USA", "Unspecified", "Singapore", "Iceland",
  ]

  init(capacity: Int) {
    self.capacity = max(capacity, 1024)
    bytes = .allocate(capacity: self.capacity)
    common = .allocate(capacity: 192)
  }

  deinit {
    bytes.deallocate()
    common.deallocate()
  }

  var array: [UInt8] { Array(UnsafeBufferPointer(start: bytes, count: count)) }

  /// The lines that follow are of this order.
  mutating func begin(_ order: TransactionSimulator.Order, number: Int, firstDay: Int) {
    let comma = UInt8(ascii: ",")
    var at = common
    if order.kind == .cancellation { Self.write(UInt8(ascii: "C"), &at) }
    Self.write(number: number, &at)
    Self.write(comma, &at)
    head = at - common

    let date = CivilDate(days: firstDay + Int(order.second) / 86_400)
    let rest = Int(order.second) % 86_400
    at = common + 64
    Self.write(comma, &at)
    Self.write(two: date.year / 100, &at)
    Self.write(two: date.year % 100, &at, UInt8(ascii: "-"))
    Self.write(two: date.month, &at, UInt8(ascii: "-"))
    Self.write(two: date.day, &at, UInt8(ascii: " "))
    Self.write(two: rest / 3600, &at, UInt8(ascii: ":"))
    Self.write(two: rest / 60 % 60, &at, UInt8(ascii: ":"))
    Self.write(two: rest % 60, &at, comma)
    moment = at - (common + 64)

    at = common + 128
    Self.write(comma, &at)
    if order.customer >= 0 {
      Self.write(number: 12_346 + Int(order.customer), &at)
      Self.write(".0", &at)
    }
    Self.write(comma, &at)
    // Every eleventh customer lives abroad.
    let abroad = order.customer >= 0 && order.customer % 11 == 3
    Self.write(abroad ? Self.countries[Int(order.customer / 11) % Self.countries.count] : Self.home, &at)
    Self.write(UInt8(ascii: "\n"), &at)
    tail = at - (common + 128)
  }

  mutating func appendLine(_ product: Catalogue.Product, of catalogue: Catalogue, described: Bool, quantity: Int, pence: Int) {
    var at = next()
    Self.write(common, head, &at)
    write(product, of: catalogue, described: described, &at)
    Self.write(UInt8(ascii: ","), &at)
    if quantity < 0 { Self.write(UInt8(ascii: "-"), &at) }
    Self.write(number: quantity.magnitude, &at)
    Self.write(common + 64, moment, &at)
    // In the shortest form, as the original has it: `6.95`, `2.1`, `3.0`.
    Self.write(number: pence / 100, &at)
    Self.write(UInt8(ascii: "."), &at)
    Self.write(UInt8(48 + pence / 10 % 10), &at)
    if pence % 10 != 0 { Self.write(UInt8(48 + pence % 10), &at) }
    Self.write(common + 128, tail, &at)
    count = at - bytes
  }

  /// A line that somebody's export broke behind the code.
  mutating func appendBrokenLine(_ product: Catalogue.Product, of catalogue: Catalogue, rest: StaticString) {
    var at = next()
    Self.write(common, head, &at)
    write(product, of: catalogue, described: nil, &at)
    Self.write(rest, &at)
    count = at - bytes
  }

  /// The line that begins there once more.
  mutating func repeatLine(from start: Int) {
    let length = count - start
    var at = next()
    Self.write(bytes + start, length, &at)
    count = at - bytes
  }

  /// Where to write, with room for the longest line there can be: three common pieces, a code and description, two numbers.
  private mutating func next() -> UnsafeMutablePointer<UInt8> {
    if capacity - count < 512 {
      capacity = max(capacity * 2, count + 512)
      let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
      larger.initialize(from: bytes, count: count)
      bytes.deallocate()
      bytes = larger
    }
    return bytes + count
  }

  /// The code, and behind a comma the description or nothing; nil: the code alone.
  private func write(_ product: Catalogue.Product, of catalogue: Catalogue, described: Bool?, _ at: inout UnsafeMutablePointer<UInt8>) {
    catalogue.text.withUnsafeBufferPointer { text in
      let code = Int(product.start)..<Int(product.codeEnd)
      Self.write(text.baseAddress! + code.lowerBound, code.count, &at)
      guard let described else { return }
      Self.write(UInt8(ascii: ","), &at)
      if described { Self.write(text.baseAddress! + code.upperBound, Int(product.end) - code.upperBound, &at) }
    }
  }

  @inline(__always) private static func write(_ byte: UInt8, _ at: inout UnsafeMutablePointer<UInt8>) {
    at.initialize(to: byte)
    at += 1
  }

  @inline(__always) private static func write(_ from: UnsafePointer<UInt8>, _ count: Int, _ at: inout UnsafeMutablePointer<UInt8>) {
    at.initialize(from: from, count: count)
    at += count
  }

  private static func write(_ text: StaticString, _ at: inout UnsafeMutablePointer<UInt8>) {
    write(text.utf8Start, text.utf8CodeUnitCount, &at)
  }

  private static func write(two value: Int, _ at: inout UnsafeMutablePointer<UInt8>, _ mark: UInt8? = nil) {
    write(UInt8(48 + value / 10), &at)
    write(UInt8(48 + value % 10), &at)
    if let mark { write(mark, &at) }
  }

  private static func write(number: some BinaryInteger, _ at: inout UnsafeMutablePointer<UInt8>) {
    var digits = 1
    var rest = UInt64(number)
    while rest >= 10 {
      rest /= 10
      digits += 1
    }
    rest = UInt64(number)
    var place = digits
    while place > 0 {
      place -= 1
      (at + place).initialize(to: UInt8(48 + rest % 10))
      rest /= 10
    }
    at += digits
  }
}
