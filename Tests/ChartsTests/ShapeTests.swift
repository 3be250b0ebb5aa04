import Testing

@testable import Charts

/// What trees, shares and boxes are made of before they are specifications.
@Suite struct ShapeTests {
  /// ((0 1) (2 (3 4))), the rows 3 and 4 equal.
  static let tree = Dendrogram(
    merges: [
      .init(left: 3, right: 4, height: 0, size: 2), .init(left: 0, right: 1, height: 1, size: 2),
      .init(left: 2, right: 5, height: 2, size: 3), .init(left: 6, right: 7, height: 5, size: 5),
    ], frame: Frame("Tree"), noun: "customer", cut: 2)

  private func lines(_ chart: Dendrogram) -> [String] {
    guard case .array(let rows)? = chart.spec(.light)["data"]?["values"] else { return [] }
    return rows.map { row in
      let numbers = ["x", "y", "x2", "y2"].map { row[$0]?.json ?? "?" }.joined(separator: " ")
      return numbers + " " + (row["color"]?.json ?? "?")
    }
  }

  @Test func dendrogramDrawsEveryMerge() {
    let (blue, orange, above) = ("\"#0072b2\"", "\"#d55e00\"", "\"#52606d\"")
    #expect(
      lines(Self.tree) == [
        "0 0 0 1 \(blue)", "1 0 1 1 \(blue)", "0 1 1 1 \(blue)",
        "3 0 3 0 \(orange)", "4 0 4 0 \(orange)", "3 0 4 0 \(orange)",
        "2 0 2 2 \(orange)", "3.5 0 3.5 2 \(orange)", "2 2 3.5 2 \(orange)",
        "0.5 1 0.5 5 \(blue)", "2.75 2 2.75 5 \(orange)", "0.5 5 2.75 5 \(above)",
      ])
    #expect(Self.tree.notes == ["Coloured by 2 clusters"])
  }

  @Test func dendrogramEndsInBranches() {
    var chart = Self.tree
    chart.limit = 3
    #expect(lines(chart).count == 6)
    let axis = chart.spec(.light)["encoding"]?["x"]?["axis"]
    #expect(axis?["labelExpr"] == #"["2","1","2"][datum.value]"#)
    #expect(axis?["title"] == "Number of customers in each branch")
    chart.cut = 4
    #expect(chart.notes == ["The cut into 4 clusters is below what is drawn"])
  }

  @Test func lorenzByHand() {
    let chart = Lorenz(values: [1, 0, 3, .nan, -2, 6], frame: Frame("Shares"), x: Axis(), y: Axis())
    #expect(chart.curve.map(\.rows) == [0, 0.25, 0.5, 0.75, 1])
    #expect(chart.curve.map(\.total) == [0, 0, 0.1, 0.4, 1])
    // 1 − Σ (L(i) + L(i + 1)) / 4
    #expect((chart.gini - 0.5).magnitude < 1e-15)
    // The top tenth of four is four tenths of the largest.
    #expect((chart.topTenth - 0.24).magnitude < 1e-15)
    #expect(
      chart.notes == ["The top tenth of customers hold 24.0%; Gini 0.50", "2 customers without a value of at least zero left out"])
    #expect((Lorenz(values: [2, 2, 2], frame: Frame("Equal"), x: Axis(), y: Axis()).gini).magnitude < 1e-15)
  }

  @Test func paretoByHand() {
    let chart = Pareto(categories: ["a", "b", "c", "d"], values: [1, 6, .nan, 3], frame: Frame("Parts"), value: Axis(), top: 2)
    #expect(chart.categories == ["b", "d", "a"])
    #expect(chart.shares == [0.6, 0.9, 1])
    #expect(chart.notes == ["2 of 3 make up 80%", "2 of 3 bars shown", "1 value below zero or missing left out"])
  }

  @Test func boxByHand() throws {
    let box = try #require(Box.Category("a", [1, 2, 3, 4, 5, 100, .nan]))
    #expect(box.count == 6 && box.beyond == 1)
    #expect([box.low, box.lowerQuartile, box.median, box.upperQuartile, box.high] == [1, 2.25, 3.5, 4.75, 5])
    #expect(Box.Category("b", [.nan]) == nil)
    #expect(
      Box(categories: [box], frame: Frame("Boxes"), value: Axis()).notes == ["1 row beyond the lines not drawn"])
  }
}
