import Columns
import Diagnostics
import Pipelines
import Statistics

/// How customers are scored: by the quantiles of their own table or by edges given. Equal values always get equal
/// scores, except where ranks are asked for. The best is the highest: R counts from the customer seen last.
struct RFMScores: SettingsGroup {
  enum Cut: String, SettingChoice { case quantile, edges }
  enum Ties: String, SettingChoice { case edges, rank }
  enum Frequency: String, SettingChoice { case orders, frequency }

  @Setting("cut at quantiles (type 7, intervals closed on the right, repeated edges merged) or at the edges given") var by = Cut.quantile
  @Setting("number of scores when cut at quantiles", in: 2...9) var bins = 5
  @Setting("rank cuts F by ranks in customer order, so that equal values may get different scores: only to compare with published notebooks")
  var ties = Ties.edges
  @Setting("what F is cut from") var frequency = Frequency.orders
  @Setting("inner edges, ascending, when cut at edges") var edges: RFMEdges?

  init() {}

  func mistakes(order: String?, segments: Named<String>) -> [Diagnostic] {
    var mistakes: [Diagnostic] = []
    if frequency == .orders, order == nil {
      mistakes.append(
        Diagnostic(
          "F is scored by orders, and no column says what an order is", at: .setting(["scores"]),
          hint: "name it with \"order\", or set \"frequency\": \"frequency\" in \"scores\""))
    }
    switch by {
    case .quantile:
      if edges != nil {
        mistakes.append(Diagnostic("edges are given but not used", at: .setting(["scores", "edges"]), hint: "set \"by\": \"edges\" in \"scores\""))
      }
    case .edges:
      if let edges { mistakes += edges.mistakes } else {
        mistakes.append(
          Diagnostic(
            "scoring by edges needs the edges", at: .setting(["scores"]),
            hint: "add \"edges\": { \"r\": […], \"f\": […], \"m\": […] }"))
      }
      if ties == .rank { mistakes.append(Diagnostic("ranks cannot be cut at given edges", at: .setting(["scores", "ties"]))) }
    }
    for segment in segments where RFMSegments.parse(segment.name) == nil {
      mistakes.append(
        Diagnostic(
          "\"\(segment.name)\" is no pattern of scores", at: .setting(["segments", .key(segment.name)]),
          expected: "two or three of a digit, [1-2] or .", found: "\"\(segment.name)\""))
    }
    let isUsual = segments == RFMSegments.usual || segments == RFMSegments.eleven
    if mistakes.isEmpty, !isUsual { mistakes += RFMSegments.mistakes(segments, bins: counts) }
    if by == .quantile, bins != 5, isUsual {
      mistakes.append(
        Diagnostic("the usual segments are patterns of five scores, not \(bins)", at: .setting(["scores", "bins"]), hint: "name the \"segments\" too"))
    }
    return mistakes
  }

  /// How many scores there are at most.
  private var counts: (r: Int, f: Int, m: Int) {
    guard by == .edges, let edges else { return (bins, bins, bins) }
    return (edges.r.count + 1, edges.f.count + 1, edges.m.count + 1)
  }

