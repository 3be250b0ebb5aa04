import Pipelines

/// The kinds of chart, by their words in a document.
enum ChartKind: String, SettingChoice, Hashable {
  case histogram, bar
  case groupedBar = "grouped-bar"
  case scatter, line
  case heatMap = "heat-map"
  case box, pareto, lorenz, correlation, dendrogram
  case matrix, retention, trend, calibration, treemap, flow
  case clusterCount = "cluster-count"

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
    case .matrix: ["x", "y", "colour", "valueFormat", "clip", "bins", "noun"]
    case .retention: ["x", "y", "every", "limit"]
    case .trend: ["x", "value", "every", "yFormat"]
    case .calibration: ["x", "y", "colour", "xFormat", "yFormat"]
    case .treemap: ["x", "y", "value", "valueFormat"]
    case .flow: ["x", "y", "value", "valueFormat"]
    case .clusterCount: []
    case .histogram: ["x", "xFormat", "xLog", "clip", "bins", "density", "noun"]
    case .bar: ["x", "y", "value", "yFormat", "sort", "limit"]
    case .groupedBar: ["x", "y", "colour", "yFormat", "sort", "limit"]
    case .scatter: ["x", "y", "colour", "xFormat", "yFormat", "xLog", "yLog", "clip", "limit", "noun"]
    case .line: ["x", "y", "low", "high", "cumulative", "colour", "xFormat", "yFormat", "xLog", "yLog"]
    case .heatMap: ["x", "y", "value", "valueFormat"]
    }
  }
}

/// One chart as a document describes it.
struct ChartSettings: SettingsGroup {
  enum Sort: String, SettingChoice, Hashable { case ascending, descending, none }
  enum Every: String, SettingChoice, Hashable { case day, week, month, quarter, year }

  @Setting("histogram of one column; bar and grouped-bar by category; scatter of rows; line; heat-map of an aggregate; box of a column by category; pareto of bars with their running share; lorenz curve of a column; correlation of columns; dendrogram of the merges of a hierarchical segment; matrix of two columns cut into classes (frequency and recency), of counts or of the mean of a third one (p_alive); retention of customers by the period of their first row; trend of an aggregate by period; calibration of predicted against actual means; treemap of categories; flow from groups to groups; cluster-count of the choices of a segment") var chart: ChartKind
  @Setting("alias of the table; needed where there are several") var table: String?
  @Setting("column along the bottom; of bars and boxes the category; of a retention and a trend the time; of a flow the groups on the left; of a calibration what was predicted; a correlation, a dendrogram and a cluster-count have none") var x: String?
  @Setting("column or columns of values; of a heat-map the column of its rows, of a retention the customer, of a flow the groups on the right") var y: OneOrMany<String> = []
  @Setting("line: columns of the lower and upper end of a band around its one \"y\"") var low: String?
  @Setting("line: see low") var high: String?
  @Setting("line: each value added to those before it, as in a tracking plot") var cumulative = false
  @Setting("retention and trend: how long a period is") var every: Every?
  @Setting("aggregate of the rows of each bar or cell: count(*), sum(revenue), avg(clv)") var value: SQLText?
  @Setting("column whose values give the series or the colours; of a matrix the column whose means are shown, of a calibration the names of the points") var colour: String?
  @Setting("default the chart's name") var title: String?
  @Setting("a second line under the title") var subtitle: String?
  @Setting("default the column's name") var xTitle: String?
  @Setting("default the column's name") var yTitle: String?
  @Setting("numbers along x, as \",.0f\", \".0%\" or \"£,.0f\"") var xFormat: String?
  @Setting("numbers along y and on bars") var yFormat: String?
  @Setting("numbers in cells and on bands") var valueFormat: String?
  @Setting("logarithmic x axis") var xLog = false
  @Setting("logarithmic y axis") var yLog = false
  @Setting("share of the values that is shown, so that a long tail leaves the rest readable", in: 0.01...1) var clip: Double?
  @Setting("order of the bars by their (first) value; default the order of the rows") var sort: Sort?
  @Setting("the most bars, boxes, dots, branches or periods that are drawn", in: 1...10_000) var limit: Int?
  @Setting("about how many bars a histogram, or rows and columns a matrix has", in: 2...400) var bins: Int?
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
    add("low", low != nil)
    add("high", high != nil)
    add("cumulative", cumulative)
    add("every", every != nil)
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
