import Statistics

/// Where predictions are averaged over parameters of which a fit knows a mode and a covariance: their logarithms are taken as
/// normal; the mean is that over the 2d points of the cubature rule of third degree, θ ± √d · columns of the Cholesky factor
/// (Arasaratnam & Haykin 2009).
struct CubaturePoints {
  private let center: [Double]
  /// Of the covariance of the logarithms; nil where none is known.
  private let factor: [Double]?

  init(_ parameters: [Double], _ covariance: [[Double]]?) {
    center = parameters
    guard let covariance else {
      factor = nil
      return
    }
    var logs = SymmetricMatrix(order: parameters.count)
    for i in parameters.indices { for j in 0...i { logs[i, j] = covariance[i][j] / (parameters[i] * parameters[j]) } }
    factor = logs.cholesky()
  }

  /// How many directions there are.
  var dimensions: Int { factor == nil ? 0 : center.count }

  /// This model's share of the points, where it has `dimensions` of d in all.
  func points(of d: Int) -> [[Double]] {
    guard let factor else { return [] }
    let radius = Double(d).squareRoot()
    return center.indices.flatMap { column in
      [radius, -radius].map { sign in
        center.indices.map { center[$0] * Portable.exp(min(max(sign * factor[$0 * center.count + column], -30), 30)) }
      }
    }
  }
}
