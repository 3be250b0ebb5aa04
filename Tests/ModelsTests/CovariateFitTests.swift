@testable import Models
import Statistics
import Testing

struct CovariateFitTests {
  /// Customers of two kinds and of an age in decades; effects on purchases and on dropout.
  static func simulated(_ count: Int, _ model: PurchaseModel, seed: UInt64) -> Customers {
    var random = RandomStream(seed: seed)
    var (s, z) = (PurchaseSummary(x: [], tx: [], T: []), [[Double]](repeating: [], count: 2))
    var logGaps = 0.0
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
      } else if model == .nbd {
        add(&s, rate: rate, until: T, age: T, &random)
      } else if let o = Self.regular[model] {
        let p = random.beta(0.7 * more, 3 * more)
        logGaps += addRegular(&s, rate: rate, dropout: p, atOnce: o && random.uniform() < p, age: T, &random)
      } else {
        let p = random.beta(0.7 * more, 3 * more)
        add(&s, rate: model == .mbgNBD && random.uniform() < p ? 0 : rate, dropout: p, age: T, &random)
      }
    }
    return Customers(summary: s, z: z, logGaps: logGaps, stages: Self.regular[model] == nil ? 1 : 2)
  }

  struct Customers {
    var summary: PurchaseSummary, z: [[Double]]
    /// Of regular buyers.
    var logGaps: Double, stages: Int
  }

  /// Purchases that take two stages, for models of them; whether a customer may leave at once.
  private static let regular: [PurchaseModel: Bool] = [.bgCNBDk: false, .mbgCNBDk: true]

  /// One such customer; the sum of the logarithms of the times between its purchases.
  private static func addRegular(
    _ s: inout PurchaseSummary, rate: Double, dropout: Double, atOnce: Bool, age: Double, _ random: inout RandomStream
  ) -> Double {
    var (now, last, x, logs) = (0.0, 0.0, 0.0, 0.0)
    while !atOnce {
      now += random.gamma(shape: 2, rate: rate)
      if now > age { break }
      logs += Portable.log(now - last)
      (x, last) = (x + 1, now)
      if random.uniform() < dropout { break }
    }
    s.x.append(x)
    s.tx.append(last)
    s.T.append(age)
    return logs
  }

  static func effects(_ model: PurchaseModel) -> [Double] { model == .nbd ? [0.7, -0.1] : [0.7, -0.1, 0.5, 0.2] }

  /// ℓ of one model without covariates, what the times between purchases add left out.
  static func plain(_ model: PurchaseModel, _ data: GroupedSummary, _ stages: Int, _ p: [Double]) -> Double {
    switch model {
    case .mbgNBD: MBGNBD.logLikelihood(data, at: .init(p))
    case .paretoNBD: ParetoNBD.logLikelihood(data, at: .init(p))
    case .nbd: NBD.logLikelihood(data, at: .init(p))
    case .bgCNBDk, .mbgCNBDk: RegularBuyers.evaluate(data, stages, model == .mbgCNBDk ? 1 : 0, p).value
    default: BGNBD.logLikelihood(data, at: .init(p))
    }
  }

  @Test(arguments: CovariateFit.models)
  func recovery(model: PurchaseModel) throws {
    let known = Self.simulated(20_000, model, seed: 41), (s, z) = (known.summary, known.z)
    let fit = try CovariateFit.fit(model, s, covariates: z, names: ["kind", "age"], logGaps: known.logGaps)
    #expect(fit.converged && fit.diagnoses == [])
    // NBD ends where the value shows no more gain, at 5e-8; the others take one more step.
    #expect(fit.gradientNorm < (model == .nbd ? 1e-6 : 1e-9))
    let errors = try #require(fit.standardErrors)
    #expect(fit.effects.count == Self.effects(model).count && fit.stages == known.stages && fit.tried.count == (known.stages == 1 ? 0 : 3))
    for (i, known) in Self.effects(model).enumerated() {
      #expect((fit.effects[i] - known).magnitude < 4 * errors.effects[i], "\(i): \(fit.effects[i]) ± \(errors.effects[i])")
    }
    let truth = model == .paretoNBD ? [0.8, 10, 0.9, 60] : model == .nbd ? [0.8, 10] : [0.8, 10, 0.7, 3]
    for (i, known) in truth.enumerated() { #expect((fit.parameters[i] - known).magnitude < 4 * errors.parameters[i], "\(i)") }
    #expect(fit.likelihoodRatio.statistic > 100 && fit.likelihoodRatio.pValue < 1e-10)
    // ℓ is the sum over customers at their own parameters.
    let θ = fit.parameters.map(Portable.log) + fit.effects
    var sum = fit.stages == 1 ? 0 : RegularBuyers.spacing(try GroupedSummary(s), k: fit.stages, logGaps: known.logGaps)
    for i in 0..<s.count {
      let own = CovariateFit.rows(model, z.map { $0[i] }).map { row in Portable.exp(zip(row, θ).reduce(0) { $0 + $1.0 * $1.1 }) }
      sum += Self.plain(model, try GroupedSummary(PurchaseSummary(x: [s.x[i]], tx: [s.tx[i]], T: [s.T[i]])), fit.stages, own)
    }
    #expect(relative(sum, fit.logLikelihood) < 1e-11)
  }

  /// With a weak prior the posterior's slope vanishes where the search ends, and little changes where customers are many.
  @Test(arguments: CovariateFit.models)
  func weakPrior(model: PurchaseModel) throws {
    let customers = Self.simulated(3000, model, seed: 47), (s, z, k) = (customers.summary, customers.z, customers.stages)
    let plain = try CovariateFit.fit(model, s, covariates: z, names: ["kind", "age"], k: k)
    let fit = try CovariateFit.fit(model, s, covariates: z, names: ["kind", "age"], k: k, prior: WeakPrior())
    #expect(fit.converged && fit.logLikelihood <= plain.logLikelihood && fit.logLikelihood > plain.logLikelihood - 0.5)
    #expect(fit.parameters != plain.parameters && fit.effects != plain.effects)
    let θ = fit.parameters.map(Portable.log) + fit.effects
    let (value, slopes) = try CovariateFit.evaluate(model, s, z, stages: k, at: θ)
    let spacing = k == 1 ? 0 : RegularBuyers.spacing(try GroupedSummary(s), k: k, logGaps: 0)
    #expect(relative(value + spacing, fit.logLikelihood) < 1e-12)
    let age = Portable.log(Summaries.mean(s.T))
    let n = fit.parameters.count
    let centers = Array([0, age, 0, model == .paretoNBD ? age : 0][..<n]) + fit.effects.map { _ in 0 }
    let spreads = z.map { Summaries.variance($0, dropped: 0) }
    for i in θ.indices {
      // Per standard deviation of the covariate, whose effect is that times the spread.
      let precision = (i < n ? 1 : spreads[(i - n) % 2]) / 9
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
    let customers = Self.simulated(400, model, seed: 6), (s, z, k) = (customers.summary, customers.z, customers.stages)
    let θ = model == .nbd ? [-0.3, 2.5, 0.5, 0.05] : [-0.3, 2.5, -0.2, model == .paretoNBD ? 3.9 : 1.2, 0.5, 0.05, -0.3, 0.1]
    let gradient = try CovariateFit.evaluate(model, s, z, stages: k, at: θ).gradient
    for i in θ.indices {
      var (up, down) = (θ, θ)
      up[i] += 1e-5
      down[i] -= 1e-5
      let slope = (try CovariateFit.evaluate(model, s, z, stages: k, at: up).value - CovariateFit.evaluate(model, s, z, stages: k, at: down).value) / 2e-5
      #expect(relative(slope, gradient[i]) < 1e-5, "\(i): \(slope), not \(gradient[i])")
    }
  }

  @Test func oneForAll() {
    let customers = Self.simulated(400, .bgNBD, seed: 6), (s, z) = (customers.summary, customers.z)
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

  /// Where no covariate changes anything ℓ is that of the plain model, and so are its slopes in the parameters.
  @Test(arguments: CovariateFit.models)
  func withoutEffect(model: PurchaseModel) throws {
    let customers = Self.simulated(500, model, seed: 12), (s, k) = (customers.summary, customers.stages)
    let p = model == .nbd ? [0.7, 12] : [0.7, 12, 0.9, model == .paretoNBD ? 50 : 4]
    let θ = p.map(Portable.log) + [Double](repeating: 0, count: Self.effects(model).count)
    let data = try GroupedSummary(s)
    let (value, slopes) = try CovariateFit.evaluate(model, s, customers.z, stages: k, at: θ)
    #expect(relative(value, Self.plain(model, data, k, p)) < 1e-13)
    for i in p.indices {
      var (up, down) = (p, p)
      up[i] *= 1 + 1e-5
      down[i] *= 1 - 1e-5
      #expect(relative((Self.plain(model, data, k, up) - Self.plain(model, data, k, down)) / 2e-5, slopes[i]) < 1e-5, "\(i)")
    }
  }

  /// A row with weight 3 is three customers; one with weight 0 is none.
  @Test(arguments: CovariateFit.models, [nil, WeakPrior()] as [WeakPrior?])
  func weights(model: PurchaseModel, prior: WeakPrior?) throws {
    let customers = Self.simulated(1500, model, seed: 19), (s, z, k) = (customers.summary, customers.z, customers.stages)
    var random = RandomStream(seed: 4)
    let weights = (0..<s.count).map { _ in Double(random.integer(below: 4)) }
    let rows = weights.indices.flatMap { [Int](repeating: $0, count: Int(weights[$0])) }
    func repeated(_ column: [Double]) -> [Double] { rows.map { column[$0] } }
    let weighted = try CovariateFit.fit(model, s, covariates: z, names: ["kind", "age"], weights: weights, k: k, prior: prior)
    let plain = try CovariateFit.fit(
      model, PurchaseSummary(x: repeated(s.x), tx: repeated(s.tx), T: repeated(s.T)), covariates: z.map(repeated), names: ["kind", "age"], k: k, prior: prior)
    #expect(weighted.converged && weighted.observations == Double(rows.count) && plain.observations == weighted.observations)
    #expect(relative(weighted.logLikelihood, plain.logLikelihood) < 1e-12 && relative(weighted.plainLogLikelihood, plain.plainLogLikelihood) < 1e-12)
    for (a, b) in zip(weighted.parameters + weighted.effects, plain.parameters + plain.effects) { #expect((a - b).magnitude < 1e-6 * (1 + b.magnitude)) }
    let (ours, theirs) = (try #require(weighted.standardErrors), try #require(plain.standardErrors))
    for (a, b) in zip(ours.parameters + ours.effects, theirs.parameters + theirs.effects) { #expect(relative(a, b) < 1e-5) }
  }

  /// From where a fit to fewer customers ended: the same maximum in fewer steps, also where a covariate is new.
  @Test(arguments: CovariateFit.models, [false, true])
  func earlier(model: PurchaseModel, isNew: Bool) throws {
    let customers = Self.simulated(3000, model, seed: 29), (s, z, gaps) = (customers.summary, customers.z, customers.logGaps)
    let names = ["kind", "age"]
    let part = PurchaseSummary(x: Array(s.x[..<2500]), tx: Array(s.tx[..<2500]), T: Array(s.T[..<2500]))
    let known = isNew ? 1 : 2
    let first = try CovariateFit.fit(
      model, part, covariates: z[..<known].map { Array($0[..<2500]) }, names: Array(names[..<known]), k: customers.stages)
    func padded(_ effects: [Double]) -> [Double] { effects.isEmpty ? [] : effects + [Double](repeating: 0, count: 2 - known) }
    let cold = try CovariateFit.fit(model, s, covariates: z, names: names, logGaps: gaps)
    let warm = try CovariateFit.fit(
      model, s, covariates: z, names: names, logGaps: gaps,
      from: .init(
        parameters: first.parameters, purchaseEffects: padded(first.purchaseEffects), dropoutEffects: padded(first.dropoutEffects), stages: first.stages))
    #expect(warm.converged && warm.stages == cold.stages && warm.tried.count == cold.tried.count)
    #expect((warm.logLikelihood - cold.logLikelihood).magnitude < 1e-7)
    let errors = try #require(cold.standardErrors)
    for ((a, b), error) in zip(zip(warm.parameters + warm.effects, cold.parameters + cold.effects), errors.parameters + errors.effects) {
      #expect((a - b).magnitude < 1e-5 * error, "\(a), not \(b)")
    }
    #expect(warm.evaluations < cold.evaluations, "\(warm.evaluations) after \(cold.evaluations)")
  }

  /// What scipy finds: `ReferenceValues/covariates.py`.
  @Test func asScipyFindsIt() throws {
    let known = try Reference.values("covariates.json"), customers = known["customers"]
    let s = PurchaseSummary(x: customers["x"].numbers, tx: customers["tx"].numbers, T: customers["T"].numbers)
    let z = [customers["kind"].numbers, customers["age"].numbers], weights = customers["weight"].numbers, logs = customers["log_gaps"].numbers
    var compared: Set<PurchaseModel> = []
    for told in known["fits"].items {
      guard case .text(let name) = told["model"] else { continue }
      let model = PurchaseModel(rawValue: name)!, isWeighted = told["weighted"].number == 1
      compared.insert(model)
      let k = Int(told["k"].number)
      let gaps = Summaries.sum(logs.indices.lazy.map { logs[$0] * (isWeighted ? weights[$0] : 1) })
      let fit = try CovariateFit.fit(
        model, s, covariates: z, names: ["kind", "age"], weights: isWeighted ? weights : nil, k: k, logGaps: gaps,
        prior: told["prior"].number == 1 ? WeakPrior() : nil)
      let errors = try #require(fit.standardErrors)
      #expect(fit.converged && (fit.logLikelihood - told["log_likelihood"].number).magnitude < 1e-6, "\(name): \(fit.logLikelihood)")
      for (own, reference) in zip(fit.parameters + fit.effects, told["parameters"].numbers + told["effects"].numbers) {
        #expect((own - reference).magnitude < 1e-5 * (reference.magnitude + 0.01), "\(name): \(own), not \(reference)")
      }
      for (own, reference) in zip(errors.parameters + errors.effects, told["errors"].numbers) { #expect(relative(own, reference) < 1e-4, "\(name)") }
    }
    #expect(compared == Set(CovariateFit.models))
    // The data speak for two stages, as scipy's three fits say.
    let chosen = try CovariateFit.fit(.bgCNBDk, s, covariates: z, names: ["kind", "age"], logGaps: Summaries.sum(logs))
    let byStages = known["fits"].items.filter { told in
      if case .text("bg-cnbd-k") = told["model"] { return told["weighted"].number == 0 && told["prior"].number == 0 }
      return false
    }.sorted { $0["k"].number < $1["k"].number }.map { $0["log_likelihood"].number }
    #expect(chosen.stages == 2 && zip(chosen.tried, byStages).allSatisfy { ($0 - $1).magnitude < 1e-6 } && chosen.tried.count == 3)
  }
}
