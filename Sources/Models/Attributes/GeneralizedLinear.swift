import Statistics

/// Generalized linear models of a value ≥ 0 with mean μ = e^(β₀ + Xβ), and the logistic one of a chance.
///
/// *Likelihood*: quasi-likelihood with variance φ μ^p: Poisson p = 1, Tweedie 1 < p < 2, gamma p = 2 (McCullagh & Nelder 1989;
/// Jørgensen 1997); logistic: Bernoulli. *Fit*: Fisher scoring on columns of standard deviation 1, halved where the deviance rises.
/// An optional price α/2 ‖β‖² beside half the mean deviance is scikit-learn's `alpha`.
public struct GeneralizedLinear: Hashable, Sendable {
  public enum Family: Hashable, Sendable {
    case poisson
    case tweedie(power: Double)
    case logistic

    var power: Double { if case .tweedie(let power) = self { power } else { 1 } }
  }

  public var family: Family
  public var penalty: Double

  public init(_ family: Family, penalty: Double = 0) { (self.family, self.penalty) = (family, penalty) }

  public struct Fit: Hashable, Sendable {
    public var form: LinearForm
    public var dependent: [Int]
    public var deviance: Double
    public var nullDeviance: Double
    /// φ by Pearson's statistic; 1 for a chance.
    public var dispersion: Double
    public var converged: Bool
    public var iterations: Int
  }

  public func mean(_ eta: Double) -> Double {
    family == .logistic ? Portable.sigmoid(eta) : Portable.exp(min(eta, 700))
  }

  /// Needs a y that is not all 0 (and for the logistic one not all 1).
  public func fit(_ columns: [[Double]], _ y: [Double]) -> Fit {
    let n = Double(y.count)
    let centered = Centered(columns, y)
    let kept = LeastSquares.independent(columns)
    let scales = centered.lengths.map { $0 / n.squareRoot() }
    let x = kept.map { at in centered.columns[at].map { $0 * n.squareRoot() } }  // standard deviation 1
    let k = x.count
    let average = Summaries.mean(y)
    let start = family == .logistic ? Portable.log(average / (1 - average)) : Portable.log(average)
    var b = [start] + [Double](repeating: 0, count: k)
    // The price is on coefficients in the columns' own units.
    let prices = [0] + kept.map { penalty / (scales[$0] * scales[$0]) }
    func objective(_ b: [Double]) -> (value: Double, eta: [Double]) {
      let eta = LinearForm(intercept: b[0], coefficients: Array(b[1...]), means: []).values(x, rows: y.count)
      let half = deviance(eta, y) / (2 * n)
      return (half + 0.5 * zip(prices, b).reduce(0) { $0 + $1.0 * $1.1 * $1.1 }, eta)
    }
    var (value, eta) = objective(b)
    let nullDeviance = deviance([Double](repeating: start, count: y.count), y)
    var converged = false, iterations = 0
    var information = SymmetricMatrix(order: k + 1)
    while iterations < 200 {
      iterations += 1
      var (gradient, fisher) = score(x, y, eta)
      for i in 0...k {
        gradient[i] -= prices[i] * b[i]
        fisher[i, i] += prices[i]
      }
      information = fisher
      guard let step = fisher.solve(gradient) else { break }
      let promise = zip(step, gradient).reduce(0) { $0 + $1.0 * $1.1 }
      if promise <= 1e-22 * max(value.magnitude, 1e-3) || step.allSatisfy({ $0.magnitude < 1e-13 }) {
        converged = true
        break
      }
      var length = 1.0
      var moved = false
      for _ in 0..<40 {
        let next = zip(b, step).map { $0 + length * $1 }
        let (trial, trialEta) = objective(next)
        if trial.isFinite, trial <= value + 1e-15 * max(value.magnitude, 1) {
          moved = true
          (b, value, eta) = (next, trial, trialEta)
          break
        }
        length /= 2
      }
      if !moved {
        converged = promise < 1e-10 * max(value.magnitude, 1)
        break
      }
    }
    return finished(b, kept, scales, centered.means, x, y, eta, nullDeviance, information, converged, iterations)
  }

