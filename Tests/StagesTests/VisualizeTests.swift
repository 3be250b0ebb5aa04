import Columns
import Diagnostics
import Pipelines
import Testing

@testable import Charts
@testable import Stages

@Suite struct VisualizeTests {
  /// As the stage runs, with a renderer of the test's choice.
  private func draw(_ settings: JSONValue, _ inputs: [BenchInput], _ renderer: ChartRenderer, width: Int = 2) throws -> BenchContext {
    let context = BenchContext(width: width, parameters: [:], files: [])
    let entries = inputs.map { Inputs<Artifact>.Entry(port: $0.port, alias: $0.alias, value: $0.artifact) }
    _ = try makeStage(Visualize.self, settings).run(Inputs(entries), context, renderer)
    return context
  }

  /// The charts before they are pictures.
  private func charts(_ settings: JSONValue, _ inputs: [BenchInput]) throws -> [any Chart] {
    let context = BenchContext(width: 2, parameters: [:], files: [])
    let stage = try makeStage(Visualize.self, settings)
    var check = ChartCheck(tables: inputs.map { ($0.alias, $0.type.table) }, bindings: [:])
    return try stage.charts.map { entry in
      guard let plan = check.plan(entry.name, entry.value) else { throw Mistakes(check.mistakes.all) }
      guard case .table(let table)? = inputs.first(where: { $0.alias == plan.alias })?.artifact else { preconditionFailure("no table") }
      return try plan.chart(table, context)
    }
  }

  private var shop: [BenchInput] {
    let value = PresentationTables.value()
    return [
      value.at("tables", "value"), PresentationTables.profile.at("tables", "segments"), PresentationTables.profile.at("tables", "names"),
      PresentationTables.months.at("tables", "months"), PresentationTables.countries.at("tables", "countries"), value.at("tables", "clusters"),
    ]
  }

