/// A smooth estimate of how values are spread: Epanechnikov's kernel over fine bins, mirrored at both ends of the
/// range so that mass piled up at zero is not smeared below it. Silverman (1986), sec. 2.10 and 3.4.
struct Density {
  let at: [Double]
  /// Share of values per unit of x.
  let height: [Double]

  /// `sorted` are the values inside the range, ascending; nil when they are too few or all equal.
  init?(sorted: [Double], from low: Double, to high: Double, points: Int = 160) {
    let n = Double(sorted.count)
    guard sorted.count >= 20, high > low else { return nil }
    let width = (high - low) / Double(points)
    guard width.isFinite, width > 0 else { return nil }
    var mean = 0.0, squares = 0.0
    for value in sorted { mean += value / n }
    for value in sorted { squares += (value - mean) * (value - mean) / n }
    let deviation = squares.squareRoot()
    let quartiles = (sorted[sorted.count * 3 / 4] - sorted[sorted.count / 4]) / 1.349
    let spread = quartiles > 0 ? min(deviation, quartiles) : deviation
    guard spread > 0, spread.isFinite else { return nil }
    // 2.34 is Silverman's constant for this kernel.
    let bandwidth = max(2.34 * spread / Density.fifthRoot(n), 1.5 * width)

    var mass = Array(repeating: 0.0, count: points)
    for value in sorted { mass[max(0, min(points - 1, Int((value - low) / width)))] += 1 / n }
    let reach = min(points, Int(bandwidth / width) + 1)
    var kernel = (0...reach).map { offset -> Double in
      let u = Double(offset) * width / bandwidth
      return u < 1 ? 0.75 * (1 - u * u) / bandwidth : 0
    }
    // The sampled kernel is scaled so that it holds exactly one in all.
    var total = kernel[0] * width
    for value in kernel.dropFirst() { total += 2 * value * width }
    kernel = kernel.map { $0 / total }

    var height = Array(repeating: 0.0, count: points)
    for bin in 0..<points where mass[bin] > 0 {
      for offset in -reach...reach {
        var target = bin + offset
        if target < 0 { target = -1 - target }
        if target >= points { target = 2 * points - 1 - target }
        if target >= 0, target < points { height[target] += mass[bin] * kernel[abs(offset)] }
      }
    }
    self.height = height
    at = (0..<points).map { low + (Double($0) + 0.5) * width }
  }

  // Newton's method from above: only + − × ÷, so the same bits everywhere.
  static func fifthRoot(_ a: Double) -> Double {
    var x = max(a, 1)
    while true {
      let next = (4 * x + a / (x * x * x * x)) / 5
      if next >= x { return x }
      x = next
    }
  }
}
