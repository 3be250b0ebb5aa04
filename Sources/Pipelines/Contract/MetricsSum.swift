import Columns

/// Metrics of several pieces of work as those of all of it: numbers add up, objects member by member, in the order in which members
/// first appear. What is equal everywhere stays; of other values the first.
///
/// Amounts add up to the penny: numbers are added by their decimal digits as long as those fit.
public func sum(of parts: [JSONValue]) -> JSONValue {
  guard let first = parts.first else { return [:] }
  return parts.dropFirst().reduce(first, sum)
}

private func sum(_ a: JSONValue, _ b: JSONValue) -> JSONValue {
  if let mine = a.members, let other = b.members {
    var result = mine
    for member in other {
      if let at = result.firstIndex(where: { $0.key == member.key }) {
        result[at].value = sum(result[at].value, member.value)
      } else {
        result.append(member)
      }
    }
    return .object(result)
  }
  if a == .null { return b }
  if b == .null { return a }
  if let x = a.int, let y = b.int, a.number?.text.contains(".") == false, b.number?.text.contains(".") == false {
    let (both, over) = x.addingReportingOverflow(y)
    if !over { return .integer(both) }
  }
  if let x = ExactNumber(a), let y = ExactNumber(b), let both = x.adding(y) { return both.json }
  if let x = a.double, let y = b.double { return .double(x + y) }
  return a
}

/// A decimal number as its digits: metrics have small ones as numbers, and those that a JSON number would round as text.
private struct ExactNumber {
  let units: Int128
  let scale: Int

  init(units: Int128, scale: Int) {
    self.units = units
    self.scale = scale
  }

  init?(_ value: JSONValue) {
    guard let text = value.string ?? value.number?.text else { return nil }
    var units: Int128 = 0, scale = 0, digits = 0, isBehindPoint = false
    for (at, byte) in text.utf8.enumerated() {
      switch byte {
      case UInt8(ascii: "-") where at == 0: break
      case UInt8(ascii: ".") where !isBehindPoint: isBehindPoint = true
      case 48...57:
        units = units * 10 + Int128(byte - 48)
        digits += 1
        if isBehindPoint { scale += 1 }
      default: return nil
      }
    }
    guard digits > 0, digits <= 30 else { return nil }
    self.init(units: text.hasPrefix("-") ? -units : units, scale: scale)
  }

  /// Nil when the digits do not fit.
  func adding(_ other: ExactNumber) -> ExactNumber? {
    let scale = max(self.scale, other.scale)
    guard let a = widened(to: scale), let b = other.widened(to: scale) else { return nil }
    let (both, over) = a.addingReportingOverflow(b)
    return over ? nil : ExactNumber(units: both, scale: scale)
  }

  private func widened(to wanted: Int) -> Int128? {
    var units = units
    for _ in scale..<wanted {
      let (wide, over) = units.multipliedReportingOverflow(by: 10)
      if over { return nil }
      units = wide
    }
    return units
  }

  var json: JSONValue {
    let digits = String(units.magnitude)
    let padded = String(repeating: "0", count: max(0, scale + 1 - digits.count)) + digits
    let text = (units < 0 ? "-" : "") + padded.dropLast(scale) + (scale == 0 ? "" : "." + padded.suffix(scale))
    if scale == 0, let whole = Int(exactly: units) { return .integer(whole) }
    return units.magnitude < 1_000_000_000_000_000 ? .double(Double(text) ?? 0) : .string(text)
  }
}
