import Columns
import Diagnostics
import Models
import Pipelines
import Statistics

/// Puts every row into a segment: by clusters of some columns, by tiers of one column, or by the names that rfm gave.
///
/// Segments are numbered from 1 by the descending mean of the first column of `on` (for `rfm`: of the revenue column). A row
/// that lacks a number gets no segment; such rows are counted, and the profile has a last row for them.
public struct Segment: Stage {
  public static let contract = Contract(
    "segment", "rows put into segments by clusters of columns, tiers of a column, or RFM names, with a profile of each",
    inputs: [
      .table("table", help: "one row a customer"),
      .table("baseline", .optional, help: "the output of an earlier run of segment: clusters keep its names where they hold the same customers, and transitions says who moved"),
    ],
    outputs: [
      .table("table", help: "the rows with segment and segment_label"),
      .table("profile", help: "one row a segment: size, share, revenue share, means"),
      .table("merges", .optional, help: "hierarchical: the tree, one row a merge, the lowest first; what a dendrogram draws"),
      .table("transitions", .optional, help: "with a baseline: customers and revenue by segment then and now, and what is at risk"),
      .table("choices", .optional, help: "with \"k\": \"auto\": what the rules say of each number of segments"),
    ],
    version: 4, shares: ["models": "2", "statistics": "1"])

  enum Method: String, SettingChoice {
    case kMeans = "k-means"
    case miniBatch = "mini-batch-k-means"
    case hierarchical
    case mixture = "gaussian-mixture"
    case tiers, rfm

    var makesClusters: Bool { self != .tiers && self != .rfm }
    var isKMeans: Bool { self == .kMeans || self == .miniBatch }
  }
  enum Auto: String, SettingChoice { case auto }
  enum Joining: String, SettingChoice { case ward, average, complete, single }
  enum Transform: String, SettingChoice { case none, log1p }
  enum Scale: String, SettingChoice { case none, standard, minMax = "min-max" }

  @Setting("k-means, mini-batch-k-means (for more rows than memory holds), hierarchical or gaussian-mixture (clusters), tiers (quantiles of one column) or rfm (the names that rfm gave)") var method: Method
  @Setting("clusters: how many, 1 to 1000, or auto: the number with the best silhouette, of a gaussian-mixture with the best BIC") var k: Either<Int, Auto>?
  @Setting("clusters with \"k\": \"auto\": the most that are tried", in: 2...50) var most = 10
  @Setting("hierarchical: how near two clusters are to each other") var linkage = Joining.ward
  @Setting("columns to segment on: numbers; for rfm the column of the names, default rfm_segment") var on: OneOrMany<String> = []
  @Setting("mini-batch-k-means: how many rows move the centers at a time; 32 times as many are held; default 1024", in: 1...1_000_000) var batch: Int?
  @Setting("k-means and mini-batch-k-means: column of weights, 0 or more: a row counts as if it stood there so often, 0 not at all") var weight: String?
  @Setting("clusters: what is done to each column before scaling") var transform = Transform.none
  @Setting("clusters: how columns are brought to one scale") var scale = Scale.standard
  @Setting("clusters: another seed, other starts", in: 0...) var seed = 1
  @Setting("k-means, mini-batch-k-means, gaussian-mixture: how many starts; the best result is kept; default 10, 3 and 3", in: 1...1000) var restarts: Int?
  @Setting("names of the segments in the order of their numbers; for tiers the highest first") var labels: [String] = []
  @Setting("tiers: borders in ascending order, one fewer than labels; default quantiles, so that tiers are equally large") var edges: [Double] = []
  @Setting("what to do about a segment, under its label; the profile gets its action, channel, expected gain, cost and net") var actions: Named<SegmentAction> = [:]
  @Setting("with actions: column that says what a customer is worth; default clv, else the revenue column") var value: String?
  @Setting("with actions: what they may cost together; the profile says which are chosen", in: 0...1e15) var budget: Double?
  @Setting("column that names a customer, for the typical one of a cluster and for a baseline") var customer = "customer"
  @Setting("clusters, and tiers without edges: so many times customers are drawn anew, and the profile says how well each segment comes back (0 to 1; below 0.5 it is an accident)", in: 1...1000) var stability: Int?
  @Setting("column whose share the profile gives; default revenue where there is one") var revenue: String?

