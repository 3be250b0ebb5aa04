/// A seeded stream of random numbers, the same on every machine: xoshiro256** (Blackman & Vigna 2018), its state
/// filled by SplitMix64.
///
///     var random = RandomStream(seed: 42, substream: 3)   // work item 3, whoever runs it
///     random.gamma(shape: 0.5)
public struct RandomStream: RandomNumberGenerator, Sendable {
  private var s0: UInt64
  private var s1: UInt64
  private var s2: UInt64
  private var s3: UInt64

  public init(seed: UInt64) { self.init(seed: seed, substream: 0) }

  /// Streams of one seed and different indices do not overlap in practice: each starts at a hashed state.
  public init(seed: UInt64, substream index: UInt64) {
    var first = seed
    let mixed = Self.splitMix(&first)
    var second = index &* 0xd1342543de82ef95 &+ 0x632be59bd9b4e019
    var state = index == 0 ? seed : mixed ^ Self.splitMix(&second)
    s0 = Self.splitMix(&state)
    s1 = Self.splitMix(&state)
    s2 = Self.splitMix(&state)
    s3 = Self.splitMix(&state)
  }

  /// SplitMix64 (Steele, Lea & Flood 2014).
  private static func splitMix(_ state: inout UInt64) -> UInt64 {
    state &+= 0x9e3779b97f4a7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58476d1ce4e5b9
    z = (z ^ (z >> 27)) &* 0x94d049bb133111eb
    return z ^ (z >> 31)
  }

  public mutating func next() -> UInt64 {
    let product = s1 &* 5
    let result = (product << 7 | product >> 57) &* 9
    let t = s1 << 17
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= t
    s3 = s3 << 45 | s3 >> 19
    return result
  }

  /// Advances by 2¹²⁸ draws.
  public mutating func jump() {
    var (a, b, c, d): (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    for word: UInt64 in [0x180ec6d33cfd0aba, 0xd5a61266f0c9392c, 0xa9582618e03fc9aa, 0x39abdc4529b1661c] {
      for bit in 0..<64 {
        if word & (1 << UInt64(bit)) != 0 {
          a ^= s0
          b ^= s1
          c ^= s2
          d ^= s3
        }
        _ = next()
      }
    }
    (s0, s1, s2, s3) = (a, b, c, d)
  }

  /// Uniform on [0, 1), 53 bits.
  public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// Uniform on (0, 1): never zero, so its logarithm is finite.
  public mutating func openUniform() -> Double { (Double(next() >> 12) + 0.5) * 0x1p-52 }

  /// Uniform on 0 ..< bound, without bias (Lemire 2019).
  public mutating func integer(below bound: Int) -> Int {
    precondition(bound > 0, "a random integer needs a positive bound, not \(bound)")
    let n = UInt64(bound)
    var (high, low) = next().multipliedFullWidth(by: n)
    if low < n {
      let threshold = (0 &- n) % n
      while low < threshold { (high, low) = next().multipliedFullWidth(by: n) }
    }
    return Int(high)
  }
}
