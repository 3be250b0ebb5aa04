import Columns
import Diagnostics
import Foundation
import Pipelines
import Testing

@testable import Charts
@testable import Stages

/// Set MILLRACE_LOOK to a folder to keep pictures and pages that tests make.
enum Looking {
  static var folder: String? { ProcessInfo.processInfo.environment["MILLRACE_LOOK"] }
  static func keep(_ bytes: [UInt8], _ path: String) throws { try Data(bytes).write(to: URL(fileURLWithPath: path)) }
}

@Suite struct ReportTests {
  private static let pictures: JSONValue = [
    "charts": .array(
      ["cltv_distribution", "segment_comparison", "rfm_grid", "alive_and_frequency", "revenue_by_month", "revenue_by_country"].map {
        ["name": .string($0), "title": .string($0), "alt": .string("alt of \($0)"), "svg": "<svg viewBox='0 0 10 10'></svg>"]
      })
  ]
  private static let about = "charts:cltv_distribution,segment_comparison,rfm_grid,alive_and_frequency,revenue_by_month,revenue_by_country"

  private func shop(_ pictures: JSONValue = pictures) -> [BenchInput] {
    let profile = PresentationTables.profile
    return [
      PresentationTables.value().at("inputs", "value"), profile.at("inputs", "segments"), profile.at("inputs", "names"),
      profile.at("inputs", "tiers"), .document("inputs", alias: "purchases", PresentationTables.bgnbd, about: "model:bg-nbd"),
      .document("inputs", alias: "spend", PresentationTables.bgnbd, about: "model:gamma-gamma"),
      .document("inputs", alias: "pictures", pictures, about: Self.about), PresentationTables.quarantine.at("inputs", "unreadable"),
      PresentationTables.quarantine.at("inputs", "removed"),
    ]
  }

  private func page(_ result: StageResult) -> String { String(decoding: result.file("page")?.bytes ?? [], as: UTF8.self) }

