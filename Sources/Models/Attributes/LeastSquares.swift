import Statistics

/// A linear form: an intercept and a coefficient for each column, with their standard errors where the fit has some.
public struct LinearForm: Hashable, Sendable {
  public var intercept: Double
  public var coefficients: [Double]
  public var interceptError: Double?
  /// One a column; nan where the column says nothing that those before it do not say.
  public var errors: [Double]?
  /// Means of the columns over the rows of the fit.
  public var means: [Double]

  public init(intercept: Double, coefficients: [Double], interceptError: Double? = nil, errors: [Double]? = nil, means: [Double]) {
    (self.intercept, self.coefficients, self.interceptError, self.errors, self.means) = (intercept, coefficients, interceptError, errors, means)
  }

  /// Terms are added in the order of the columns.
  public func values(_ columns: [[Double]], rows: Int) -> [Double] {
    var sums = [Double](repeating: intercept, count: rows)
    for (column, coefficient) in zip(columns, coefficients) where coefficient != 0 {
      for row in 0..<rows { sums[row] += coefficient * column[row] }
    }
    return sums
  }

  /// What each column adds to a value, against the mean row, whose value is the base.
  public func contributions(_ columns: [[Double]]) -> (base: Double, columns: [[Double]]) {
    let base = intercept + Summaries.sum(zip(coefficients, means).lazy.map { $0 * $1 })
    let parts = columns.indices.map { at in columns[at].map { coefficients[at] == 0 ? 0 : coefficients[at] * ($0 - means[at]) } }
    return (base, parts)
  }
}

/// Ordinary least squares: y = β₀ + Xβ + ε.
///
/// *Fit*: Householder's QR of the centred columns, brought to length 1 (Golub & Van Loan 2013, ch. 5), so that no normal equations
/// square the condition. A column that depends on those before it is left out, as R's `lm` does: its coefficient is 0.
public enum LeastSquares {
  public struct Fit: Hashable, Sendable {
    public var form: LinearForm
    /// Columns that depend on those before them.
    public var dependent: [Int]
    /// √(RSS / (n − rank − 1)), the standard error of a value.
    public var sigma: Double
    public var residualSum: Double
    public var r2: Double
  }

  /// A column whose length beside the columns before it is this part of its own depends on them; R's limit.
  static let dependence = 1e-7

  /// Needs at least one row.
  public static func fit(_ columns: [[Double]], _ y: [Double]) -> Fit {
    let n = y.count
    let centered = Centered(columns, y)
    var qr = QR(centered.columns)
    let solution = qr.solve(centered.y)
    var coefficients = [Double](repeating: 0, count: columns.count)
    for (at, column) in qr.kept.enumerated() { coefficients[column] = solution.values[at] / centered.lengths[column] }
    let intercept = centered.yMean - Summaries.sum(zip(coefficients, centered.means).lazy.map { $0 * $1 })
    var form = LinearForm(intercept: intercept, coefficients: coefficients, means: centered.means)
    let freedom = n - qr.kept.count - 1
    let variance = freedom > 0 ? solution.rest / Double(freedom) : .nan
    if freedom > 0 {
      // (RᵀR)⁻¹ of the columns in their own units.
      let inverse = qr.inverseR()
      let k = qr.kept.count
      var errors = [Double](repeating: .nan, count: columns.count)
      // c = x̄ᵀ R⁻¹, whose length gives the variance of the intercept.
      var c = [Double](repeating: 0, count: k)
      for i in 0..<k {
        let column = qr.kept[i], length = centered.lengths[column]
        var sum = 0.0
        for j in i..<k {
          let value = inverse[i * k + j] / length
          sum += value * value
          c[j] += centered.means[column] * value
        }
        errors[column] = (variance * sum).squareRoot()
      }
      form.errors = errors
      form.interceptError = (variance * (1 / Double(n) + c.reduce(0) { $0 + $1 * $1 })).squareRoot()
    }
    let total = Summaries.sum(centered.y.lazy.map { $0 * $0 })
    return Fit(
      form: form, dependent: columns.indices.filter { !qr.kept.contains($0) }, sigma: variance.squareRoot(), residualSum: solution.rest,
      r2: total > 0 ? 1 - solution.rest / total : .nan)
  }

