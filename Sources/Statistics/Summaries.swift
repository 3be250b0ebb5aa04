/// Sums and quantiles that do not depend on who computes them.
public enum Summaries {
  /// Σ values, compensated.
  @inlinable
  public static func sum(_ values: some Sequence<Double>) -> Double {
    var sum = RunningSum()
    for value in values { sum.add(value) }
    return sum.value
  }

  public static func mean(_ values: [Double]) -> Double {
    values.isEmpty ? .nan : sum(values) / Double(values.count)
  }

  /// Variance by two passes; `dropped` is 0 for a population, 1 for a sample.
  public static func variance(_ values: [Double], dropped: Int = 1) -> Double {
    guard values.count > dropped else { return .nan }
    let center = mean(values)
    return sum(values.lazy.map { ($0 - center) * ($0 - center) }) / Double(values.count - dropped)
  }

  /// Pearson's correlation; nan when a side does not vary.
  public static func correlation(_ x: [Double], _ y: [Double]) -> Double {
    precondition(x.count == y.count, "a correlation needs two columns of one length, not \(x.count) and \(y.count)")
    let (mx, my) = (mean(x), mean(y))
    let xy = sum(zip(x, y).lazy.map { ($0 - mx) * ($1 - my) })
    let xx = sum(x.lazy.map { ($0 - mx) * ($0 - mx) })
    let yy = sum(y.lazy.map { ($0 - my) * ($0 - my) })
    return xx > 0 && yy > 0 ? xy / (xx.squareRoot() * yy.squareRoot()) : .nan
  }

  /// Quantile of type 7 (Hyndman & Fan 1996): linear between order statistics, as R, NumPy and Excel have it.
  /// `sorted` is ascending and without nan.
  public static func quantile(_ p: Double, ofSorted sorted: [Double]) -> Double {
    guard let first = sorted.first, p.isFinite else { return .nan }
    let position = min(max(p, 0), 1) * Double(sorted.count - 1)
    let below = Int(position)
    guard below + 1 < sorted.count else { return sorted.count == 1 ? first : sorted[below] }
    let share = position - Double(below)
    let (low, high) = (sorted[below], sorted[below + 1])
    // NumPy's two-sided form, exact at both ends.
    return share < 0.5 ? low + (high - low) * share : high - (high - low) * (1 - share)
  }

  public static func median(_ values: [Double]) -> Double { quantile(0.5, ofSorted: values.sorted()) }
}
