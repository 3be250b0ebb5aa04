import Statistics

/// A value that is 0 or lognormal: P(Y > 0) = σ(a₀ + Xa), ln Y | Y > 0 ~ N(m₀ + Xm, s²) (Wang, Liu & Miao 2019, with linear forms
/// in place of their network).
///
/// *Likelihood*: it falls into two parts, a logistic regression of all rows and least squares of ln y of the positive ones, each
/// with its own coefficients; s² = RSS/n₊ maximizes it. *Predict*: E Y = P(Y > 0) e^(μ + s²/2).
public struct ZeroInflatedLognormal: Hashable, Sendable {
  /// nil where every value is positive.
  public var chance: LinearForm?
  public var logValue: LinearForm
  /// s
  public var sigma: Double

  public init(chance: LinearForm?, logValue: LinearForm, sigma: Double) {
    (self.chance, self.logValue, self.sigma) = (chance, logValue, sigma)
  }

  public struct Fit: Hashable, Sendable {
    public var model: ZeroInflatedLognormal
    public var dependent: [Int]
    public var positives: Int
    public var converged: Bool
    public var iterations: Int
  }

  /// Needs values ≥ 0, some of them positive.
  public static func fit(_ columns: [[Double]], _ y: [Double]) -> Fit {
    let rows = y.indices.filter { y[$0] > 0 }
    let logs = LeastSquares.fit(columns.map { c in rows.map { c[$0] } }, rows.map { Portable.log(y[$0]) })
    let sigma = (logs.residualSum / Double(rows.count)).squareRoot()
    let chance = rows.count < y.count ? GeneralizedLinear(.logistic).fit(columns, y.map { $0 > 0 ? 1 : 0 }) : nil
    return Fit(
      model: ZeroInflatedLognormal(chance: chance?.form, logValue: logs.form, sigma: sigma),
      dependent: Set(logs.dependent).union(chance?.dependent ?? []).sorted(), positives: rows.count, converged: chance?.converged ?? true,
      iterations: chance?.iterations ?? 1)
  }

  public func values(_ columns: [[Double]], rows: Int) -> [Double] {
    let logs = logValue.values(columns, rows: rows)
    let chances = chance?.values(columns, rows: rows)
    return logs.indices.map { row in
      (chances.map { Portable.sigmoid($0[row]) } ?? 1) * Portable.exp(min(logs[row] + sigma * sigma / 2, 700))
    }
  }

  /// −ln likelihood of one value, from what a network would give: the logit of a value at all, the mean of its logarithm, and the
  /// softplus of s.
  public static func loss(logit: Double, mean: Double, scale: Double, value: Double) -> Double {
    guard value > 0 else { return Portable.softplus(logit) }
    let sigma = Portable.softplus(scale)
    let z = (Portable.log(value) - mean) / sigma
    // ½ ln 2π
    return Portable.softplus(-logit) + Portable.log(value) + Portable.log(sigma) + 0.91893853320467274178 + z * z / 2
  }
}