  public init() {}

  /// The columns that decide.
  private var deciding: [String] { method == .rfm && on.isEmpty ? ["rfm_segment"] : Array(on) }

  private func revenueColumn(_ schema: Schema) -> String? {
    revenue ?? (schema.type(of: "revenue")?.isNumeric == true ? "revenue" : nil)
  }

  private func profile(_ schema: Schema) -> SegmentProfile {
    let worth = value ?? (schema.type(of: "clv")?.isNumeric == true ? "clv" : revenueColumn(schema))
    return SegmentProfile(
      schema, on: method == .rfm ? [] : Array(on), revenue: revenueColumn(schema),
      actions: SegmentActions(actions: actions, value: actions.isEmpty ? nil : worth, budget: budget),
      key: method.makesClusters && schema.index(of: customer) != nil ? customer : nil, hasStability: stability != nil)
  }

  public func bind(_ inputs: Inputs<ArtifactType>, _ context: BindContext) throws(Mistakes) -> Binding {
    var mistakes = settingsMistakes(hasBaseline: inputs["baseline"] != nil)
    var outputs = (table: ArtifactType.open, profile: ArtifactType.open)
    if let type = inputs["table"]?.table {
      mistakes += columnMistakes(type.schema)
      if mistakes.isEmpty {
        let schema = Schema(type.schema.fields + [Field("segment", .int32), Field("segment_label", .string)])
        outputs.table = .table(TableType(schema, order: type.order, timeUnit: type.timeUnit))
        outputs.profile = .table(TableType(profile(type.schema).schema, order: .key(["segment"])))
      }
    }
    if let baseline = inputs["baseline"]?.table?.schema {
      mistakes += baselineMistakes(baseline, inputs["table"]?.table?.schema)
    }
    if inputs["baseline"] != nil, method.makesClusters, !labels.isEmpty {
      mistakes.append(
        Diagnostic("\"labels\" has no meaning with a baseline", at: .setting(["labels"]), hint: "clusters are named as those of the baseline that they are most like"))
    }
    if !mistakes.isEmpty { throw Mistakes(mistakes) }
    var all: [Binding.Output] = [.init("table", outputs.table), .init("profile", outputs.profile)]
    if method == .hierarchical { all.append(.init("merges", .table(TableType(ClusterTables.merges, order: .source)))) }
    if k == .second(.auto) { all.append(.init("choices", .table(TableType(ClusterTables.choices, order: .key(["k"]))))) }
    var reads: [Binding.Read] = [.init("table", .all)]
    if let baseline = inputs["baseline"] {
      all.append(.init("transitions", .table(TableType(BaselineSegments.transitions, order: .source))))
      reads.append(.init("baseline", baseline.table.map { .named(baselineColumns($0.schema)) } ?? .all))
    }
    return Binding(outputs: all, reads: reads, work: .whole(because: "method"))
  }

  /// What is read of the baseline: its revenue where it has the column.
  private func baselineColumns(_ schema: Schema) -> [String] {
    [customer, "segment", "segment_label"] + [revenueColumn(schema)].compactMap { $0 }.filter { schema.type(of: $0)?.isNumeric == true }
  }

