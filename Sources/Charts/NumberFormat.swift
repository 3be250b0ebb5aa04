/// How a number is shown to people: currency, percent, unit, decimals; always with thousands separators.
///
///     NumberFormat.currency("£").text(17743429.2)      // £17,743,429
///     NumberFormat.percent.text(0.256)                 // 25.6%
public struct NumberFormat: Hashable, Sendable {
  /// Before the digits and after the sign: "£".
  public var prefix: String
  /// After the digits: " weeks".
  public var suffix: String
  /// Digits after the point; nil chooses by size: none from 100 up, at most two from 1 up, else three that matter.
  public var decimals: Int?
  /// Shown times a hundred, with a percent sign.
  public var isPercent: Bool
  /// Shortened with k, M, bn: for headline figures.
  public var isCompact: Bool

  public init(
    prefix: String = "", suffix: String = "", decimals: Int? = nil, isPercent: Bool = false, isCompact: Bool = false
  ) {
    self.prefix = prefix
    self.suffix = suffix
    self.decimals = decimals
    self.isPercent = isPercent
    self.isCompact = isCompact
  }

  public static let plain = NumberFormat()
  public static let integer = NumberFormat(decimals: 0)
  public static let percent = NumberFormat(decimals: 1, isPercent: true)
  public static func currency(_ symbol: String, decimals: Int? = nil) -> NumberFormat {
    NumberFormat(prefix: symbol, decimals: decimals)
  }
  /// The same, shortened: £17.7M.
  public var compact: NumberFormat {
    var copy = self
    copy.isCompact = true
    return copy
  }

  /// The number as text; "–" when it is not finite.
  public func text(_ value: Double) -> String {
    guard value.isFinite else { return "–" }
    var size = abs(value), unit = ""
    if isPercent {
      size *= 100
      unit = "%"
    }
    if isCompact {
      for (limit, word) in [(1e9, "bn"), (1e6, "M"), (1e3, "k")] where size >= limit * 0.9995 {
        size /= limit
        unit = word + unit
        break
      }
    }
    // A shortened number keeps about three digits whatever `decimals` asks of the whole one.
    let isShortened = isCompact && size != abs(value) && !isPercent
    let digits = isShortened
      ? Self.digits(size, decimals: size >= 99.95 ? 0 : 1, trimming: true)
      : Self.digits(size, decimals: decimals ?? Self.decimals(for: size), trimming: decimals == nil)
    // A number that rounds to nothing carries no sign.
    let isZero = digits.utf8.allSatisfy { $0 == UInt8(ascii: "0") || $0 == UInt8(ascii: ".") }
    return (value < 0 && !isZero ? "−" : "") + prefix + digits + unit + suffix
  }

  /// A Vega expression that shows `datum.value` (or another) the same way on an axis or in a legend.
  func expression(of datum: String = "datum.value") -> String {
    var specifier = decimals.map { ",.\($0)" } ?? ",.6"
    specifier += isPercent ? "~%" : "~f"
    if isCompact { specifier = ",.3~s" }
    let number = "format(abs(\(datum)), '\(specifier)')"
    let before = prefix.isEmpty ? "" : " + " + Spec.string(prefix).json
    let after = suffix.isEmpty ? "" : " + " + Spec.string(suffix).json
    return "(\(datum) < 0 ? '−' : '')\(before) + \(number)\(after)"
  }

  private static func decimals(for size: Double) -> Int {
    if size >= 100 || size == 0 { return 0 }
    if size >= 1 { return 2 }
    var decimals = 3, edge = 0.1
    while size < edge, decimals < 9 {
      decimals += 1
      edge /= 10
    }
    return decimals
  }

  // 1234567.891, 1 → 1,234,567.9     (trimming also drops zeros at the end: 2.50 → 2.5)
  private static func digits(_ size: Double, decimals: Int, trimming: Bool) -> String {
    let places = min(max(decimals, 0), 12)
    let scale = PowerOfTen.value(places)
    let scaled = (size * scale).rounded(.toNearestOrAwayFromZero)
    guard scaled < 9e15 else { return size < 9e15 ? grouped(Int(size.rounded())) : size.description }
    let whole = Int(scaled / scale), rest = Int(scaled - Double(whole) * scale)
    var fraction = String(rest)
    fraction = String(repeating: "0", count: max(0, places - fraction.count)) + fraction
    if trimming { while fraction.hasSuffix("0") { fraction.removeLast() } }
    return grouped(whole) + (places == 0 || fraction.isEmpty ? "" : "." + fraction)
  }

  private static func grouped(_ whole: Int) -> String {
    var out: [UInt8] = []
    for (index, digit) in String(whole).utf8.reversed().enumerated() {
      if index > 0, index % 3 == 0 { out.append(UInt8(ascii: ",")) }
      out.append(digit)
    }
    return String(decoding: out.reversed(), as: UTF8.self)
  }
}

/// Powers of ten without the mathematics library: exact up to 10²², deterministic beyond.
enum PowerOfTen {
  static func value(_ exponent: Int) -> Double {
    var power = 1.0
    for _ in 0..<min(abs(exponent), 400) { power *= 10 }
    return exponent < 0 ? 1 / power : power
  }
}
