import Statistics

extension BetaGeometricPredictor {
  /// Predictions for many customers. Each is the same number the single-customer functions give: it does not depend on
  /// who else is in the batch.
  public func scores(of summary: PurchaseSummary) -> Scores { Scores(self, summary) }

  /// Scores of a batch. Customers with one (x, T) share the costly integral; customers with one x share its nodes.
  public struct Scores: Sendable {
    let predictor: BetaGeometricPredictor
    public let probabilityAlive: [Double]
    private let pairs: AgePairs

    init(_ predictor: BetaGeometricPredictor, _ summary: PurchaseSummary) {
      self.predictor = predictor
      pairs = AgePairs(summary)
      let (x, tx, T) = (summary.x, summary.tx, summary.T)
      probabilityAlive = FixedChunks.fill(count: summary.count, chunk: 1 << 14) { rows, out in
        x.withUnsafeBufferPointer { x in
          tx.withUnsafeBufferPointer { tx in
            T.withUnsafeBufferPointer { T in
              for i in rows { out[i] = predictor.probabilityAlive(x: x[i], tx: tx[i], T: T[i]) }
            }
          }
        }
      }
    }

    /// Expected purchases in (T, T + h].
    public func expectedPurchases(within h: Double) -> [Double] {
      let α = predictor.parameters.α
      return spread { mixture, T in mixture.purchases(h / (α + T)) }
    }

    public func discountedPurchases(_ discount: Discount) -> [Double] {
      spread { mixture, T in predictor.discounted(&mixture, T: T, discount) }
    }

    /// P(alive) times a value per (x, T).
    private func spread(_ value: (inout DropoutMixture, Double) -> Double) -> [Double] {
      let chunks = pairs.chunks
      let values = FixedChunks.map(count: chunks.count, chunk: 1) { range -> [Double] in
        let chunk = chunks[range.lowerBound]
        var mixture = predictor.mixture(pairs.x[chunk.lowerBound])
        return chunk.map { value(&mixture, pairs.T[$0]) }
      }.flatMap { $0 }
      let slots = pairs.slots
      return FixedChunks.fill(count: slots.count, chunk: 1 << 16) { rows, out in
        slots.withUnsafeBufferPointer { slots in
          probabilityAlive.withUnsafeBufferPointer { alive in
            values.withUnsafeBufferPointer { values in
              for i in rows { out[i] = alive[i] * values[Int(slots[i])] }
            }
          }
        }
      }
    }
  }
}

/// The distinct (x, T) of a batch, ascending, and where each customer's pair is.
struct AgePairs: Sendable {
  private(set) var x: [Double] = []
  private(set) var T: [Double] = []
  let slots: [UInt32]
  /// Stretches of pairs with one x, at most 256 long: units of work.
  private(set) var chunks: [Range<Int>] = []

  init(_ summary: PurchaseSummary) {
    let xs = DistinctValues([summary.x])
    let ages = DistinctValues([summary.T])
    let (xi, Ti) = (xs.indices[0], ages.indices[0])
    let count = summary.count
    // Few values: a table of all combinations. Many: a sorted list of those that occur.
    if xs.values.count * ages.values.count <= max(1 << 20, 4 * count) {
      var slotOf = [UInt32](repeating: .max, count: xs.values.count * ages.values.count)
      for i in 0..<count { slotOf[Int(xi[i]) * ages.values.count + Int(Ti[i])] = 0 }
      for cell in slotOf.indices where slotOf[cell] == 0 {
        slotOf[cell] = UInt32(x.count)
        x.append(xs.values[cell / ages.values.count])
        T.append(ages.values[cell % ages.values.count])
      }
      slots = (0..<count).map { slotOf[Int(xi[$0]) * ages.values.count + Int(Ti[$0])] }
    } else {
      let order = (0..<count).sorted { (xi[$0], Ti[$0]) < (xi[$1], Ti[$1]) }
      var slots = [UInt32](repeating: 0, count: count)
      for (position, i) in order.enumerated() {
        if position == 0 || xi[order[position - 1]] != xi[i] || Ti[order[position - 1]] != Ti[i] {
          x.append(summary.x[i])
          T.append(summary.T[i])
        }
        slots[i] = UInt32(x.count - 1)
      }
      self.slots = slots
    }
    var start = 0
    for i in 1..<max(x.count + 1, 1) where i == x.count || x[i] != x[start] || i - start == 256 {
      chunks.append(start..<i)
      start = i
    }
  }
}
