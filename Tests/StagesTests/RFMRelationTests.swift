import Columns
import Pipelines
import Statistics
import Testing

@testable import Stages

/// `rfm` describes itself as relational work; the local runner of relations makes of the description what the kernel makes.
@Suite struct RFMRelationTests {
  /// The description, run; and the table of the stage itself.
  private func both(_ settings: JSONValue, _ table: Batch) throws -> (described: Batch, made: Batch) {
    let result = try runStage(RFM.self, settings, [.table("table", table)])
    let relation = try #require(result.binding.relation)
    let schema = result.table().schema
    #expect(try relation.schema(["table": table.schema]) == schema)
    let context = BenchContext(width: 2, parameters: [:], files: [])
    return (try relation.rows(["table": RowStream(table)], context).whole(context), result.table())
  }

  /// Everything is equal, but sums and quotients of doubles may differ in their last places.
  private func compare(_ settings: JSONValue, _ table: Batch) throws {
    let (described, made) = try both(settings, table)
    #expect(described.count == made.count)
    guard described.count == made.count else { return }
    for (name, type) in zip(made.schema.names, made.schema.fields.map(\.type)) {
      if type == .float64 {
        let worst = zip(described[name].doubles(), made[name].doubles()).map { ($0 - $1).magnitude / max($0.magnitude, $1.magnitude, 1) }.max() ?? 0
        #expect(worst <= 1e-12, "\(name)")
      } else {
        #expect(described[name].allValues == made[name].allValues, "\(name)")
      }
    }
  }

  private static let roles: [JSONMember] = [JSONMember("customer", "who"), JSONMember("at", "when"), JSONMember("amount", "amount")]

  /// Random purchases: nulls everywhere, refunds, several rows a day, customers with one purchase.
  private static func purchases(_ seed: UInt64, _ amount: ColumnType, instants: Bool, rows: Int) -> Batch {
    var random = RandomStream(seed: seed)
    var who: [String?] = [], order: [String?] = [], days: [Int32?] = [], moments: [Int64?] = []
    var cents: [Int64?] = [], reals: [Double?] = []
    for _ in 0..<rows {
      who.append(random.uniform() < 0.03 ? nil : "c\(Int(random.exponential() * 30))")
      order.append(random.uniform() < 0.1 ? nil : "o\(random.integer(below: rows / 2))")
      let day = 14_900 + random.integer(below: 200)
      days.append(random.uniform() < 0.03 ? nil : Int32(day))
      moments.append(days[days.count - 1].map { Int64($0) * 86_400_000_000 + Int64(random.integer(below: 86_400_000_000 - 1)) })
      let pence = Int64(random.integer(below: 20_000)) - 2000
      cents.append(random.uniform() < 0.03 ? nil : pence)
      reals.append(cents[cents.count - 1].map { Double($0) / 100 })
    }
    let money: Column = amount == .float64 ? .float64s(reals) : amount == .int64 ? .int64s(cents) : .decimals(cents, precision: 8, scale: 2)
    return batch(
      ("who", .strings(who)), ("order", .strings(order)), ("when", instants ? .timestamps(moments) : .dates(days)), ("amount", money))
  }

  @Test(arguments: ["day", "week", "month"], [ColumnType.decimal(precision: 8, scale: 2), .int64, .float64])
  func theDescriptionIsTrue(period: String, amount: ColumnType) throws {
    for (seed, instants) in [(1, false), (2, true)] as [(UInt64, Bool)] {
      let table = Self.purchases(seed, amount, instants: instants, rows: 900)
      for unit in ["day", "week", "month", "year"] {
        let more: [JSONMember] = [JSONMember("period", .string(period)), JSONMember("unit", .string(unit))]
        try compare(.object(Self.roles + more), table)
        try compare(.object(Self.roles + more + [JSONMember("order", "order"), JSONMember("until", "2011-01-15")]), table)
      }
    }
  }

  @Test func anAmountThatIsComputed() throws {
    let roles: [JSONMember] = [JSONMember("customer", "who"), JSONMember("at", "when"), JSONMember("amount", "amount * 2 - 1")]
    try compare(.object(roles), Self.purchases(5, .int64, instants: true, rows: 700))
  }

