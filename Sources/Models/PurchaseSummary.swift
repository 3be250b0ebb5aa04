import Statistics

/// What the lifetime models know of a customer, one row each, all times in one unit.
///
///     PurchaseSummary(x: [2, 0], tx: [30.43, 0], T: [38.86, 38.86])
public struct PurchaseSummary: Sendable {
  /// Repeat purchases (frequency).
  public var x: [Double]
  /// Time of the last purchase, counted from the first (recency); 0 when x = 0.
  public var tx: [Double]
  /// Time of observation since the first purchase (age).
  public var T: [Double]

  public init(x: [Double], tx: [Double], T: [Double]) {
    precondition(
      x.count == tx.count && x.count == T.count,
      "a purchase summary needs columns of one length, not \(x.count), \(tx.count) and \(T.count)")
    self.x = x
    self.tx = tx
    self.T = T
  }

  public var count: Int { x.count }

  /// The first row that is no purchase history, or nil.
  func firstMistake() -> FitError? {
    let found = FixedChunks.map(count: count, chunk: 1 << 16) { rows -> Int? in
      rows.first { i in
        let (x, tx, T) = (self.x[i], self.tx[i], self.T[i])
        return !(x >= 0 && x <= 1e9 && x == x.rounded(.towardZero) && tx >= 0 && tx <= T && T < 1e300 && (x > 0 || tx == 0))
      }
    }
    guard let row = found.lazy.compactMap({ $0 }).first else { return nil }
    return FitError(
      "row \(row) is not a purchase history: x = \(x[row]), t_x = \(tx[row]), T = \(T[row])",
      because: "x must be a whole number from 0, and 0 ≤ t_x ≤ T, with t_x = 0 when x = 0",
      remedy: "compute recency and age in one unit and from the same last day")
  }
}

/// Why a model could not be fitted: what, why, what to do.
public struct FitError: Error, Hashable, Sendable, CustomStringConvertible {
  public var what: String
  public var why: String
  public var remedy: String

  public init(_ what: String, because why: String, remedy: String) {
    self.what = what
    self.why = why
    self.remedy = remedy
  }

  public var description: String { "\(what): \(why); \(remedy)" }
}

/// A number with four significant digits, for sentences.
func rounded(_ x: Double) -> String {
  guard x.isFinite, x != 0 else { return "\(x)" }
  var scale = 1.0
  while x.magnitude * scale < 1000, scale < 1e300 { scale *= 10 }
  while x.magnitude * scale >= 10000, scale > 1e-300 { scale /= 10 }
  let digits = (x * scale).rounded()
  return "\(scale >= 1 ? digits / scale : digits * (1 / scale).rounded())"
}
