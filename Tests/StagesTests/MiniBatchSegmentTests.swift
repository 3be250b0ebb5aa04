import Columns
import Pipelines
import Statistics
import Testing

@testable import Stages

@Suite struct MiniBatchSegmentTests {
  /// Customers in the order of three groups; some rows lack a number.
  static func customers(_ n: Int, holes: Bool = true) -> Batch {
    var random = RandomStream(seed: 11)
    let revenue = (0..<n).map { row in Portable.exp(Double(row * 3 / n * 2) + 0.3 * random.normal()) }
    let orders = (0..<n).map { row in Int64(1 + row * 3 / n * 4 + random.integer(below: 3)) }
    return SegmentTests.table([
      "customer": .strings((0..<n).map { "c\($0)" }), "revenue": .float64s((0..<n).map { holes && $0 % 97 == 5 ? nil : revenue[$0] }),
      "orders": .int64s((0..<n).map { holes && $0 % 101 == 7 ? nil : orders[$0] }), "w": .float64s((0..<n).map { Double($0 % 3) }),
    ])
  }

  static func settings(_ more: KeyValuePairs<String, JSONValue>) -> JSONValue {
    let standard: KeyValuePairs<String, JSONValue> = ["method": "mini-batch-k-means", "on": ["revenue", "orders"], "transform": "log1p", "batch": 8]
    return .object((standard.map { ($0.key, $0.value) } + more.map { ($0.key, $0.value) }).map { JSONMember($0.0, $0.1) })
  }

  static func cells(_ batch: Batch) -> [[String]] { (0..<batch.count).map { row in batch.columns.map { $0.value(at: row).description } } }

