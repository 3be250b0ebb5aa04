import Columns
import Foundation
import Models
import Pipelines
import Testing

@testable import Stages

private func day(_ text: String) -> Int32 { Int32(CivilDate(text)!.days) }

private let purchases = batch(
  ("who", .strings(["b", "a", "b", "b", "b", "c", nil])), ("order", .strings(["1", "2", "3", "4", "5", "6", "7"])),
  ("day", .dates(["2011-01-01", "2011-01-02", "2011-01-01", "2011-01-08", "2011-01-15", "2011-01-20", "2011-01-01"].map(day))),
  ("amount", .decimals([100, 200, 50, 300, 500, 900, 1], precision: 8, scale: 2)))

private let roles: [JSONMember] = [
  JSONMember("customer", "who"), JSONMember("at", "day"), JSONMember("amount", "amount"), JSONMember("order", "order"),
]

@Test func customersInFigures() throws {
  let result = try runStage(RFM.self, .object(roles + [JSONMember("until", "2011-01-15")]), [.table("table", purchases)])
  #expect(result.table().schema.names == [
    "customer", "frequency", "recency", "age", "monetary", "orders", "revenue", "since_last", "first", "last",
  ])
  #expect(result.rows() == [
    ["a", "0", "0.0", "13.0", "0.0", "1", "2.00", "13.0", "2011-01-02", "2011-01-02"],
    ["b", "2", "14.0", "14.0", "4.0", "4", "9.50", "0.0", "2011-01-01", "2011-01-15"],
  ])
  #expect(result.metrics["rows_after_last_day"] == 1 && result.metrics["rows_without_customer"] == 1)
  #expect(result.warnings.map(\.message) == ["1 row without \"who\" left out"])
}

@Test func theAmountMayBeAnExpression() throws {
  let roles: [JSONMember] = [JSONMember("customer", "who"), JSONMember("at", "day"), JSONMember("amount", "amount + amount * 0.5")]
  let result = try runStage(RFM.self, .object(roles), [.table("table", purchases)])
  #expect(result.rows().map { [$0[0], $0[4], $0[6]] } == [["a", "0.0", "3.000"], ["b", "6.0", "14.250"], ["c", "0.0", "13.500"]])
  let found = mistakes(of: RFM.self, ["customer": "who", "at": "day", "amount": "amount * pice"], [.table("table", purchases)])
  #expect(found.count == 1 && found[0].contains("\"pice\""))
  let texts = mistakes(of: RFM.self, ["customer": "who", "at": "day", "amount": "upper(who)"], [.table("table", purchases)])
  #expect(texts.count == 1 && texts[0].contains("an amount is a number") && texts[0].contains("/amount"))
}

@Test func whatComesAfterIsTheHoldout() throws {
  let result = try runStage(
    RFM.self, .object(roles + [JSONMember("until", "2011-01-08"), JSONMember("holdout", "2011-01-22"), JSONMember("unit", "week")]),
    [.table("table", purchases)])
  #expect(result.rows("holdout") == [["a", "0", "0.00", "2.0"], ["b", "1", "5.00", "2.0"]])
  #expect(result.rows().map { $0[3] } == ["\(6.0 / 7)", "1.0"])
  #expect(result.metrics["customers_only_in_holdout"] == 1)
}

@Test func equalValuesGetEqualScores() throws {
  let result = try runStage(RFM.self, .object(roles + [JSONMember("scores", true)]), [.table("table", purchases)])
  let scores = result.table()
  #expect(scores["r_score"].allValues == [.int(1), .int(3), .int(5)])
  #expect(scores["f_score"].allValues[0] == scores["f_score"].allValues[2])
  #expect(result.warnings.contains { $0.message.contains("quantile edges of \"orders\" repeat and are merged") })
}

@Test func mistakesOfRFMAreToldTogether() {
  let found = mistakes(
    of: RFM.self,
    ["customer": "wh", "at": "amount", "amount": "who", "holdout": "2011-01-01", "scores": ["by": "edges"], "segments": ["[1-": "x"]],
    [.table("table", purchases)])
  #expect(found.count == 7)
}

@Test func emptyTablesGiveEmptyTables() throws {
  let result = try runStage(RFM.self, .object(roles + [JSONMember("scores", true)]), [.table("table", purchases.slice(0..<0))])
  #expect(result.rows().isEmpty && result.metrics["customers"] == 0 && result.metrics["until"] == .null)
}

