import Statistics

/// Hartigan's rule (1975): a point goes where the sum of squares becomes least, counted with the centers that move for it. What it
/// leaves Lloyd's rule leaves too, but not the other way round.
extension KMeansLloyd {
  /// By which share of an inertia the exchange of points may still make it less than a better one; of many points each counts little.
  var reach: Double { blocks.n > 5_000 ? 1e-4 : 1e-2 }

  /// Lloyd until nothing moves.
  func settle(_ optimum: inout KMeansOptimum) {
    let state = iterate(from: optimum.centers, maximumIterations: 10_000, until: -1)
    optimum.centers = state.centers
    optimum.iterations += state.iterations
    optimum.inertia = assignment(state.centers).inertia
  }

  /// Exchanges single points until none gains, then settles.
  func exchange(_ optimum: inout KMeansOptimum) {
    let k = optimum.centers.count / blocks.d
    var labels = assignment(optimum.centers).labels
    // Some two hundred million distances at most.
    let passes = max(1, min(50, 200_000_000 / (blocks.n * k * blocks.d)))
    var pass = 0
    while pass < passes, exchanged(&optimum.centers, &labels) { pass += 1 }
    optimum.iterations += pass
    settle(&optimum)
  }

  /// One pass over all points; whether one went elsewhere. Centers become the means of their points.
  private func exchanged(_ centers: inout [Double], _ labels: inout [Int32]) -> Bool {
    // Known numbers of columns are unrolled.
    switch blocks.d {
    case 2: exchanged(&centers, &labels, Two())
    case 3: exchanged(&centers, &labels, Three())
    case 4: exchanged(&centers, &labels, Four())
    default: exchanged(&centers, &labels, AnyWidth(count: blocks.d))
    }
  }

  @inline(__always)
  private func exchanged(_ centers: inout [Double], _ labels: inout [Int32], _ width: some Width) -> Bool {
    let (n, d, stride, k) = (blocks.n, width.count, blocks.stride, centers.count / blocks.d)
    var (sums, mass) = ([Double](repeating: 0, count: k * d), [Double](repeating: 0, count: k))
    for place in 0..<n {
      let (c, w) = (Int(labels[place]), blocks.weights.isEmpty ? 1 : blocks.weights[place])
      mass[c] += w
      for j in 0..<d { sums[c * d + j] += w * blocks.values[j * stride + place] }
    }
    for c in 0..<k where mass[c] > 0 { for j in 0..<d { centers[c * d + j] = sums[c * d + j] / mass[c] } }
    return centers.withUnsafeMutableBufferPointer { centers in
      mass.withUnsafeMutableBufferPointer { mass in
        labels.withUnsafeMutableBufferPointer { labels in
          blocks.values.withUnsafeBufferPointer { values in
            blocks.weights.withUnsafeBufferPointer { weights in
              var moved = false
              for place in 0..<n {
                let (own, w) = (Int(labels[place]), weights.isEmpty ? 1 : weights[place])
                // The last point of a cluster stays; so does what weighs nothing.
                guard w > 0, mass[own] > w * (1 + 1e-12) else { continue }
                func square(_ c: Int) -> Double {
                  var sum = 0.0
                  for j in 0..<d {
                    let t = values[j &* stride &+ place] - centers[c &* d &+ j]
                    sum += t * t
                  }
                  return sum
                }
                let gain = square(own) * (mass[own] / (mass[own] - w))
                var (least, to) = (gain * (1 - 1e-12), own)
                for c in 0..<k where c != own {
                  let square = square(c)
                  // Most centers are too far by more than rounding: no division for them.
                  if square * mass[c] * (1 - 1e-9) > least * (mass[c] + w) { continue }
                  let cost = square * (mass[c] / (mass[c] + w))
                  if cost < least { (least, to) = (cost, c) }
                }
                if to == own { continue }
                for j in 0..<d {
                  let x = values[j &* stride &+ place]
                  centers[own &* d &+ j] -= w / (mass[own] - w) * (x - centers[own &* d &+ j])
                  centers[to &* d &+ j] += w / (mass[to] + w) * (x - centers[to &* d &+ j])
                }
                mass[own] -= w
                mass[to] += w
                labels[place] = Int32(to)
                moved = true
              }
              return moved
            }
          }
        }
      }
    }
  }
}
