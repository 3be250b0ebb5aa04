import Columns

/// A cast that has no answer, in the user's words.
struct CastFailure: Error { let reason: String }

extension Kernel {
  /// The operand as `type`; rows that have no exact answer fail.
  func cast() -> (Column, Failures) {
    let operand = operands[0], from = operand.column.type
    let present = validity()
    switch (from, type) {
    case (.int32, .int64):
      let a = Cells<Int32>(operand)
      return fixed(present, filled(Int64.self) { Int64(a[$0]) }, as: Int64.self)
    case (.int32, .float64):
      let a = Cells<Int32>(operand)
      return fixed(present, filled(Double.self) { Double(a[$0]) }, as: Double.self)
    case (.int64, .float64):
      let a = Cells<Int64>(operand)
      return fixed(present, filled(Double.self) { Double(a[$0]) }, as: Double.self)
    case (.decimal(_, let scale), .float64):
      let a = Cells<Int64>(operand), power = powerOfTen(scale)
      return fixed(present, filled(Double.self) { Double(a[$0]) / power }, as: Double.self)
    case (.decimal(let p1, let s1), .decimal(let p2, let s2)) where s1 == s2 && p1 <= p2:
      return (operand.broadcast(to: rows).relabelled(type), Failures())
    case (.int32, .decimal(_, let scale)):
      let a = Cells<Int32>(operand)
      return rescaled(by: scale) { Int64(a[$0]) }
    case (.int64, .decimal(_, let scale)):
      let a = Cells<Int64>(operand)
      return rescaled(by: scale) { a[$0] }
    case (.decimal(_, let s1), .decimal(_, let s2)) where s2 >= s1:
      let a = Cells<Int64>(operand)
      return rescaled(by: s2 - s1) { a[$0] }
    case (.timestamp, .date):
      let a = Cells<Int64>(operand)
      return fixed(present, filled(Int32.self) { Int32(truncatingIfNeeded: floorDivided(a[$0], 86_400_000_000)) }, as: Int32.self)
    case (.date, .timestamp):
      let a = Cells<Int32>(operand)
      return fixed(present, filled(Int64.self) { Int64(a[$0]) &* 86_400_000_000 }, as: Int64.self)
    default: return castRowByRow()
    }
  }

  @inline(__always) private func filled<T: BitwiseCopyable>(_: T.Type, _ cell: (Int) -> T) -> Buffer {
    Buffer(byteCount: rows * MemoryLayout<T>.stride) { bytes in
      let to = bytes.bindMemory(to: T.self)
      for row in 0..<rows { to[row] = cell(row) }
    }
  }

  private func rescaled(by digits: Int, _ cell: (Int) -> Int64) -> (Column, Failures) {
    guard case .decimal(let precision, _) = type else { preconditionFailure("only decimals are rescaled") }
    let present = validity()
    let power = integerPowerOfTen(digits), bound = UInt64(integerPowerOfTen(precision))
    var failed: [Int32] = []
    let cells = Buffer(byteCount: rows * 8) { bytes in
      let to = bytes.bindMemory(to: Int64.self)
      for row in 0..<rows {
        let (value, overflow) = cell(row).multipliedReportingOverflow(by: power)
        to[row] = value
        if overflow || value.magnitude >= bound, present.map({ $0[row] }) ?? true { failed.append(Int32(truncatingIfNeeded: row)) }
      }
    }
    return fixed(present, failed: failed, reason: { "\(operands[0].value($0)) is beyond \(type)" }, cells, as: Int64.self)
  }

  private func castRowByRow() -> (Column, Failures) {
    var failures: [RowFailure] = []
    let from = operands[0].column.type
    let values = (0..<rows).map { row -> Value in
      switch castValue(operands[0].value(row), from: from, to: type) {
      case .success(let value): return value
      case .failure(let failure):
        failures.append(RowFailure(row: Int32(truncatingIfNeeded: row), reason: failure.reason))
        return .null
      }
    }
    return (Column(values: values, type: type), Failures(failures))
  }
}