  @Test func theShopsPageReadsWhatItShows() throws {
    let binding = try bindStage(Report.self, try PresentationTables.settings("quickstart", "page"), shop())
    #expect(
      binding.reads == [
        .init(
          "value",
          .named(["clv", "customer", "expected_purchases", "expected_spend", "orders", "p_alive", "revenue", "rfm_segment", "since_last"])),
        .init("segments", .all), .init("names", .all), .init("tiers", .all), .init("purchases", .all), .init("spend", .all),
        .init("pictures", .all), .init("unreadable", .named([])), .init("removed", .named([])),
      ])
    #expect(binding.outputs == [.init("page", .file(mediaType: "text/html"))])
  }

  @Test func theShopsPageHoldsTheNumbers() throws {
    let result = try runStage(Report.self, try PresentationTables.settings("quickstart", "page"), shop())
    let html = page(result)
    #expect(result.file("page")?.name == "report.html")
    guard case .table(let table) = PresentationTables.value().artifact else { return }
    let rows = try table.wholeBatch()
    func sum(_ name: String) -> String { NumberFormat.integer.text(rows[name].doubles().reduce(0, +)) }
    #expect(
      result.metrics["figures"]?.array?.map { $0["value"] } == [
        "400", .string("£" + sum("revenue")), .string("£" + sum("clv")), .string(sum("expected_purchases")), "3", "3",
      ])
    #expect(html.contains("<dt>revenue</dt><dd class=\"figure\">£\(sum("revenue"))</dd>"))
    #expect(html.contains("<caption>20 of 400 rows, largest clv first</caption>"))
    #expect(html.contains("<td>alpha</td><td class=\"number\" data-value=\"4.413532\">4.4135</td><td class=\"number\" data-value=\"0.378221\">0.3782</td>"))
    #expect(html.contains("<dt>log likelihood</dt><dd>−9,582.4292</dd>"))
    #expect(html.contains("<td>Champions</td><td class=\"number\" data-value=\"80\">80</td><td class=\"number\" data-value=\"0.2\">20.0%</td>"))
    #expect(html.contains("aria-label=\"alt of rfm_grid\""))
    #expect(html.contains("left out: no repeat purchase") && !html.contains("http://") && !html.contains("https://"))
    #expect(try page(runStage(Report.self, PresentationTables.settings("quickstart", "page"), shop(), width: 8)) == html)
  }

  @Test func thePageOfCDNOW() throws {
    let tables = [PresentationTables.value().at("tables", "value"), PresentationTables.byFrequency.at("tables", "by_frequency")]
    let drawn = try bindStage(Visualize.self, try PresentationTables.settings("cdnow", "pictures"), tables)
    #expect(drawn.reads == [.init("value", .named(["clv"])), .init("by_frequency", .named(["actual", "frequency", "predicted"]))])
    guard case .document(let about) = drawn.outputs[0].type else { return }
    let pictures: JSONValue = [
      "charts": [["name": "predicted_against_actual", "svg": "<svg></svg>"], ["name": "cltv_distribution", "svg": "<svg></svg>"]]
    ]
    let result = try runStage(
      Report.self, try PresentationTables.settings("cdnow", "page"),
      [
        PresentationTables.value().at("inputs", "value"),
        .document("inputs", alias: "model", PresentationTables.bgnbd, about: "model:bg-nbd"),
        .document("inputs", alias: "spend", PresentationTables.bgnbd, about: "model:gamma-gamma"),
        .document("inputs", alias: "score", PresentationTables.evaluation, about: "evaluation"),
        .document("inputs", alias: "pictures", pictures, about: about),
      ])
    #expect(result.binding.reads[0] == .init("value", .named(["expected_purchases"])))
    let html = page(result)
    #expect(html.contains("<dt>rmse</dt><dd>1.6080</dd>") && html.contains("model: bg-nbd") && html.contains("<h2>Hold-out</h2>"))
  }

  @Test func aPageLaysItselfOut() throws {
    let result = try runStage(
      Report.self, [:],
      [
        PresentationTables.byFrequency.at("inputs", "by_frequency"),
        .document("inputs", alias: "score", PresentationTables.evaluation, about: "evaluation"),
        .document("inputs", alias: "pictures", Self.pictures, about: Self.about),
      ])
    #expect(result.binding.reads.map(\.columns) == [.all, .all, .all])
    let html = page(result)
    for text in ["<h2>Charts</h2>", "<h2>score</h2>", "<h2>by frequency</h2>", "<dt>mae</dt><dd>0.7855</dd>", "<dt>gradient</dt><dd>1.2e-09</dd>", "<dt>norm</dt><dd>3.428e-15</dd>", "1,411"] {
      #expect(html.contains(text), "\(text)")
    }
  }

  @Test func cardsSayWhatToDoAndQualityWhy() throws {
    let profile = BenchInput.table(
      "inputs", alias: "segments",
      batch(
        ("segment", .int32s([1, 2, nil])), ("segment_label", .strings(["loyal", "lost", nil])), ("customers", .int64s([1200, 300, 5])),
        ("share", .float64s([0.797, 0.199, 0.004])), ("known_by", .strings(["high orders (+1.2 sd)", "close to the average", nil])),
        ("action", .strings(["thank", "win back", nil])), ("channel", .strings(["letter", nil, nil])), ("gain", .float64s([5000, 10, nil])),
        ("cost", .float64s([600, 300, nil])), ("net", .float64s([4400, -290, nil])), ("chosen", .bools([true, false, nil]))))
    let removed = BenchInput.table(
      "inputs", alias: "removed", batch(("x", .int64s([1, 2, 3])), ("rule", .strings(["x > 0", "y", "x > 0"])), ("reason", .strings(["false", "missing", "false"]))))
    let settings: JSONValue = [
      "sections": [
        ["title": "Segments", "cards": "segments", "formats": ["gain": "£,.0f", "cost": "£,.0f", "net": "£,.0f"]],
        ["title": "Data", "quality": [["label": "sales", "kept": "segments", "quarantine": "removed"]]],
      ]
    ]
    let result = try runStage(Report.self, settings, [profile, removed])
    #expect(result.binding.reads == [.init("segments", .all), .init("removed", .named(["reason", "rule"]))])
    let html = page(result)
    for text in [
      "<h3>loyal</h3>", "To do: thank (letter). Expected gain £5,000, cost £600, net £4,400. Chosen within the budget.",
      "To do: win back. Expected gain £10, cost £300, net −£290. Not chosen: it loses, or others return more for the budget.",
      "<dt>customers</dt><dd>1,200 (79.7%)</dd>", "<dt>known by</dt><dd>high orders (+1.2 sd)</dd>", "<h3>Without a segment</h3>",
      "<td>sales</td><td class=\"number\" data-value=\"3\">3</td><td class=\"number\" data-value=\"3\">3</td><td class=\"number\" data-value=\"0.5\">50.0%</td>",
      "<td>sales</td><td>x &gt; 0: false</td><td class=\"number\" data-value=\"2\">2</td>",
    ] {
      #expect(html.contains(text), "\(text)")
    }
    #expect(
      mistakes(
        of: Report.self, ["sections": [["title": "A", "cards": "removed", "quality": [["label": "x", "kept": "segments", "quarantine": "segments"]]]]],
        [profile, removed]).count == 2)
  }

  @Test func hostileTextStaysText() throws {
    let hostile = "</td><script>alert(1)</script>"
    let result = try runStage(
      Report.self,
      ["title": .string(hostile), "figures": [["label": .string(hostile), "table": "t", "value": "max(name)"]]],
      [
        .table("inputs", alias: "t", batch(("name", .strings([hostile])), (hostile, .int64s([1])))),
        .document("inputs", alias: "d", [JSONMember(hostile, .string(hostile)).key: .string(hostile)], about: "x"),
      ])
    #expect(!page(result).contains("<script>alert"))
  }

  /// Ties keep the order of the rows, nulls come last, whatever the batches are.
  @Test(arguments: [true, false])
  func theTopRowsAreThoseOfAWholeSort(descending: Bool) throws {
    let values = (0..<500).map { (row: Int) -> Double? in row % 7 == 3 ? nil : Double(row * 37 % 50) }
    let table = batch(("at", .int64s((0..<500).map { Int64($0) })), ("v", .float64s(values)))
    let parts = [0..<3, 3..<3, 3..<120, 120..<121, 121..<400, 400..<500].map(table.slice)
    guard case .table(let source) = BenchInput.table("", partitions: [("a", Array(parts[..<3])), ("b", Array(parts[3...]))]).artifact else { return }
    for count in [1, 20, 499, 600] {
      let rows = ReportPlan.Rows(alias: "t", columns: ["at"], sort: "v", descending: descending, count: count, formats: [])
      let shown = try TopRows(rows, of: source).table(BenchContext(width: 1, parameters: [:], files: [])).rows.map { $0[0] }
      let whole = values.indices.sorted { (a: Int, b: Int) -> Bool in
        guard let x = values[a], let y = values[b] else { return values[a] == nil && values[b] == nil ? a < b : values[b] == nil }
        return x == y ? a < b : descending ? x > y : x < y
      }
      #expect(shown == whole.prefix(count).map { .number(Double($0)) })
    }
  }

  @Test func everyMistakeIsToldAtOnce() throws {
    let settings: JSONValue = [
      "figures": [
        ["label": "a", "table": "valeu", "value": "count(*)"], ["label": "b", "table": "value", "value": "clv"],
        ["label": "c", "table": "value", "value": "sum(customer)"], ["label": "d", "table": "purchases", "value": "count(*)"],
        ["label": "e", "table": "value", "value": "max(customer)", "format": ",.0f"],
      ],
      "sections": [
        ["title": "A", "charts": ["cltv_distributoin"], "table": "value", "columns": ["clv", "orderz"], "sort": "nothing"],
        ["title": "B", "documents": ["value"], "sort": "clv", "formats": ["clv": "money"]],
      ],
    ]
    #expect(
      mistakes(of: Report.self, settings, shop()) == [
        """
        error: no input is called "valeu" (setting /figures/0/table)
          hint: did you mean "value"?
        """,
        """
        error: no aggregate in an expression over many rows (setting /figures/1/value)
          expected one of count(…), sum(…), min(…), max(…), avg(…), median(…), first(…), last(…), stddev(…), variance(…)
          hint: first(x) takes the value of the first row
        """,
        """
        error: sum needs numbers (setting /figures/2/value)
          expected a number, found string
        """,
        """
        error: input "purchases" is no table (setting /figures/3/table)
          expected a table, found a document
        """,
        """
        error: only numbers have a format (setting /figures/4/format)
          expected a number as "value", found string
        """,
        """
        error: no input holds a chart "cltv_distributoin" (setting /sections/0/charts/0)
          hint: did you mean "cltv_distribution"?
        """,
        """
        error: no column "orderz" in the input (setting /sections/0/columns/1)
          hint: did you mean "orders"?
        """,
        """
        error: no column "nothing" in the input (setting /sections/0/sort)
          hint: known: customer, orders, revenue, since_last, p_alive, expected_purchases, expected_spend, clv, r_score, f_score, rfm_segment, segment_label
        """,
        """
        error: input "value" is no document (setting /sections/1/documents/0)
          expected a document, found a table
          hint: show its rows with "table": "value"
        """,
        """
        error: "sort" is about a table, and the section names none (setting /sections/1/sort)
          hint: add "table"
        """,
        """
        error: "formats" is about a table, and the section names none (setting /sections/1/formats)
          hint: add "table"
        """,
      ])
  }

  /// The whole page of the shop with real pictures, for whoever wants to look at it.
  @Test func thePageWithPictures() throws {
    guard let renderer = PresentationTables.renderer() else { return }
    let value = PresentationTables.value(5000)
    let tables = [
      value.at("tables", "value"), PresentationTables.profile.at("tables", "segments"), PresentationTables.profile.at("tables", "names"),
      PresentationTables.months.at("tables", "months"), PresentationTables.countries.at("tables", "countries"), value.at("tables", "clusters"),
    ]
    let context = BenchContext(width: 2, parameters: [:], files: [])
    let stage = try makeStage(Visualize.self, try PresentationTables.settings("quickstart", "pictures"))
    _ = try stage.run(Inputs(tables.map { .init(port: $0.port, alias: $0.alias, value: $0.artifact) }), context, renderer)
    let result = try runStage(Report.self, try PresentationTables.settings("quickstart", "page"), shop(context.documents[0].document))
    let html = page(result)
    #expect(html.contains("Share of revenue by RFM segment") && html.components(separatedBy: "<svg").count == 7)
    if let folder = Looking.folder {
      try Looking.keep(Array(html.utf8), folder + "/report.html")
      for file in context.files { try Looking.keep(file.bytes, folder + "/large-" + file.name) }
      let own = try runStage(Report.self, [:], [.document("inputs", alias: "score", PresentationTables.evaluation, about: "evaluation")])
      try Looking.keep(Array(page(own).utf8), folder + "/own.html")
    }
  }
}