@Test func cdnowInWeeks() throws {
  guard let data = sharedFolder().flatMap({ FileManager.default.contents(atPath: $0 + "/data/cdnow/CDNOW_sample.txt") }) else { return }
  var customers: [Int32] = [], days: [Int32] = [], amounts: [Int64] = []
  for line in String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline) {
    let fields = line.split(separator: " ")
    customers.append(Int32(fields[1])!)
    let date = Int(fields[2])!
    days.append(Int32(CivilDate(year: date / 10_000, month: date / 100 % 100, day: date % 100).days))
    amounts.append(Int64((Double(fields[4])! * 100).rounded()))
  }
  let table = batch(("id", .full(.int32, customers)), ("at", .full(.date, days)), ("spend", .full(.decimal(precision: 8, scale: 2), amounts)))
  let result = try runStage(
    RFM.self, ["customer": "id", "at": "at", "amount": "spend", "unit": "week", "until": "1997-09-30", "holdout": "1998-06-30"],
    [.table("table", table)])
  let expected = try #require(try expectedAnswers("cdnow_sample.json")?["weekly"]?["rfm"])
  try compare(result.table(), with: expected)
}

@Test func onlineRetailFromRawRowsToSegments() throws {
  guard let rows = OnlineRetail.rows, let cleaning = try expectedAnswers("online_retail_II_cleaning.json"),
    let daily = try expectedAnswers("online_retail_II_daily.json"), let named = try expectedAnswers("online_retail_II_segments.json")
  else { return }
  let clean = try runStage(
    Clean.self,
    [
      "require": ["customer"], "keep": ["NOT starts_with(invoice, 'C')", "quantity > 0", "price > 0"], "distinct": true,
      "amount": "quantity * price",
    ], [.table(partitions: [("", rows)])])
  let removed = try #require(clean.metrics["removed"]?.members?.map { $0.value.int ?? -1 })
  let steps = try #require(cleaning["cleaning_steps"]?.array?.map { $0["rows"]?.int ?? -1 })
  #expect(removed == zip(steps, steps.dropFirst()).map { $0 - $1 })
  #expect(clean.metrics["rows_kept"] == cleaning["clean"]?["rows"])
  #expect(clean.metrics["amount_kept"] == cleaning["clean"]?["amount_sum"])
  #expect(clean.metrics["amount_in"] == cleaning["raw"]?["amount_sum"])

  let parts = clean.context.tables.filter { $0.output == "table" }.map { (key: $0.partition, batches: $0.batches) }
  let valued = try runStage(FeatureEngineer.self, ["derive": ["revenue": "quantity * price"]], [.table(partitions: parts)])
  let customers = try runStage(
    RFM.self,
    [
      "customer": "customer", "at": "at", "amount": "revenue", "order": "invoice", "until": "2011-12-09", "scores": ["ties": "rank"],
    ], [.table("table", valued.table())])
  try compare(customers.table(), with: try #require(daily["rfm"]))

  for (column, known) in [("rfm_segment", "counts"), ("rfm_score", "score_counts_RFM")] {
    var counts: [String: Int] = [:]
    for value in customers.table()[column].allValues { counts[value.description, default: 0] += 1 }
    let wanted = try #require(named["rfm_segments"]?[known]?.members)
    #expect(counts.count == wanted.count)
    for member in wanted { #expect(counts[member.key] == member.value.int, "\(member.key)") }
  }
  try compareClusters(of: customers.table(), with: named)
}

/// scikit-learn's inertia of k-means for 2 to 8 clusters, and SciPy's heights of the tree of the first 2,000 customers.
private func compareClusters(of customers: Batch, with known: JSONValue) throws {
  // Its recency counts to two days after the last one.
  let columns = [customers["since_last"].doubles().map { $0 + 1 }, customers["orders"].doubles(), customers["revenue"].doubles()]
    .map(Scaling.logStandard.apply)
  let kmeans = try #require(known["kmeans"])
  for (row, cells) in try #require(kmeans["first5_rows"]?.array).enumerated() {
    for (column, cell) in zip(columns, cells.array ?? []) { #expect(close(column[row], cell.double ?? .nan)) }
  }
  for row in try #require(kmeans["scan"]?.array) {
    let k = try #require(row["k"]?.int), inertia = try #require(row["inertia_n_init_10"]?.double)
    let result = KMeans(k: k, seed: 1).fit(columns)
    #expect(result.inertia <= inertia * (1 + 1e-6), "k = \(k): \(result.inertia), not \(inertia)")
  }
  for method in Linkage.Method.allCases {
    let wanted = try #require(known["ward"]?[method.rawValue])
    let tree = Linkage(method).fit(columns.map { Array($0.prefix(2000)) })
    let heights = tree.dendrogram.merges.map(\.height)
    #expect(close(heights.reduce(0, +), wanted["sum_of_heights"]?.double ?? .nan), "\(method)")
    for (height, cell) in zip(heights.reversed(), try #require(wanted["top10_heights_descending"]?.array)) {
      #expect(close(height, cell.double ?? .nan), "\(method)")
    }
    var sizes = [Int](repeating: 0, count: 8)
    for label in tree.labels(8) { sizes[Int(label)] += 1 }
    #expect(sizes.sorted() == wanted["sizes_cut_8_sorted"]?.array?.map { $0.int ?? -1 }, "\(method)")
  }
}

/// First 20, last 5, and the aggregates of every column.
private func compare(_ table: Batch, with expected: JSONValue) throws {
  let columns = ["frequency", "recency", "age", "monetary"].map { table[$0].doubles() }
  let ids = (0..<table.count).map { Int(table["customer"].value(at: $0).description) ?? -1 }
  func check(_ rows: [JSONValue], from start: Int) {
    for (at, row) in rows.enumerated() {
      let cells = row.array ?? []
      #expect(ids[start + at] == cells[0].int)
      for (column, cell) in zip(columns, cells.dropFirst()) { #expect(close(column[start + at], cell.double ?? .nan), "row \(start + at)") }
    }
  }
  let first = try #require(expected["first20"]?.array), last = try #require(expected["last5"]?.array)
  #expect(table.count == expected["customers"]?.int)
  check(first, from: 0)
  check(last, from: table.count - last.count)
  for (column, name) in zip(columns, ["frequency", "recency", "T", "monetary_value"]) {
    let known = try #require(expected["aggregates"]?[name])
    #expect(close(column.reduce(0, +), known["sum"]?.double ?? .nan), "\(name)")
    #expect(close(column.max() ?? .nan, known["max"]?.double ?? .nan), "\(name)")
  }
}

private func close(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= 1e-9 * max(abs(a), abs(b), 1e-300) }

private func expectedAnswers(_ name: String) throws -> JSONValue? {
  guard let data = sharedFolder().flatMap({ FileManager.default.contents(atPath: $0 + "/data/expected/" + name) }) else { return nil }
  return try JSONReader.read([UInt8](data), file: name).value
}

@Test(arguments: ["ten", "eleven"])
func usualMapsNameEveryScoreOnce(map: String) throws {
  let segments = try #require(RFMMap(rawValue: map)).segments
  #expect(Set(segments.map(\.value)).count == (map == "ten" ? 10 : 11))
  #expect(RFMSegments.uncovered(segments, bins: (5, 5, 5)) == [])
  #expect(RFMSegments.mistakes(segments, bins: (5, 5, 5)) == [])
  for r in 1...5 {
    for f in 1...5 {
      let fitting = segments.filter { zip(RFMSegments.parse($0.name)!, [r, f]).allSatisfy { $0.contains($1) } }
      #expect(fitting.count == 1, "R \(r), F \(f): \(fitting.map(\.value))")
    }
  }
}

@Test func patternsThatNobodyFitsAreMistakes() throws {
  let found = mistakes(
    of: RFM.self,
    .object(
      roles + [
        JSONMember("scores", true),
        JSONMember("segments", ["[4-5].": "good", "5[4-5]": "best", "..": "rest", "6.": "more"]),
      ]),
    [.table("table", purchases)])
  #expect(found.count == 2)
  #expect(found.first?.contains("nobody can be \"best\": earlier patterns take every score of \"5[4-5]\"") == true)
  #expect(found.last?.contains("nobody can be \"more\": there are no scores \"6.\"") == true)
}

@Test func scoresWithoutANameAreTold() throws {
  let result = try runStage(
    RFM.self, .object(roles + [JSONMember("scores", true), JSONMember("segments", ["[2-5].": "good", "1[2-5]": "old"])]),
    [.table("table", purchases)])
  #expect(result.warnings.contains { $0.message == "1 of 25 scores of R and F have no name and become \"other\": 11" })
  let eleven = try runStage(
    RFM.self, .object(roles + [JSONMember("scores", true), JSONMember("segments", "eleven")]), [.table("table", purchases)])
  #expect(!eleven.warnings.contains { $0.message.contains("no name") })
}
