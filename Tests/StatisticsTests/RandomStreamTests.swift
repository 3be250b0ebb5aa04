import Statistics
import Testing

struct RandomStreamTests {
  /// The first draws are part of every artifact made with a seed: they must never change.
  @Test func theStreamOfSeed42() {
    var random = RandomStream(seed: 42)
    // xoshiro256** seeded by SplitMix64(42): reference C code of Blackman & Vigna.
    #expect((0..<4).map { _ in random.next() } == [1546998764402558742, 6990951692964543102, 12544586762248559009, 17057574109182124193])
  }

  @Test func substreamsDiffer() {
    var firsts = Set<UInt64>()
    for index in 0..<1000 {
      var random = RandomStream(seed: 1, substream: UInt64(index))
      firsts.insert(random.next())
    }
    #expect(firsts.count == 1000)
    var jumped = RandomStream(seed: 1)
    jumped.jump()
    var plain = RandomStream(seed: 1)
    #expect(jumped.next() != plain.next())
  }

  /// Mean and variance of each law, within five standard errors of 200,000 draws.
  @Test(arguments: [
    ("uniform", 0.5, 1.0 / 12), ("normal", 0, 1), ("exponential", 0.5, 0.25), ("gamma .3", 0.6, 1.2), ("gamma 4", 2, 1),
    ("beta", 0.79 / 3.22, 0.79 * 2.43 / (3.22 * 3.22 * 4.22)), ("poisson 3", 3, 3), ("poisson 200", 200, 200),
    ("integer", 4.5, 8.25), ("categorical", 1.1, 0.69),
  ] as [(String, Double, Double)])
  func moments(law: String, mean: Double, variance: Double) {
    var random = RandomStream(seed: 11)
    let n = 200_000
    let draws = (0..<n).map { _ in
      switch law {
      case "uniform": random.uniform()
      case "normal": random.normal()
      case "exponential": random.exponential(rate: 2)
      case "gamma .3": random.gamma(shape: 0.3, rate: 0.5)
      case "gamma 4": random.gamma(shape: 4, rate: 2)
      case "beta": random.beta(0.79, 2.43)
      case "poisson 3": Double(random.poisson(mean: 3))
      case "poisson 200": Double(random.poisson(mean: 200))
      case "integer": Double(random.integer(below: 10))
      default: Double(random.categorical([3, 3, 4]))
      }
    }
    #expect((Summaries.mean(draws) - mean).magnitude < 5 * (variance / Double(n)).squareRoot())
    #expect((Summaries.variance(draws) / variance - 1).magnitude < 0.05)
  }

  @Test func aSampleIsDistinct() {
    var random = RandomStream(seed: 3)
    let sample = random.sample(50, of: 60)
    #expect(Set(sample).count == 50)
    #expect(sample == sample.sorted())
  }
}
