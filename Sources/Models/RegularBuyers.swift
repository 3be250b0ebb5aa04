import Statistics

/// (M)BG/CNBD-k: as (M)BG/NBD, but the times between a customer's purchases are Erlang-k: k stages at rate λ each, so that
/// buying is the more regular the larger k is. k = 1 is (M)BG/NBD.
///
/// Reutterer, Platzer & Schröder 2021, "Leveraging purchase regularity for predicting customer behavior the easy way", Int. J. of
/// Research in Marketing 38(1); their letters.
public enum RegularBuyers {
  // MARK: Parameters

  public typealias Parameters = BGNBD.Parameters

  /// The number of stages, and everything else.
  public struct Fit: Sendable {
    public var k: Int
    public var model: ModelFit<Parameters>
    /// ℓ by k, from 1 on, as far as they were tried.
    public var tried: [Double]
  }

  // MARK: Likelihood

  /// What the times between purchases add to ℓ, which depends on k alone: (k − 1) Σ ln(times) − Σ x ln Γ(k).
  static func spacing(_ data: GroupedSummary, k: Int, logGaps: Double) -> Double {
    Double(k - 1) * logGaps - Special.logGamma(Double(k)) * Summaries.sum(data.runs.lazy.map { $0.x * $0.weight })
  }

  /// ℓ; `logGaps` is the sum over customers of the logarithms of the times between their purchases.
  public static func logLikelihood(_ data: GroupedSummary, k: Int, dropoutAtOnce: Bool, logGaps: Double, at p: Parameters) -> Double {
    evaluate(data, k, dropoutAtOnce ? 1 : 0, p.vector).value + spacing(data, k: k, logGaps: logGaps)
  }

  public static func gradient(_ data: GroupedSummary, k: Int, dropoutAtOnce: Bool, at p: Parameters) -> [Double] {
    evaluate(data, k, dropoutAtOnce ? 1 : 0, p.vector).gradient
  }

  static func evaluate(_ data: GroupedSummary, _ k: Int, _ o: Double, _ v: [Double]) -> Newton.Value {
    let stages = Double(k)
    let chunks = data.runs.flatMap { run in
      stride(from: run.rows.lowerBound, to: run.rows.upperBound, by: 4096).map { low in
        (x: run.x, rows: low..<min(run.rows.upperBound, low + 4096))
      }
    }
    let parts = FixedChunks.map(count: chunks.count, chunk: 8) { range -> Jet in
      let (r, α) = (Jet(v[0], parameter: 0), Jet(v[1], parameter: 1))
      let (a, b) = (Jet(v[2], parameter: 2), Jet(v[3], parameter: 3))
      var sum = Jet(0)
      for i in range {
        let (x, rows) = chunks[i]
        let R = r + stages * x
        let common = r.logRising(stages * x) + r * α.log + b.logRising(x + o) - (a + b).logRising(x + o)
        let leaves = x == 0 && o == 0 ? nil : a.log - (b + (x - 1 + o)).log
        // (R)_j / j!
        var rising = [Jet(1)]
        for j in 1..<max(k, 1) where k > 1 { rising.append(rising[j - 1] * (R + Double(j - 1)) * (1 / Double(j))) }
        var (weight, part) = (0.0, Jet(0))
        for row in rows {
          let (T, tx, w) = (data.times[Int(data.TIndex[row])], data.times[Int(data.txIndex[row])], data.weight[row])
          let end = α + T
          let share = end.inverse * (T - tx)
          // Since the last purchase fewer than k stages have passed.
          var stages = rising[0]
          var power = Jet(1)
          for j in 1..<max(k, 1) where k > 1 {
            power = power * share
            stages += rising[j] * power
          }
          let alive = stages.log - R * end.log
          let term = leaves.map { Jet.logAddExp(alive, $0 - R * (α + tx).log) } ?? alive
          part += term * w
          weight += w
        }
        sum += part + common * weight
      }
      return sum
    }
    return parts.reduce(Jet(0), +).newton(4)
  }

  // MARK: Fit

  /// Maximum likelihood with k given, or, with the sum of the logarithms of the times between purchases, with the k from 1
  /// on at which the likelihood stops rising. The search for each k begins at an `earlier` fit, where there is one: its rates are per
  /// stage. Throws a FitError when the data cannot say anything about the parameters.
  public static func fit(
    _ data: GroupedSummary, dropoutAtOnce: Bool, k: Int? = nil, logGaps: Double? = nil, prior: WeakPrior? = nil,
    from earlier: (parameters: Parameters, k: Int)? = nil
  ) throws -> Fit {
    precondition(k != nil || logGaps != nil, "k is chosen by the times between purchases, which are not given")
    let model = dropoutAtOnce ? "MBG/CNBD-k" : "BG/CNBD-k"
    if let k { return Fit(k: k, model: try fit(data, k, dropoutAtOnce, model, logGaps ?? 0, prior, earlier), tried: []) }
    var tried: [Double] = []
    var best: ModelFit<Parameters>?
    for k in 1...mostStages {
      let next = try fit(data, k, dropoutAtOnce, model, logGaps!, prior, earlier)
      tried.append(next.logLikelihood)
      if let best, next.logLikelihood <= best.logLikelihood { return Fit(k: k - 1, model: best, tried: tried) }
      best = next
    }
    best!.diagnoses.append(moreRegular)
    return Fit(k: mostStages, model: best!, tried: tried)
  }

  static let mostStages = 12
  static let moreRegular = "purchases are more regular than \(mostStages) stages make them; more were not tried"

  private static func fit(
    _ data: GroupedSummary, _ k: Int, _ dropoutAtOnce: Bool, _ model: String, _ logGaps: Double, _ prior: WeakPrior?,
    _ earlier: (parameters: Parameters, k: Int)?
  ) throws -> ModelFit<Parameters> {
    var finder = BetaGeometricFit(data, o: dropoutAtOnce ? 1 : 0, model: model, prior: prior)
    finder.stages = Double(k)
    if let (p, stages) = earlier { finder.earlier = [p.r, p.α * Double(stages) / Double(k), p.a, p.b] }
    let o = dropoutAtOnce ? 1.0 : 0
    var fit =
      k == 1 ? try finder.run() : try finder.run { data in { evaluate(data, k, o, $0) } }
    fit.logLikelihood += spacing(data, k: k, logGaps: logGaps)
    return fit
  }
}
