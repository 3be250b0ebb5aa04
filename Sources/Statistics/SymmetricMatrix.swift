/// A small dense symmetric matrix, row-major: Hessians and covariances of a handful of parameters.
public struct SymmetricMatrix: Hashable, Sendable {
  public let order: Int
  /// order × order, row-major.
  public private(set) var elements: [Double]

  public init(order: Int) {
    self.order = order
    elements = [Double](repeating: 0, count: order * order)
  }

  public subscript(i: Int, j: Int) -> Double {
    get { elements[i * order + j] }
    set {
      elements[i * order + j] = newValue
      elements[j * order + i] = newValue
    }
  }

  public var diagonal: [Double] { (0..<order).map { self[$0, $0] } }

  /// The lower factor L of L Lᵀ, row-major, or nil when the matrix is not positive definite.
  public func cholesky() -> [Double]? {
    var l = [Double](repeating: 0, count: order * order)
    for i in 0..<order {
      for j in 0...i {
        var sum = elements[i * order + j]
        for k in 0..<j { sum -= l[i * order + k] * l[j * order + k] }
        if i == j {
          // A pivot lost to rounding counts as zero.
          guard sum > elements[i * order + i].magnitude * 1e-15, sum.isFinite else { return nil }
          l[i * order + i] = sum.squareRoot()
        } else {
          l[i * order + j] = sum / l[j * order + j]
        }
      }
    }
    return l
  }

  /// x with A x = b, or nil when A is not positive definite.
  public func solve(_ b: [Double]) -> [Double]? {
    guard let l = cholesky() else { return nil }
    var x = b
    for i in 0..<order {
      for k in 0..<i { x[i] -= l[i * order + k] * x[k] }
      x[i] /= l[i * order + i]
    }
    for i in stride(from: order - 1, through: 0, by: -1) {
      for k in (i + 1)..<max(order, i + 1) { x[i] -= l[k * order + i] * x[k] }
      x[i] /= l[i * order + i]
    }
    return x
  }

  /// A⁻¹, or nil when A is not positive definite.
  public func inverse() -> SymmetricMatrix? {
    guard cholesky() != nil else { return nil }
    var result = SymmetricMatrix(order: order)
    for j in 0..<order {
      var unit = [Double](repeating: 0, count: order)
      unit[j] = 1
      guard let column = solve(unit) else { return nil }
      for i in 0...j { result[i, j] = column[i] }
    }
    return result
  }

  /// Eigenvalues ascending, with the eigenvectors as rows: cyclic Jacobi rotations.
  public func eigen() -> (values: [Double], vectors: [[Double]]) {
    var a = elements
    let n = order
    var v = [Double](repeating: 0, count: n * n)
    for i in 0..<n { v[i * n + i] = 1 }
    for _ in 0..<100 {
      var off = 0.0
      for i in 0..<n { for j in 0..<n where i != j { off += a[i * n + j] * a[i * n + j] } }
      if off < 1e-300 { break }
      for p in 0..<n {
        for q in (p + 1)..<max(n, p + 1) where a[p * n + q] != 0 {
          let theta = (a[q * n + q] - a[p * n + p]) / (2 * a[p * n + q])
          let root = theta.magnitude + (theta * theta + 1).squareRoot()
          let t = (theta < 0 ? -1 : 1) / root
          let c = 1 / (t * t + 1).squareRoot()
          let s = t * c
          for k in 0..<n {
            let (kp, kq) = (a[k * n + p], a[k * n + q])
            a[k * n + p] = c * kp - s * kq
            a[k * n + q] = s * kp + c * kq
          }
          for k in 0..<n {
            let (pk, qk) = (a[p * n + k], a[q * n + k])
            a[p * n + k] = c * pk - s * qk
            a[q * n + k] = s * pk + c * qk
          }
          a[p * n + q] = 0
          a[q * n + p] = 0
          for k in 0..<n {
            let (kp, kq) = (v[k * n + p], v[k * n + q])
            v[k * n + p] = c * kp - s * kq
            v[k * n + q] = s * kp + c * kq
          }
        }
      }
    }
    let order = (0..<n).sorted { a[$0 * n + $0] < a[$1 * n + $1] }
    return (order.map { a[$0 * n + $0] }, order.map { j in (0..<n).map { v[$0 * n + j] } })
  }
}
