import Testing

@testable import Charts

/// Treemaps, flows, calibration and numbers of clusters before they are specifications.
@Suite struct CustomerChartsTests {
  @Test func treemapFillsTheSquare() {
    let chart = Treemap(categories: ["a", "b", "c", "d", "e"], values: [6, 6, 4, .nan, 2], frame: Frame("Parts"))
    #expect(chart.cells.map(\.name) == ["a", "b", "c", "e"])
    let areas = chart.cells.map { ($0.right - $0.left) * ($0.bottom - $0.top) }
    for (area, value) in zip(areas, [6.0, 6, 4, 2]) { #expect((area - value / 18).magnitude < 1e-12) }
    for (at, a) in chart.cells.enumerated() {
      #expect(a.left >= 0 && a.top >= 0 && a.right <= 1 + 1e-12 && a.bottom <= 1 + 1e-12)
      for b in chart.cells[..<at] {
        #expect(a.left >= b.right - 1e-12 || b.left >= a.right - 1e-12 || a.top >= b.bottom - 1e-12 || b.top >= a.bottom - 1e-12)
      }
    }
    #expect(chart.notes == ["1 value at or below zero or missing left out"])
    #expect(Treemap(categories: [], values: [], frame: Frame("None")).notes == ["No values to show"])
  }

  @Test func flowKeepsItsSums() {
    let chart = Flow(
      streams: [.init("A", "B", 3), .init("B", "B", 5), .init("A", "C", 1), .init("A", "B", 2), .init("B", "A", .nan)], frame: Frame("Flow"))
    #expect(chart.left == ["A", "B"] && chart.right == ["B", "C"])
    #expect(chart.streams == [.init("A", "B", 5), .init("A", "C", 1), .init("B", "B", 5)])
    #expect(chart.notes == ["1 row without a flow left out"])
    guard case .array(let layers)? = chart.spec(.light)["layer"], case .array(let ends)? = layers[1]["data"]?["values"] else {
      Issue.record("no layers")
      return
    }
    #expect(ends.map { $0["label"]?.json } == ["\"A · 6\"", "\"B · 5\"", "\"B · 10\"", "\"C · 1\""])
  }

  @Test func elbowOfClusterCounts() {
    let inertia = [100.0, 40, 20, 15, 12]
    let chart = ClusterCount(
      rows: inertia.enumerated().map { .init(k: $0.offset + 2, inertia: $0.element, silhouette: 0.3, low: 0.2, high: 0.4, isChosen: $0.offset == 1) },
      frame: Frame("How many"))
    #expect(chart.elbow == 3)
    #expect(chart.notes == ["The inertia bends at 3", "3 chosen"])
    guard case .array(let panels)? = chart.spec(.light)["hconcat"] else {
      Issue.record("no panels")
      return
    }
    #expect(panels.count == 2)
  }

  @Test func calibrationLeavesOutWhatIsMissing() {
    let chart = Calibration(
      points: [.init(predicted: 1, actual: 1.5, label: "1"), .init(predicted: .nan, actual: 2, label: "2")], frame: Frame("Right?"), x: Axis(), y: Axis())
    #expect(chart.points.count == 1)
    #expect(chart.notes == ["On the dashed line predictions are right, above it too low", "1 row without a value left out"])
  }

  /// Lines of median and mean begin below the words of the other one.
  @Test(arguments: [([1.0, 2, 3, 4, 30], [0, 18], [false, false]), ([1, 27, 28, 29, 30], [18, 0], [true, true])])
  func markersDoNotCross(values: [Double], tops: [Int], leftwards: [Bool]) {
    let chart = Histogram(values: values, frame: Frame("Marks"), x: Axis(), about: 10)
    guard case .array(let layers)? = chart.spec(.light)["layer"] else { return }
    let rules = layers.filter { $0["mark"]?["type"] == "rule" }
    #expect(rules.map { $0["encoding"]?["y"]?["value"] } == tops.map { .integer($0) })
    let rows = rules.compactMap { rule -> Spec? in if case .array(let rows)? = rule["data"]?["values"] { rows.first } else { nil } }
    #expect(rows.map { $0["left"] } == leftwards.map { .bool($0) })
  }
}
