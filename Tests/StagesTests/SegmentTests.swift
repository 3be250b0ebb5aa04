import Columns
import Pipelines
import Statistics
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
    #expect(profile.schema.names == ["segment", "segment_label", "customers", "share", "income", "score", "median_income", "median_score", "known_by"])
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

  /// Mall customers by Ward: the sizes and heights that SciPy gives.
  @Test func treeOfMallCustomers() throws {
    guard let data = LifetimeData.shared("mall_customers/Mall_Customers.csv") else { return }
    let rows = String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline).dropFirst().map { $0.split(separator: ",") }
    let table = Self.table(["income": .int64s(rows.map { Int64($0[3]) }), "score": .int64s(rows.map { Int64($0[4]) })])
    let run = try runRoom(
      Segment.self, ["method": "hierarchical", "k": "auto", "on": ["income", "score"], "scale": "none"], ["table": .table(table)])
    #expect(run.metrics["k"] == 5)
    #expect(run.metrics["leaves"] == 200)
    let merges = run.tables["merges"]!
    #expect(merges.schema.names == ["left", "right", "height", "customers"])
    #expect(merges.count == 199 && merges["customers"].doubles().last == 200)
    #expect(relative(merges["height"].doubles().reduce(0, +), 3478.313978674786) < 1e-9)
    let choices = run.tables["choices"]!
    #expect(choices["k"].doubles() == [2, 3, 4, 5, 6, 7, 8, 9, 10])
    #expect(choices["chosen"].allValues.map(\.description).firstIndex(of: "true") == 3)
    #expect(run.tables["profile"]!["customers"].doubles().reduce(0, +) == 200)
    let silhouettes = choices["silhouette"].doubles()
    #expect(silhouettes[3] == silhouettes.max())
  }

  @Test func mixtureChoosesByItsLikelihood() throws {
    let n = 600
    let table = Self.table([
      "x": .float64s((0..<n).map { (row: Int) -> Double? in Double(row % 3 * 40) + Double(row * 7919 % 101) / 25 }),
      "y": .float64s((0..<n).map { (row: Int) -> Double? in Double(row % 3 * 30) + Double(row * 104729 % 97) / 24 }),
    ])
    let runs = try [1, 8].map { width in
      try runRoom(
        Segment.self, ["method": "gaussian-mixture", "k": "auto", "most": 5, "on": ["x", "y"]], ["table": .table(table)], width: width)
    }
    #expect(runs[0].metrics["k"] == runs[1].metrics["k"])
    #expect(runs[0].tables["table"]!["segment"].allValues == runs[1].tables["table"]!["segment"].allValues)
    let bics = runs[0].tables["choices"]!["bic"].doubles()
    #expect(bics.count == 5 && bics[2] < bics[1] && bics[1] < bics[0])
  }

  @Test func tiersAreEquallyLargeAndTheHighestIsFirst() throws {
    let table = Self.table(["clv": .float64s([10, 80, 30, 40, 50, 60, 70, 20]), "revenue": .float64s([1, 8, 3, 4, 5, 6, 7, 2])])
    let run = try runRoom(
      Segment.self, ["method": "tiers", "on": "clv", "labels": ["A", "B", "C", "D"]], ["table": .table(table)])
    #expect(run.tables["table"]!["segment_label"].allValues.map(\.description) == ["D", "A", "C", "C", "B", "B", "A", "D"])
    #expect(run.tables["table"]!["segment"].allValues.map(\.description) == ["4", "1", "3", "3", "2", "2", "1", "4"])
    let profile = run.tables["profile"]!
    #expect(profile.schema.names == ["segment", "segment_label", "customers", "share", "revenue_share", "clv", "revenue", "median_clv", "median_revenue", "known_by"])
    #expect(profile["median_clv"].doubles() == [75, 55, 35, 15])
    #expect(profile["known_by"].allValues.map(\.description) == [
      "high clv (+1.3 sd), high revenue (+1.3 sd)", "high clv (+0.4 sd), high revenue (+0.4 sd)", "low clv (−0.4 sd), low revenue (−0.4 sd)",
      "low clv (−1.3 sd), low revenue (−1.3 sd)",
    ])
    let shares = [15.0, 11, 7, 3].map { (sum: Double) -> Double in sum / 36 }
    #expect(profile["revenue_share"].doubles() == shares)
    #expect(profile["clv"].doubles() == [75, 55, 35, 15])
  }

  @Test func actionsWithGainCostAndBudget() throws {
    let table = Self.table(["clv": .float64s([10, 80, 30, 40, 50, 60, 70, 20])])
    let run = try runRoom(
      Segment.self,
      [
        "method": "tiers", "on": "clv", "labels": ["A", "B", "C", "D"], "budget": 20,
        "actions": [
          "A": ["action": "thank", "channel": "letter", "uplift": 0.1, "cost": 6],
          "B": ["action": "invite", "uplift": 0.2, "cost": 5],
          "D": ["action": "win back", "channel": "e-mail", "uplift": 0.01, "cost": 1],
        ],
      ], ["table": .table(table)])
    let profile = run.tables["profile"]!
    #expect(profile.schema.names.suffix(6) == ["action", "channel", "gain", "cost", "net", "chosen"])
    #expect(profile["action"].allValues.map(\.description) == ["thank", "invite", "", "win back"])
    #expect(profile["channel"].allValues.map(\.description) == ["letter", "", "", "e-mail"])
    #expect(profile["cost"].doubles().prefix(2) == [12, 10] && profile["cost"].doubles()[3] == 2)
    // A gains 15 and B 22: together they cost 22, more than there is; D gains less than it costs.
    #expect(profile["net"].doubles()[0] == 3 && profile["net"].doubles()[1] == 12)
    #expect(profile["chosen"].allValues.map(\.description) == ["false", "true", "", "false"])
  }

  @Test func actionsForNobody() throws {
    let table = Self.table(["rfm_segment": .strings(["champions", "lost"])])
    let run = try runRoom(
      Segment.self, ["method": "rfm", "actions": ["champion": ["action": "thank"]]], ["table": .table(table)])
    #expect(run.warnings == ["no segment is called \"champion\""] || run.warnings.first?.hasPrefix("no segment is called \"champion\"") == true)
    #expect(
      complaints {
        try runRoom(
          Segment.self, ["method": "k-means", "k": 2, "on": ["x"], "budget": 5, "actions": ["cluster 3": ["action": "thank"]]],
          ["table": .table(Self.table(["x": .float64s([1, 2])]))])
      } == [
        "no segment is called \"cluster 3\"; hint: did you mean \"cluster 1\"?", "a budget needs to know what customers are worth; hint: name the column as \"value\"",
      ])
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

  /// Customers a … l at 0, 1, 2, 3, then 100 …, then 200 ….
  private static func customers(_ revenue: [Double?], from first: Int = 0) -> Batch {
    table([
      "customer": .strings(revenue.indices.map { String(UnicodeScalar(UInt8(97 + first + $0))) }), "revenue": .float64s(revenue),
    ])
  }

  private static let threeGroups: [Double?] = [0, 1, 2, 3, 100, 101, 102, 103, 200, 201, 202, 203]

  @Test func clustersHaveATypicalCustomerAndComeBack() throws {
    let run = try runRoom(
      Segment.self, ["method": "k-means", "k": 3, "on": ["revenue"], "stability": 20], ["table": .table(Self.customers(Self.threeGroups))])
    let profile = run.tables["profile"]!
    #expect(profile.schema.names.suffix(4) == ["median_revenue", "known_by", "typical", "stability"])
    #expect(profile["typical"].allValues.map(\.description) == ["j", "f", "b"])
    #expect(profile["stability"].doubles().allSatisfy { $0 > 0.9 && $0 <= 1 })
    #expect(profile["known_by"].allValues.map(\.description) == ["high revenue (+1.2 sd)", "close to the average", "low revenue (−1.2 sd)"])
  }

  @Test func clustersKeepTheNamesOfABaseline() throws {
    let settings: JSONValue = ["method": "k-means", "k": 3, "on": ["revenue"]]
    let before = try runRoom(Segment.self, settings, ["table": .table(Self.customers(Self.threeGroups))]).tables["table"]!
    // The poorest are the richest now; e went to them, a is gone, m and n are new.
    let now: [Double?] = [401, 402, 403, 400, 101, 102, 103, 200, 201, 202, 203, 100, 400]
    let run = try runRoom(
      Segment.self, settings, ["table": .table(Self.customers(now, from: 1)), "baseline": .table(before)])
    let rows = run.tables["table"]!
    #expect(rows["segment_label"].allValues.map(\.description) == [
      "cluster 3", "cluster 3", "cluster 3", "cluster 3", "cluster 2", "cluster 2", "cluster 2", "cluster 1", "cluster 1", "cluster 1", "cluster 1",
      "cluster 2", "cluster 3",
    ])
    #expect(rows["segment"].doubles() == [3, 3, 3, 3, 2, 2, 2, 1, 1, 1, 1, 2, 3])
    #expect(run.metrics["kept_names"] == 3)
    let moves = run.tables["transitions"]!
    func texts(_ name: String) -> [String] { moves[name].allValues.map(\.description) }
    #expect(texts("from") == ["cluster 3", "cluster 3", "cluster 2", "cluster 2", "cluster 1", "new", "new"])
    #expect(texts("to") == ["cluster 3", "gone", "cluster 2", "cluster 3", "cluster 1", "cluster 2", "cluster 3"])
    #expect(moves["customers"].doubles() == [3, 1, 3, 1, 4, 1, 1])
    #expect(moves["share"].doubles() == [0.75, 0.25, 0.75, 0.25, 1, 0.5, 0.5])
    #expect(moves["revenue_before"].doubles() == [6, 0, 306, 100, 806, 0, 0])
    #expect(moves["revenue"].doubles() == [1206, 0, 306, 400, 806, 100, 400])
    // Customers of cluster 3 brought less: who went there is at risk by what they brought before.
    #expect(moves["at_risk"].doubles() == [0, 0, 0, 100, 0, 0, 0])
  }

  @Test func baselinesThatAreNone() throws {
    let settings: JSONValue = ["method": "k-means", "k": 2, "on": ["revenue"], "labels": ["much", "little"]]
    let table = Self.customers([1, 2, 3])
    #expect(
      complaints { try runRoom(Segment.self, settings, ["table": .table(table), "baseline": .table(table)]) } == [
        "input \"baseline\" has no column \"segment\"; hint: known: customer, revenue",
        "input \"baseline\" has no column \"segment_label\"; hint: known: customer, revenue",
        "\"labels\" has no meaning with a baseline; hint: clusters are named as those of the baseline that they are most like",
      ])
    let twice = Self.table([
      "customer": .strings(["a", "a"]), "segment": .int32s([1, 1]), "segment_label": .strings(["x", "x"]),
    ])
    #expect(
      complaints {
        try runRoom(Segment.self, ["method": "tiers", "on": ["revenue"], "labels": ["A", "B"]], ["table": .table(table), "baseline": .table(twice)])
      } == ["\"a\" stands in two rows of the baseline; expected one row for each \"customer\""])
  }

  /// A weight is as many rows of the same numbers; 0 is none, but the row is put where it belongs.
  @Test(arguments: [("none", "none"), ("none", "standard"), ("log1p", "standard"), ("none", "min-max")])
  func aWeightIsARowSoOften(transform: String, scale: String) throws {
    var random = RandomStream(seed: 5, substream: 0)
    var (x, y, weights): ([Double], [Double], [Double]) = ([], [], [])
    for at in 0..<240 {
      x.append(Double(at % 4) * 3 + random.uniform())
      y.append(Double(at % 3) * 2 + random.uniform())
      weights.append(Double(at % 7 % 4))
    }
    let settings: JSONValue = [
      "method": "k-means", "k": 5, "on": ["x", "y"], "transform": .string(transform), "scale": .string(scale),
    ]
    let withWeight = JSONValue.object((settings.members ?? []) + [JSONMember("weight", "w")])
    let once = Self.table(["x": .float64s(x), "y": .float64s(y), "w": .float64s(weights)])
    let weighted = try runRoom(Segment.self, withWeight, ["table": .table(once)])
    let rows = weights.indices.flatMap { [Int](repeating: $0, count: Int(weights[$0])) }
    let often = Self.table(["x": .float64s(rows.map { x[$0] }), "y": .float64s(rows.map { y[$0] })])
    let repeated = try runRoom(Segment.self, settings, ["table": .table(often)])
    let (a, b) = (try #require(weighted.metrics["inertia"]?.double), try #require(repeated.metrics["inertia"]?.double))
    #expect((a - b).magnitude <= 1e-9 * b)
    #expect(weighted.metrics["silhouette"] == .null && repeated.metrics["silhouette"]?.double != nil)
    let own = weighted.tables["table"]!["segment"].doubles()
    #expect(rows.map { own[$0] } == repeated.tables["table"]!["segment"].doubles())
    #expect(own.allSatisfy { $0 >= 1 && $0 <= 5 })
    #expect(weighted.tables["profile"]!["customers"].doubles().reduce(0, +) == 240)
  }

  @Test func weightsOfOneChangeNothing() throws {
    let table = Self.table(["x": .float64s([1, 2, 3, 10, 11, 12, 30]), "w": .int32s([1, 1, 1, 1, 1, 1, 1])])
    let settings: JSONValue = ["method": "k-means", "k": 3, "on": ["x"]]
    let plain = try runRoom(Segment.self, settings, ["table": .table(table)])
    let weighted = try runRoom(Segment.self, ["method": "k-means", "k": 3, "on": ["x"], "weight": "w"], ["table": .table(table)])
    #expect(plain.tables["table"]!["segment"].doubles() == weighted.tables["table"]!["segment"].doubles())
    #expect(plain.metrics["inertia"]?.double == weighted.metrics["inertia"]?.double)
  }

  @Test func rowsWithoutAWeightGetNoSegment() throws {
    let table = Self.table(["x": .float64s([1, 2, 10, 11]), "w": .int32s([1, nil, 3, 1])])
    let run = try runRoom(Segment.self, ["method": "k-means", "k": 2, "on": ["x"], "weight": "w"], ["table": .table(table)])
    #expect(run.tables["table"]!["segment"].allValues.map(\.description) == ["2", "", "1", "1"])
    #expect(run.metrics["without_segment"] == 1)
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
      "a weight below zero", table(["x": .float64s([1, 2]), "w": .float64s([1, -2])]),
      Written(["method": "k-means", "k": 1, "on": ["x"], "weight": "w"]),
      "column \"w\" holds no weight; expected numbers from 0 to 1000000000; found -2.0"
    ),
    (
      "weights of zero", table(["x": .float64s([1, 2, 3]), "w": .float64s([1, 0, 0])]),
      Written(["method": "k-means", "k": 2, "on": ["x"], "weight": "w"]), "k-means cannot make 2 segments of 1 distinct point; expected k from 1 to 1; found 2"
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
      ["method \"k-means\" needs \"k\"; expected a number of segments; hint: \"auto\" chooses one", "method \"k-means\" needs \"on\"; expected one or more numeric columns"]
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
        "\"k\" has no meaning for method \"tiers\"; hint: it belongs to clusters",
      ]
    ),
    (
      Written(["method": "hierarchical", "k": 2000, "on": ["x"], "restarts": 4, "most": 5]),
      [
        "\"k\" is out of range; expected 1 to 1000, or \"auto\"; found 2000", "\"most\" has no meaning without \"k\": \"auto\"",
        "\"restarts\" has no meaning for method \"hierarchical\"; hint: it belongs to k-means, mini-batch-k-means and gaussian-mixture",
      ]
    ),
    (
      Written(["method": "gaussian-mixture", "k": "auto", "on": ["x"], "labels": ["a", "b"], "linkage": "single"]),
      [
        "\"labels\" needs a number as \"k\"; hint: how many segments there will be is not known",
        "\"linkage\" has no meaning for method \"gaussian-mixture\"; hint: it belongs to hierarchical",
      ]
    ),
    (
      Written(["method": "k-means", "k": "auto", "on": ["x"], "weight": "name", "stability": 3]),
      [
        "\"weight\" needs a number as \"k\"; hint: the rules that choose one take every row once",
        "\"weight\" and \"stability\" do not go together; hint: rows are drawn anew each as often as the others",
        "column \"name\" of input \"table\" is not numeric; expected a number type; found string",
      ]
    ),
    (
      Written(["method": "hierarchical", "k": 2, "on": ["x"], "weight": "x"]),
      ["\"weight\" has no meaning for method \"hierarchical\"; hint: it belongs to k-means and mini-batch-k-means"]
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
