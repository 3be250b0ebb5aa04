import Pipelines

@testable import Charts

/// The kinds of chart that the shop's own documents do not draw, with numbers like those of a shop.
enum Gallery {
  private static let labels = ["champions", "loyal customers", "potential loyalists", "at risk", "about to sleep", "hibernating", "new customers"]

  static var charts: [(String, any Chart)] {
    let months = (0..<24).map { (month: Int) -> String in
      let (year, place) = (2010 + month / 12, month % 12 + 1)
      return "\(year)-\(place < 10 ? "0" : "")\(place)-01"
    }
    let wave = months.indices.map { (month: Int) -> Double in
      let season = 9_000 * Double(month * 7 % 12) / 11
      return 40_000 + 900 * Double(month) + season
    }
    var state: UInt64 = 7
    func random() -> Double {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Double(state >> 11) / 9_007_199_254_740_992
    }
    let values = (0..<3000).map { _ -> Double in
      let (common, rare) = (180 * random() * random(), 700 * random() * random())
      return 20 + common + rare * random() * random()
    }
    let cohorts = (0..<12).map { "\(months[$0].prefix(7))  (\(300 - 11 * $0))" }
    let retained = (0..<12).flatMap { (row: Int) -> [Double] in
      (1...12).map { (column: Int) -> Double in
        if row + column > 12 { return .nan }
        let kept = 0.38 / (1 + 0.12 * Double(column))
        return kept + 0.02 * random()
      }
    }
    let alive = (0..<80).map { (at: Int) -> Double in
      let (across, up) = (Double(at % 10), Double(7 - at / 10))
      return max(0, min(1, 0.1 + 0.09 * across - 0.02 * up))
    }
    let tenths = (1...10).map { (decile: Int) -> Calibration.Point in
      let predicted = Double(decile * decile) / 12
      return .init(predicted: predicted, actual: predicted * (0.85 + 0.3 * random()), label: "\(decile)")
    }
    let streams = (0..<4).flatMap { (a: Int) -> [Flow.Stream] in
      (0..<5).map { (b: Int) -> Flow.Stream in
        .init(labels[a], labels[b], a == b ? 300 : 60 / Double(1 + (a - b) * (a - b)))
      }
    }
    return [
      ("histogram", Histogram(values: values, frame: Frame("Value of customers"), x: Axis("Value", .currency("£"), shownShare: 0.99), density: true)),
      ("revenue-distribution", Histogram(values: values, frame: Frame("Revenue of customers"), x: Axis("Revenue", .currency("£"), scale: .log))),
      (
        "interval",
        Line(
          positions: .dates(months),
          series: [
            .init("expected", wave, low: wave.map { $0 * 0.9 }, high: wave.map { $0 * 1.1 }),
          ], frame: Frame("Revenue expected"), x: Axis(), y: Axis("Revenue", .currency("£")))
      ),
      (
        "tracking",
        Line(
          positions: .dates(months),
          series: [.init("actual", wave.map { $0 / 40 }), .init("predicted", wave.map { $0 / 41 }, isDashed: true)],
          frame: Frame("Repeat purchases since the start"), x: Axis(), y: Axis("Purchases"))
      ),
      (
        "retention",
        HeatMap(
          rows: cohorts, columns: (1...12).map(String.init), values: retained, frame: Frame("Who came back", height: 420),
          rowTitle: "First month (customers)", columnTitle: "months since the first", format: NumberFormat(decimals: 0, isPercent: true), legend: "came back")
      ),
      (
        "alive",
        HeatMap(
          rows: (0..<8).map { "\(7 - $0)" }, columns: (0..<10).map { "\($0 * 10)–\($0 * 10 + 10)" },
          values: alive, frame: Frame("P(alive)", height: 420),
          rowTitle: "frequency", columnTitle: "recency (weeks)", format: NumberFormat(decimals: 2), legend: "mean p alive")
      ),
      (
        "cluster-count",
        ClusterCount(
          rows: (2...10).map { k in
            let s = [0.30, 0.47, 0.49, 0.55, 0.54, 0.53, 0.45, 0.46, 0.44][k - 2]
            return .init(k: k, inertia: 360_000 / Double(k * k), silhouette: s, low: s - 0.02, high: s + 0.02, isChosen: k == 5)
          }, frame: Frame("How many clusters"))
      ),
      (
        "calibration",
        Calibration(
          points: tenths,
          frame: Frame("Calibration by decile", height: 420), x: Axis("predicted purchases"), y: Axis("actual purchases"))
      ),
      (
        "by-frequency",
        GroupedBar(
          categories: (0..<8).map { $0 == 7 ? "7+" : "\($0)" },
          series: [.init("actual", [0.3, 0.8, 1.5, 1.9, 2.6, 3.0, 3.5, 5.1]), .init("predicted", [0.25, 0.9, 1.4, 1.9, 2.4, 3.1, 3.6, 4.8])],
          frame: Frame("Purchases of the hold-out by earlier purchases"), value: Axis("purchases"), category: "purchases before")
      ),
      (
        "treemap",
        Treemap(categories: labels, values: [61, 24, 15, 10, 7, 5, 2].map { $0 * 10_000 }, frame: Frame("Revenue by segment", height: 420), format: .currency("£"))
      ),
      (
        "flow",
        Flow(
          streams: streams, frame: Frame("Who moved", height: 460), leftTitle: "last quarter", rightTitle: "this quarter")
      ),
    ]
  }
}
