import Testing

@testable import Charts

/// The smallest chart of each kind, as the whole specification but for the theme, which has its own test.
@Suite struct ChartTests {
  static let top = #"{"$schema":"https://vega.github.io/schema/vega-lite/v5.json","title":"#
  static let size =
    #","width":640,"height":360,"padding":{"left":14,"right":18,"top":14,"bottom":12},"autosize":{"type":"fit","contains":"padding"},"#

  // A line of a test for each stretch of the one line that is printed.
  private func joined(_ pieces: String...) -> String { pieces.joined() }

  private func body(_ chart: any Chart) -> String {
    guard case .object(let fields) = chart.spec(.light) else { return "" }
    return Spec.object(fields.filter { $0.0 != "config" }).json
  }

  @Test func histogram() {
    let chart = Histogram(
      values: [1, 2, 2, 30],
      frame: Frame("Orders", subtitle: "All years"), x: Axis("Orders", .integer, shownShare: 0.75), about: 2)
    #expect(
      body(chart) == Self.top + #"{"text":["Orders"],"subtitle":["All years","1 customer from 3 up not shown (up to 30)"]}"# + Self.size
        + joined(
          ##""layer":[{"data":{"values":[{"from":1,"to":2,"count":1},{"from":2,"to":3,"count":2}]},"##,
          ##""mark":{"type":"rect","fill":"#0072b2","stroke":"#ffffff","strokeWidth":0.6},"##,
          ##""encoding":{"x":{"field":"from","type":"quantitative","scale":{"type":"linear","domain":[1,3],"##,
          ##""nice":false,"zero":false},"axis":{"title":"Orders","##,
          ##""labelExpr":"(datum.value \u003c 0 ? '−' : '') + format(abs(datum.value), ',.0~f')","grid":false,"##,
          ##""tickCount":8,"labelOverlap":"greedy","labelSeparation":8,"labelFlush":false}},"x2":{"field":"to"},"##,
          ##""y":{"field":"count","type":"quantitative","axis":{"title":"Number of customers","##,
          ##""labelExpr":"(datum.value \u003c 0 ? '−' : '') + format(abs(datum.value), ',.6~f')","grid":true,"##,
          ##""tickCount":5,"labelOverlap":"greedy","labelSeparation":8,"labelFlush":false}},"y2":{"datum":0}}},"##,
          ##"{"data":{"values":[{"at":2,"label":"median 2","line":0,"left":false}]},"mark":{"type":"rule","color":"#1b2733","##,
          ##""strokeWidth":1.3,"strokeDash":[5,3]},"encoding":{"x":{"field":"at","type":"quantitative"},"y":{"value":0},"##,
          ##""y2":{"value":"height"}}},"##,
          ##"{"data":{"values":[{"at":2,"label":"median 2","line":0,"left":false}]},"mark":{"type":"text","##,
          ##""align":{"expr":"datum.left ? 'right' : 'left'"},"fontSize":12,"fontWeight":"bold","##,
          ##""dx":{"expr":"datum.left ? -5 : 5"},"##,
          ##""y":{"expr":"8 + 17 * datum.line"},"fill":"#ffffff","stroke":"#ffffff","strokeWidth":5},"##,
          ##""encoding":{"x":{"field":"at","type":"quantitative"},"text":{"field":"label","type":"nominal"}}},"##,
          ##"{"data":{"values":[{"at":2,"label":"median 2","line":0,"left":false}]},"mark":{"type":"text","##,
          ##""align":{"expr":"datum.left ? 'right' : 'left'"},"fontSize":12,"fontWeight":"bold","##,
          ##""dx":{"expr":"datum.left ? -5 : 5"},"##,
          ##""y":{"expr":"8 + 17 * datum.line"},"fill":"#1b2733"},"encoding":{"x":{"field":"at","##,
          ##""type":"quantitative"},"text":{"field":"label","type":"nominal"}}}]}"##))
  }

  @Test func bar() {
    let chart = Bar(
      categories: ["a", "b"], values: [1, 2000],
      frame: Frame("Revenue"), value: Axis("Revenue", .currency("£")))
    #expect(
      body(chart) == Self.top + #"{"text":["Revenue"]}"# + Self.size
        + joined(
          ##""data":{"values":[{"category":"b","value":2000,"label":"£2,000"},{"category":"a","value":1,"##,
          ##""label":"£1"}]},"encoding":{"x":{"field":"value","type":"quantitative","axis":{"title":"Revenue","##,
          ##""labelExpr":"(datum.value \u003c 0 ? '−' : '') + \"£\" + format(abs(datum.value), ',.6~f')","##,
          ##""grid":true,"tickCount":5,"labelOverlap":"greedy","labelSeparation":8,"labelFlush":false},"##,
          ##""scale":{"domain":[0,2240],"nice":false}},"y":{"field":"category","type":"nominal","sort":null,"##,
          ##""axis":{"title":null,"ticks":false,"grid":false,"labelOverlap":false},"scale":{"paddingInner":0.25,"##,
          ##""paddingOuter":0.15}}},"layer":[{"mark":{"type":"bar","color":"#0072b2","cornerRadiusEnd":2}},"##,
          ##"{"mark":{"type":"text","baseline":"middle","##,
          ##""align":{"expr":"datum.value \u003c 0 ? 'right' : 'left'"},"##,
          ##""dx":{"expr":"datum.value \u003c 0 ? -5 : 5"},"fontSize":12,"color":"#1b2733"},"##,
          ##""encoding":{"text":{"field":"label","type":"nominal"}}}]}"##))
  }

  @Test func groupedBar() {
    let chart = GroupedBar(
      categories: ["a"], series: [.init("s", [0.25]), .init("t", [0.5])],
      frame: Frame("Shares"), value: Axis("Share", .percent))
    #expect(
      body(chart) == Self.top + #"{"text":["Shares"]}"# + Self.size
        + joined(
          ##""data":{"values":[{"category":"a","series":"s","value":0.25,"label":"25.0%"},{"category":"a","##,
          ##""series":"t","value":0.5,"label":"50.0%"}]},"encoding":{"x":{"field":"category","type":"nominal","##,
          ##""sort":null,"axis":{"title":null,"ticks":false,"grid":false,"labelOverlap":false,"labelAngle":0},"##,
          ##""scale":{"paddingInner":0.22,"paddingOuter":0.1}},"xOffset":{"field":"series","type":"nominal","##,
          ##""sort":null,"scale":{"domain":["s","t"]}},"y":{"field":"value","type":"quantitative","##,
          ##""axis":{"title":"Share","labelExpr":"(datum.value \u003c 0 ? '−' : '') + format(abs(datum.value), ',"##,
          ##".1~%')","grid":true,"tickCount":5,"labelOverlap":"greedy","labelSeparation":8,"labelFlush":false},"##,
          ##""scale":{"domain":[0,0.54],"nice":false}}},"layer":[{"mark":{"type":"bar","cornerRadiusEnd":2},"##,
          ##""encoding":{"color":{"field":"series","type":"nominal","legend":{"title":null},"##,
          ##""scale":{"domain":["s","t"],"range":["#0072b2","#d55e00"]}}}},{"mark":{"type":"text","##,
          ##""align":"center","baseline":"bottom","dy":-3,"fontSize":10.5,"color":"#1b2733"},"##,
          ##""encoding":{"text":{"field":"label","type":"nominal"}}}]}"##))
  }

  @Test func dots() {
    let chart = Scatter(
      x: [1, 2, .nan], y: [10, 0, 5], groups: Groups(["a", "b", "a"]),
      frame: Frame("Dots"), x: Axis("x"), y: Axis("y", scale: .log))
    #expect(
      body(chart) == Self.top + #"{"text":["Dots"],"subtitle":["2 customers at or below zero or without a value not shown"]}"# + Self.size
        + joined(
          ##""data":{"values":[{"x":1,"y":10,"group":"a"}]},"mark":{"type":"circle","size":40,"opacity":0.75,"##,
          ##""clip":true},"encoding":{"x":{"field":"x","type":"quantitative","scale":{"type":"linear","##,
          ##""zero":true,"nice":true},"axis":{"title":"x","##,
          ##""labelExpr":"(datum.value \u003c 0 ? '−' : '') + format(abs(datum.value), ',.6~f')","grid":true,"##,
          ##""tickCount":6,"labelOverlap":"greedy","labelSeparation":8,"labelFlush":false}},"y":{"field":"y","##,
          ##""type":"quantitative","scale":{"type":"log","zero":false,"nice":false,"padding":6},"axis":{"title":"y","##,
          ##""labelExpr":"(datum.value \u003c 0 ? '−' : '') + format(abs(datum.value), ',.6~f')","grid":true,"##,
          ##""values":[10],"labelOverlap":"greedy","labelSeparation":8,"labelFlush":false}},"##,
          ##""color":{"field":"group","type":"nominal","scale":{"domain":["a","b"],"range":["#0072b2","##,
          ##""#d55e00"]},"legend":{"title":null,"symbolOpacity":1}}}}"##))
  }

  @Test func grid() {
    let chart = Scatter(
      x: [1, 1, 2], y: [1, 1, 3],
      frame: Frame("Grid"), x: Axis("x"), y: Axis("y"), limit: 2)
    #expect(
      body(chart) == Self.top + #"{"text":["Grid"],"subtitle":["3 customers, counted by cell"]}"# + Self.size
        + joined(
          ##""data":{"values":[{"left":1,"right":2,"low":1,"high":2,"count":2},{"left":2,"right":3,"low":3,"##,
          ##""high":4,"count":1}]},"mark":{"type":"rect"},"encoding":{"x":{"field":"left","type":"quantitative","##,
          ##""scale":{"type":"linear","zero":false,"nice":false,"domain":[1,3]},"axis":{"title":"x","##,
          ##""labelExpr":"(datum.value \u003c 0 ? '−' : '') + format(abs(datum.value), ',.6~f')","grid":true,"##,
          ##""tickCount":6,"labelOverlap":"greedy","labelSeparation":8,"labelFlush":false}},"##,
          ##""x2":{"field":"right"},"y":{"field":"low","type":"quantitative","scale":{"type":"linear","##,
          ##""zero":false,"nice":false,"domain":[1,4]},"axis":{"title":"y","##,
          ##""labelExpr":"(datum.value \u003c 0 ? '−' : '') + format(abs(datum.value), ',.6~f')","grid":true,"##,
          ##""tickCount":6,"labelOverlap":"greedy","labelSeparation":8,"labelFlush":false}},"##,
          ##""y2":{"field":"high"},"color":{"field":"count","type":"quantitative","scale":{"type":"log","##,
          ##""domain":[1,10],"range":["#e8f1f8","#7fb8d9","#0072b2","#08375c"]},"legend":{"title":"customers","##,
          ##""orient":"right","values":[1,2,5,10],"##,
          ##""labelExpr":"(datum.value \u003c 0 ? '−' : '') + format(abs(datum.value), ',.0~f')","##,
          ##""gradientLength":180}}}}"##))
  }

  @Test func line() {
    let chart = Line(
      positions: .dates(["2011-01-01"]), series: [.init("a", [2], low: [1], high: [3], isDashed: true)],
      frame: Frame("Line"), x: Axis(), y: Axis("y"))
    #expect(
      body(chart) == Self.top + #"{"text":["Line"]}"# + Self.size
        + joined(
          ##""data":{"values":[{"x":"2011-01-01","y":2,"series":"a","low":1,"high":3}]},"##,
          ##""encoding":{"x":{"field":"x","type":"temporal","scale":{"type":"utc"},"axis":{"title":null,"##,
          ##""grid":false,"labelOverlap":true,"tickCount":8}},"y":{"field":"y","type":"quantitative","##,
          ##""scale":{"type":"linear","zero":true},"axis":{"title":"y","##,
          ##""labelExpr":"(datum.value \u003c 0 ? '−' : '') + format(abs(datum.value), ',.6~f')","grid":true,"##,
          ##""tickCount":5,"labelOverlap":"greedy","labelSeparation":8,"labelFlush":false}},"##,
          ##""color":{"field":"series","type":"nominal","scale":{"domain":["a"],"range":["#0072b2"]},"##,
          ##""legend":null}},"layer":[{"transform":[{"filter":"isValid(datum.low) && isValid(datum.high)"}],"##,
          ##""mark":{"type":"area","opacity":0.18},"encoding":{"y":{"field":"low","type":"quantitative","##,
          ##""title":null},"y2":{"field":"high"}}},{"mark":{"type":"line","strokeWidth":2.2,"##,
          ##""point":{"filled":true,"size":36}},"encoding":{"strokeDash":{"field":"series","type":"nominal","##,
          ##""legend":null,"scale":{"domain":["a"],"range":[[6,4]]}}}}]}"##))
  }

  @Test func heatMap() {
    let chart = HeatMap(
      rows: ["r"], columns: ["c", "d"], values: [1, 3],
      frame: Frame("Cells"), legend: "Customers")
    #expect(
      body(chart) == Self.top + #"{"text":["Cells"]}"# + Self.size
        + joined(
          ##""data":{"values":[{"row":"r","column":"c","value":1,"label":"1","strong":false},{"row":"r","##,
          ##""column":"d","value":3,"label":"3","strong":true}]},"encoding":{"x":{"field":"column","##,
          ##""type":"nominal","sort":null,"axis":{"title":null,"grid":false,"ticks":false,"domain":false,"##,
          ##""labelOverlap":false,"labelAngle":0},"scale":{"domain":["c","d"]}},"y":{"field":"row","##,
          ##""type":"nominal","sort":null,"scale":{"domain":["r"]},"axis":{"title":null,"grid":false,"##,
          ##""ticks":false,"domain":false}}},"layer":[{"mark":{"type":"rect","stroke":"#ffffff","##,
          ##""strokeWidth":1.5,"cornerRadius":2},"encoding":{"color":{"field":"value","type":"quantitative","##,
          ##""scale":{"domain":[1,3],"range":["#e8f1f8","#7fb8d9","#0072b2","#08375c"]},"##,
          ##""legend":{"title":"Customers","orient":"right","##,
          ##""labelExpr":"(datum.value \u003c 0 ? '−' : '') + format(abs(datum.value), ',.6~f')","##,
          ##""gradientLength":180,"tickCount":5}}}},{"mark":{"type":"text","fontSize":12},"##,
          ##""encoding":{"text":{"field":"label","type":"nominal"},"color":{"condition":{"test":"datum.strong","##,
          ##""value":"#fefefe"},"value":"#1b2734"}}}]}"##))
  }

  @Test func theme() {
    #expect(
      Theme.light.config.json
        == joined(
          ##"{"font":"Liberation Sans, Arial, Helvetica, sans-serif","background":"#ffffff","aria":false,"##,
          ##""view":{"stroke":null},"title":{"anchor":"start","frame":"group","offset":12,"fontSize":17,"##,
          ##""fontWeight":"bold","color":"#1b2733","subtitleFontSize":12.5,"subtitleColor":"#52606d","##,
          ##""subtitlePadding":5,"subtitleLineHeight":16},"axis":{"labelFontSize":12,"titleFontSize":12.5,"##,
          ##""titleFontWeight":"normal","labelColor":"#52606d","titleColor":"#52606d","titlePadding":8,"##,
          ##""gridColor":"#dfe4ea","domainColor":"#52606d","tickColor":"#dfe4ea","labelLimit":190,"##,
          ##""labelPadding":5},"legend":{"orient":"top","labelFontSize":12,"titleFontSize":12,"##,
          ##""titleFontWeight":"normal","labelColor":"#52606d","titleColor":"#52606d","symbolSize":110,"##,
          ##""columns":5,"offset":6,"labelLimit":150}}"##))
  }
}