  private func finished(
    _ b: [Double], _ kept: [Int], _ scales: [Double], _ means: [Double], _ x: [[Double]], _ y: [Double], _ eta: [Double],
    _ nullDeviance: Double, _ information: SymmetricMatrix, _ converged: Bool, _ iterations: Int
  ) -> Fit {
    var coefficients = [Double](repeating: 0, count: means.count)
    for (at, column) in kept.enumerated() { coefficients[column] = b[at + 1] / scales[column] }
    var form = LinearForm(
      intercept: b[0] - Summaries.sum(kept.enumerated().lazy.map { b[$0.offset + 1] * means[$0.element] / scales[$0.element] }),
      coefficients: coefficients, means: means)
    let freedom = y.count - kept.count - 1
    let pearson = Summaries.sum(
      y.indices.lazy.map { row in
        let mu = mean(eta[row])
        return (y[row] - mu) * (y[row] - mu) / (family == .logistic ? mu * (1 - mu) : Portable.pow(mu, family.power))
      })
    let dispersion = family == .logistic ? 1 : freedom > 0 ? pearson / Double(freedom) : .nan
    // Errors of penalized coefficients would leave out their bias.
    if penalty == 0, freedom > 0, let inverse = information.inverse() {
      // Poisson's variance is the mean, as it is.
      let scale = (family == .poisson ? 1 : dispersion) / Double(y.count)
      var errors = [Double](repeating: .nan, count: means.count)
      var variance = inverse[0, 0]
      for (at, column) in kept.enumerated() {
        errors[column] = (scale * inverse[at + 1, at + 1]).squareRoot() / scales[column]
        let shift = means[column] / scales[column]
        variance -= 2 * shift * inverse[0, at + 1]
        for (other, second) in kept.enumerated() { variance += shift * (means[second] / scales[second]) * inverse[at + 1, other + 1] }
      }
      form.errors = errors
      form.interceptError = (scale * variance).squareRoot()
    }
    return Fit(
      form: form, dependent: means.indices.filter { !kept.contains($0) }, deviance: deviance(eta, y), nullDeviance: nullDeviance,
      dispersion: dispersion, converged: converged, iterations: iterations)
  }

  /// The slope of the log-likelihood and Fisher's information, both divided by the number of rows.
  private func score(_ x: [[Double]], _ y: [Double], _ eta: [Double]) -> (gradient: [Double], fisher: SymmetricMatrix) {
    let (k, n) = (x.count, Double(y.count))
    var residual = [Double](repeating: 0, count: y.count), weight = residual
    for row in y.indices {
      let mu = mean(eta[row])
      if family == .logistic {
        (residual[row], weight[row]) = (y[row] - mu, mu * (1 - mu))
      } else {
        let p = family.power
        (residual[row], weight[row]) = ((y[row] - mu) * (p == 1 ? 1 : Portable.pow(mu, 1 - p)), p == 1 ? mu : Portable.pow(mu, 2 - p))
      }
    }
    let ones = [Double](repeating: 1, count: y.count)
    func column(_ i: Int) -> [Double] { i == 0 ? ones : x[i - 1] }
    let rows = FixedChunks.map(count: k + 1, chunk: 4) { range in
      range.map { i -> (Double, [Double]) in
        let weighted = zip(column(i), weight).map { $0 * $1 }
        return (dotProduct(column(i), residual) / n, (0...i).map { dotProduct(weighted, column($0)) / n })
      }
    }.flatMap { $0 }
    var fisher = SymmetricMatrix(order: k + 1)
    for (i, row) in rows.enumerated() { for (j, value) in row.1.enumerated() { fisher[i, j] = value } }
    return (rows.map(\.0), fisher)
  }

  func deviance(_ eta: [Double], _ y: [Double]) -> Double {
    2 * Summaries.sum(
      y.indices.lazy.map { row -> Double in
        let (value, e) = (y[row], eta[row])
        switch family {
        case .logistic: return Portable.softplus(e) - value * e
        case .poisson: return mean(e) - value + (value > 0 ? value * (Portable.log(value) - e) : 0)
        case .tweedie(let p):
          // y^(2−p)/((1−p)(2−p)) − y μ^(1−p)/(1−p) + μ^(2−p)/(2−p)
          let mu = mean(e)
          if p == 2 { return value > 0 ? value / mu - 1 - Portable.log(value / mu) : .infinity }
          let own = value > 0 ? Portable.pow(value, 2 - p) / ((1 - p) * (2 - p)) : 0
          return own - value * Portable.pow(mu, 1 - p) / (1 - p) + Portable.pow(mu, 2 - p) / (2 - p)
        }
      })
  }
}
