import Statistics

/// Ridge and elastic net: least squares with a price on the size of the coefficients.
///
/// *Minimized*: 1/(2n) ‖y − β₀ − Xβ‖² + λ (ρ ‖β‖₁ + (1 − ρ)/2 ‖β‖²), with the columns brought to standard deviation 1 or as they
/// are; β₀ is free (Zou & Hastie 2005; Friedman, Hastie & Tibshirani 2010). Ridge is ρ = 0. Of scikit-learn's `alpha`, λ is that of
/// ElasticNet, and 1/n of that of Ridge.
public struct PenalizedLeastSquares: Sendable {
  /// λ
  public var penalty: Double
  /// ρ
  public var l1Ratio: Double
  public var standardizes: Bool

  public init(penalty: Double, l1Ratio: Double, standardizes: Bool) {
    (self.penalty, self.l1Ratio, self.standardizes) = (penalty, l1Ratio, standardizes)
  }

  public struct Fit: Hashable, Sendable {
    public var form: LinearForm
    public var converged: Bool
    public var iterations: Int
  }

  public func fit(_ columns: [[Double]], _ y: [Double]) -> Fit {
    fit(Moments(columns, y, standardizes: standardizes), penalty, from: nil).fit
  }

  /// What the fit needs of the rows: XᵀX/n and Xᵀy/n of centred columns in the units of the penalty.
  struct Moments {
    let means: [Double], scales: [Double], yMean: Double
    let gram: SymmetricMatrix
    let xy: [Double]

    init(_ columns: [[Double]], _ y: [Double], standardizes: Bool) {
      let n = Double(y.count)
      let centered = Centered(columns, y)
      means = centered.means
      yMean = centered.yMean
      // Length 1 to standard deviation 1, or back to the column's own.
      let factors = centered.lengths.map { standardizes ? n.squareRoot() : $0 }
      scales = centered.lengths.map { standardizes ? $0 / n.squareRoot() : 1 }
      let pairs = columns.indices.flatMap { i in (0...i).map { (i, $0) } }
      let products = FixedChunks.map(count: pairs.count, chunk: 64) { range in
        range.map { at in
          let (i, j) = pairs[at]
          return dotProduct(centered.columns[i], centered.columns[j]) * factors[i] * factors[j] / n
        }
      }.flatMap { $0 }
      var gram = SymmetricMatrix(order: columns.count)
      for (pair, product) in zip(pairs, products) { gram[pair.0, pair.1] = product }
      self.gram = gram
      xy = columns.indices.map { dotProduct(centered.columns[$0], centered.y) * factors[$0] / n }
    }
  }

  /// The smallest λ at which all coefficients are 0; of ridge, where ρ is 0, a thousand times that of the lasso, as glmnet has it.
  static func largestPenalty(_ moments: Moments, l1Ratio: Double) -> Double {
    (moments.xy.map(\.magnitude).max() ?? 0) / max(l1Ratio, 1e-3)
  }

  func fit(_ moments: Moments, _ penalty: Double, from start: [Double]?) -> (fit: Fit, scaled: [Double]) {
    let p = moments.xy.count
    var b = start ?? [Double](repeating: 0, count: p)
    var converged = true, iterations = 1
    if l1Ratio == 0 {
      var matrix = moments.gram
      for i in 0..<p { matrix[i, i] += penalty }
      if let solved = matrix.solve(moments.xy) { b = solved } else { converged = false }
      // One step of refinement: the residual of the solution, solved again.
      let left = (0..<p).map { i in moments.xy[i] - (0..<p).reduce(0) { $0 + matrix[i, $1] * b[$1] } }
      if converged, let step = matrix.solve(left) { for i in 0..<p { b[i] += step[i] } }
    } else {
      (converged, iterations) = descend(moments, penalty, &b)
    }
    let coefficients = (0..<p).map { b[$0] / moments.scales[$0] }
    let intercept = moments.yMean - Summaries.sum(zip(coefficients, moments.means).lazy.map { $0 * $1 })
    return (Fit(form: LinearForm(intercept: intercept, coefficients: coefficients, means: moments.means), converged: converged, iterations: iterations), b)
  }

  /// Coordinate after coordinate, each to its minimum, until none moves.
  private func descend(_ moments: Moments, _ penalty: Double, _ b: inout [Double]) -> (converged: Bool, iterations: Int) {
    let p = b.count
    let (l1, l2) = (penalty * l1Ratio, penalty * (1 - l1Ratio))
    // xᵀ(y − Xb)/n
    var slope = (0..<p).map { i in moments.xy[i] - (0..<p).reduce(0) { $0 + moments.gram[i, $1] * b[$1] } }
    let size = max(moments.xy.map(\.magnitude).max() ?? 0, 1e-300)
    for iteration in 1...100_000 {
      var moved = 0.0
      for j in 0..<p where moments.gram[j, j] > 0 {
        let own = slope[j] + moments.gram[j, j] * b[j]
        let next = (own > l1 ? own - l1 : own < -l1 ? own + l1 : 0) / (moments.gram[j, j] + l2)
        let step = next - b[j]
        if step == 0 { continue }
        b[j] = next
        for i in 0..<p { slope[i] -= moments.gram[i, j] * step }
        moved = max(moved, (step * (moments.gram[j, j] + l2)).magnitude)
      }
      if moved <= 1e-13 * size { return (true, iteration) }
    }
    return (false, 100_000)
  }

  /// λ by cross-validation: of sixty from the largest down to a ten-thousandth, the one with the least squared error of rows left
  /// out. `folds` gives the fold of every row.
  public static func chosenPenalty(
    _ columns: [[Double]], _ y: [Double], l1Ratio: Double, standardizes: Bool, folds: [Int], count: Int
  ) -> (penalty: Double, tried: [(penalty: Double, rmse: Double)]) {
    let whole = Moments(columns, y, standardizes: standardizes)
    let largest = max(largestPenalty(whole, l1Ratio: l1Ratio), 1e-12)
    let penalties = (0..<60).map { largest * Portable.exp(-Double($0) / 59 * Portable.log(1e4)) }
    let errors = (0..<count).map { fold -> [Double] in
      let (inside, outside) = (folds.indices.filter { folds[$0] != fold }, folds.indices.filter { folds[$0] == fold })
      let moments = Moments(columns.map { c in inside.map { c[$0] } }, inside.map { y[$0] }, standardizes: standardizes)
      let (left, truth) = (columns.map { c in outside.map { c[$0] } }, outside.map { y[$0] })
      var start: [Double]?
      return penalties.map { penalty in
        let model = PenalizedLeastSquares(penalty: penalty, l1Ratio: l1Ratio, standardizes: standardizes)
        let (fit, scaled) = model.fit(moments, penalty, from: start)
        start = scaled
        return Summaries.sum(zip(fit.form.values(left, rows: truth.count), truth).lazy.map { ($0 - $1) * ($0 - $1) })
      }
    }
    let tried = penalties.indices.map { at in
      (penalties[at], (Summaries.sum(errors.lazy.map { $0[at] }) / Double(y.count)).squareRoot())
    }
    var best = 0
    for at in tried.indices where tried[at].1 < tried[best].1 { best = at }
    return (tried[best].0, tried.map { (penalty: $0.0, rmse: $0.1) })
  }
}
