import Columns
import Testing

@testable import Formats

/// Fast and slow readers of cells against each other and against their twin.
@Suite struct CellReadersTests {
  static let adversarial = [
    "0", "-0", "+0", "00", "007", "-007", "1", "-1", "+1", "+", "-", "--1", "+-1", "-+1", "1-", " 1", "1 ", "1_000", "0x10", "0X1F", "1e5", "1E+5",
    "1e", "1e+", "e5", "1e309", "-1e309", "1e-400", "4.9e-324", "2.4703282292062327e-324", "1.7976931348623157e308", "1.7976931348623159e308",
    "9007199254740993", "9007199254740992.5", "0.1", "0.30000000000000004", "123456789012345678901234567890", "0.000000000000000000000000000001",
    "2147483647", "2147483648", "-2147483648", "-2147483649", "99999999", "100000000", "-99999999", "9999999999999999", "99999999999999999",
    "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "000000000000000000000000000001",
    ".", "-.", "+.", "5.", ".5", "-.5", "-5.", "1.2.3", "1..2", "..", "1,5", "6.95", "6.950", "6.9500000", "6.9501", "12345678", "1234567.8", ".1234567",
    "1234.567", "1234.5678", "999999999.999", "1000000000", "999999999.9990", "0.001", "0.0001", "0000000.1", "12345678.", "1234567.", "-1234567", "-12345678",
    "inf", "nan", "NaN", "Infinity", "1/2", "1:2", "12:34", "\u{7f}", "é", "1é", "\0", "\0\0\0\0\0\0\0\0\0\0", "1\0", "TRUE", "True", "t", "yes", "NO", "n", "2", "10",
    "2009-12-01", "1970-01-01", "0001-01-01", "0000-01-01", "9999-12-31", "2023-02-29", "2024-02-29", "1900-02-29", "2000-02-29", "2009-13-01", "2009-00-10",
    "2009-12-00", "2009-12-32", "2009-04-31", "2009/12/01", "09-12-01", "2009-12-1", "20091201", "2009-12-01 ", "2009-12-01T", "2009-12-01 08:00:24",
    "2009-12-01T23:59:59", "2009-12-01 24:00:00", "2009-12-01 23:60:00", "2009-12-01 23:59:60", "2009-12-01 08:00", "2009-12-01 08:00:24.5",
    "2009-12-01 08:00:24.123456", "2009-12-01 08:00:24.1234560", "2009-12-01 08:00:24.1234567", "2009-12-01 08:00:24.", "2009-12-01 8:00:24",
    "2009-12-01 08-00-24", "2009-12-01 08:00:2x", "2009-12-01x08:00:24", "0000-00-00 00:00:00", "2009-12-01 08:00:24Z", "9999-12-31 23:59:59.999999",
    "2009-12-01 :8:00:24", "2009-12-01 0:::00:24", "2009-12-01 08:00:2:",
  ]

  /// Texts near to what each type takes: some digits, some of everything.
  static func texts(_ dice: inout Dice, _ count: Int) -> [String] {
    let seeds = adversarial
    return (0..<count).map { _ in
      switch Int.random(in: 0..<6, using: &dice) {
      case 0: return String(Int64.random(in: .min ... .max, using: &dice) >> Int64.random(in: 0..<64, using: &dice))
      case 1: return "\(Double(bitPattern: dice.next()))"
      case 2:
        return (0..<Int.random(in: 1...20, using: &dice)).map { _ in String("0123456789012345678901234567890123456789.-".randomElement(using: &dice)!) }.joined()
      case 3:
        func two(_ most: Int) -> String { let n = Int.random(in: 0...most, using: &dice); return n < 10 ? "0\(n)" : "\(n)" }
        return two(99) + two(99) + "-" + two(13) + "-" + two(32) + " " + two(24) + ":" + two(60) + ":" + two(60)
      case 4:
        // One byte of a sound text becomes another.
        var bytes = Array(seeds.randomElement(using: &dice)!.utf8)
        bytes[Int.random(in: bytes.indices, using: &dice)] = UInt8.random(in: 0...127, using: &dice)
        return String(decoding: bytes, as: UTF8.self)
      default: return seeds.randomElement(using: &dice)!
      }
    }
  }