  @Test(arguments: [
    Written(["k": 3]), Written(["k": 3, "weight": "w"]), Written(["k": "auto", "most": 5]), Written(["k": 3, "scale": "min-max", "stability": 4]),
    Written(["k": 4, "scale": "none", "labels": ["a", "b", "c", "d"]]),
  ])
  func theSameBytesOfAnyBatchesAtAnyWidth(more: Written) throws {
    let rows = Self.customers(1_500)
    let settings = JSONValue.object((Self.settings([:]).members ?? []) + (more.json.members ?? []))
    func run(_ step: Int, partitions: Int, width: Int) throws -> (StageResult) {
      let pieces = stride(from: 0, to: rows.count, by: step).map { rows.slice($0..<min($0 + step, rows.count)) }
      let each = (pieces.count + partitions - 1) / partitions
      let parts = (0..<partitions).map { (key: "\($0)", batches: Array(pieces.dropFirst($0 * each).prefix(each))) }
      return try runStage(Segment.self, settings, [.table("table", partitions: parts)], width: width)
    }
    let first = try run(1_500, partitions: 1, width: 1)
    #expect(first.metrics["batches"]?.double ?? 0 > 32)
    for (step, partitions, width) in [(1_500, 1, 8), (1, 1, 2), (7, 4, 3), (400, 2, 1)] {
      let other = try run(step, partitions: partitions, width: width)
      for output in first.binding.outputs { #expect(other.rows(output.name) == first.rows(output.name), "\(output.name) of batches of \(step)") }
      #expect(other.metrics.json == first.metrics.json)
    }
  }

  /// Where all rows are in the first batches it is k-means: the same segments, the same profile.
  @Test(arguments: [Written([:]), Written(["weight": "w"]), Written(["scale": "none"]), Written(["scale": "min-max", "stability": 5])])
  func kMeansOfFewRows(more: Written) throws {
    let rows = Self.customers(400)
    let own = JSONValue.object((Self.settings(["k": 3, "batch": 13]).members ?? []).filter { $0.value != 8 } + (more.json.members ?? []))
    let other = JSONValue.object(
      [JSONMember("method", "k-means"), JSONMember("on", ["revenue", "orders"]), JSONMember("transform", "log1p"), JSONMember("k", 3)]
        + (more.json.members ?? []))
    let (a, b) = (
      try runRoom(Segment.self, own, ["table": .table(rows)]), try runRoom(Segment.self, other, ["table": .table(rows)])
    )
    #expect(Self.cells(a.tables["table"]!) == Self.cells(b.tables["table"]!))
    #expect(Self.cells(a.tables["profile"]!) == Self.cells(b.tables["profile"]!))
    #expect(a.warnings == b.warnings)
    #expect(relative(a.metrics["inertia"]!.double!, b.metrics["inertia"]!.double!) < 1e-12)
    #expect(a.metrics["silhouette"] == b.metrics["silhouette"])
  }

  /// Typical customers, means and numbers follow all rows, also where only some were drawn.
  @Test func profilesOfAllRows() throws {
    let run = try runRoom(Segment.self, Self.settings(["k": 3]), ["table": .table(Self.customers(1_500, holes: false))])
    let (rows, profile) = (run.tables["table"]!, run.tables["profile"]!)
    let (segments, revenue) = (rows["segment"].doubles(), rows["revenue"].doubles())
    #expect(profile["customers"].doubles() == [500, 500, 500])
    for segment in 1...3 {
      let own = zip(segments, revenue).filter { $0.0 == Double(segment) }.map(\.1)
      #expect(profile["revenue"].doubles()[segment - 1] == Summaries.mean(own))
      #expect(profile["median_revenue"].doubles()[segment - 1] == Summaries.median(own))
    }
    #expect(profile["revenue"].doubles() == profile["revenue"].doubles().sorted(by: >))
    #expect(profile["typical"].allValues.allSatisfy { $0.description.hasPrefix("c") })
  }

  @Test func keepsTheNamesOfABaseline() throws {
    let settings = Self.settings(["k": 3])
    let before = try runRoom(Segment.self, settings, ["table": .table(Self.customers(1_500))])
    let again = try runRoom(
      Segment.self, settings, ["table": .table(Self.customers(1_500)), "baseline": .table(before.tables["table"]!)])
    #expect(again.metrics["kept_names"] == 3)
    #expect(Self.cells(again.tables["table"]!) == Self.cells(before.tables["table"]!))
  }

  @Test(arguments: [
    (
      Written(["method": "mini-batch-k-means", "k": 70, "on": ["revenue"], "batch": 2, "linkage": "single"]),
      [
        "\"batch\" is too small for \"k\"; expected 3 or more; found 2; hint: the start is found on 32 batches",
        "\"linkage\" has no meaning for method \"mini-batch-k-means\"; hint: it belongs to hierarchical",
      ]
    ),
    (
      Written(["method": "k-means", "k": 2, "on": ["revenue"], "batch": 100]),
      ["\"batch\" has no meaning for method \"k-means\"; hint: it belongs to mini-batch-k-means"]
    ),
    (
      Written(["method": "mini-batch-k-means", "on": ["revenue"]]),
      ["method \"mini-batch-k-means\" needs \"k\"; expected a number of segments; hint: \"auto\" chooses one"]
    ),
    (
      Written(["method": "mini-batch-k-means", "on": ["revenue"], "k": "auto", "weight": "w", "stability": 5]),
      [
        "\"weight\" needs a number as \"k\"; hint: the rules that choose one take every row once",
        "\"weight\" and \"stability\" do not go together; hint: rows are drawn anew each as often as the others",
      ]
    ),
    (
      Written(["method": "tiers", "on": ["revenue"], "labels": ["a", "b"], "edges": [5], "stability": 10]),
      ["\"stability\" has no meaning with \"edges\"; hint: borders of one's own stay where they are, whoever is drawn"]
    ),
    (
      Written(["method": "rfm", "on": ["customer"], "stability": 10]),
      ["\"stability\" has no meaning for method \"rfm\"; hint: it belongs to clusters and tiers"]
    ),
  ] as [(Written, [String])])
  func mistakes(settings: Written, messages: [String]) {
    #expect(complaints { try runRoom(Segment.self, settings.json, ["table": .table(Self.customers(20))]) } == messages)
  }

  @Test(arguments: [
    ("no rows", [], nil, "no segments can be made: there are no rows"),
    (
      "too few points", [1, 1, 2, nil], nil,
      "mini-batch-k-means cannot make 3 segments of 2 distinct points; expected k from 1 to 2; found 3; hint: 1 of 4 rows lack a number"
    ),
    (
      "no numbers", [nil, nil], nil,
      "mini-batch-k-means cannot make 3 segments of 0 distinct points; expected rows with numbers; found 3; hint: 2 of 2 rows lack a number"
    ),
    (
      "no logarithm", [1, -5.5], nil,
      "\"transform\": \"log1p\" cannot take column \"x\"; expected values above -1; found -5.5; hint: use \"transform\": \"none\", or keep such rows out before"
    ),
    ("no weight", [1, 2], [1, -2], "column \"w\" holds no weight; expected numbers from 0 to 1000000000; found -2.0"),
  ] as [(String, [Double?], [Double]?, String)])
  func whatCannotBeSegmented(_ name: String, values: [Double?], weights: [Double]?, message: String) {
    let table = SegmentTests.table(["x": .float64s(values), "w": .float64s(weights ?? values.map { _ in 1 })])
    let settings: JSONValue = ["method": "mini-batch-k-means", "k": 3, "on": ["x"], "transform": "log1p", "weight": "w"]
    #expect(complaints { try runRoom(Segment.self, settings, ["table": .table(table)]) } == [message], "\(name)")
  }

  @Test(arguments: ["hierarchical", "gaussian-mixture", "tiers"])
  func stabilityOfOtherMethods(method: String) throws {
    let revenue = (0..<90).map { Double($0 % 3 * 1_000 + $0) }
    let table = SegmentTests.table(["customer": .strings((0..<90).map { "c\($0)" }), "revenue": .float64s(revenue)])
    let own: [JSONMember] = method == "tiers" ? [JSONMember("labels", ["A", "B", "C"])] : [JSONMember("k", 3)]
    let run = try runRoom(
      Segment.self, .object([JSONMember("method", .string(method)), JSONMember("on", ["revenue"]), JSONMember("stability", 10)] + own),
      ["table": .table(table)])
    let stability = run.tables["profile"]!["stability"].doubles()
    #expect(stability.count == 3 && stability.allSatisfy { $0 > 0.5 && $0 <= 1 }, "\(stability)")
    #expect(stability[1] == 1 || method != "hierarchical")
  }
}
