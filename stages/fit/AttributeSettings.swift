import Columns
import Diagnostics
import Models
import Pipelines

/// How a value is to be foretold from attributes.
struct AttributeSettings: SettingsGroup {
  enum Encoding: String, SettingChoice { case oneHot = "one-hot", target, ordinal }
  enum Missing: String, SettingChoice { case leaveOut = "leave-out", mean, median, indicator, keep }
  enum Unseen: String, SettingChoice { case usual, null, error }
  enum Scale: String, SettingChoice { case none, standard }
  enum Auto: String, SettingChoice { case auto }

  /// One column's encoding, where more is to be said than its name.
  struct ColumnEncoding: SettingsGroup {
    @Setting("one-hot, target or ordinal") var encoding: Encoding
    @Setting("one-hot: the level that the others are compared with; default the first by name") var baseline: String?
    @Setting("ordinal: the levels from the lowest up; default by name") var order: [String] = []
    @Setting("target: so many rows of the mean of all are added to each level", in: 0...1e9) var smoothing: Double?

    init() {}
  }

  @Setting("column of the value that is foretold") var target: String
  @Setting("columns that foretell it: numbers, truth values, dates and texts") var features: [String]
  @Setting("texts: one-hot (a column of 0 and 1 for each level but the baseline; of trees for every level), target (mean value of the level, from other rows than the one that gets it) or ordinal (0, 1, 2 …)") var encoding = Encoding.oneHot
  @Setting("columns that are encoded in another way: its name, or an object that says more") var encodings: Named<Either<Encoding, ColumnEncoding>> = [:]
  @Setting("missing cells: leave-out (the row), mean, median, indicator (mean, and a column that says where), keep (trees only: each branch decides); default leave-out, of trees keep") var missing: Missing?
  @Setting("levels that come later: usual (one-hot none, target the mean of all, ordinal as missing), null (no prediction) or error") var unseen = Unseen.usual
  @Setting("share of the rows that is held out to test the model, such as 0.2, or the column of truth values that says which rows are") var test: Either<Double, String>?
  @Setting("fit again to all rows once the test is done") var refit = false
  @Setting("cross-validation: as many fits, each tested on the part it has not seen", in: 2...50) var folds: Int?
  @Setting("how often every feature's cells are dealt out anew to see how much worse predictions get; 0: not", in: 0...100) var importance = 5
  @Setting("column that names the rows of held_out; default customer where there is one") var key: String?
  @Setting("another seed, another split, other folds, other samples of rows and columns", in: 0...2_147_483_647) var seed = 1
  @Setting("ridge, elastic-net, poisson, tweedie: λ of 1/(2n)·‖y − Xβ‖² + λ·(ρ·‖β‖₁ + (1 − ρ)/2·‖β‖²), auto: by cross-validation, the default of ridge and elastic-net; of poisson and tweedie beside half the mean deviance, default 0") var penalty: Either<Double, Auto>?
  @Setting("elastic-net: ρ, the share of the penalty that makes coefficients 0", in: 0.001...1) var l1Ratio = 0.5
  @Setting("ridge, elastic-net: standard: the penalty is on columns of standard deviation 1") var scale = Scale.standard
  @Setting("tweedie: the variance is φ·mean^power", in: 1.01...1.99) var power = 1.5
  @Setting("random-forest, gradient-boosting: how trees are grown, by XGBoost's names") var trees = TreeSettings()

  init() {}

  struct TreeSettings: SettingsGroup {
    enum Objective: String, SettingChoice { case squaredError = "squared-error", poisson, gamma, tweedie }
    enum Direction: String, SettingChoice { case increasing, decreasing }

