import Statistics

/// Customers with equal covariates, and the likelihood of all of them.
struct CovariateGroups {
  let weight: Double
  private let likelihoods: [@Sendable ([Double], Int) -> Newton.Value]
  private let maps: [[[Double]]]

  init(_ model: PurchaseModel, _ s: PurchaseSummary, _ z: [[Double]], weights: [Double]? = nil) throws {
    weight = weights.map { Summaries.sum($0) } ?? Double(s.count)
    var (likelihoods, maps): ([@Sendable ([Double], Int) -> Newton.Value], [[[Double]]]) = ([], [])
    for rows in EqualRows(z).groups {
      // A row that stands for nobody says nothing.
      let rows = weights.map { w in rows.filter { w[$0] > 0 } } ?? rows
      guard let first = rows.first else { continue }
      let data = try GroupedSummary(
        PurchaseSummary(x: rows.map { s.x[$0] }, tx: rows.map { s.tx[$0] }, T: rows.map { s.T[$0] }), weights: weights.map { w in rows.map { w[$0] } })
      likelihoods.append(Self.likelihood(model, data))
      maps.append(CovariateFit.rows(model, z.map { $0[first] }))
    }
    (self.likelihoods, self.maps) = (likelihoods, maps)
  }

  /// ℓ of some customers by their parameters and the number of stages.
  private static func likelihood(_ model: PurchaseModel, _ data: GroupedSummary) -> @Sendable ([Double], Int) -> Newton.Value {
    switch model {
    case .paretoNBD:
      let likelihood = ParetoNBDLikelihood(data)
      return { p, _ in likelihood.evaluate(p[0], p[1], p[2], p[3]) }
    case .nbd: return { p, _ in NBD.evaluate(data, p[0], p[1]) }
    default:
      let o = model == .mbgNBD || model == .mbgCNBDk ? 1 : 0
      let likelihood = BetaGeometricLikelihood(data, o: o)
      return { p, k in k == 1 ? likelihood.evaluate(p[0], p[1], p[2], p[3]) : RegularBuyers.evaluate(data, k, Double(o), p) }
    }
  }

  /// −ℓ per customer with its derivatives in θ, without what the times between purchases add.
  func lost(_ θ: [Double], stages: Int) -> Newton.Value {
    // Few groups are large: their own loops run on all processors.
    let parts = FixedChunks.map(count: likelihoods.count, chunk: likelihoods.count < 64 ? likelihoods.count : 64) { range in
      var sum: Newton.Value = (0, [Double](repeating: 0, count: θ.count), SymmetricMatrix(order: θ.count))
      for i in range { add(i, θ, stages, &sum) }
      return sum
    }
    var total: Newton.Value = (0, [Double](repeating: 0, count: θ.count), SymmetricMatrix(order: θ.count))
    for part in parts {
      total.value -= part.value / weight
      for i in θ.indices {
        total.gradient[i] -= part.gradient[i] / weight
        for j in 0...i { total.hessian[i, j] -= part.hessian[i, j] / weight }
      }
    }
    return total
  }

  private func add(_ group: Int, _ θ: [Double], _ stages: Int, _ sum: inout Newton.Value) {
    let map = maps[group]
    let p = map.map { row in Portable.exp(min(max(zip(row, θ).reduce(0) { $0 + $1.0 * $1.1 }, -600), 600)) }
    let (value, gradient, hessian) = likelihoods[group](p, stages)
    sum.value += value
    // In logarithms of the customers' own parameters.
    let g = p.indices.map { p[$0] * gradient[$0] }
    for i in θ.indices {
      for a in p.indices where map[a][i] != 0 {
        sum.gradient[i] += map[a][i] * g[a]
        for j in 0...i {
          for b in p.indices where map[b][j] != 0 {
            sum.hessian[i, j] += map[a][i] * map[b][j] * (p[a] * p[b] * hessian[a, b] + (a == b ? g[a] : 0))
          }
        }
      }
    }
  }
}

/// Rows with equal values in all columns, groups ascending.
public struct EqualRows: Sendable {
  /// Rows ascend within a group.
  public private(set) var groups: [[Int]] = []

  public init(_ columns: [[Double]]) {
    let count = columns.first?.count ?? 0
    func compare(_ a: Int, _ b: Int) -> Int {
      for column in columns where column[a] != column[b] { return column[a] < column[b] ? -1 : 1 }
      return 0
    }
    let order = (0..<count).sorted { a, b in
      let way = compare(a, b)
      return way != 0 ? way < 0 : a < b
    }
    for row in order {
      if let last = groups.last?.first, compare(last, row) == 0 { groups[groups.count - 1].append(row) } else { groups.append([row]) }
    }
  }
}
