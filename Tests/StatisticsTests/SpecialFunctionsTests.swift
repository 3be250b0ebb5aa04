import Foundation
import Statistics
import Testing

/// Every function against mpmath (Tests/ReferenceValues/special_functions.json).
struct SpecialFunctionsTests {
  struct Row: CustomStringConvertible, Sendable, Decodable {
    var name: String
    var arguments: [Double]
    var value: Double

    init(from decoder: any Decoder) throws {
      var row = try decoder.unkeyedContainer()
      name = try row.decode(String.self)
      arguments = try row.decode([Double].self)
      value = try row.decode(Double.self)
    }

    var description: String { "\(name)(\(arguments.map { "\($0)" }.joined(separator: ", "))) = \(value)" }
  }

  static let rows: [Row] = {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("ReferenceValues/special_functions.json")
    // JSONDecoder reads doubles exactly; JSONSerialization does not.
    struct Document: Decodable { var rows: [Row] }
    return try! JSONDecoder().decode(Document.self, from: Data(contentsOf: file)).rows
  }()

  /// Relative error allowed, in units of 2⁻⁵²; wider where the argument's own rounding is magnified.
  static let tolerance: [String: Double] = [
    "exp": 1, "log": 1, "log1p": 1, "expm1": 1.5, "pow": 1, "logGamma": 4, "digamma": 8, "trigamma": 8, "logBeta": 16,
    "gammaP": 64, "gammaQ": 64, "betaI": 128, "erf": 4, "erfc": 64, "normalCdf": 64, "normalQuantile": 16,
  ]

  @Test(arguments: ["exp", "log", "log1p", "expm1", "pow", "logGamma", "digamma", "trigamma", "logBeta", "gammaP", "gammaQ", "betaI", "erf", "erfc", "normalCdf", "normalQuantile"])
  func agreesWithMpmath(name: String) throws {
    let rows = Self.rows.filter { $0.name == name }
    #expect(rows.count >= 8)
    let allowed = Self.tolerance[name]! * 0x1p-52
    for row in rows {
      let x = row.arguments
      let value =
        switch name {
        case "exp": Portable.exp(x[0])
        case "log": Portable.log(x[0])
        case "log1p": Portable.log1p(x[0])
        case "expm1": Portable.expm1(x[0])
        case "pow": Portable.pow(x[0], x[1])
        case "logGamma": Special.logGamma(x[0])
        case "digamma": Special.digamma(x[0])
        case "trigamma": Special.trigamma(x[0])
        case "logBeta": Special.logBeta(x[0], x[1])
        case "gammaP": Special.gammaP(x[0], x[1])
        case "gammaQ": Special.gammaQ(x[0], x[1])
        case "betaI": Special.betaI(x[0], x[1], x[2])
        case "erf": Normal.erf(x[0])
        case "erfc": Normal.erfc(x[0])
        case "normalCdf": Normal.cdf(x[0])
        default: Normal.quantile(x[0])
        }
      // Subnormal results are exact to their last place, not to 2⁻⁵²; ψ crosses zero at 1.4616.
      let floor = name == "digamma" ? 1e-15 : name == "normalQuantile" ? 1e-16 : Double.leastNonzeroMagnitude
      let error = (value - row.value).magnitude / max(row.value.magnitude, 1e-300)
      #expect(
        error <= allowed || (value - row.value).magnitude <= floor,
        "\(row), found \(value), off by \(error / 0x1p-52) units")
    }
  }

  @Test func edges() {
    #expect(Portable.exp(.infinity) == .infinity)
    #expect(Portable.exp(-.infinity) == 0)
    #expect(Portable.exp(710) == .infinity)
    #expect(Portable.exp(-746) == 0)
    #expect(Portable.exp(.nan).isNaN)
    #expect(Portable.exp(0) == 1)
    #expect(Portable.log(0) == -.infinity)
    #expect(Portable.log(-1).isNaN)
    #expect(Portable.log(.infinity) == .infinity)
    #expect(Portable.log(1) == 0)
    #expect(Portable.log1p(-1) == -.infinity)
    #expect(Portable.log1p(-2).isNaN)
    #expect(Portable.log1p(0) == 0)
    #expect(Portable.expm1(-1000) == -1)
    #expect(Portable.expm1(1000) == .infinity)
    #expect(Portable.pow(0, 0) == 1)
    #expect(Portable.pow(0, -1) == .infinity)
    #expect(Portable.pow(-0.0, -1) == -.infinity)
    #expect(Portable.pow(-2, 3) == -8)
    #expect(Portable.pow(-2, 0.5).isNaN)
    #expect(Portable.pow(2, 5000) == .infinity)
    #expect(Portable.pow(2, -5000) == 0)
    #expect(Portable.pow(0.5, .infinity) == 0)
    #expect(Portable.sigmoid(-800) == 0)
    #expect(Portable.sigmoid(800) == 1)
    #expect(Portable.softplus(1e300) == 1e300)
    #expect(Portable.logAddExp(-.infinity, -.infinity) == -.infinity)
    #expect(Portable.logAddExp(-.infinity, 2) == 2)
    #expect(Special.logGamma(1) == 0)
    #expect(Special.logGamma(0) == .infinity)
    #expect(Special.betaI(0, 1, 2) == 0)
    #expect(Special.betaI(1, 1, 2) == 1)
  }

  /// exp and log next to libm over a dense sweep: at most one unit apart, and exp never decreases.
  @Test func sweepAgainstLibm() {
    var random = RandomStream(seed: 7)
    for _ in 0..<200_000 {
      let x = (random.uniform() - 0.5) * 1400
      let (ours, theirs) = (Portable.exp(x), Foundation.exp(x))
      #expect((ours - theirs).magnitude <= theirs.ulp, "exp(\(x))")
      let y = Portable.exp((random.uniform() - 0.5) * 40)
      #expect((Portable.log(y) - Foundation.log(y)).magnitude <= max(Foundation.log(y).ulp, 1e-300), "log(\(y))")
      #expect((Portable.log1p(y) - Foundation.log1p(y)).magnitude <= Foundation.log1p(y).ulp, "log1p(\(y))")
    }
  }

  /// Four at a time give the bits that one at a time gives.
  @Test func lanes() {
    var random = RandomStream(seed: 11)
    for _ in 0..<20_000 {
      let x = SIMD4((0..<4).map { _ in 1400 * random.uniform() - 700 })
      let exps = Portable.exp(x)
      for i in 0..<4 { #expect(exps[i] == Portable.exp(x[i])) }
      let y = SIMD4((0..<4).map { _ in Portable.exp(1400 * random.uniform() - 700) * (1 + random.uniform()) })
      let logs = Portable.log(y)
      for i in 0..<4 { #expect(logs[i] == Portable.log(y[i])) }
    }
    let ends = Portable.exp(SIMD4(-1e300, 1e300, 0, -708))
    #expect(ends[0] > 0 && ends[1] < .infinity && ends[2] == 1)
    #expect(Portable.log(SIMD4(1, 2, 0.5, 1e-300))[0] == 0)
  }
}
