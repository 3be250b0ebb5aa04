import Statistics

/// The parameters of a model as numbers in a fixed order, all positive.
public protocol ModelParameters: Hashable, Sendable {
  init(_ vector: [Double])
  var vector: [Double] { get }
  static var names: [String] { get }
}

/// What maximum likelihood (or, with a prior, the posterior's mode) found, and whether to believe it.
public struct ModelFit<Parameters: ModelParameters>: Sendable {
  public var parameters: Parameters
  /// Square roots of the covariance's diagonal; nil where the likelihood is flat.
  public var standardErrors: Parameters?
  /// Inverse of the negative Hessian, in the parameters' order.
  public var covariance: SymmetricMatrix?
  /// Without the prior.
  public var logLikelihood: Double
  /// Customers (their weights summed).
  public var observations: Double
  public var converged: Bool
  public var iterations: Int
  public var evaluations: Int
  /// Largest |∂ℓ/∂ ln parameter| per customer.
  public var gradientNorm: Double
  /// Sentences a reader of the fit should know.
  public var diagnoses: [String]

  private var count: Double { Double(Parameters.names.count) }
  public var aic: Double { 2 * count - 2 * logLikelihood }
  public var bic: Double { count * Portable.log(observations) - 2 * logLikelihood }
}

/// A weak prior: the logarithm of every parameter is normal around the logarithm of its usual size, 1 for a shape and the
/// mean age for a time, with this standard deviation. It changes little where data speak, and holds a ridge in place.
public struct WeakPrior: Hashable, Sendable {
  public var spread: Double
  public init(spread: Double = 3) {
    precondition(spread > 0 && spread < 1e6, "a prior's spread is positive, not \(spread)")
    self.spread = spread
  }
}