  /// `r_score, f_score, m_score, rfm_score, rfm_segment`.
  func columns(
    sinceLast: Column, orders: Column, revenue: Column, segments: Named<String>
  ) -> (columns: [Column], warnings: [Diagnostic]) {
    var warnings: [Diagnostic] = []
    let uncovered = RFMSegments.uncovered(segments, bins: counts)
    if !uncovered.isEmpty {
      warnings.append(
        Diagnostic(
          "\(uncovered.count) of \(counts.r * counts.f) scores of R and F have no name and become \"other\": \(uncovered.prefix(10).joined(separator: ", "))\(uncovered.count > 10 ? ", …" : "")",
          at: .setting(["segments"]), severity: .warning))
    }
    let r = cut(sinceLast.doubles(), "since_last", given: edges?.r, &warnings)
    let f = ties == .rank ? cut(ranks(orders.doubles()), "rank", given: nil, &warnings)
      : cut(orders.doubles(), frequency.rawValue, given: edges?.f, &warnings)
    let m = cut(revenue.doubles(), "revenue", given: edges?.m, &warnings)
    // Low is good for the time since the last purchase only.
    let reversed = r.scores.map { Int32(r.bins) + 1 - $0 }
    // Every combination of scores once: its text and its segment.
    let patterns = segments.map { (pattern: RFMSegments.parse($0.name) ?? [], name: $0.value) }
    var texts: [String] = [], segmentOf: [Int32] = []
    for first in 1...r.bins {
      for second in 1...f.bins {
        for third in 1...m.bins {
          texts.append("\(first)\(second)\(third)")
          let fits = patterns.firstIndex { zip($0.pattern, [first, second, third]).allSatisfy { $0.contains($1) } }
          segmentOf.append(Int32(fits ?? patterns.count))
        }
      }
    }
    let combinations = reversed.indices.map { at in
      ((reversed[at] - 1) * Int32(f.bins) + f.scores[at] - 1) * Int32(m.bins) + m.scores[at] - 1
    }
    return (
      [
        .full(.int32, reversed), .full(.int32, f.scores), .full(.int32, m.scores), .dictionary(codes: combinations, values: texts),
        .dictionary(codes: combinations.map { segmentOf[Int($0)] }, values: patterns.map(\.name) + ["other"]),
      ], warnings
    )
  }

  /// Scores from 1, ascending, and how many there can be.
  private func cut(
    _ values: [Double], _ name: String, given: [Double]?, _ warnings: inout [Diagnostic]
  ) -> (scores: [Int32], bins: Int) {
    var inner = given ?? []
    if by == .quantile {
      let sorted = values.filter { !$0.isNaN }.sorted()
      if sorted.isEmpty { return (values.map { _ in 1 }, 1) }
      let all = (0...bins).map { Summaries.quantile(Double($0) / Double(bins), ofSorted: sorted) }
      var merged: [Double] = []
      for edge in all where merged.last != edge { merged.append(edge) }
      if merged.count < all.count {
        let left = max(merged.count - 1, 1)
        warnings.append(
          Diagnostic(
            "\(all.count - merged.count) of \(all.count) quantile edges of \"\(name)\" repeat and are merged: \(left) score\(left == 1 ? "" : "s") instead of \(bins)",
            at: .setting(["scores"]), hint: "fewer \"bins\", or edges of your own", severity: .warning))
      }
      inner = Array(merged.dropFirst().dropLast())
    }
    return (values.map { value in Int32(1 + inner.count { $0 < value }) }, inner.count + 1)
  }

  /// 1, 2, 3, … by value, equal values in customer order.
  private func ranks(_ values: [Double]) -> [Double] {
    var ranks = [Double](repeating: 0, count: values.count)
    let ascending = values.indices.sorted { (values[$0], $0) < (values[$1], $1) }
    for (rank, at) in ascending.enumerated() { ranks[at] = Double(rank + 1) }
    return ranks
  }
}

/// Inner edges of each score: n edges make n + 1 scores, intervals closed on the right.
struct RFMEdges: SettingsGroup {
  @Setting("of since_last, in the unit") var r: [Double]
  @Setting("of orders, or of frequency") var f: [Double]
  @Setting("of revenue") var m: [Double]

  init() {}

  var mistakes: [Diagnostic] {
    [("r", r), ("f", f), ("m", m)].compactMap { name, edges in
      let place = Place.setting(["scores", "edges", .key(name)])
      if edges.isEmpty || edges.count > 8 {
        return Diagnostic("edges of \"\(name)\" make no scores", at: place, expected: "1 to 8 edges", found: "\(edges.count)")
      }
      if zip(edges, edges.dropFirst()).contains(where: { $0 >= $1 }) {
        return Diagnostic("edges of \"\(name)\" are not ascending", at: place)
      }
      return nil
    }
  }
}
