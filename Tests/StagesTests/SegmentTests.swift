import Columns
import Pipelines
import Testing

@testable import Stages

@Suite struct SegmentTests {
  static func table(_ columns: KeyValuePairs<String, Column>) -> Batch {
    Batch(schema: Schema(columns.map { Field($0.key, $0.value.type) }), columns: columns.map(\.value), count: columns[0].value.count)
  }

  /// Mall customers: 5 clusters of income and spending score, inertia 44448.4554 as many have printed it.
  @Test func clustersOfMallCustomers() throws {
    guard let data = LifetimeData.shared("mall_customers/Mall_Customers.csv") else { return }
    let rows = String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline).dropFirst().map { $0.split(separator: ",") }
    let table = Self.table(["income": .int64s(rows.map { Int64($0[3]) }), "score": .int64s(rows.map { Int64($0[4]) })])
    let run = try runRoom(
      Segment.self, ["method": "k-means", "k": 5, "on": ["income", "score"], "scale": "none"], ["table": .table(table)])
    #expect(relative(run.metrics["inertia"]!.double!, 44448.45544793371) < 1e-9)
    #expect((run.metrics["silhouette"]!.double! - 0.553931997444648).magnitude < 1e-9)
    let profile = run.tables["profile"]!
    #expect(profile.schema.names == ["segment", "segment_label", "customers", "share", "income", "score"])
    #expect(profile["customers"].doubles().sorted() == [22, 23, 35, 39, 81])
    #expect(profile["income"].doubles() == profile["income"].doubles().sorted(by: >))
    let labels = profile["segment_label"].allValues.map(\.description)
    #expect(labels == ["cluster 1", "cluster 2", "cluster 3", "cluster 4", "cluster 5"])
    // Each mean of the profile is that of its rows.
    let segments = run.tables["table"]!["segment"].doubles()
    let incomes = run.tables["table"]!["income"].doubles()
    for segment in 1...5 {
      let own = zip(segments, incomes).filter { $0.0 == Double(segment) }.map(\.1)
      #expect(relative(profile["income"].doubles()[segment - 1], own.reduce(0, +) / Double(own.count)) < 1e-12)
    }
  }

  @Test func sameClustersAtAnyWidthAndAnotherSeedTheSameNumbers() throws {
    let n = 3000
    let table = Self.table([
      "revenue": .float64s((0..<n).map { (row: Int) -> Double? in Double(row % 3 * 1000 + row * 7919 % 97) }),
      "orders": .int64s((0..<n).map { (row: Int) -> Int64? in Int64(row % 3 * 5 + row * 31 % 3) }),
    ])
    let runs = try [(1, 1), (1, 8), (2, 2)].map { seed, width in
      try runRoom(
        Segment.self, ["method": "k-means", "k": 3, "on": ["revenue", "orders"], "transform": "log1p", "seed": .integer(seed)],
        ["table": .table(table)], width: width
      ).tables["table"]!["segment"].allValues
    }
    #expect(runs[0] == runs[1])
    #expect(runs[0] == runs[2])
    #expect(runs[0].prefix(3).map(\.description) == ["3", "2", "1"])
  }

  @Test func tiersAreEquallyLargeAndTheHighestIsFirst() throws {
    let table = Self.table(["clv": .float64s([10, 80, 30, 40, 50, 60, 70, 20]), "revenue": .float64s([1, 8, 3, 4, 5, 6, 7, 2])])
    let run = try runRoom(
      Segment.self, ["method": "tiers", "on": "clv", "labels": ["A", "B", "C", "D"]], ["table": .table(table)])
    #expect(run.tables["table"]!["segment_label"].allValues.map(\.description) == ["D", "A", "C", "C", "B", "B", "A", "D"])
    #expect(run.tables["table"]!["segment"].allValues.map(\.description) == ["4", "1", "3", "3", "2", "2", "1", "4"])
    let profile = run.tables["profile"]!
    #expect(profile.schema.names == ["segment", "segment_label", "customers", "share", "revenue_share", "clv", "revenue"])
    let shares = [15.0, 11, 7, 3].map { (sum: Double) -> Double in sum / 36 }
    #expect(profile["revenue_share"].doubles() == shares)
    #expect(profile["clv"].doubles() == [75, 55, 35, 15])
  }

  @Test func equalValuesAlwaysShareATier() throws {
    let table = Self.table(["clv": .float64s([0, 0, 0, 0, 0, 0, 1, 2])])
    let run = try runRoom(
      Segment.self, ["method": "tiers", "on": "clv", "labels": ["A", "B", "C", "D"]], ["table": .table(table)])
    #expect(run.tables["table"]!["segment_label"].allValues.map(\.description) == ["D", "D", "D", "D", "D", "D", "A", "A"])
    #expect(run.tables["profile"]!["segment_label"].allValues.map(\.description) == ["A", "D"])
    #expect(run.warnings == [
      "2 of 4 tiers are empty: too many rows have the same \"clv\", and equal values get one tier"
    ])
  }

  @Test func tiersWithBordersOfOnesOwn() throws {
    let table = Self.table(["clv": .float64s([100, 101, 1000, 5])])
    let run = try runRoom(
      Segment.self, ["method": "tiers", "on": "clv", "labels": ["high", "middle", "low"], "edges": [100, 500]], ["table": .table(table)])
    #expect(run.tables["table"]!["segment_label"].allValues.map(\.description) == ["low", "middle", "high", "low"])
  }

  @Test func namesOfRFM() throws {
    let table = Self.table([
      "rfm_segment": .dictionary(codes: [0, 1, nil, 1, 2], values: ["hibernating", "champions", "promising"]),
      "revenue": .decimals([100, 5000, 700, 7000, 100], precision: 10, scale: 2),
    ])
    let run = try runRoom(Segment.self, ["method": "rfm"], ["table": .table(table)])
    #expect(run.tables["table"]!["segment_label"].allValues.map(\.description) == ["hibernating", "champions", "", "champions", "promising"])
    let profile = run.tables["profile"]!
    #expect(profile["segment"].allValues.map(\.description) == ["1", "2", "3", ""])
    #expect(profile["segment_label"].allValues.map(\.description) == ["champions", "hibernating", "promising", ""])
    #expect(profile["customers"].doubles() == [2, 1, 1, 1])
    #expect(profile["revenue"].doubles() == [60, 1, 1, 7])
    #expect(relative(profile["revenue_share"].doubles().reduce(0, +), 1) < 1e-15)
    #expect(run.warnings == ["1 of 5 rows get no segment: \"rfm_segment\" is missing there"])
  }

  @Test func rowsWithoutANumberGetNoSegment() throws {
    let table = Self.table(["x": .float64s([1, nil, 10, .nan, 11, 2])])
    let run = try runRoom(
      Segment.self, ["method": "k-means", "k": 2, "on": ["x"], "labels": ["much", "little"]], ["table": .table(table)])
    #expect(run.tables["table"]!["segment_label"].allValues.map(\.description) == ["little", "", "much", "", "much", "little"])
    #expect(run.metrics["without_segment"] == 2)
    #expect(run.tables["profile"]!["customers"].doubles() == [2, 2, 2])
  }

  @Test(arguments: [
    ("no rows", table(["x": .float64s([])]), Written(["method": "k-means", "k": 2, "on": ["x"]]), "no segments can be made: there are no rows"),
    (
      "too few points", table(["x": .float64s([1, 1, 2, nil])]), Written(["method": "k-means", "k": 3, "on": ["x"]]),
      "k-means cannot make 3 segments of 2 distinct points; expected k from 1 to 2; found 3; hint: 1 of 4 rows lack a number"
    ),
    (
      "nothing to take a logarithm of", table(["x": .float64s([1, -5.5])]),
      Written(["method": "k-means", "k": 1, "on": ["x"], "transform": "log1p"]),
      "\"transform\": \"log1p\" cannot take column \"x\"; expected values above -1; found -5.5; hint: use \"transform\": \"none\", or keep such rows out before"
    ),
    (
      "no numbers", table(["x": .float64s([nil])]), Written(["method": "tiers", "on": ["x"], "labels": ["A", "B"]]),
      "no tiers can be made: no row has a number in \"x\""
    ),
  ] as [(String, Batch, Written, String)])
  func whatCannotBeSegmented(_ name: String, table: Batch, settings: Written, message: String) {
    #expect(complaints { try runRoom(Segment.self, settings.json, ["table": .table(table)]) } == [message], "\(name)")
  }

  @Test(arguments: [
    (
      Written(["method": "k-means"]),
      ["method \"k-means\" needs \"k\"; expected a number of segments", "method \"k-means\" needs \"on\"; expected one or more numeric columns"]
    ),
    (
      Written(["method": "k-means", "k": 3, "on": ["x", "y", "name"], "labels": ["a", "a"], "edges": [1]]),
      [
        "\"labels\" does not fit \"k\"; expected 3 labels; found 2",
        "\"edges\" has no meaning for method \"k-means\"; hint: it belongs to tiers",
        "\"labels\" names a segment twice; expected distinct labels",
        "input \"table\" has no column \"y\"; hint: did you mean \"x\"?",
        "column \"name\" of input \"table\" is not numeric; expected a number type; found string",
      ]
    ),
    (
      Written(["method": "tiers", "on": ["x"], "labels": ["a", "b", "c"], "edges": [5, 1, 2], "k": 3]),
      [
        "\"edges\" does not fit \"labels\"; expected 2 borders for 3 labels; found 3", "\"edges\" does not ascend; expected ascending borders",
        "\"k\" has no meaning for method \"tiers\"; hint: it belongs to k-means",
      ]
    ),
    (
      Written(["method": "rfm"]),
      ["input \"table\" has no column \"rfm_segment\"; hint: ask rfm for \"scores\", or name the column in \"on\""]
    ),
  ] as [(Written, [String])])
  func mistakesOfADocumentAllAtOnce(settings: Written, messages: [String]) {
    let table = Self.table(["x": .float64s([1]), "name": .strings(["n"])])
    #expect(complaints { try runRoom(Segment.self, settings.json, ["table": .table(table)]) } == messages)
  }
}
