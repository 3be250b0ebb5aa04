import Columns
import Diagnostics
import Models
import Pipelines
import Statistics

/// The rows of a table as points, read anew each time: those that have all their numbers, brought to one scale as `ClusterSegments` does.
struct StreamedRows: PointStream {
  let table: TableArtifact
  let names: [String]
  let weight: String?
  let transform: Segment.Transform
  /// Called once a batch; may throw.
  let check: () throws -> Void
  /// What is taken off each column, and what it is divided by; 0 makes it 0.
  private var scales: [(center: Double, spread: Double)] = []

  var width: Int { names.count }

  init(
    _ table: TableArtifact, on names: [String], weight: String?, transform: Segment.Transform, scale: Segment.Scale, _ check: @escaping () throws -> Void
  ) throws {
    (self.table, self.names, self.weight, self.transform, self.check) = (table, names, weight, transform, check)
    scales = try measured(scale)
  }

  /// Rows of the whole table and their numbers as they are there.
  struct Piece {
    /// Rows of the table before this piece, and rows in it.
    let before: Int
    let count: Int
    /// Rows of the piece that have all their numbers.
    let rows: [Int]
    /// Of these rows.
    let columns: [[Double]]
    let weights: [Double]
  }

  func forEachRaw(_ body: (Piece) throws -> Void) throws {
    var before = 0
    var read = names
    if let weight, !names.contains(weight) { read.append(weight) }
    try table.forEachBatch(read) { batch in
      try check()
      let columns = names.map { batch[$0].doubles() }
      let weights = weight.map { batch[$0].doubles() }
      let rows = (0..<batch.count).filter { row in columns.allSatisfy { $0[row].isFinite } && weights?[row].isFinite != false }
      if !rows.isEmpty {
        let isWhole = rows.count == batch.count
        try body(
          Piece(
            before: before, count: batch.count, rows: rows, columns: isWhole ? columns : columns.map { column in rows.map { column[$0] } },
            weights: weights.map { all in rows.map { all[$0] } } ?? []))
      }
      before += batch.count
    }
  }

  func forEachPiece(_ body: ([[Double]], [Double]) throws -> Void) throws {
    try forEachRaw { piece in try body(scaled(piece), piece.weights) }
  }

  func scaled(_ piece: Piece) -> [[Double]] {
    zip(piece.columns, scales).map { column, scale in
      transformed(column).map { scale.spread > 0 ? ($0 - scale.center) / scale.spread : scale.spread < 0 ? $0 : 0 }
    }
  }

  private func transformed(_ values: [Double]) -> [Double] { transform == .log1p ? values.map(Portable.log1p) : values }

  /// The same numbers that `Scaling` takes of columns that are held.
  private func measured(_ scale: Segment.Scale) throws -> [(center: Double, spread: Double)] {
    var total = RunningSum()
    var sums = names.map { _ in RunningSum() }
    var ends = names.map { _ in (low: Double.infinity, high: -Double.infinity, raw: Double.infinity) }
    try forEachRaw { piece in
      if let wrong = piece.weights.first(where: { $0 < 0 || $0 > 1e9 }) { throw ClusterSegments.noWeight(wrong, in: weight!) }
      for at in piece.rows.indices { total.add(piece.weights.isEmpty ? 1 : piece.weights[at]) }
      for (j, raw) in piece.columns.enumerated() {
        ends[j].raw = min(ends[j].raw, raw.min()!)
        for (at, value) in transformed(raw).enumerated() {
          let mass = piece.weights.isEmpty ? 1 : piece.weights[at]
          sums[j].add(value * mass)
          if mass > 0 { (ends[j].low, ends[j].high) = (min(ends[j].low, value), max(ends[j].high, value)) }
        }
      }
    }
    if transform == .log1p, let j = ends.firstIndex(where: { $0.raw <= -1 }) { throw ClusterSegments.noLogarithm(ends[j].raw, of: names[j]) }
    switch scale {
    // Below 0 there is no scale.
    case .none: return names.map { _ in (0, -1) }
    case .minMax: return ends.map { $0.high > $0.low ? ($0.low, $0.high - $0.low) : (0, 0) }
    case .standard:
      guard total.value > 0 else { return names.map { _ in (0, 0) } }
      let centers = sums.map { $0.value / total.value }
      var squares = names.map { _ in RunningSum() }
      try forEachRaw { piece in
        for (j, raw) in piece.columns.enumerated() {
          for (at, value) in transformed(raw).enumerated() {
            squares[j].add((value - centers[j]) * (value - centers[j]) * (piece.weights.isEmpty ? 1 : piece.weights[at]))
          }
        }
      }
      return zip(centers, squares).map { ($0, ($1.value / total.value).squareRoot()) }
    }
  }

  /// How many points there are, and how many different ones that count; these are counted up to `limit`.
  func counted(upTo limit: Int) throws -> (points: Int, distinct: Int) {
    var points = 0
    var seen: Set<[Double]> = []
    try forEachPiece { columns, weights in
      points += columns[0].count
      for row in columns[0].indices {
        if seen.count == limit { break }
        if weights.isEmpty || weights[row] > 0 { seen.insert(columns.map { $0[row] }) }
      }
    }
    return (points, seen.count)
  }
}
