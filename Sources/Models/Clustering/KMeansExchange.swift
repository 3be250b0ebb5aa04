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
    blocks.values.withUnsafeBufferPointer { values in
      blocks.weights.withUnsafeBufferPointer { weights in
        sums.withUnsafeMutableBufferPointer { sums in
          mass.withUnsafeMutableBufferPointer { mass in
            for place in 0..<n {
              let (c, w) = (Int(labels[place]), weights.isEmpty ? 1 : weights[place])
              mass[c] += w
              for j in 0..<d { sums[c &* d &+ j] += w * values[j &* stride &+ place] }
            }
          }
        }
      }
    }
    for c in 0..<k where mass[c] > 0 { for j in 0..<d { centers[c * d + j] = sums[c * d + j] / mass[c] } }
    return centers.withUnsafeMutableBufferPointer { centers in
      mass.withUnsafeMutableBufferPointer { mass in
        labels.withUnsafeMutableBufferPointer { labels in
          blocks.values.withUnsafeBufferPointer { values in
            blocks.weights.withUnsafeBufferPointer { weights in
              var moved = false
              let lanes = CenterLanes(centers, mass, d)
              defer { lanes.free() }
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
                if lanes.noneNearer(than: least, own, w, width, { values[$0 &* stride &+ place] }) { continue }
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
                lanes.take(own, centers, mass)
                lanes.take(to, centers, mass)
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

/// Centers four at a time, by column, and their masses; what fills the last four is infinitely far away.
private struct CenterLanes {
  let quads: Int
  let places: UnsafeMutablePointer<SIMD4<Double>>
  let masses: UnsafeMutablePointer<SIMD4<Double>>
  let d: Int

  init(_ centers: UnsafeMutableBufferPointer<Double>, _ mass: UnsafeMutableBufferPointer<Double>, _ d: Int) {
    (quads, self.d) = ((mass.count + 3) / 4, d)
    places = .allocate(capacity: quads * d)
    masses = .allocate(capacity: quads)
    places.initialize(repeating: SIMD4(repeating: .infinity), count: quads * d)
    masses.initialize(repeating: SIMD4(repeating: 1), count: quads)
    for c in mass.indices { take(c, centers, mass) }
  }

  func take(_ c: Int, _ centers: UnsafeMutableBufferPointer<Double>, _ mass: UnsafeMutableBufferPointer<Double>) {
    for j in 0..<d { places[c / 4 * d + j][c % 4] = centers[c * d + j] }
    masses[c / 4][c % 4] = mass[c]
  }

  func free() {
    places.deallocate()
    masses.deallocate()
  }

  /// Whether all centers but `own` are too far for a point by more than rounding: what the rule asks of one after the other.
  @inline(__always)
  func noneNearer(than least: Double, _ own: Int, _ weight: Double, _ width: some Width, _ value: (Int) -> Double) -> Bool {
    let d = width.count
    var nearest = SIMD4<Double>(repeating: .infinity)
    for quad in 0..<quads {
      var square = SIMD4<Double>(repeating: 0)
      for j in 0..<d {
        let t = value(j) - places[quad &* d &+ j]
        square += t * t
      }
      let mass = masses[quad]
      var past = square * mass * (1 - 1e-9) - least * (mass + weight)
      if quad == own / 4 { past[own & 3] = .infinity }
      nearest.replace(with: past, where: past .< nearest)
    }
    return PointBlocks.least(nearest) > 0
  }
}
