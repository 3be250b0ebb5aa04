import Pipelines

/// The kinds of chart, by their words in a document.
enum ChartKind: String, SettingChoice, Hashable {
  case histogram, bar
  case groupedBar = "grouped-bar"
  case scatter, line
  case heatMap = "heat-map"
  case box, pareto, lorenz, correlation, dendrogram

  /// Whether it draws a column along the bottom.
  var needsX: Bool { knows.contains("x") }

  /// What a chart of this kind may be told beside table, titles and size.
  var knows: Set<String> {
    switch self {
    case .box: ["x", "y", "yFormat", "yLog", "sort", "limit", "noun"]
    case .pareto: ["x", "y", "value", "yFormat", "limit"]
    case .lorenz: ["x", "noun"]
    case .correlation: ["y"]
    case .dendrogram: ["yFormat", "limit", "cut", "noun"]
    case .histogram: ["x", "xFormat", "xLog", "clip", "bins", "density", "noun"]
    case .bar: ["x", "y", "value", "yFormat", "sort", "limit"]
    case .groupedBar: ["x", "y", "colour", "yFormat", "sort", "limit"]
    case .scatter: ["x", "y", "colour", "xFormat", "yFormat", "xLog", "yLog", "clip", "limit", "noun"]
    case .line: ["x", "y", "colour", "xFormat", "yFormat", "xLog", "yLog"]
    case .heatMap: ["x", "y", "value", "valueFormat"]
    }
  }
}

/// One chart as a document describes it.
struct ChartSettings: SettingsGroup {
  enum Sort: String, SettingChoice, Hashable { case ascending, descending, none }

  @Setting("histogram of one column; bar and grouped-bar by category; scatter of rows; line; heat-map of an aggregate; box of a column by category; pareto of bars with their running share; lorenz curve of a column; correlation of columns; dendrogram of the merges of a hierarchical segment") var chart: ChartKind
  @Setting("alias of the table; needed where there are several") var table: String?
  @Setting("column along the bottom; of bars and boxes the category; a correlation and a dendrogram have none") var x: String?
  @Setting("column or columns of values; of a heat-map the column of its rows") var y: OneOrMany<String> = []
  @Setting("aggregate of the rows of each bar or cell: count(*), sum(revenue), avg(clv)") var value: SQLText?
  @Setting("column whose values give the series or the colours") var colour: String?
  @Setting("default the chart's name") var title: String?
  @Setting("a second line under the title") var subtitle: String?
  @Setting("default the column's name") var xTitle: String?
  @Setting("default the column's name") var yTitle: String?
  @Setting("numbers along x, as \",.0f\", \".0%\" or \"£,.0f\"") var xFormat: String?
  @Setting("numbers along y and on bars") var yFormat: String?
  @Setting("numbers in the cells of a heat-map") var valueFormat: String?
  @Setting("logarithmic x axis") var xLog = false
  @Setting("logarithmic y axis") var yLog = false
  @Setting("share of the values that is shown, so that a long tail leaves the rest readable", in: 0.01...1) var clip: Double?
  @Setting("order of the bars by their (first) value; default the order of the rows") var sort: Sort?
  @Setting("the most bars, boxes, dots or branches that are drawn", in: 1...10_000) var limit: Int?
  @Setting("about how many bars a histogram has", in: 2...400) var bins: Int?
  @Setting("a smooth curve over a histogram") var density = false
  @Setting("dendrogram: so many clusters are coloured", in: 2...50) var cut: Int?
  @Setting("what one row is, in one word; default the table's key") var noun: String?
  @Setting("pixels", in: 160...4000) var width: Int?
  @Setting("pixels", in: 120...4000) var height: Int?

  init() {}

  /// Names of the settings that were given and that not every kind knows.
  var given: [String] {
    var names: [String] = []
    func add(_ name: String, _ isGiven: Bool) { if isGiven { names.append(name) } }
    add("x", x != nil)
    add("y", !y.isEmpty)
    add("value", value != nil)
    add("colour", colour != nil)
    add("xFormat", xFormat != nil)
    add("yFormat", yFormat != nil)
    add("valueFormat", valueFormat != nil)
    add("xLog", xLog)
    add("yLog", yLog)
    add("clip", clip != nil)
    add("sort", sort != nil)
    add("limit", limit != nil)
    add("bins", bins != nil)
    add("density", density)
    add("cut", cut != nil)
    add("noun", noun != nil)
    return names
  }
}
