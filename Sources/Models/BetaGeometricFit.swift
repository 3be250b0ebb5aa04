import Statistics

/// Finds the maximum of the (M)BG/NBD likelihood.
struct BetaGeometricFit {
  let data: GroupedSummary
  /// 0 for BG/NBD, 1 for MBG/NBD.
  let o: Int
  let model: String
  var prior: WeakPrior?
  /// Parameters of an earlier fit.
  var earlier: [Double]?
  /// Erlang stages from purchase to purchase; rates are per stage.
  var stages = 1.0

  init(_ data: GroupedSummary, o: Int, model: String, prior: WeakPrior? = nil, from earlier: [Double]? = nil) {
    self.data = data
    self.o = o
    self.model = model
    self.prior = prior
    self.earlier = earlier
  }

  func run() throws -> BGNBD.Fit {
    try run { data in
      let likelihood = BetaGeometricLikelihood(data, o: o)
      return { likelihood.evaluate($0[0], $0[1], $0[2], $0[3]) }
    }
  }

  /// With another likelihood in the same parameters.
  func run(_ likelihood: (GroupedSummary) -> ModelSearch<BGNBD.Parameters>.Likelihood) throws -> BGNBD.Fit {
    try data.refuse(model, parameters: "four")
    let step = max(1, data.rowCount / 8192)
    let t = max(data.meanT, 1e-300)
    var search = ModelSearch<BGNBD.Parameters>(model: model, sizes: [1, t, 1, 1], prior: prior)
    search.above = [13.8, 18.4, 16.1, 16.1]
    search.earlier = earlier
    search.isIdentified = { $0.a + $0.b < 1e5 }
    search.diagnose = diagnoses
    let thin = step > 1 ? data.thinned(every: step) : data
    return search.run(
      from: starts(thin), thin: step > 1 ? (likelihood(thin), thin.totalWeight) : nil, full: likelihood(data),
      weight: data.totalWeight)
  }

  /// Moments of the counts, and three fixed shapes on the scale of T.
  private func starts(_ d: GroupedSummary) -> [[Double]] {
    let (m, t) = (max(d.meanX, 1e-6), max(d.meanT, 1e-300) / stages)
    let (r, rate) = d.momentRates
    let α = rate / stages
    return [[r, α, 0.8, 2.5], [1, t, 1, 3], [0.3, 0.2 * t, 0.3, 4], [3, 3 * t / max(m, 0.3), 2, 10]]
  }

  private func diagnoses(_ p: BGNBD.Parameters) -> [String] {
    var sentences: [String] = []
    if p.a + p.b > 1e4 {
      sentences.append(
        "dropout heterogeneity is not identified: a and b grew together (a = \(rounded(p.a)), b = \(rounded(p.b))), so one dropout probability, \(rounded(p.a / (p.a + p.b))), serves all customers; read a/(a+b), not a and b"
      )
    } else if p.a / (p.a + p.b) < 1e-4 {
      sentences.append("almost no dropout was seen: a/(a+b) = \(rounded(p.a / (p.a + p.b))), so nearly everybody counts as alive")
    }
    if p.r > 1e4 {
      sentences.append("purchase rates do not differ between customers: r and α grew together (r = \(rounded(p.r)), α = \(rounded(p.α)))")
    }
    return sentences
  }
}
