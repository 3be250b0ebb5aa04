/// A category for each point: names once, and a number for each point.
public struct Groups: Hashable, Sendable {
  /// In the order of the legend.
  public let names: [String]
  /// Positions in `names`.
  public let codes: [Int]

  public init(names: [String], codes: [Int]) {
    precondition(codes.allSatisfy { names.indices.contains($0) }, "a code names a group that does not exist")
    self.names = names
    self.codes = codes
  }

  /// Names in order of first appearance.
  public init(_ labels: [String]) {
    var names: [String] = [], known: [String: Int] = [:]
    codes = labels.map { label in
      if let code = known[label] { return code }
      known[label] = names.count
      names.append(label)
      return names.count - 1
    }
    self.names = names
  }

  /// At most `limit` groups: the largest stay, in their order, the rest become "other" at the end.
  func folded(to limit: Int) -> (groups: Groups, hasOther: Bool) {
    guard names.count > limit else { return (self, false) }
    var sizes = Array(repeating: 0, count: names.count)
    for code in codes { sizes[code] += 1 }
    let kept = names.indices.sorted { sizes[$0] == sizes[$1] ? $0 < $1 : sizes[$0] > sizes[$1] }
      .prefix(limit - 1).sorted()
    var place = Array(repeating: limit - 1, count: names.count)
    for (new, old) in kept.enumerated() { place[old] = new }
    return (Groups(names: kept.map { names[$0] } + ["other"], codes: codes.map { place[$0] }), true)
  }
}
