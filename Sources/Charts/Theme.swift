/// The look all charts share: colours, sizes, fonts. Light is for paper and PNG, dark for screens that ask for it.
public struct Theme: Hashable, Sendable {
  public var background: String
  /// Titles and values.
  public var ink: String
  /// Axis labels, subtitles, notes.
  public var muted: String
  /// Grid lines and frames.
  public var rule: String
  /// Colours of series in order; Okabe and Ito's set (2008), told apart by colour-blind readers.
  public var series: [String]
  /// What is left over after the named series.
  public var other: String
  /// From little to much.
  public var sequential: [String]
  /// From negative over nothing to positive.
  public var diverging: [String]
  /// Text on cells near the upper end of a colour scale, and on the others. They are no other colour of the theme, so
  /// that a page that recolours a picture for dark screens leaves the cells and their text alone.
  public var onStrong: String, onWeak: String

  // Liberation Sans is the font inside the renderer; Arial has the same widths, for readers of the SVG.
  static let font = "Liberation Sans, Arial, Helvetica, sans-serif"

  public static let light = Theme(
    background: "#ffffff", ink: "#1b2733", muted: "#52606d", rule: "#dfe4ea",
    series: ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a5195", "#3d3d3d"],
    other: "#9aa5b1", sequential: ["#e8f1f8", "#7fb8d9", "#0072b2", "#08375c"],
    diverging: ["#b04a00", "#f0b98d", "#f6f6f6", "#8fc1de", "#005f95"], onStrong: "#fefefe", onWeak: "#1b2734")

  public static let dark = Theme(
    background: "#12181f", ink: "#e8edf2", muted: "#a9b4c0", rule: "#2e3945",
    series: ["#3fa3dc", "#f0803c", "#2cc295", "#e09bc4", "#f0b429", "#8fd0f5", "#b08ad0", "#f0e442"],
    other: "#768390", sequential: ["#1c3448", "#1f638f", "#3fa3dc", "#cfe9fa"],
    diverging: ["#f0803c", "#7d4a2b", "#1c232b", "#255b7e", "#3fa3dc"], onStrong: "#0d1217", onWeak: "#e8edf3")

  /// The colour of the series at a position; after the last they begin again.
  func color(_ index: Int) -> String { series[index % series.count] }

  /// Vega-Lite's `config`. Marks carry no accessibility text of their own: the page names the whole picture.
  var config: Spec {
    [
      "font": .string(Theme.font),
      "background": .string(background),
      "aria": false,
      "view": ["stroke": nil],
      "title": [
        "anchor": "start", "frame": "group", "offset": 12, "fontSize": 17, "fontWeight": "bold", "color": .string(ink),
        "subtitleFontSize": 12.5, "subtitleColor": .string(muted), "subtitlePadding": 5, "subtitleLineHeight": 16,
      ],
      "axis": [
        "labelFontSize": 12, "titleFontSize": 12.5, "titleFontWeight": "normal", "labelColor": .string(muted),
        "titleColor": .string(muted), "titlePadding": 8, "gridColor": .string(rule), "domainColor": .string(muted),
        "tickColor": .string(rule), "labelLimit": 190, "labelPadding": 5,
      ],
      "legend": [
        "orient": "top", "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal",
        "labelColor": .string(muted), "titleColor": .string(muted), "symbolSize": 110, "columns": 5, "offset": 6,
        "labelLimit": 150,
      ],
    ]
  }
}