    @Setting("how many trees; with patience at most", in: 1...5000) var count = 100
    @Setting("gradient-boosting: as many trees as foretell a part of the rows best, tried until so many more made it no better; then trees grow over all rows; default count, untried", in: 1...1000) var patience: Int?
    @Setting("with patience: the share of the rows on which numbers of trees are tried, drawn by seed", in: 0.01...0.9) var validation = 0.2
    @Setting("features with which the value must not fall (increasing) or not rise (decreasing), all else equal; numbers, dates, ordinal and target encodings") var monotone: Named<Direction> = [:]
    @Setting("what they make small: squared-error, or the deviance of poisson, gamma or tweedie, whose values are e to the sum of the trees") var objective = Objective.squaredError
    @Setting("max_depth: how deep a tree may be", in: 1...12) var depth = 6
    @Setting("learning_rate: what part of each tree counts; default 0.3, of a forest 1", in: 0.0001...1) var learningRate: Double?
    @Setting("min_child_weight: rows (of squared-error) that a leaf must have", in: 0...1e9) var minChildWeight = 1.0
    @Setting("min_split_loss: what a branch must bring", in: 0...1e12) var minSplitLoss = 0.0
    @Setting("reg_lambda: price on the squares of the leaves; default 1, of a forest 0.00001", in: 0...1e9) var l2: Double?
    @Setting("reg_alpha: price on the size of the leaves", in: 0...1e12) var l1 = 0.0
    @Setting("subsample: share of the rows that a tree sees; default 1, of a forest 0.8", in: 0.01...1) var subsample: Double?
    @Setting("share of the columns that a tree sees (colsample_bytree), of a forest each branch (colsample_bynode); default 1, of a forest 0.8", in: 0.01...1) var columnSample: Double?
    @Setting("max_bin: into how many steps a column is cut", in: 2...4096) var bins = 256

    init() {}
  }

  // MARK: What the models take

  func fit(_ kind: AttributeModel.Kind) -> AttributeFit {
    var told: Double?
    if case .first(let value) = penalty { told = value }
    var growth = BoostedTrees.Growth()
    let isForest = kind == .randomForest
    growth.isForest = isForest
    growth.trees = trees.count
    growth.maxDepth = trees.depth
    growth.learningRate = trees.learningRate ?? (isForest ? 1 : 0.3)
    growth.minChildWeight = trees.minChildWeight
    growth.minSplitLoss = trees.minSplitLoss
    growth.l2 = trees.l2 ?? (isForest ? 1e-5 : 1)
    growth.l1 = trees.l1
    growth.subsample = trees.subsample ?? (isForest ? 0.8 : 1)
    growth.columnSample = trees.columnSample ?? (isForest ? 0.8 : 1)
    growth.maxBins = trees.bins
    growth.seed = seed
    growth.objective =
      switch trees.objective {
      case .squaredError: .squaredError
      case .poisson: .poisson
      case .gamma: .gamma
      case .tweedie: .tweedie(power: power)
      }
    var fit = AttributeFit(
      kind: kind, penalty: told, l1Ratio: l1Ratio, standardizes: scale == .standard, power: power, growth: growth,
      missing: missing.flatMap { MissingPolicy(rawValue: $0.rawValue) } ?? (kind.isTrees ? .keep : .leaveOut),
      unseen: UnseenPolicy(rawValue: unseen.rawValue)!, seed: UInt64(seed))
    (fit.patience, fit.validation) = (trees.patience, trees.validation)
    fit.monotone = features.map { name in trees.monotone[name].map { $0 == .increasing ? 1 : -1 } ?? 0 }
    return fit
  }

  func encoding(of column: String, _ type: ColumnType) -> AttributeEncoding {
    guard type == .string else { return .number }
    var told = ColumnEncoding()
    told.encoding = encoding
    switch encodings[column] {
    case .first(let encoding)?: told.encoding = encoding
    case .second(let more)?: told = more
    case nil: break
    }
    switch told.encoding {
    case .oneHot: return .oneHot(baseline: told.baseline)
    case .target: return .target(smoothing: told.smoothing ?? 10)
    case .ordinal: return .ordinal(order: told.order)
    }
  }

  /// Whether the values must not be negative, and whether 0 is one too few.
  func needsPositive(_ kind: AttributeModel.Kind) -> (least: String, isFit: @Sendable (Double) -> Bool)? {
    switch kind {
    case .poisson, .tweedie, .zeroInflatedLognormal: return ("0 or more", { $0 >= 0 })
    case .randomForest, .gradientBoosting:
      switch trees.objective {
      case .squaredError: return nil
      case .poisson, .tweedie: return ("0 or more", { $0 >= 0 })
      case .gamma: return ("more than 0", { $0 > 0 })
      }
    default: return nil
    }
  }
}
