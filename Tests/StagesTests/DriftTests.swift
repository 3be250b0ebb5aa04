import Columns
import Models
import Pipelines
import Statistics
import Testing

@testable import Stages

@Suite struct DriftTests {
  static func customers(_ count: Int, shift: Double, seed: UInt64) -> RoomInput {
    var random = RandomStream(seed: seed)
    let frequency = (0..<count).map { _ in Int64(random.poisson(mean: 2 + shift)) as Int64? }
    let revenue = (0..<count).map { $0 % 50 == 0 ? nil : 100 + 20 * random.normal() }
    return .table(
      Batch(schema: Schema([Field("frequency", .int64), Field("revenue", .float64)]), columns: [.int64s(frequency), .float64s(revenue)], count: count))
  }

  private func row(_ table: Batch, _ subject: String) -> Int { table["subject"].allValues.firstIndex { $0.description == subject }! }

  @Test func features() throws {
    let same = try runRoom(Drift.self, [:], ["before": Self.customers(5000, shift: 0, seed: 1), "now": Self.customers(4000, shift: 0, seed: 2)])
    #expect(same.documents["report"] == ["alarm": false, "reasons": [], "questions": 2, "alarms": 0])
    #expect(same.tables["table"]!["value"].doubles().allSatisfy { $0 < 0.02 } && same.warnings == [])
    let moved = try runRoom(Drift.self, [:], ["before": Self.customers(5000, shift: 0, seed: 1), "now": Self.customers(4000, shift: 1.5, seed: 2)])
    let table = try #require(moved.tables["table"])
    #expect(table["value"].doubles()[row(table, "frequency")] > 0.5)
    #expect(table["value"].doubles()[row(table, "revenue")] < 0.02)
    #expect(moved.documents["report"]?["alarms"] == 1 && moved.metrics["alarm"] == true)
    #expect(moved.warnings.count == 1 && moved.warnings[0].hasPrefix("frequency is distributed otherwise than before: population stability "))
    #expect(moved.warnings[0].hasSuffix("; its median went from 2 to 3"))
  }

  /// Two classes: shares .5 and .5 before, .2 and .8 now.
  @Test func stabilityByHand() {
    let before = (0..<1000).map { $0 < 500 ? 0.0 : 1 }, now = (0..<1000).map { $0 < 200 ? 0.0 : 1 }
    let found = DriftFinding.stability(of: "x", before, now, 2, alarm: 0.25)
    let (p, q, none) = (500.5 / 1001.5, [200.5 / 1001.5, 800.5 / 1001.5], 0.5 / 1001.5)
    let expected = q.reduce(0) { $0 + ($1 - p) * Portable.log($1 / p) } + (none - none) * 1
    #expect((found.value! - expected).magnitude < 1e-12)
    #expect(found.isAlarm)
  }

  static func model(_ r: Double, _ alpha: Double, error: Double) -> RoomInput {
    .document(
      [
        "model": "nbd", "parameters": ["r": .double(r), "alpha": .double(alpha)], "units": ["time": "week"],
        "covariance": [[.double(error * error * r * r), 0], [0, .double(error * error * alpha * alpha)]],
      ], about: "model:nbd")
  }

  @Test func parameters() throws {
    func run(_ later: RoomInput) throws -> RoomRun { try runRoom(Drift.self, [:], ["earlier": Self.model(0.5, 10, error: 0.03), "later": later]) }
    let near = try run(Self.model(0.52, 10.1, error: 0.03))
    #expect(near.metrics["alarm"] == false && near.tables["table"]!.count == 3)
    let far = try run(Self.model(0.7, 10, error: 0.04))
    let table = try #require(far.tables["table"])
    let z = Portable.log(0.7 / 0.5) / 0.05
    #expect(relative(table["value"].doubles()[row(table, "r")], z) < 1e-12)
    #expect(relative(table["value"].doubles()[row(table, "all")], z * z) < 1e-12)
    #expect(far.warnings.count == 2 && far.warnings[0] == "r went from 0.5 to 0.7, 6.73 standard errors")
    #expect(
      complaints { try runRoom(Drift.self, ["fail": true], ["earlier": Self.model(0.5, 10, error: 0.03), "later": Self.model(0.7, 10, error: 0.04)]) }.count == 2)
  }

  /// Two fits of one law, and one of a cohort that buys twice as often: only the latter moved, and the reason names what.
  @Test(arguments: [("bg-nbd", 1.0, false), ("bg-nbd", 2, true), ("pareto-nbd", 1, false), ("pareto-nbd", 2, true)])
  func cohorts(model: String, factor: Double, alarm: Bool) throws {
    func cohort(_ factor: Double, seed: UInt64) throws -> RoomInput {
      var random = RandomStream(seed: seed)
      var (id, x, tx, T) = ([Int64](), [Int64?](), [Double?](), [Double?]())
      for i in 0..<4000 {
        let (rate, p) = (factor * random.gamma(shape: 0.8, rate: 10), random.beta(0.9, 3))
        let age = 40 + (random.uniform() * 60).rounded(.down)
        var (now, last, count) = (0.0, 0.0, 0)
        while true {
          now += random.exponential(rate: rate)
          if now > age { break }
          (last, count) = (now, count + 1)
          if random.uniform() < p { break }
        }
        id.append(Int64(i))
        x.append(Int64(count))
        tx.append(last)
        T.append(age)
      }
      let customers = LifetimeData.customers(id, x, tx, T, x.map { _ in 0 })
      let fit = try runRoom(Fit.self, ["model": .string(model)], ["customers": .table(customers, timeUnit: .week)])
      return .document(try #require(fit.documents["model"]), about: "model:\(model)")
    }
    let run = try runRoom(Drift.self, [:], ["earlier": cohort(1, seed: 5), "later": cohort(factor, seed: 6)])
    #expect(run.metrics["alarm"] == .bool(alarm), "\(run.warnings)")
    if alarm {
      #expect(run.warnings.contains { $0.hasPrefix("alpha went from ") && $0.hasSuffix(" standard errors") }, "\(run.warnings)")
      #expect(run.warnings.contains { $0.hasPrefix("the parameters together moved by more than their errors: Wald statistic ") })
    }
  }

  @Test func errors() throws {
    func run(_ bias: Double, _ coverage: Double) throws -> RoomRun {
      try runRoom(
        Drift.self, [:],
        [
          "metrics": .document(
            ["purchases": ["bias": .double(bias), "predicted_total": 80, "actual_total": 100], "interval": ["coverage": .double(coverage)]],
            about: "evaluation")
        ])
    }
    #expect(try run(-0.12, 0.93).metrics["alarm"] == false)
    #expect(
      try run(-0.3, 0.6).warnings == [
        "predicted purchases miss what happened by -30 %, limit 20 %", "only 60 % of the actual purchases lie in their intervals, limit 80 %",
      ])
  }

  @Test func mistakes() throws {
    #expect(complaints { try runRoom(Drift.self, [:], [:]) } == [
      "nothing is compared; expected \"before\" and \"now\", \"earlier\" and \"later\", or \"metrics\" connected"
    ])
    #expect(complaints { try runRoom(Drift.self, [:], ["now": Self.customers(10, shift: 0, seed: 1), "metrics": Self.model(1, 1, error: 1)]) } == [
      "\"now\" means nothing alone; expected input \"before\"",
      "input \"metrics\" is no evaluation; expected the metrics of evaluate; found a fitted nbd",
    ])
  }
}