  /// The columns that do not depend on those before them.
  static func independent(_ columns: [[Double]]) -> [Int] {
    let rows = columns.first?.count ?? 0
    return QR(Centered(columns, [Double](repeating: 0, count: rows)).columns).kept
  }
}

/// Columns without their means, of length 1, and y without its mean.
struct Centered {
  var columns: [[Double]]
  var y: [Double]
  let means: [Double]
  /// 1 for a column that does not vary.
  let lengths: [Double]
  let yMean: Double

  init(_ columns: [[Double]], _ y: [Double]) {
    means = columns.map { Summaries.mean($0) }
    yMean = Summaries.mean(y)
    var lengths: [Double] = []
    self.columns = zip(columns, means).map { column, mean in
      let largest = max(mean.magnitude, 1e-300)
      var moved = column.map { $0 - mean }
      let length = Summaries.sum(moved.lazy.map { $0 * $0 }).squareRoot()
      // What rounding leaves of a constant is not a difference.
      let varies = length > largest * 1e-13 * Double(column.count).squareRoot() && length.isFinite
      lengths.append(varies ? length : 1)
      for row in moved.indices { moved[row] = varies ? moved[row] / length : 0 }
      return moved
    }
    self.lengths = lengths
    self.y = y.map { [yMean] in $0 - yMean }
  }
}

/// Householder's QR, column after column; those that depend on earlier ones are passed over.
struct QR {
  /// Columns in the order of R.
  private(set) var kept: [Int] = []
  private let rows: Int
  // vₖ of the reflector I − vvᵀ·2/(vᵀv), from row k on, scaled so that 2/(vᵀv) is `factors[k]`.
  private var reflectors: [[Double]] = []
  private var factors: [Double] = []
  // Column k of R, k + 1 values.
  private var upper: [[Double]] = []

  init(_ columns: [[Double]]) {
    rows = columns.first?.count ?? 0
    for (at, column) in columns.enumerated() where kept.count < rows {
      var x = column
      let whole = x.reduce(0) { $0 + $1 * $1 }.squareRoot()
      if whole == 0 { continue }
      reflect(&x)
      let k = kept.count
      var rest = 0.0
      for row in k..<rows { rest += x[row] * x[row] }
      let length = rest.squareRoot()
      if !(length > LeastSquares.dependence * whole) { continue }
      let alpha = x[k] > 0 ? -length : length
      var v = Array(x[k...])
      v[0] -= alpha
      factors.append(2 / v.reduce(0) { $0 + $1 * $1 })
      reflectors.append(v)
      upper.append(Array(x[..<k]) + [alpha])
      kept.append(at)
    }
  }

  /// Qᵀx.
  private func reflect(_ x: inout [Double]) {
    let rows = rows
    x.withUnsafeMutableBufferPointer { x in
      for k in reflectors.indices {
        reflectors[k].withUnsafeBufferPointer { v in
          var sum = 0.0
          for row in k..<rows { sum += v[row - k] * x[row] }
          sum *= factors[k]
          for row in k..<rows { x[row] -= sum * v[row - k] }
        }
      }
    }
  }

  /// The values of the kept columns, and the sum of squares that is left.
  mutating func solve(_ y: [Double]) -> (values: [Double], rest: Double) {
    var z = y
    reflect(&z)
    let k = kept.count
    var values = Array(z[..<k])
    for i in stride(from: k - 1, through: 0, by: -1) {
      values[i] /= upper[i][i]
      for j in 0..<i { values[j] -= values[i] * upper[i][j] }
    }
    return (values, Summaries.sum(z[k...].lazy.map { $0 * $0 }))
  }

  /// R⁻¹, k × k, row-major.
  func inverseR() -> [Double] {
    let k = kept.count
    var inverse = [Double](repeating: 0, count: k * k)
    for j in 0..<k {
      inverse[j * k + j] = 1 / upper[j][j]
      for i in stride(from: j - 1, through: 0, by: -1) {
        var sum = 0.0
        for m in (i + 1)...j { sum += upper[m][i] * inverse[m * k + j] }
        inverse[i * k + j] = -sum / upper[i][i]
      }
    }
    return inverse
  }
}
