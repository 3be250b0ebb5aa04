import Diagnostics
import Pipelines

/// The maps of names that need no table of one's own.
enum RFMMap: String, SettingChoice, Equatable {
  case ten, eleven

  var segments: Named<String> { self == .ten ? RFMSegments.usual : RFMSegments.eleven }
}

/// Names of customers by their scores.
enum RFMSegments {
  /// The ten names of the usual notebooks, by R and F.
  static let usual: Named<String> = [
    "[1-2][1-2]": "hibernating", "[1-2][3-4]": "at_Risk", "[1-2]5": "cant_loose", "3[1-2]": "about_to_sleep",
    "33": "need_attention", "[3-4][4-5]": "loyal_customers", "41": "promising", "51": "new_customers",
    "[4-5][2-3]": "potential_loyalists", "5[4-5]": "champions",
  ]

  /// Eleven names: who bought last longest ago and seldom is lost, where the ten names let them hibernate.
  static let eleven: Named<String> = [
    "1[1-2]": "lost", "2[1-2]": "hibernating", "[1-2][3-4]": "at_risk", "[1-2]5": "cant_lose_them", "3[1-2]": "about_to_sleep",
    "33": "need_attention", "[3-4][4-5]": "loyal_customers", "41": "promising", "51": "new_customers",
    "[4-5][2-3]": "potential_loyalists", "5[4-5]": "champions",
  ]

  /// Patterns that no customer can fit, because earlier ones take all their scores or because there are no such scores.
  static func mistakes(_ segments: Named<String>, bins: (r: Int, f: Int, m: Int)) -> [Diagnostic] {
    let patterns = segments.map { parse($0.name) }
    guard patterns.allSatisfy({ $0 != nil }) else { return [] }
    var isReached = [Bool](repeating: false, count: patterns.count)
    var fitsAnywhere = isReached
    each(bins) { scores in
      let fitting = patterns.indices.filter { zip(patterns[$0]!, scores).allSatisfy { $0.contains($1) } }
      if let first = fitting.first { isReached[first] = true }
      for at in fitting { fitsAnywhere[at] = true }
    }
    return segments.indices.filter { !isReached[$0] }.map { at in
      Diagnostic(
        fitsAnywhere[at]
          ? "nobody can be \"\(segments[at].value)\": earlier patterns take every score of \"\(segments[at].name)\""
          : "nobody can be \"\(segments[at].value)\": there are no scores \"\(segments[at].name)\"",
        at: .setting(["segments", .key(segments[at].name)]),
        expected: fitsAnywhere[at] ? "patterns that leave something to later ones" : "scores up to \(bins.r) of R, \(bins.f) of F and \(bins.m) of M")
    }
  }

  /// Scores of R and F that no pattern names, whatever M is; "R F" digits, ascending.
  static func uncovered(_ segments: Named<String>, bins: (r: Int, f: Int, m: Int)) -> [String] {
    let patterns = segments.compactMap { parse($0.name) }
    var found: [String] = []
    each(bins) { scores in
      let text = "\(scores[0])\(scores[1])"
      if found.last != text, !patterns.contains(where: { zip($0, scores).allSatisfy { $0.contains($1) } }) { found.append(text) }
    }
    return found
  }

  private static func each(_ bins: (r: Int, f: Int, m: Int), _ body: ([Int]) -> Void) {
    for r in 1...bins.r { for f in 1...bins.f { for m in 1...bins.m { body([r, f, m]) } } }
  }

  /// The digits allowed at each place; nil when the text is no pattern of two or three.
  static func parse(_ text: String) -> [ClosedRange<Int>]? {
    var places: [ClosedRange<Int>] = []
    var rest = Substring(text)
    while let first = rest.first {
      if first == "[" {
        let part = Array(rest.prefix(5))
        guard part.count == 5, part[2] == "-", part[4] == "]", let low = part[1].wholeNumberValue, let high = part[3].wholeNumberValue,
          low <= high
        else { return nil }
        places.append(low...high)
        rest = rest.dropFirst(5)
      } else {
        if first == "." { places.append(1...9) } else if let digit = first.wholeNumberValue, digit > 0 { places.append(digit...digit) } else { return nil }
        rest = rest.dropFirst()
      }
    }
    return (2...3).contains(places.count) ? places : nil
  }
}
