import Statistics

/// The models of purchases by name, for those who choose one while they run.
public enum PurchaseModel: String, CaseIterable, Sendable {
  case bgNBD = "bg-nbd"
  case mbgNBD = "mbg-nbd"
  case paretoNBD = "pareto-nbd"
  case nbd
  case bgCNBDk = "bg-cnbd-k"
  case mbgCNBDk = "mbg-cnbd-k"
  case bgBB = "bg-bb"
  case sBG = "sbg"

  /// As it stands in sentences.
  public var words: String {
    switch self {
    case .bgNBD: "BG/NBD"
    case .mbgNBD: "MBG/NBD"
    case .paretoNBD: "Pareto/NBD"
    case .nbd: "NBD"
    case .bgCNBDk: "BG/CNBD-k"
    case .mbgCNBDk: "MBG/CNBD-k"
    case .bgBB: "BG/BB"
    case .sBG: "sBG"
    }
  }

  /// What parameters say of single customers; `stages` is the k of the models that have one.
  public func predictor(_ parameters: [Double], stages k: Int = 1) -> any PurchasePredictor {
    switch self {
    case .bgNBD: BGNBD.Predictor(.init(parameters))
    case .mbgNBD: MBGNBD.predictor(.init(parameters))
    case .paretoNBD: ParetoNBD.Predictor(.init(parameters))
    case .nbd: NBD.Predictor(.init(parameters))
    case .bgCNBDk: RegularBuyers.Predictor(.init(parameters), k: k, dropoutAtOnce: false)
    case .mbgCNBDk: RegularBuyers.Predictor(.init(parameters), k: k, dropoutAtOnce: true)
    case .bgBB: BGBB.Predictor(.init(parameters))
    case .sBG: ShiftedBetaGeometric.Predictor(.init(parameters))
    }
  }

  /// Likelihoods of single histories; nil for models that have none: regular buyers, periods and contracts.
  public func histories(_ parameters: [Double]) -> (any HistoryLikelihood)? {
    switch self {
    case .bgNBD: BGNBD.Predictor(.init(parameters))
    case .mbgNBD: MBGNBD.predictor(.init(parameters))
    case .paretoNBD: ParetoNBD.Predictor(.init(parameters))
    case .nbd: NBD.Predictor(.init(parameters))
    case .bgCNBDk, .mbgCNBDk, .bgBB, .sBG: nil
    }
  }

  /// Maximum likelihood, or with a prior its mode, of a model that has a likelihood of single histories.
  public func fitted(
    to summary: PurchaseSummary, prior: WeakPrior? = nil
  ) throws -> (parameters: [Double], logLikelihood: Double, converged: Bool) {
    func plain<P: ModelParameters>(_ fit: ModelFit<P>) -> (parameters: [Double], logLikelihood: Double, converged: Bool) {
      (fit.parameters.vector, fit.logLikelihood, fit.converged)
    }
    switch self {
    case .bgNBD: return plain(try BGNBD.fit(summary, prior: prior))
    case .mbgNBD: return plain(try MBGNBD.fit(summary, prior: prior))
    case .paretoNBD: return plain(try ParetoNBD.fit(summary, prior: prior))
    case .nbd: return plain(try NBD.fit(summary, prior: prior))
    case .bgCNBDk, .mbgCNBDk, .bgBB, .sBG: preconditionFailure("\(words) is not a model of purchases at any time with likelihoods of single histories")
    }
  }

  /// Whether the model can make something of this customer: whole x ≥ 0, 0 ≤ t_x ≤ T, and t_x = 0 where x = 0; for models
  /// of periods whole periods.
  public func isHistory(x: Double, tx: Double, T: Double) -> Bool {
    guard x >= 0 && x <= 1e9 && x == x.rounded(.towardZero) && tx >= 0 && tx <= T && T < 1e300 && (x > 0 || tx == 0) else {
      return false
    }
    switch self {
    case .bgBB, .sBG: return x <= tx && tx == tx.rounded() && T == T.rounded() && T <= 1e6
    default: return true
    }
  }
}
