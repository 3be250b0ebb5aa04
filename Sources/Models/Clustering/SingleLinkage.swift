/// Single linkage: the merges are the edges of the shortest tree that joins all points (Gower & Ross 1969), grown by Prim's
/// method in O(n) memory.
enum SingleLinkage {
  static func merges(_ columns: [[Double]]) -> [(a: Int32, b: Int32, height: Double)] {
    let (n, d) = (columns[0].count, columns.count)
    var merges: [(a: Int32, b: Int32, height: Double)] = []
    guard n > 1 else { return merges }
    // What is outside of the tree, moved together as it shrinks: column after column, then the distance and the nearest point.
    var values = Array(columns.joined())
    var point = (0..<Int32(n)).map { $0 }
    var distance = [Double](repeating: .infinity, count: n)
    var nearest = [Int32](repeating: 0, count: n)
    var latest = columns.map { $0[0] }
    var name: Int32 = 0
    var left = n
    func remove(_ at: Int) {
      left -= 1
      for j in 0..<d { values[j * n + at] = values[j * n + left] }
      (point[at], distance[at], nearest[at]) = (point[left], distance[left], nearest[left])
    }
    remove(0)
    while left > 0 {
      var closest = 0
      values.withUnsafeBufferPointer { values in
        distance.withUnsafeMutableBufferPointer { distance in
          nearest.withUnsafeMutableBufferPointer { nearest in
            let start = values.baseAddress!
            var least = Double.infinity
            for i in 0..<left {
              var sum = 0.0
              for j in 0..<d {
                let t = start[j &* n &+ i] - latest[j]
                sum += t * t
              }
              if sum < distance[i] { (distance[i], nearest[i]) = (sum, name) }
              if distance[i] < least { (least, closest) = (distance[i], i) }
            }
          }
        }
      }
      merges.append((min(nearest[closest], point[closest]), max(nearest[closest], point[closest]), distance[closest].squareRoot()))
      for j in 0..<d { latest[j] = values[j * n + closest] }
      name = point[closest]
      remove(closest)
    }
    return merges
  }
}
