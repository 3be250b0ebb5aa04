import Columns

/// The right side of a hash join, by its keys. A null key matches nothing, as in SQL.
public final class JoinTable: Sendable {
  private let index: KeyIndex
  private let first: [Int32]
  private let next: [Int32]
  /// A right row whose key an earlier row has already, if any: the right side is not unique.
  public let repeatedRow: Int?

  public init(keys: [Column], count: Int) {
    index = KeyIndex(types: keys.map(\.type), expecting: count)
    let cells = keys.map(Cells.init)
    let groups = index.groups(of: keys, count: count)
    var first = [Int32](repeating: -1, count: index.count), last = first
    var next = [Int32](repeating: -1, count: count)
    var repeatedRow: Int?
    for row in 0..<count where !cells.contains(where: { $0.isNull(row) }) {
      let group = Int(groups[row])
      if first[group] < 0 { first[group] = Int32(row) } else {
        next[Int(last[group])] = Int32(row)
        if repeatedRow == nil { repeatedRow = row }
      }
      last[group] = Int32(row)
    }
    self.first = first
    self.next = next
    self.repeatedRow = repeatedRow
  }

  public enum Kind: Sendable { case inner, left, anti }

  /// Pairs of rows in left order, then right order; right is −1 where a left join found nothing. An anti join names left rows only.
  public func probe(_ keys: [Column], count: Int, _ kind: Kind) -> (left: [Int32], right: [Int32]) {
    let groups = index.find(keys, count: count, nullsMatch: false)
    var left: [Int32] = [], right: [Int32] = []
    left.reserveCapacity(count)
    if kind != .anti { right.reserveCapacity(count) }
    for row in 0..<count {
      var match = groups[row] < 0 ? -1 : first[Int(groups[row])]
      switch kind {
      case .anti: if match < 0 { left.append(Int32(row)) }
      case .left where match < 0:
        left.append(Int32(row))
        right.append(-1)
      case .inner, .left:
        while match >= 0 {
          left.append(Int32(row))
          right.append(match)
          match = next[Int(match)]
        }
      }
    }
    return (left, right)
  }

  /// The numbers of the right keys that rows match, −1 for none: two left rows of one number share their key.
  public func groups(of keys: [Column], count: Int) -> [Int32] { index.find(keys, count: count, nullsMatch: false) }
  public var groupCount: Int { index.count }
}