/// One value as another type, exactly: nothing is rounded, nothing wraps. Instants need a zone and are not made here.
func castValue(_ value: Value, from: ColumnType, to: ColumnType) -> Result<Value, CastFailure> {
  func no() -> Result<Value, CastFailure> {
    let shown = if case .string(let text) = value { "\"\(text.unicodeScalars.count > 60 ? String(text.prefix(60)) + "…" : text)\"" } else { value.description }
    return .failure(CastFailure(reason: "\(shown) is no \(to)"))
  }
  func some(_ made: Value?) -> Result<Value, CastFailure> { made.map { .success($0) } ?? no() }
  func decimal(_ unscaled: Int64, _ scale: Int, _ precision: Int, _ wanted: Int) -> Value? {
    guard let rescaled = rescale(unscaled, from: scale, to: wanted), rescaled.magnitude < UInt64(integerPowerOfTen(precision)) else { return nil }
    return .decimal(unscaled: rescaled, scale: wanted)
  }
  switch (value, to) {
  case (.null, _): return .success(.null)
  case (.timestamp, .timestamp) where from == to: return .success(value)
  case (_, .timestamp(.some)): return no()
  case (.bool, .bool), (.float, .float64), (.string, .string), (.date, .date), (.timestamp, .timestamp), (.int, .int64): return .success(value)
  case (.bool(let bool), .int32), (.bool(let bool), .int64): return .success(.int(bool ? 1 : 0))
  case (.int(let int), .bool): return int == 0 || int == 1 ? .success(.bool(int == 1)) : no()
  case (.int(let int), .int32): return some(Int32(exactly: int) == nil ? nil : value)
  case (.int(let int), .float64): return .success(.float(Double(int)))
  case (.int(let int), .decimal(let precision, let scale)): return some(decimal(int, 0, precision, scale))
  case (.float(let float), .int64): return some(Int64(exactly: float).map { .int($0) })
  case (.float(let float), .int32): return some(Int32(exactly: float).map { .int(Int64($0)) })
  case (.float(let float), .decimal(let precision, let scale)):
    // The shortest text that reads back as the same float64 is what people mean by 0.1.
    return some(parsedDecimal(plainDigits(float)).flatMap { decimal($0.unscaled, $0.scale, precision, scale) })
  case (.decimal(let unscaled, let scale), .int64): return some(rescale(unscaled, from: scale, to: 0).map { .int($0) })
  case (.decimal(let unscaled, let scale), .int32):
    return some(rescale(unscaled, from: scale, to: 0).flatMap { Int32(exactly: $0) }.map { .int(Int64($0)) })
  case (.decimal(let unscaled, let scale), .float64): return .success(.float(Double(unscaled) / powerOfTen(scale)))
  case (.decimal(let unscaled, let scale), .decimal(let precision, let wanted)): return some(decimal(unscaled, scale, precision, wanted))
  case (.date(let day), .timestamp): return .success(.timestamp(Int64(day) * 86_400_000_000))
  case (.timestamp(let micros), .date): return .success(.date(Int32(truncatingIfNeeded: floorDivided(micros, 86_400_000_000))))
  case (_, .string): return .success(.string(value.description))
  case (.string(let text), _): return some(parsed(text, as: to))
  default: return no()
  }
}

/// A text as a value of a type; nil when it is none.
private func parsed(_ text: String, as type: ColumnType) -> Value? {
  switch type {
  case .bool:
    switch text.lowercased() {
    case "true", "1": return .bool(true)
    case "false", "0": return .bool(false)
    default: return nil
    }
  case .int32: return Int32(text).map { .int(Int64($0)) }
  case .int64: return Int64(text).map { .int($0) }
  case .float64:
    // Swift reads hexadecimal floats too; nobody means those.
    guard !text.utf8.contains(where: { $0 | 0x20 == UInt8(ascii: "x") }) else { return nil }
    return Double(text).map { .float($0) }
  case .decimal(let precision, let scale):
    guard let (unscaled, found) = parsedDecimal(text), let rescaled = rescale(unscaled, from: found, to: scale),
      rescaled.magnitude < UInt64(integerPowerOfTen(precision))
    else { return nil }
    return .decimal(unscaled: rescaled, scale: scale)
  case .string: return .string(text)
  case .date: return parsedDate(text).map { .date($0) }
  case .timestamp: return parsedTimestamp(text).map { .timestamp($0) }
  }
}

