@testable import Models
import Statistics
import Testing

struct CovariateFitTests {
  /// Customers of two kinds and of an age in decades; effects on purchases and on dropout.
  static func simulated(_ count: Int, _ model: PurchaseModel, seed: UInt64) -> (summary: PurchaseSummary, z: [[Double]]) {
    var random = RandomStream(seed: seed)
    var (s, z) = (PurchaseSummary(x: [], tx: [], T: []), [[Double]](repeating: [], count: 2))
    for _ in 0..<count {
      let (kind, age) = (random.uniform() < 0.4 ? 1.0 : 0, Double(random.integer(below: 5)))
      z[0].append(kind)
      z[1].append(age)
      let T = 60 + (random.uniform() * 60).rounded(.down)
      let rate = random.gamma(shape: 0.8, rate: 10 * Portable.exp(-(0.7 * kind - 0.1 * age)))
      let more = Portable.exp(0.5 * kind + 0.2 * age)
      if model == .paretoNBD {
        let life = random.exponential(rate: random.gamma(shape: 0.9, rate: 60 / more))
        add(&s, rate: rate, until: min(life, T), age: T, &random)
      } else {
        let p = random.beta(0.7 * more, 3 * more)
        add(&s, rate: model == .mbgNBD && random.uniform() < p ? 0 : rate, dropout: p, age: T, &random)
      }
    }
    return (s, z)
  }

  static let effects = [0.7, -0.1, 0.5, 0.2]

  @Test(arguments: CovariateFit.models)
  func recovery(model: PurchaseModel) throws {
    let (s, z) = Self.simulated(20_000, model, seed: 41)
    let fit = try CovariateFit.fit(model, s, covariates: z, names: ["kind", "age"])
    #expect(fit.converged && fit.diagnoses == [])
    #expect(fit.gradientNorm < 1e-9)
    let errors = try #require(fit.standardErrors)
    for (i, known) in Self.effects.enumerated() {
      #expect((fit.effects[i] - known).magnitude < 4 * errors.effects[i], "\(i): \(fit.effects[i]) ± \(errors.effects[i])")
    }
    let truth = model == .paretoNBD ? [0.8, 10, 0.9, 60] : [0.8, 10, 0.7, 3]
    for (i, known) in truth.enumerated() { #expect((fit.parameters[i] - known).magnitude < 4 * errors.parameters[i], "\(i)") }
    #expect(fit.likelihoodRatio.statistic > 100 && fit.likelihoodRatio.pValue < 1e-10)
    // ℓ is the sum over customers at their own parameters.
    let θ = fit.parameters.map(Portable.log) + fit.effects
    var sum = 0.0
    for i in 0..<s.count {
      let own = CovariateFit.rows(model, z.map { $0[i] }).map { row in Portable.exp(zip(row, θ).reduce(0) { $0 + $1.0 * $1.1 }) }
      let predictor = model.predictor(own) as! any HistoryLikelihood
      sum += predictor.logLikelihood(x: s.x[i], tx: s.tx[i], T: s.T[i])
    }
    #expect(relative(sum, fit.logLikelihood) < 1e-11)
  }

  /// With a weak prior the posterior's slope vanishes where the search ends, and little changes where customers are many.
  @Test(arguments: CovariateFit.models)
  func weakPrior(model: PurchaseModel) throws {
    let (s, z) = Self.simulated(3000, model, seed: 47)
    let plain = try CovariateFit.fit(model, s, covariates: z, names: ["kind", "age"])
    let fit = try CovariateFit.fit(model, s, covariates: z, names: ["kind", "age"], prior: WeakPrior())
    #expect(fit.converged && fit.logLikelihood <= plain.logLikelihood && fit.logLikelihood > plain.logLikelihood - 0.5)
    #expect(fit.parameters != plain.parameters && fit.effects != plain.effects)
    let θ = fit.parameters.map(Portable.log) + fit.effects
    let (value, slopes) = try CovariateFit.evaluate(model, s, z, at: θ)
    #expect(relative(value, fit.logLikelihood) < 1e-12)
    let age = Portable.log(Summaries.mean(s.T))
    let centers = [0, age, 0, model == .paretoNBD ? age : 0, 0, 0, 0, 0]
    let spreads = z.map { Summaries.variance($0, dropped: 0) }
    for i in θ.indices {
      // Per standard deviation of the covariate, whose effect is that times the spread.
      let precision = (i < 4 ? 1 : spreads[(i - 4) % 2]) / 9
      #expect((slopes[i] - precision * (θ[i] - centers[i])).magnitude < 1e-5 * Double(s.count).squareRoot(), "\(i): \(slopes[i])")
    }
  }

  /// A covariate that has nothing to do with it: small effects, and a test that does not see them.
  @Test func nothingToSay() throws {
    let s = Self.simulated(4000, .bgNBD, seed: 3).summary
    var random = RandomStream(seed: 8)
    let fit = try CovariateFit.fit(.bgNBD, s, covariates: [(0..<s.count).map { _ in random.uniform() < 0.5 ? 1 : 0 }], names: ["coin"])
    let errors = try #require(fit.standardErrors)
    #expect(zip(fit.effects, errors.effects).allSatisfy { $0.magnitude < 4 * $1 })
    #expect(fit.likelihoodRatio.pValue > 1e-3)
    #expect(fit.logLikelihood >= fit.plainLogLikelihood)
  }

  @Test(arguments: CovariateFit.models)
  func derivatives(model: PurchaseModel) throws {
    let (s, z) = Self.simulated(400, model, seed: 6)
    let θ = [-0.3, 2.5, -0.2, model == .paretoNBD ? 3.9 : 1.2, 0.5, 0.05, -0.3, 0.1]
    let gradient = try CovariateFit.evaluate(model, s, z, at: θ).gradient
    for i in θ.indices {
      var (up, down) = (θ, θ)
      up[i] += 1e-5
      down[i] -= 1e-5
      let slope = (try CovariateFit.evaluate(model, s, z, at: up).value - CovariateFit.evaluate(model, s, z, at: down).value) / 2e-5
      #expect(relative(slope, gradient[i]) < 1e-5, "\(i): \(slope), not \(gradient[i])")
    }
  }

  @Test func oneForAll() {
    let (s, z) = Self.simulated(400, .bgNBD, seed: 6)
    do {
      _ = try CovariateFit.fit(.bgNBD, s, covariates: [z[0], z[0].map { _ in 3 }], names: ["kind", "three"])
      Issue.record("a fit came out of nothing")
    } catch {
      #expect("\(error)" == "BG/NBD cannot be fitted with covariate \"three\": it is the same for all customers; leave it out")
    }
    // Twice the same: no curvature between them.
    let twice = try? CovariateFit.fit(.bgNBD, s, covariates: [z[0], z[0]], names: ["kind", "again"])
    #expect(twice == nil || twice!.covariance == nil || twice!.diagnoses.isEmpty == false || twice!.standardErrors!.effects[0] > 1)
  }
}
