import Statistics

extension RegularBuyers {
  /// What (M)BG/CNBD-k parameters say of single customers, exactly.
  ///
  /// Given that a customer is alive at T, j < k stages have passed since the last purchase with a weight that the likelihood
  /// names; given j, the rate is Gamma(r + kx + j, α + T) and dropout Beta(a, b + x + o). Every prediction is the mean over j. The
  /// closed form of the paper is an approximation for k > 1, which its program corrects by the customers of a batch.
  public struct Predictor: PurchasePredictor {
    public let k: Int
    public let parameters: Parameters
    let o: Double

    public init(_ parameters: Parameters, k: Int, dropoutAtOnce: Bool) {
      precondition(
        parameters.vector.allSatisfy { $0 > 0 && $0 < 1e300 }, "BG/CNBD-k parameters must be positive: \(parameters)")
      precondition(k >= 1, "a purchase takes at least one stage, not \(k)")
      (self.parameters, self.k, o) = (parameters, k, dropoutAtOnce ? 1 : 0)
    }

    public var countsNeedRecency: Bool { k > 1 }

    /// Weights of 0, 1, … stages passed since the last purchase, not normalised; the first is 1.
    private func passed(x: Double, tx: Double, T: Double) -> [Double] {
      let R = parameters.r + Double(k) * x
      let share = (T - tx) / (parameters.α + T)
      var weights = [1.0]
      for j in 1..<max(k, 1) where k > 1 { weights.append(weights[j - 1] * (R + Double(j - 1)) / Double(j) * share) }
      return weights
    }

    public func probabilityAlive(x: Double, tx: Double, T: Double) -> Double {
      if x == 0 && o == 0 { return 1 }
      let (r, α, a, b) = (parameters.r, parameters.α, parameters.a, parameters.b)
      let weights = passed(x: x, tx: tx, T: T)
      let d = Portable.log(a / (b + x - 1 + o)) + (r + Double(k) * x) * Portable.log1p((T - tx) / (α + tx))
      return Portable.sigmoid(Portable.log(weights.reduce(0, +)) - d)
    }

    /// The mean over the stages passed of f(stages passed, shape of the rate).
    private func mean(x: Double, tx: Double, T: Double, _ f: (Int, Double) -> Double) -> Double {
      let weights = passed(x: x, tx: tx, T: T)
      var (sum, total) = (0.0, 0.0)
      for (j, weight) in weights.enumerated() {
        sum += weight * f(j, parameters.r + Double(k) * x + Double(j))
        total += weight
      }
      return sum / total
    }

    public func expectedPurchases(x: Double, tx: Double, T: Double, within h: Double) -> Double {
      probabilityAlive(x: x, tx: tx, T: T) * living(x: x, tx: tx, T: T, within: h)
    }

    private func living(x: Double, tx: Double, T: Double, within h: Double) -> Double {
      guard h > 0 else { return 0 }
      if k == 1 {
        var mixture = DropoutMixture(a: parameters.a, c: parameters.b + x + o, ρ: parameters.r + x)
        return mixture.purchases(h / (parameters.α + T))
      }
      return mean(x: x, tx: tx, T: T) { j, R in series(R, α: parameters.α + T, c: parameters.b + x + o, passed: j, h) }
    }

    public func expectedPurchases(by t: Double) -> Double {
      (o == 0 ? 1 : parameters.b / (parameters.a + parameters.b)) * living(x: 0, tx: 0, T: 0, within: t)
    }

    /// Σ over n ≥ 1 of P(purchase n comes within h and the n − 1 before it were survived): all terms positive.
    private func series(_ R: Double, α: Double, c: Double, passed j: Int, _ h: Double) -> Double {
      let (share, rest) = (h / (α + h), α / (α + h))
      // Far out the arrivals' terms fall by this much from purchase to purchase.
      let far = Portable.exp(-Double(k) * Portable.log1p(α / h))
      var (sum, staying, n, before) = (0.0, 1.0, 1.0, 0.0)
      while n < 1e7 {
        let arrived = Special.betaI(share, complement: rest, Double(k) * n - Double(j), R)
        sum += staying * arrived
        // All that is still to come, if arrivals went on falling as slowly as now; of the first one nothing is known.
        let fall = before > 0 ? max(far, arrived / before) : 1
        if arrived == 0 || (fall < 1 && staying * arrived * fall < 1e-13 * sum * (1 - fall)) { break }
        before = arrived
        staying *= (c + n - 1) / (parameters.a + c + n - 1)
        n += 1
      }
      return sum
    }

    public func discountedPurchases(x: Double, tx: Double, T: Double, _ discount: Discount) -> Double {
      switch discount {
      case .monthly(let rate, let month, let months):
        return monthly(x: x, tx: tx, T: T, rate: rate, month: month, months: months)
      case .continuous(let δ, let h):
        // Integrated by parts: e^−δh E(h) + δ ∫ e^−δt E(t) dt, every term positive.
        let end = δ * h < 745 ? Portable.exp(-δ * h) * living(x: x, tx: tx, T: T, within: h) : 0
        guard δ > 0 else { return probabilityAlive(x: x, tx: tx, T: T) * end }
        let α = parameters.α + T
        let integral = GaussRule.discounted(until: h, rate: δ, scale: min(α / (parameters.r + Double(k) * x + 1) * Double(k), 1 / δ)) { t in
          living(x: x, tx: tx, T: T, within: t)
        }
        return probabilityAlive(x: x, tx: tx, T: T) * (end + δ * integral)
      }
    }

    public func probability(ofPurchases n: Int, by t: Double) -> Double {
      precondition(n >= 0, "a number of purchases from 0, not \(n)")
      let p = livingCounts(x: 0, tx: 0, T: 0, within: t, through: n)[n]
      if o == 0 { return p }
      // Left right after the first purchase.
      let gone = parameters.a / (parameters.a + parameters.b)
      return (1 - gone) * p + (n == 0 ? gone : 0)
    }

    public func livingBuys(x: Double, tx: Double, T: Double, within h: Double) -> Double {
      let α = parameters.α + T
      return mean(x: x, tx: tx, T: T) { j, R in Special.betaI(h / (α + h), complement: α / (α + h), Double(k - j), R) }
    }

    public func livingCounts(x: Double, tx: Double, T: Double, within h: Double, through n: Int) -> [Double] {
      let (a, c, α) = (parameters.a, parameters.b + x + o, parameters.α + T)
      let weights = passed(x: x, tx: tx, T: T)
      let total = weights.reduce(0, +)
      var all = [Double](repeating: 0, count: n + 1)
      for (j, weight) in weights.enumerated() {
        let stages = NegativeBinomial(r: parameters.r + Double(k) * x + Double(j), α: α, by: h)
        let p = stages.probabilities(through: k * (n + 1))
        let tails = stages.tails(p)
        var staying = weight / total
        for m in 0...n {
          // Purchase m came after km − j stages, m + 1 after k more.
          let (low, high) = (max(0, k * m - j), k * (m + 1) - j)
          let between = p[low..<high].reduce(0, +)
          if m == 0 { all[0] += staying * between } else {
            let sum = a + c + Double(m - 1)
            all[m] += staying * ((c + Double(m - 1)) / sum * between + a / sum * tails[low])
            staying *= (c + Double(m - 1)) / sum
          }
        }
      }
      return all
    }
  }
}