  @Test func theShopsChartsReadWhatTheyName() throws {
    let settings = try PresentationTables.settings("quickstart", "pictures")
    let binding = try bindStage(Visualize.self, settings, shop)
    #expect(
      binding.reads == [
        .init("value", .named(["clv", "f_score", "r_score"])), .init("segments", .named([])),
        .init("names", .named(["revenue_share", "segment_label"])), .init("months", .named(["month", "revenue"])),
        .init("countries", .named(["country", "revenue"])), .init("clusters", .named(["orders", "segment_label", "since_last"])),
      ])
    #expect(
      binding.outputs.map(\.name) == [
        "charts", "cltv_distribution", "cltv_distribution-svg", "segment_comparison", "segment_comparison-svg", "revenue_by_month",
        "revenue_by_month-svg", "revenue_by_country", "revenue_by_country-svg", "alive_and_frequency", "alive_and_frequency-svg",
        "rfm_grid", "rfm_grid-svg",
      ])
    #expect(
      binding.outputs[0].type
        == .document(
          about: "charts:cltv_distribution,segment_comparison,revenue_by_month,revenue_by_country,alive_and_frequency,rfm_grid"))
  }

  @Test func theShopsChartsHoldTheNumbers() throws {
    let all = try charts(try PresentationTables.settings("quickstart", "pictures"), shop)
    let histogram = try #require(all[0] as? Histogram), bars = try #require(all[1] as? Bar), line = try #require(all[2] as? Line)
    #expect(histogram.counts.reduce(0, +) + histogram.beyond == 400 && histogram.beyond > 0)
    #expect(histogram.noun == "customer")
    #expect(bars.categories == ["Champions", "Loyal", "At risk", "Hibernating"] && bars.values == [0.61, 0.24, 0.1, 0.05])
    guard case .dates(let months) = line.positions else { throw Mistakes([]) }
    #expect(months.first == "2010-01-01" && months.last == "2011-12-01" && line.series.map(\.name) == ["revenue"])
    #expect(line.series[0].values[0] == 400_000)
    let countries = try #require(all[3] as? Bar)
    #expect(countries.categories.count == 12 && countries.categories[0] == "United Kingdom" && countries.notes == ["12 of 20 bars shown"])
    let dots = try #require(all[4] as? Scatter)
    #expect(dots.groups?.names == ["cluster 1", "cluster 2", "cluster 3"])
    let grid = try #require(all[5] as? HeatMap)
    #expect(grid.columns == ["1", "2", "3", "4", "5"] && grid.rows.first == "5")
    #expect(grid.values.filter(\.isFinite).reduce(0, +) == 400 && grid.legend == "customers")
  }

  @Test func aggregatesPivotsAndNulls() throws {
    let sales = BenchInput.table(
      "tables", alias: "sales",
      batch(
        ("day", .dates([2, 1, nil, 1])), ("shop", .strings(["b", "a", "a", "b"])), ("units", .int32s([3, 1, 5, nil])),
        ("paid", .decimals([150, 250, 100, 50], precision: 9, scale: 2))))
    let all = try charts(
      [
        "charts": [
          "total": ["chart": "bar", "x": "shop", "value": "sum(paid) / count(*)", "sort": "ascending"],
          "by_shop": ["chart": "line", "x": "day", "y": "units", "colour": "shop"],
          "units": ["chart": "grouped-bar", "x": "day", "y": ["units"], "colour": "shop", "sort": "descending"],
          "grid": ["chart": "heat-map", "x": "day", "y": "shop", "value": "sum(units)"],
          "logs": ["chart": "histogram", "x": "units", "xLog": true],
        ]
      ], [sales])
    let bars = try #require(all[0] as? Bar), line = try #require(all[1] as? Line), pairs = try #require(all[2] as? GroupedBar)
    let grid = try #require(all[3] as? HeatMap)
    #expect(bars.categories == ["b", "a"] && bars.values == [1, 1.75])
    #expect(line.positions == .dates(["1970-01-02", "1970-01-03"]) && line.series.map(\.name) == ["a", "b"])
    #expect(line.series[0].values[0] == 1 && line.series[0].values[1].isNaN && line.series[1].values[1] == 3)
    #expect(line.frame.subtitle == "2 rows without a value left out")
    #expect(pairs.categories == ["1970-01-02", "1970-01-03"])
    #expect(grid.rows == ["a", "b"] && grid.columns == ["1970-01-02", "1970-01-03"] && grid.values[0] == 1 && grid.values[3] == 3)
    #expect(grid.frame.subtitle == "Rows without day or shop left out")
    #expect(all[4].notes == ["1 row without a value"])
  }

  @Test func treesSharesAndBoxes() throws {
    let merges = BenchInput.table(
      "tables", alias: "merges",
      batch(
        ("left", .int32s([0, 2])), ("right", .int32s([1, 3])), ("height", .float64s([1, 4])), ("customers", .int64s([2, 3]))))
    let sales = BenchInput.table(
      "tables", alias: "sales",
      batch(
        ("shop", .strings(["b", "a", "a", nil])), ("units", .int32s([3, 1, 5, 4])), ("paid", .float64s([1.5, 2.5, 6, nil]))))
    let all = try charts(
      [
        "charts": [
          "tree": ["chart": "dendrogram", "table": "merges", "cut": 2],
          "boxes": ["chart": "box", "table": "sales", "x": "shop", "y": "units", "sort": "ascending"],
          "parts": ["chart": "pareto", "table": "sales", "x": "shop", "value": "sum(paid)"],
          "shares": ["chart": "lorenz", "table": "sales", "x": "paid"],
          "pairs": ["chart": "correlation", "table": "sales", "y": ["units", "paid"]],
        ]
      ], [merges, sales])
    let tree = try #require(all[0] as? Charts.Dendrogram), boxes = try #require(all[1] as? Box), parts = try #require(all[2] as? Pareto)
    let shares = try #require(all[3] as? Lorenz), pairs = try #require(all[4] as? HeatMap)
    #expect(tree.merges.count == 2 && tree.merges[1].size == 3)
    #expect(boxes.categories.map(\.name) == ["a", "b"] && boxes.categories[0].median == 3)
    #expect(boxes.frame.subtitle == "1 row without a value left out")
    #expect(parts.categories == ["a", "b"] && parts.values == [8.5, 1.5])
    #expect((shares.gini - 0.3).magnitude < 1e-15)
    #expect(pairs.values[0] == 1 && (pairs.values[1] - 0.7406128966515281).magnitude < 1e-12)
  }

  @Test(arguments: [
    ("box", ["the box has no \"x\"; expected a column as \"x\"", "the box has no values; expected a column as \"y\""]),
    ("correlation", ["the correlation has no values; expected two or more columns as \"y\""]),
    (
      "dendrogram",
      [
        "a dendrogram is drawn of merges, and there is no number \"left\" in this table; hint: connect the output \"merges\" of a hierarchical segment"
      ]
    ),
  ] as [(String, [String])])
  func whatNewKindsNeed(kind: String, messages: [String]) {
    let table = BenchInput.table("tables", alias: "t", batch(("a", .float64s([1]))))
    #expect(complaints { try charts(["charts": ["c": ["chart": .string(kind)]]], [table]) } == messages)
  }

  @Test func aTableWithoutRowsGivesChartsThatSaySo() throws {
    let empty = BenchInput.table(
      "tables", alias: "t", batch(("a", .float64s([])), ("b", .float64s([])), ("c", .strings([]))))
    let settings: JSONValue = [
      "charts": [
        "h": ["chart": "histogram", "x": "a"], "b": ["chart": "bar", "x": "c", "y": "a"], "g": ["chart": "grouped-bar", "x": "c", "y": "a"],
        "s": ["chart": "scatter", "x": "a", "y": "b", "colour": "c"], "l": ["chart": "line", "x": "a", "y": "b"],
        "m": ["chart": "heat-map", "x": "c", "y": "a"],
      ]
    ]
    #expect(try charts(settings, [empty]).map(\.notes) == Array(repeating: ["No values to show"], count: 6))
    guard let renderer = PresentationTables.renderer() else { return }
    #expect(try draw(settings, [empty], renderer).files.count == 12)
  }

  /// Rows of shops on days from 1970-01-01: a in January and March, b in January and February, c in March.
  private static let visits = BenchInput.table(
    "tables", alias: "visits",
    batch(
      ("customer", .strings(["a", "b", "a", "b", "c", nil, "a"])), ("day", .dates([0, 10, 60, 40, 70, 3, 61])),
      ("paid", .float64s([1, 2, 3, 4, 5, 6, 7]))))

  @Test func customersComingBack() throws {
    let all = try charts(
      [
        "charts": [
          "back": ["chart": "retention", "x": "day", "y": "customer"],
          "quarters": ["chart": "retention", "x": "day", "y": "customer", "every": "quarter"],
          "trend": ["chart": "trend", "x": "day", "value": "sum(paid)"],
        ]
      ], [Self.visits])
    let back = try #require(all[0] as? HeatMap), quarters = try #require(all[1] as? HeatMap), trend = try #require(all[2] as? Line)
    #expect(back.rows == ["1970-01  (2)", "1970-03  (1)"] && back.columns == ["1", "2"])
    #expect(back.values[0] == 0.5 && back.values[1] == 0.5 && back.values[2].isNaN && back.values[3].isNaN)
    #expect(back.rowTitle == "First month (customers)" && back.columnTitle == "months since the first")
    #expect(quarters.rows == ["1970 Q1  (3)"] && quarters.values.allSatisfy(\.isNaN))
    #expect(trend.positions == .dates(["1970-01-01", "1970-02-01", "1970-03-01"]) && trend.series[0].values == [9, 4, 15])
  }

  /// Whether the rows of a customer come in the order of time, in another one, or several times.
  @Test(arguments: [[0, 10, 60, 40, 70, 61], [70, 61, 60, 40, 10, 0], [60, 0, 61, 40, 10, 70], [10, 0, 0, 70, 40, 60, 61, 40, 10]]) func cohortsInAnyOrder(days: [Int32]) throws {
    let customer: [Int32: String] = [0: "a", 10: "b", 60: "a", 40: "b", 70: "c", 61: "a"]
    let rows = BenchInput.table("tables", alias: "visits", batch(("customer", .strings(days.map { customer[$0] })), ("day", .dates(days))))
    let back = try #require(try charts(["charts": ["back": ["chart": "retention", "x": "day", "y": "customer"]]], [rows])[0] as? HeatMap)
    #expect(back.rows == ["1970-01  (2)", "1970-03  (1)"] && back.columns == ["1", "2"])
    #expect(back.values[0] == 0.5 && back.values[1] == 0.5 && back.values[2].isNaN && back.values[3].isNaN)
  }

  @Test func matricesFlowsAndCalibration() throws {
    let people = BenchInput.table(
      "tables", alias: "people",
      batch(
        ("x", .int64s([0, 0, 1, 2, 2, nil])), ("t", .float64s([0, 5, 5, 10, 90, 1])), ("alive", .float64s([0.2, 0.4, 0.5, 0.6, 0.8, 1])),
        ("from", .strings(["A", "A", "B", nil, "B", "A"])), ("to", .strings(["A", "B", "B", "B", "A", "A"]))))
    let tenths = BenchInput.table(
      "tables", alias: "tenths",
      batch(("decile", .int32s([1, 2])), ("predicted", .float64s([1, 2])), ("actual", .float64s([1.5, 1.75])), ("low", .float64s([1, 1])), ("high", .float64s([2, 3]))))
    let all = try charts(
      [
        "charts": [
          "counts": ["chart": "matrix", "table": "people", "x": "t", "y": "x", "noun": "customer", "bins": 5],
          "alive": ["chart": "matrix", "table": "people", "x": "t", "y": "x", "colour": "alive", "clip": 0.5, "bins": 2],
          "moves": ["chart": "flow", "table": "people", "x": "from", "y": "to"],
          "parts": ["chart": "treemap", "table": "people", "x": "from", "value": "count(*)"],
          "right": ["chart": "calibration", "table": "tenths", "x": "predicted", "y": "actual", "colour": "decile"],
          "band": ["chart": "line", "table": "tenths", "x": "decile", "y": "actual", "low": "low", "high": "high"],
          "sum": ["chart": "line", "table": "tenths", "x": "decile", "y": ["actual", "predicted"], "cumulative": true],
        ]
      ], [people, tenths])
    let counts = try #require(all[0] as? HeatMap), alive = try #require(all[1] as? HeatMap), moves = try #require(all[2] as? Flow)
    #expect(counts.rows == ["2", "1", "0"] && counts.legend == "customers" && counts.values.filter(\.isFinite).reduce(0, +) == 5)
    #expect(counts.frame.subtitle == "1 row without a value left out")
    #expect(alive.columns.last?.hasSuffix("+") == true && alive.legend == "mean alive")
    #expect(alive.values.contains { ($0 - 1.9 / 3).magnitude < 1e-12 })
    #expect(moves.streams == [.init("A", "A", 2), .init("A", "B", 1), .init("B", "A", 1), .init("B", "B", 1)])
    let parts = try #require(all[3] as? Treemap), right = try #require(all[4] as? Calibration)
    #expect(parts.cells.map(\.value) == [3, 2, 1] && right.points.map(\.label) == ["1", "2"])
    let band = try #require(all[5] as? Line), sum = try #require(all[6] as? Line)
    #expect(band.series.count == 1 && band.series[0].low == [1, 1] && band.series[0].high == [2, 3])
    #expect(sum.series.map(\.values) == [[1.5, 3.25], [1, 3]])
  }

  @Test func howManyClusters() throws {
    let choices = BenchInput.table(
      "tables", alias: "choices",
      batch(
        ("k", .int32s([2, 3, 4])), ("chosen", .bools([false, true, false])), ("inertia", .float64s([90, 30, 20])), ("silhouette", .float64s([0.3, 0.6, nil])),
        ("silhouette_low", .float64s([0.2, 0.5, nil])), ("silhouette_high", .float64s([0.4, 0.7, nil]))))
    let all = try charts(["charts": ["c": ["chart": "cluster-count"]]], [choices])
    let chart = try #require(all[0] as? ClusterCount)
    #expect(chart.elbow == 3 && chart.notes == ["The inertia bends at 3", "3 chosen"] && chart.rows[2].silhouette.isNaN)
  }

  @Test(arguments: [
    ("retention", ["the retention has no \"x\"; expected a column as \"x\"", "the retention has no values; expected the column of the customer as \"y\""]),
    ("trend", ["the trend has no \"x\"; expected a column as \"x\"", "the trend has no values; expected an aggregate as \"value\"; hint: sum(revenue)"]),
    (
      "cluster-count",
      [
        "a cluster-count is drawn of choices, and there is no column \"k\" in this table; hint: connect the output \"choices\" of a segment with \"k\": \"auto\""
      ]
    ),
    ("flow", ["the flow has no \"x\"; expected a column as \"x\"", "the flow has no values; expected the column of the groups on the right as \"y\""]),
  ] as [(String, [String])])
  func whatChartsOfCustomersNeed(kind: String, messages: [String]) {
    let table = BenchInput.table("tables", alias: "t", batch(("a", .float64s([1]))))
    #expect(complaints { try charts(["charts": ["c": ["chart": .string(kind)]]], [table]) } == messages)
  }

  @Test func bandsAndTimesThatAreNone() {
    let table = BenchInput.table("tables", alias: "t", batch(("a", .float64s([1])), ("b", .float64s([1]))))
    #expect(
      complaints {
        try charts(["charts": ["c": ["chart": "line", "x": "a", "y": ["a", "b"], "low": "a"], "d": ["chart": "trend", "x": "a", "value": "sum(b)"]]], [table])
      } == [
        "a band needs both its ends; expected columns as \"low\" and \"high\"",
        "a band stands around one line; hint: leave out \"colour\", \"cumulative\" and all but one \"y\"",
      ])
  }

  /// Every kind of chart, light and dark, the same bytes twice; kept for whoever wants to look.
  @Test func everyKindIsDrawn() throws {
    guard let renderer = PresentationTables.renderer() else { return }
    let all: [(String, any Chart)] = Gallery.charts
    for (theme, name) in [(Theme.light, "light"), (Theme.dark, "dark")] {
      let jobs = all.map { ChartRenderer.Job($0.0, $0.1.spec(theme), [.png, .svg]) }
      let pictures = try renderer.render(jobs)
      #expect(pictures.count == all.count && pictures.allSatisfy { $0.svg.hasPrefix("<svg") })
      // Backwards: what was drawn before must not show.
      if name == "light" { #expect(Array(try renderer.render(jobs.reversed()).reversed()) == pictures) }
      if let folder = Looking.folder { for (chart, picture) in zip(all, pictures) { try Looking.keep(picture.png, "\(folder)/\(chart.0)-\(name).png") } }
    }
  }

  @Test func twoValuesForOneBarAreAMistake() throws {
    let sales = BenchInput.table("tables", alias: "t", batch(("shop", .strings(["a", "b", "a"])), ("paid", .int64s([1, 2, 3]))))
    #expect {
      _ = try charts(["charts": ["paid": ["chart": "bar", "x": "shop", "y": "paid"]]], [sales])
    } throws: { error in
      "\(error)" == """
        error: chart "paid" has two values for "a" of column "shop" (setting /charts/paid/x)
          hint: say how to bring them together: "value": "sum(paid)" in place of "y"
        """
    }
  }

  @Test func everyMistakeIsToldAtOnce() {
    let settings: JSONValue = [
      "charts": [
        "Total": ["chart": "bar", "table": "value", "x": "rfm_segment", "y": "revenue"],
        "a": ["chart": "histogram", "table": "valeu", "x": "clv"],
        "b": ["chart": "histogram", "table": "value", "x": "customer", "y": "clv"],
        "c": ["chart": "scatter", "table": "value", "x": "clvv", "y": ["orders"], "xFormat": "pounds"],
        "d": ["chart": "line", "table": "value", "x": "orders"],
        "e": ["chart": "heat-map", "table": "value", "x": "r_score", "y": "f_score", "value": "sum(revenu)"],
        "f": ["chart": "bar", "x": "rfm_segment", "y": "revenue"],
        "a-svg": ["chart": "histogram", "table": "value", "x": "clv"],
      ]
    ]
    #expect(
      mistakes(of: Visualize.self, settings, [PresentationTables.value().at("tables", "value"), PresentationTables.months.at("tables", "months")]) == [
        """
        error: "Total" cannot name a chart (setting /charts/Total)
          expected a small letter, then up to 59 small letters, digits, _ or -
        """,
        """
        error: "a-svg" is also the SVG of chart "a" (setting /charts/a-svg)
          hint: choose another name
        """,
        """
        error: no input is called "valeu" (setting /charts/a/table)
          hint: did you mean "value"?
        """,
        """
        error: a histogram takes no "y" (setting /charts/b/y)
          hint: taken by bar, grouped-bar, scatter, line, heat-map, box, pareto, correlation, matrix, retention, calibration, treemap, flow
        """,
        """
        error: column "customer" is not numeric (setting /charts/b/x)
          expected a number type, to be cut into intervals, found string
        """,
        """
        error: "pounds" is no number format (setting /charts/c/xFormat)
          expected a form such as ",.0f" (1,234), ".1%" (25.6%), "£,.2f" (£1,234.50) or ".3s" (1.2M)
        """,
        """
        error: no column "clvv" in the input (setting /charts/c/x)
          hint: did you mean "clv"?
        """,
        """
        error: the line has no values (setting /charts/d/y)
          expected one or more columns as "y"
        """,
        """
        error: unknown column "revenu" (setting /charts/e/value)
          hint: did you mean "revenue"?
        """,
        """
        error: which table is drawn has to be said (setting /charts/f/table)
          expected one of "value", "months"
        """,
      ])
  }

  @Test func withoutARendererItIsSaid() throws {
    let renderer = ChartRenderer(folder: "/nowhere", python: "no-such-python")
    #expect {
      _ = try draw(["charts": ["h": ["chart": "histogram", "x": "clv"]]], [PresentationTables.value().at("tables", "value")], renderer)
    } throws: { error in
      "\(error)" == """
        error: the chart renderer could not be started
          expected no-such-python on the PATH, found No such file or directory
          hint: install Python 3, then run: make setup
        """
    }
  }

  @Test func darkPicturesHaveADarkGround() throws {
    guard let renderer = PresentationTables.renderer() else { return }
    for (theme, ground) in [("light", Theme.light.background), ("dark", Theme.dark.background)] {
      let drawn = try draw(
        ["charts": ["h": ["chart": "histogram", "x": "clv"]], "theme": .string(theme), "formats": "svg"], [PresentationTables.value().at("tables", "value")], renderer)
      #expect(drawn.files.count == 1 && String(decoding: drawn.files[0].bytes, as: UTF8.self).contains("fill=\"\(ground)\""), "\(theme)")
    }
  }

  @Test func theSameBytesTwiceAndAtAnyWidth() throws {
    guard let renderer = PresentationTables.renderer() else { return }
    let settings = try PresentationTables.settings("quickstart", "pictures")
    let first = try draw(settings, shop, renderer, width: 1), second = try draw(settings, shop, renderer, width: 8)
    #expect(first.files.map(\.name) == second.files.map(\.name) && first.files.count == 12)
    #expect(first.files.map(\.bytes) == second.files.map(\.bytes))
    #expect(first.documents.map(\.document) == second.documents.map(\.document))
    let chart = try #require(first.documents[0].document["charts"]?.array?[1])
    #expect(chart["name"] == "segment_comparison" && chart["title"] == "Share of revenue by RFM segment")
    #expect(chart["svg"]?.string?.contains("Champions") == true && chart["spec"]?["data"] != nil)
    #expect(first.files[0].bytes.prefix(4) == [0x89, 0x50, 0x4E, 0x47])
    // For whoever wants to look at them.
    if let folder = Looking.folder { for file in first.files { try Looking.keep(file.bytes, folder + "/" + file.name) } }
  }

  @Test(arguments: [
    (",.0f", 1234.5, "1,235"), (".0%", 0.256, "26%"), ("£,.0f", 1234.4, "£1,234"), (",.1f weeks", 2.25, "2.3 weeks"), (".3s", 1_250_000, "1.3M"),
    ("d", 12.0, "12"), ("US$ ,.2f", 3.5, "US$ 3.50"),
  ])
  func formatsAreReadAsWritten(spelling: String, value: Double, text: String) {
    #expect(NumberFormat(spelling: spelling)?.text(value) == text)
  }

  @Test(arguments: ["", "days", "£", ".f", ",", "0.00", ".99f"])
  func otherTextsAreNoFormats(spelling: String) { #expect(NumberFormat(spelling: spelling) == nil) }
}