  private func baselineMistakes(_ baseline: Schema, _ table: Schema?) -> [Diagnostic] {
    let place = Place.input(port: "baseline")
    var mistakes: [Diagnostic?] = [
      baseline.mistake(finding: customer, of: "baseline", at: place), baseline.mistake(readingNumbers: "segment", of: "baseline", at: place),
      baseline.mistake(finding: "segment_label", of: "baseline", at: place), table?.mistake(finding: customer, of: "table", at: .setting(["customer"])),
    ]
    if let type = baseline.type(of: "segment_label"), type != .string {
      mistakes.append(Diagnostic("column \"segment_label\" of the baseline does not hold names", at: place, expected: "string", found: "\(type)"))
    }
    if let here = table?.type(of: customer), let there = baseline.type(of: customer), here != there {
      mistakes.append(
        Diagnostic("column \"\(customer)\" has one type in \"table\" and another in \"baseline\"", at: place, expected: "\(here)", found: "\(there)"))
    }
    return mistakes.compactMap(\.self)
  }

  /// The labels there will be, where the settings alone say so.
  private var knownLabels: [String]? {
    if !labels.isEmpty { return labels }
    if method.makesClusters, case .first(let k) = k, (1...1000).contains(k) { return ClusterSegments.labels(k) }
    return nil
  }

  /// What does not go together, whatever the table.
  private func settingsMistakes(hasBaseline: Bool) -> [Diagnostic] {
    var mistakes: [Diagnostic] = []
    func mistake(_ message: String, _ setting: String, expected: String? = nil, found: String? = nil, hint: String? = nil) {
      mistakes.append(Diagnostic(message, at: .setting([.key(setting)]), expected: expected, found: found, hint: hint))
    }
    func only(_ setting: String, _ isGiven: Bool, for methods: String) {
      if isGiven { mistake("\"\(setting)\" has no meaning for method \"\(method.rawValue)\"", setting, hint: "it belongs to \(methods)") }
    }
    if Set(on).count < on.count { mistake("\"on\" names a column twice", "on", expected: "distinct columns") }
    switch method {
    case .kMeans, .miniBatch, .hierarchical, .mixture:
      if k == nil {
        mistake("method \"\(method.rawValue)\" needs \"k\"", "k", expected: "a number of segments", hint: "\"auto\" chooses one")
      }
      if on.isEmpty { mistake("method \"\(method.rawValue)\" needs \"on\"", "on", expected: "one or more numeric columns") }
      if case .first(let k) = k {
        if !(1...1000).contains(k) { mistake("\"k\" is out of range", "k", expected: "1 to 1000, or \"auto\"", found: "\(k)") }
        if !labels.isEmpty, labels.count != k {
          mistake("\"labels\" does not fit \"k\"", "labels", expected: "\(k) labels", found: "\(labels.count)")
        }
      } else if !labels.isEmpty {
        mistake("\"labels\" needs a number as \"k\"", "labels", hint: "how many segments there will be is not known")
      }
    case .tiers:
      if on.count != 1 { mistake("method \"tiers\" needs one column in \"on\"", "on", expected: "1 column", found: "\(on.count)") }
      if labels.count < 2 { mistake("method \"tiers\" needs \"labels\"", "labels", expected: "2 or more labels, the highest tier first", found: "\(labels.count)") }
      if !edges.isEmpty, labels.count >= 2, edges.count != labels.count - 1 {
        mistake("\"edges\" does not fit \"labels\"", "edges", expected: "\(labels.count - 1) borders for \(labels.count) labels", found: "\(edges.count)")
      }
      if zip(edges, edges.dropFirst()).contains(where: { $0 >= $1 }) { mistake("\"edges\" does not ascend", "edges", expected: "ascending borders") }
    case .rfm:
      if on.count > 1 { mistake("method \"rfm\" needs one column of names in \"on\"", "on", expected: "1 column", found: "\(on.count)") }
      only("labels", !labels.isEmpty, for: "clusters and tiers")
    }
    let standard = Segment()
    if !method.makesClusters {
      only("k", k != nil, for: "clusters")
      only("transform", transform != standard.transform, for: "clusters")
      only("scale", scale != standard.scale, for: "clusters")
      only("seed", seed != standard.seed, for: "clusters")
    }
    if k != .second(.auto) {
      if most != standard.most { mistake("\"most\" has no meaning without \"k\": \"auto\"", "most") }
    }
    if !method.isKMeans && method != .mixture { only("restarts", restarts != nil, for: "k-means, mini-batch-k-means and gaussian-mixture") }
    if method == .rfm {
      only("stability", stability != nil, for: "clusters and tiers")
    } else if method == .tiers, !edges.isEmpty, stability != nil {
      mistake("\"stability\" has no meaning with \"edges\"", "stability", hint: "borders of one's own stay where they are, whoever is drawn")
    }
    if method != .miniBatch {
      only("batch", batch != nil, for: "mini-batch-k-means")
    } else if case .first(let k) = k, let batch, (1...1000).contains(k), k > batch * MiniBatchKMeans.round {
      mistake(
        "\"batch\" is too small for \"k\"", "batch", expected: "\((k - 1) / MiniBatchKMeans.round + 1) or more", found: "\(batch)",
        hint: "the start is found on \(MiniBatchKMeans.round) batches")
    }
    if !method.isKMeans {
      only("weight", weight != nil, for: "k-means and mini-batch-k-means")
    } else if weight != nil {
      if k == .second(.auto) { mistake("\"weight\" needs a number as \"k\"", "weight", hint: "the rules that choose one take every row once") }
      if stability != nil { mistake("\"weight\" and \"stability\" do not go together", "weight", hint: "rows are drawn anew each as often as the others") }
    }
    if method != .hierarchical { only("linkage", linkage != standard.linkage, for: "hierarchical") }
    if actions.isEmpty {
      if value != nil { mistake("\"value\" has no meaning without \"actions\"", "value") }
      if budget != nil { mistake("\"budget\" has no meaning without \"actions\"", "budget") }
    }
    // Names of a baseline are known when it is read.
    let known = hasBaseline && method.makesClusters ? nil : knownLabels
    mistakes += known.map { SegmentActions(actions: actions, value: nil, budget: nil).mistakes($0) } ?? []
    if method != .tiers { only("edges", !edges.isEmpty, for: "tiers") }
    if Set(labels).count < labels.count { mistake("\"labels\" names a segment twice", "labels", expected: "distinct labels") }
    return mistakes
  }

