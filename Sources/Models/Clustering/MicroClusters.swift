import Statistics

/// Many points told by few: cells split at the mean of their widest column, the cell with the largest sum of squares first (Su &
/// Dy 2007), then evened out by k-means.
struct MicroClusters {
  /// One array a column.
  let centers: [[Double]]
  let weights: [Double]
  /// Point → micro-cluster.
  let labels: [Int32]
  let withinShare: Double
  let radius: Double

  init(_ columns: [[Double]], weights given: [Double], count: Int) {
    let blocks = PointBlocks(columns, weights: given)
    let lloyd = KMeansLloyd(blocks: blocks)
    let state = lloyd.iterate(from: Self.cells(columns, given, count), maximumIterations: 5, until: 0)
    let (byPlace, distances, inertia) = lloyd.assignment(state.centers, distances: true)
    let found = blocks.restored(byPlace)
    let d = columns.count
    // Cells that lost all their points are left out.
    var total = [Double](repeating: 0, count: state.centers.count / d)
    for (point, label) in found.enumerated() { total[Int(label)] += given.isEmpty ? 1 : given[point] }
    var number = [Int32](repeating: -1, count: total.count)
    let kept = total.indices.filter { total[$0] > 0 }
    for (new, old) in kept.enumerated() { number[old] = Int32(new) }
    centers = (0..<d).map { j in kept.map { state.centers[$0 * d + j] } }
    weights = kept.map { total[$0] }
    labels = found.map { number[Int($0)] }
    radius = (distances.prefix(blocks.n).max() ?? 0).squareRoot()
    let all = lloyd.assignment(lloyd.iterate(from: blocks.point(at: 0), maximumIterations: 2, until: 0).centers).inertia
    withinShare = all > 0 ? inertia / all : 0
  }

  private struct Cell {
    var points: Range<Int>
    var squares: Double
    var widest: Int
    var mean: [Double]
  }

  /// Centers of the cells, d each.
  private static func cells(_ columns: [[Double]], _ weights: [Double], _ count: Int) -> [Double] {
    let (n, d) = (columns[0].count, columns.count)
    var order = (0..<n).map { $0 }
    func cell(_ points: Range<Int>) -> Cell {
      var (sums, squares, weight) = ([Double](repeating: 0, count: d), [Double](repeating: 0, count: d), 0.0)
      for at in points { weight += weights.isEmpty ? 1 : weights[order[at]] }
      for (j, column) in columns.enumerated() {
        var sum = 0.0
        for at in points { sum += (weights.isEmpty ? 1 : weights[order[at]]) * column[order[at]] }
        sums[j] = weight > 0 ? sum / weight : column[order[points.lowerBound]]
        for at in points {
          let t = column[order[at]] - sums[j]
          squares[j] += (weights.isEmpty ? 1 : weights[order[at]]) * t * t
        }
      }
      let widest = squares.indices.max { squares[$0] < squares[$1] }!
      return Cell(points: points, squares: squares.reduce(0, +), widest: widest, mean: sums)
    }
    var cells = [cell(0..<n)]
    // A heap of cells by their sum of squares: parents are not smaller than children.
    while cells.count < count, cells[0].squares > 0 {
      let whole = cells[0]
      let (column, border) = (columns[whole.widest], whole.mean[whole.widest])
      var middle = whole.points.lowerBound
      for at in whole.points where column[order[at]] <= border {
        order.swapAt(at, middle)
        middle += 1
      }
      // Rounding may put the mean of nearly equal values at an end.
      if middle == whole.points.lowerBound || middle == whole.points.upperBound {
        cells[0].squares = 0
        sink(&cells, 0)
        continue
      }
      cells[0] = cell(whole.points.lowerBound..<middle)
      sink(&cells, 0)
      cells.append(cell(middle..<whole.points.upperBound))
      rise(&cells, cells.count - 1)
    }
    return cells.flatMap(\.mean)
  }

  private static func sink(_ cells: inout [Cell], _ start: Int) {
    var at = start
    while true {
      var largest = at
      for child in [2 * at + 1, 2 * at + 2] where child < cells.count && cells[child].squares > cells[largest].squares {
        largest = child
      }
      if largest == at { return }
      cells.swapAt(at, largest)
      at = largest
    }
  }

  private static func rise(_ cells: inout [Cell], _ start: Int) {
    var at = start
    while at > 0, cells[(at - 1) / 2].squares < cells[at].squares {
      cells.swapAt(at, (at - 1) / 2)
      at = (at - 1) / 2
    }
  }
}