  /// What a reader says of a text that stands between other bytes.
  private func check<Reader: CellReader>(
    _ reader: inout Reader, _ text: String, _ type: ColumnType, _ dice: inout Dice, _ value: (Reader.Cell) -> Value
  ) {
    let utf8 = Array(text.utf8)
    // Digits around are what a careless load would take for a part of it.
    let around = (0..<32).map { _ in UInt8.random(in: 0x2D...0x39, using: &dice) }
    let bytes = around + utf8 + around
    bytes.withUnsafeBufferPointer { bytes in
      let start = bytes.baseAddress! + around.count
      var slow = Reader.zero, fast = Reader.zero
      let flaw = reader.slow(start, utf8.count, &slow)
      let twin = TwinCells.read(text, type)
      let said: TwinCells.Verdict = flaw == .none ? .value(value(slow)) : .flaw(flaw)
      #expect(same(said, twin), "\(type) of \(text.debugDescription): slow says \(said), twin \(twin)")
      if reader.fast(start, utf8.count, &fast) {
        #expect(same(.value(value(fast)), twin), "\(type) of \(text.debugDescription): fast says \(value(fast)), twin \(twin)")
      }
    }
  }

  /// -0 and 0 are not the same here.
  private func same(_ a: TwinCells.Verdict, _ b: TwinCells.Verdict) -> Bool {
    if case .value(.float(let x)) = a, case .value(.float(let y)) = b { return x.bitPattern == y.bitPattern }
    return a == b
  }

  @Test(arguments: 1...4) func fastIsSlowIsTwin(seed: Int) {
    var dice = Dice(state: UInt64(seed))
    let texts = (seed == 1 ? Self.adversarial : []) + Self.texts(&dice, rounds(4000))
    var int32 = Int32Cells(), int64 = Int64Cells(), bool = BoolCells()
    var date = DateCells(format: nil), timestamp = TimestampCells(zone: nil, format: nil)
    for text in texts {
      check(&int32, text, .int32, &dice) { .int(Int64($0)) }
      check(&int64, text, .int64, &dice) { .int($0) }
      check(&bool, text, .bool, &dice) { .bool($0 != 0) }
      check(&date, text, .date, &dice) { .date($0) }
      check(&timestamp, text, .timestamp(), &dice) { .timestamp($0) }
      exactPowers.withUnsafeBufferPointer { powers in
        var float = FloatCells(point: UInt8(ascii: "."), powers: powers.baseAddress!)
        check(&float, text, .float64, &dice) { .float($0) }
      }
    }
    for (precision, scale) in [(12, 3), (4, 0), (18, 18), (18, 2), (1, 1), (9, 7), (18, 11), (18, 12)] {
      withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 8) { factors in
        var decimal = DecimalCells(precision: precision, scale: scale, point: UInt8(ascii: "."), factors: factors.baseAddress!)
        for text in texts {
          check(&decimal, text, .decimal(precision: precision, scale: scale), &dice) { .decimal(unscaled: $0, scale: scale) }
        }
      }
    }
  }

  /// The shortest text of any Double reads as that Double.
  @Test func roundTrips() {
    var dice = Dice(state: 5)
    exactPowers.withUnsafeBufferPointer { powers in
      let float = FloatCells(point: UInt8(ascii: "."), powers: powers.baseAddress!)
      for _ in 0..<20_000 {
        let number = Double(bitPattern: dice.next())
        guard number.isFinite else { continue }
        var text = "\(number)" + String(repeating: "\0", count: 16), value = 0.0
        let count = text.utf8.count - 16
        let flaw = text.withUTF8 { float.slow($0.baseAddress!, count, &value) }
        #expect(flaw == .none && value.bitPattern == number.bitPattern, "\(number)")
      }
    }
  }

  @Test func pointIsTakenOut() {
    var dice = Dice(state: 6)
    for _ in 0..<20_000 {
      let count = Int.random(in: 1...8, using: &dice)
      let text = (0..<count).map { _ in "0123456789.".randomElement(using: &dice)! }
      let bytes = Array(repeating: UInt8(ascii: "9"), count: 8) + text.map { $0.asciiValue! }
      let (digits, fraction) = bytes.withUnsafeBufferPointer {
        Words.withoutPoint(Words.tail($0.baseAddress! + 8, count), UInt64(UInt8(ascii: ".") ^ 0x30))
      }
      let points = text.count { $0 == "." }
      #expect(Words.areDigits(digits) == (points < 2), "\(text)")
      if points < 2 {
        #expect(Words.number(digits) == UInt64(String(text.filter { $0 != "." })) ?? 0, "\(text)")
        #expect(fraction == (text.firstIndex(of: ".").map { count - 1 - $0 } ?? 0), "\(text)")
      }
    }
  }
}
