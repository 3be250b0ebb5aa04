import Statistics

/// Points that are read from front to back as often as asked, and never held together. How long pieces are changes nothing.
public protocol PointStream {
  /// How many columns points have.
  var width: Int { get }
  /// Calls `body` with columns of equal length and finite values, and one weight a point or none at all.
  func forEachPiece(_ body: (_ columns: [[Double]], _ weights: [Double]) throws -> Void) throws
}

/// Points that are in memory.
public struct HeldPoints: PointStream {
  public var columns: [[Double]]
  public var weights: [Double]

  public init(_ columns: [[Double]], weights: [Double] = []) {
    self.columns = columns
    self.weights = weights
  }

  public var width: Int { columns.count }
  public var count: Int { columns[0].count }
  public func forEachPiece(_ body: ([[Double]], [Double]) throws -> Void) rethrows { try body(columns, weights) }

  subscript(rows: Range<Int>) -> HeldPoints {
    HeldPoints(columns.map { Array($0[rows]) }, weights: weights.isEmpty ? [] : Array(weights[rows]))
  }
}

extension PointStream {
  /// The points again, in pieces that end at every multiple of `length`, whatever the pieces they came in: sums over them are the same.
  func forEachPiece(of length: Int, _ body: (HeldPoints) throws -> Void) throws {
    var held = HeldPoints([[Double]](repeating: [], count: width))
    try forEachPiece { columns, weights in
      var from = 0
      while from < columns[0].count {
        let to = min(columns[0].count, from + length - held.count)
        for j in columns.indices { held.columns[j] += columns[j][from..<to] }
        if !weights.isEmpty { held.weights += weights[from..<to] }
        from = to
        if held.count < length { continue }
        try body(held)
        for j in columns.indices { held.columns[j].removeAll(keepingCapacity: true) }
        held.weights.removeAll(keepingCapacity: true)
      }
    }
    if held.count > 0 { try body(held) }
  }
}
