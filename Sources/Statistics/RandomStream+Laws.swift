// Draws from the laws the models are made of; every logarithm is Portable, so every draw is the same everywhere.
extension RandomStream {
  /// Standard normal, polar method (Marsaglia & Bray 1964); one of the pair is dropped to keep the stream stateless.
  public mutating func normal() -> Double {
    while true {
      let u = 2 * uniform() - 1
      let v = 2 * uniform() - 1
      let s = u * u + v * v
      if s > 0, s < 1 { return u * (-2 * Portable.log(s) / s).squareRoot() }
    }
  }

  /// Exponential with mean 1 / rate.
  public mutating func exponential(rate: Double = 1) -> Double { -Portable.log(openUniform()) / rate }

  /// Gamma with mean shape / rate (Marsaglia & Tsang 2000).
  public mutating func gamma(shape: Double, rate: Double = 1) -> Double {
    Portable.exp(logGamma(shape: shape)) / rate
  }

  /// The logarithm of a gamma draw of rate 1; small shapes underflow only after `exp`.
  public mutating func logGamma(shape: Double) -> Double {
    precondition(shape > 0, "a gamma law needs a positive shape, not \(shape)")
    if shape < 1 { return logGamma(shape: shape + 1) + Portable.log(openUniform()) / shape }
    let d = shape - 1.0 / 3
    let c = 1 / (9 * d).squareRoot()
    while true {
      let x = normal()
      let root = 1 + c * x
      if root <= 0 { continue }
      let v = root * root * root
      let logV = Portable.log(v)
      if Portable.log(openUniform()) < 0.5 * x * x + d - d * v + d * logV { return Portable.log(d) + logV }
    }
  }

  /// Beta(a, b), as a ratio of gammas in logarithms.
  public mutating func beta(_ a: Double, _ b: Double) -> Double {
    let x = logGamma(shape: a)
    let y = logGamma(shape: b)
    return Portable.sigmoid(x - y)
  }

  /// Poisson: products of uniforms below mean 30, transformed rejection above (Hörmann 1993, PTRS).
  public mutating func poisson(mean: Double) -> Int {
    precondition(mean >= 0 && mean < 1e15, "a Poisson law needs a mean from 0 to 1e15, not \(mean)")
    if mean < 30 {
      let limit = Portable.exp(-mean)
      var product = uniform()
      var count = 0
      while product > limit {
        product *= uniform()
        count += 1
      }
      return count
    }
    let b = 0.931 + 2.53 * mean.squareRoot()
    let a = -0.059 + 0.02483 * b
    let inverseAlpha = 1.1239 + 1.1328 / (b - 3.4)
    let vr = 0.9277 - 3.6224 / (b - 2)
    let logMean = Portable.log(mean)
    while true {
      let u = uniform() - 0.5
      let v = openUniform()
      let us = 0.5 - u.magnitude
      let k = ((2 * a / us + b) * u + mean + 0.43).rounded(.down)
      if us >= 0.07, v <= vr { return Int(k) }
      if k < 0 || (us < 0.013 && v > us) { continue }
      let left = Portable.log(v) + Portable.log(inverseAlpha) - Portable.log(a / (us * us) + b)
      if left <= k * logMean - mean - Special.logGamma(k + 1) { return Int(k) }
    }
  }

  /// An index drawn in proportion to `weights`.
  public mutating func categorical(_ weights: [Double]) -> Int {
    let total = weights.reduce(0, +)
    precondition(total > 0, "a categorical law needs a positive weight")
    var rest = uniform() * total
    var last = 0
    for (i, weight) in weights.enumerated() where weight > 0 {
      last = i
      rest -= weight
      if rest < 0 { return i }
    }
    return last
  }

  /// `count` of the indices 0 ..< n without replacement, ascending, by a partial shuffle.
  public mutating func sample(_ count: Int, of n: Int) -> [Int] {
    var indices = Array(0..<n)
    let count = min(count, n)
    for i in 0..<count { indices.swapAt(i, i + integer(below: n - i)) }
    return indices[..<count].sorted()
  }
}