  @Test func withHoldout() throws {
    try compare(
      .object(Self.roles + [JSONMember("order", "order"), JSONMember("until", "2010-12-31"), JSONMember("holdout", "2011-03-01")]),
      Self.purchases(3, .decimal(precision: 8, scale: 2), instants: true, rows: 900))
  }

  @Test(arguments: [0, 1]) func fewRows(rows: Int) throws {
    let table = Self.purchases(5, .int64, instants: false, rows: 10).slice(0..<rows)
    try compare(.object(Self.roles), table)
    try compare(.object(Self.roles + [JSONMember("order", "order"), JSONMember("until", "2009-01-01")]), table)
  }

  /// Quantiles of whole columns are no relational work.
  @Test func scoresAreNotDescribed() throws {
    let binding = try bindStage(
      RFM.self, .object(Self.roles + [JSONMember("order", "order"), JSONMember("scores", true)]),
      [.table("table", Self.purchases(1, .int64, instants: false, rows: 10))])
    #expect(binding.relation == nil)
  }

  /// What is used twice is one step, and the rows come out in the order of customers.
  @Test func asSQL() throws {
    let binding = try bindStage(
      RFM.self, .object(Self.roles + [JSONMember("order", "order"), JSONMember("until", "2011-01-15"), JSONMember("period", "week"), JSONMember("unit", "week")]),
      [.table("table", Self.purchases(1, .decimal(precision: 8, scale: 2), instants: true, rows: 10))])
    #expect(binding.relation?.sql() == """
      WITH step1 AS (
        SELECT * FROM "table" WHERE ("who" IS NOT NULL) AND ("when" IS NOT NULL) AND (CAST("when" AS DATE) <= DATE '2011-01-15') AND ("amount" IS NOT NULL)
      ),
      step2 AS (
        SELECT "who" AS "customer", CAST("when" AS DATE) AS "day", "amount" AS "amount", "order" AS "order" FROM step1
      ),
      step3 AS (
        SELECT "customer" AS "customer", date_trunc('week', "day") AS "period", min("day") AS "day", sum("amount") AS "revenue" FROM step2 GROUP BY "customer", date_trunc('week', "day")
      ),
      step4 AS (
        SELECT "customer" AS "customer", min("day") AS "first" FROM step3 GROUP BY "customer"
      ),
      step5 AS (
        SELECT a.*, b.* EXCLUDE ("customer") FROM step3 AS a JOIN step4 AS b ON a."customer" = b."customer"
      ),
      step6 AS (
        SELECT "customer" AS "customer", count(*) - 1 AS "frequency", min("first") AS "first", max("day") AS "last", sum("revenue") AS "revenue", sum(CASE WHEN "day" > "first" THEN "revenue" END) AS "repeats" FROM step5 GROUP BY "customer"
      ),
      step7 AS (
        SELECT "customer" AS "customer", count(DISTINCT "order") AS "orders" FROM step2 GROUP BY "customer"
      ),
      step8 AS (
        SELECT a.*, b.* EXCLUDE ("customer") FROM step6 AS a JOIN step7 AS b ON a."customer" = b."customer"
      ),
      step9 AS (
        SELECT "customer" AS "customer", "frequency" AS "frequency", CAST(date_diff('day', "first", "last") AS DOUBLE) / 7.0e0 AS "recency", CAST(date_diff('day', "first", DATE '2011-01-15') AS DOUBLE) / 7.0e0 AS "age", CASE WHEN "frequency" > 0 THEN CAST("repeats" AS DOUBLE) / "frequency" ELSE CAST(0 AS DOUBLE) END AS "monetary", "orders" AS "orders", "revenue" AS "revenue", CAST(date_diff('day', "last", DATE '2011-01-15') AS DOUBLE) / 7.0e0 AS "since_last", "first" AS "first", "last" AS "last" FROM step8
      )
      SELECT * FROM step9 ORDER BY "customer" NULLS LAST
      """)
  }
}