  private func columnMistakes(_ schema: Schema) -> [Diagnostic] {
    var mistakes: [Diagnostic?] = ["segment", "segment_label"].map { schema.mistake(adding: $0, to: "table") }
    for (at, name) in deciding.enumerated() {
      let place: Place = on.isEmpty ? .input(port: "table") : .setting(["on", .index(at)])
      if method != .rfm {
        mistakes.append(schema.mistake(readingNumbers: name, of: "table", at: place))
      } else if var missing = schema.mistake(finding: name, of: "table", at: place) {
        if on.isEmpty { missing.hint = "ask rfm for \"scores\", or name the column in \"on\"" }
        mistakes.append(missing)
      } else if let type = schema.type(of: name), type != .string {
        mistakes.append(
          Diagnostic("column \"\(name)\" of input \"table\" does not hold names", at: place, expected: "string", found: "\(type)"))
      }
    }
    if let revenue { mistakes.append(schema.mistake(readingNumbers: revenue, of: "table", at: .setting(["revenue"]))) }
    if let weight { mistakes.append(schema.mistake(readingNumbers: weight, of: "table", at: .setting(["weight"]))) }
    if let value { mistakes.append(schema.mistake(readingNumbers: value, of: "table", at: .setting(["value"]))) }
    if budget != nil, !actions.isEmpty, profile(schema).actions.value == nil {
      mistakes.append(
        Diagnostic("a budget needs to know what customers are worth", at: .setting(["budget"]), hint: "name the column as \"value\""))
    }
    return mistakes.compactMap(\.self)
  }