/// To another scale; nil when digits would be lost or it does not fit.
func rescale(_ unscaled: Int64, from: Int, to: Int) -> Int64? {
  if to >= from {
    guard to - from <= 18 else { return unscaled == 0 ? 0 : nil }
    let (value, overflow) = unscaled.multipliedReportingOverflow(by: integerPowerOfTen(to - from))
    return overflow ? nil : value
  }
  guard from - to <= 18 else { return unscaled == 0 ? 0 : nil }
  let power = integerPowerOfTen(from - to)
  return unscaled % power == 0 ? unscaled / power : nil
}

/// `-12.50` → (-1250, 2). No exponent, no spaces; zeros at the end of the fraction beyond 18 digits are no digits.
func parsedDecimal(_ text: String) -> (unscaled: Int64, scale: Int)? {
  var value: Int64 = 0, scale = 0, digits = 0
  var isFraction = false, isNegative = false
  for (at, byte) in text.utf8.enumerated() {
    switch byte {
    case UInt8(ascii: "-") where at == 0: isNegative = true
    case UInt8(ascii: "+") where at == 0: break
    case UInt8(ascii: ".") where !isFraction: isFraction = true
    case 48...57:
      let (tenfold, over) = value.multipliedReportingOverflow(by: 10)
      let (sum, beyond) = tenfold.addingReportingOverflow(Int64(byte - 48))
      if over || beyond { return nil }
      value = sum
      digits += 1
      if isFraction { scale += 1 }
    default: return nil
    }
  }
  if digits == 0 { return nil }
  while scale > 18, value % 10 == 0 {
    value /= 10
    scale -= 1
  }
  return scale > 18 ? nil : (isNegative ? -value : value, scale)
}

/// 1.5e-7 → 0.00000015: the digits of a float64 without an exponent.
private func plainDigits(_ value: Double) -> String {
  let text = "\(value)"
  guard value.isFinite, let e = text.firstIndex(where: { $0 == "e" }), let exponent = Int(text[text.index(after: e)...]), abs(exponent) <= 40
  else { return text }
  let isNegative = text.hasPrefix("-")
  let mantissa = text[..<e].drop { $0 == "-" }
  let point = mantissa.firstIndex(of: ".") ?? mantissa.endIndex
  var digits = Array(mantissa.filter { $0 != "." })
  var at = mantissa.distance(from: mantissa.startIndex, to: point) + exponent
  while at <= 0 {
    digits.insert("0", at: 0)
    at += 1
  }
  while at > digits.count { digits.append("0") }
  while at < digits.count, digits.last == "0" { digits.removeLast() }
  return (isNegative ? "-" : "") + String(digits[..<at]) + (at < digits.count ? "." + String(digits[at...]) : "")
}

/// Days of `2011-12-09`.
func parsedDate(_ text: String) -> Int32? { CivilDate(text).map { Int32(truncatingIfNeeded: $0.days) } }

/// Microseconds of `2011-12-09 12:50`, with seconds, a fraction of up to six digits, or `T` for the space; a day alone is its midnight.
func parsedTimestamp(_ text: String) -> Int64? {
  let bytes = Array(text.utf8)
  guard bytes.count >= 10, let date = CivilDate(String(decoding: bytes[..<10], as: UTF8.self)) else { return nil }
  let midnight = Int64(date.days) * 86_400_000_000
  if bytes.count == 10 { return midnight }
  guard bytes.count >= 16, bytes[10] == UInt8(ascii: " ") || bytes[10] == UInt8(ascii: "T"), bytes[13] == UInt8(ascii: ":") else { return nil }
  func two(_ at: Int) -> Int64? {
    guard at + 1 < bytes.count, (48...57).contains(bytes[at]), (48...57).contains(bytes[at + 1]) else { return nil }
    return Int64(bytes[at] - 48) * 10 + Int64(bytes[at + 1] - 48)
  }
  guard let hour = two(11), let minute = two(14), hour < 24, minute < 60 else { return nil }
  var micros = midnight + (hour * 60 + minute) * 60_000_000
  if bytes.count == 16 { return micros }
  guard bytes.count >= 19, bytes[16] == UInt8(ascii: ":"), let second = two(17), second < 60 else { return nil }
  micros += second * 1_000_000
  if bytes.count == 19 { return micros }
  guard bytes[19] == UInt8(ascii: "."), (21...26).contains(bytes.count) else { return nil }
  var unit: Int64 = 100_000
  for byte in bytes[20...] {
    guard (48...57).contains(byte) else { return nil }
    micros += Int64(byte - 48) * unit
    unit /= 10
  }
  return micros
}