  public func run(_ inputs: Inputs<Artifact>, _ context: any RunContext) throws -> Metrics {
    let table = inputs.table()
    if table.rows == 0 { throw Diagnostic("no segments can be made: there are no rows", at: .input(port: "table")) }
    let profile = profile(table.schema)
    var needed = deciding
    let earlier = inputs["baseline"] == nil ? nil : inputs.table("baseline")
    for name in profile.columnsRead + [weight].compactMap(\.self) + (earlier == nil ? [] : [customer]) where !needed.contains(name) { needed.append(name) }
    // Where rows are not to be held, one column at a time.
    let held = method == .miniBatch ? nil : try table.wholeBatch(needed)
    func column(_ name: String) throws -> Column { try held?[name] ?? table.wholeBatch([name])[name] }
    try context.checkCancellation()

    var made: Segmentation
    switch method {
    case .kMeans, .miniBatch, .hierarchical, .mixture: made = try clusters(table, column, context)
    case .tiers: made = try tiers(column(on[0]), context)
    case .rfm: made = try Segmentation(names: column(deciding[0]), by: revenueColumn(table.schema).map { try column($0).doubles() })
    }
    if let earlier {
      let columns = baselineColumns(earlier.schema)
      let baseline = try BaselineSegments(
        earlier.wholeBatch(columns), revenue: columns.count > 3 ? columns[3] : nil, key: customer, of: column(customer))
      if method.makesClusters { made = baseline.named(made) }
      try context.writeTable(
        "transitions", baseline.transitions(to: made, revenue: revenueColumn(table.schema).map { try column($0).doubles() }))
    }
    for var mistake in profile.actions.mistakes(made.labels) {
      mistake.severity = .warning
      context.warn(mistake)
    }
    if made.withoutSegment > 0 {
      context.warn(
        Diagnostic(
          "\(made.withoutSegment) of \(table.rows) rows get no segment: \((deciding + [weight].compactMap(\.self)).map { "\"\($0)\"" }.joined(separator: ", ")) is missing there",
          severity: .warning))
    }
    try context.writeTable(
      "table", carrying: table,
      adding: [(Field("segment", .int32), made.numbers), (Field("segment_label", .string), made.labelColumn)])
    try context.writeTable("profile", profile.batch(column, made))
    return made.metrics
  }

  private func clusters(_ table: TableArtifact, _ column: (String) throws -> Column, _ context: any RunContext) throws -> Segmentation {
    let made = try FixedChunks.bounded(by: { context.width }) { () -> ClusterSegments.Made in
      if method == .miniBatch {
        let rows = try StreamedRows(table, on: Array(on), weight: weight, transform: transform, scale: scale) { try context.checkCancellation() }
        return try StreamedClusters(
          rows: rows, k: k!, most: most, seed: UInt64(seed), restarts: restarts ?? 3, batch: batch ?? 1024, labels: labels, samples: stability ?? 0
        ).made()
      }
      return try ClusterSegments(
        method: method, columns: on.map { ($0, try column($0).doubles()) }, k: k!, most: most, linkage: linkage, transform: transform,
        scale: scale, seed: UInt64(seed), restarts: restarts, labels: labels,
        samples: stability ?? 0, weights: weight.map { ($0, try column($0).doubles()) }
      ).made { try context.checkCancellation() }
    }
    if let merges = made.merges { try context.writeTable("merges", merges) }
    if let choices = made.choices { try context.writeTable("choices", choices) }
    if let condensed = made.condensed { context.warn(condensed) }
    return made.segmentation
  }

  private func tiers(_ column: Column, _ context: any RunContext) throws -> Segmentation {
    let tiers = try TierSegments(column: on[0], column.doubles(), labels: labels, edges: edges, samples: stability ?? 0, seed: UInt64(seed))
    if tiers.merged > 0 {
      context.warn(
        Diagnostic(
          "\(tiers.merged) of \(labels.count) tiers are empty: too many rows have the same \"\(on[0])\", and equal values get one tier",
          severity: .warning))
    }
    return tiers.segmentation()
  }
}
