import CXGBoost
import Statistics

/// Gradient-boosted trees and random forests, grown by XGBoost (Chen & Guestrin 2016).
///
/// One thread grows a model, so that it has the same bytes on every machine with the same processor architecture; the library draws
/// rows and columns from `seed`. Cells are 32-bit numbers there.
public struct BoostedTrees: Hashable, Sendable {
  /// What the set-up step brings, and what stands in recipes.
  public static let version = "xgboost 3.2.0"

  public enum Objective: Hashable, Sendable {
    case squaredError
    /// Means are e^sum.
    case poisson, gamma
    case tweedie(power: Double)

    var isLog: Bool { self != .squaredError }
    fileprivate var name: String {
      switch self {
      case .squaredError: "reg:squarederror"
      case .poisson: "count:poisson"
      case .gamma: "reg:gamma"
      case .tweedie: "reg:tweedie"
      }
    }
  }

  /// Settings of a growth, by XGBoost's names.
  public struct Growth: Hashable, Sendable {
    public var objective = Objective.squaredError
    /// Trees of a forest in one round, else rounds of one tree.
    public var isForest = false
    public var trees = 100
    public var maxDepth = 6
    public var learningRate = 0.3
    public var minChildWeight = 1.0
    public var minSplitLoss = 0.0
    public var l2 = 1.0
    public var l1 = 0.0
    public var subsample = 1.0
    /// Of a tree; of a forest, of a node.
    public var columnSample = 1.0
    public var maxBins = 256
    public var seed = 0
    /// By column: 1 where the value must not fall as the column rises, −1 where it must not rise, else 0; empty for none.
    public var monotone: [Int] = []

    public init() {}

    fileprivate var parameters: [(String, String)] {
      var told = [
        ("nthread", "1"), ("tree_method", "hist"), ("objective", objective.name), ("max_depth", "\(maxDepth)"),
        ("learning_rate", "\(learningRate)"), ("min_child_weight", "\(minChildWeight)"), ("min_split_loss", "\(minSplitLoss)"),
        ("reg_lambda", "\(l2)"), ("reg_alpha", "\(l1)"), ("subsample", "\(subsample)"),
        (isForest ? "colsample_bynode" : "colsample_bytree", "\(columnSample)"), ("max_bin", "\(maxBins)"), ("seed", "\(seed)"),
      ]
      if isForest { told.append(("num_parallel_tree", "\(trees)")) }
      if monotone.contains(where: { $0 != 0 }) {
        told.append(("monotone_constraints", "(" + monotone.map { "\($0)" }.joined(separator: ",") + ")"))
      }
      if case .tweedie(let power) = objective { told.append(("tweedie_variance_power", "\(power)")) }
      return told
    }
  }

  /// The trees as UBJSON, as XGBoost saves and loads them.
  public let bytes: [UInt8]
  public let columnCount: Int
  /// Whether values are e^sum of the trees.
  public let isLog: Bool

  public init(bytes: [UInt8], columnCount: Int, isLog: Bool) {
    (self.bytes, self.columnCount, self.isLog) = (bytes, columnCount, isLog)
  }

  /// Why the library gave nothing, in its words.
  public struct Failure: Error, Hashable, Sendable {
    public let words: String
    /// Whether the library itself is missing.
    public let isMissing: Bool
  }

  /// Of the library: "3.2.0".
  public static func libraryVersion() throws(Failure) -> String {
    try load()
    var words = [CChar](repeating: 0, count: 64)
    millrace_xgb_version(&words, words.count)
    return text(words)
  }

  /// Grows trees over rows of `columns`; `check` is asked before every round and may throw.
  public static func grow(_ columns: [[Double]], _ y: [Double], _ growth: Growth, check: () throws -> Void = {}) throws -> BoostedTrees {
    try load()
    let matrix = try Matrix(columns, rows: 0..<y.count)
    try call(millrace_xgb_set_label(matrix.handle, y.map(Float.init), UInt64(y.count)))
    let booster = try Booster(training: matrix)
    for (name, value) in growth.parameters { try call(millrace_xgb_set(booster.handle, name, value)) }
    for round in 0..<(growth.isForest ? 1 : growth.trees) {
      try check()
      try call(millrace_xgb_update(booster.handle, Int32(round), matrix.handle))
    }
    return BoostedTrees(bytes: try booster.saved(), columnCount: columns.count, isLog: growth.objective.isLog)
  }

  /// How many rounds foretell best: trees grow over the rows that are not `held`, until for `patience` rounds none has made the error of
  /// those that are smaller. The error is the objective's own: the root of the mean square, or a mean −ln likelihood.
  public static func bestRounds(
    _ columns: [[Double]], _ y: [Double], _ growth: Growth, held: [Bool], patience: Int, check: () throws -> Void = {}
  ) throws -> (rounds: Int, error: Double) {
    precondition(!growth.isForest && patience >= 1, "a forest has one round")
    try load()
    func matrix(_ isHeld: Bool) throws -> Matrix {
      let rows = held.indices.filter { held[$0] == isHeld }
      precondition(!rows.isEmpty, "rows to grow over and rows to try on")
      let made = try Matrix(columns.map { column in rows.map { column[$0] } }, rows: 0..<rows.count)
      try call(millrace_xgb_set_label(made.handle, rows.map { Float(y[$0]) }, UInt64(rows.count)))
      return made
    }
    let (learned, other) = (try matrix(false), try matrix(true))
    let booster = try Booster(training: learned)
    for (name, value) in growth.parameters { try call(millrace_xgb_set(booster.handle, name, value)) }
    var best = (rounds: 0, error: Double.infinity)
    for round in 0..<growth.trees {
      try check()
      try call(millrace_xgb_update(booster.handle, Int32(round), learned.handle))
      var error = 0.0
      try call(millrace_xgb_evaluate(booster.handle, Int32(round), other.handle, &error))
      if error.isNaN { throw Failure(words: "XGBoost told no error", isMissing: false) }
      if error < best.error || round == 0 { best = (round + 1, error) }
      if round + 1 - best.rounds >= patience { break }
    }
    return best
  }

  /// One value a row; every row's depends on its own cells alone.
  public func values(_ columns: [[Double]], rows: Int) throws -> [Double] {
    var sums: [Double] = []
    sums.reserveCapacity(rows)
    try each(columns, rows, kind: 1) { result, count in sums += (0..<count).map { Double(result[$0]) } }
    return isLog ? sums.map(Portable.exp) : sums
  }

  /// What each column adds to a row's sum of trees (SHAP; Lundberg, Erion & Lee 2018), and the base, the same for every row.
  public func contributions(_ columns: [[Double]], rows: Int) throws -> (base: Double, columns: [[Double]]) {
    let width = columnCount + 1
    var parts = [[Double]](repeating: [], count: columnCount)
    var base = 0.0
    try each(columns, rows, kind: 2) { result, count in
      for at in 0..<columnCount { parts[at] += (0..<count).map { Double(result[$0 * width + at]) } }
      if count > 0 { base = Double(result[columnCount]) }
    }
    return (base, parts)
  }

  /// `kind` as in `millrace_xgb_predict`, a block of rows at a time.
  private func each(_ columns: [[Double]], _ rows: Int, kind: Int32, _ body: (UnsafePointer<Float>, Int) -> Void) throws {
    try Self.load()
    precondition(columns.count == columnCount, "\(columns.count) columns for trees of \(columnCount)")
    if rows == 0 { return }
    let booster = try Booster(training: nil)
    try Self.call(millrace_xgb_restore(booster.handle, bytes, UInt64(bytes.count)))
    try Self.call(millrace_xgb_set(booster.handle, "nthread", "1"))
    for start in stride(from: 0, to: rows, by: 1 << 16) {
      let block = start..<min(rows, start + 1 << 16)
      let matrix = try Matrix(columns, rows: block)
      var (count, result): (UInt64, UnsafePointer<Float>?) = (0, nil)
      try Self.call(millrace_xgb_predict(booster.handle, matrix.handle, kind, &count, &result))
      let expected = block.count * (kind == 2 ? columnCount + 1 : 1)
      guard let result, count == expected else {
        throw Failure(words: "XGBoost gave \(count) numbers for \(expected)", isMissing: false)
      }
      body(result, block.count)
    }
  }

  // MARK: The library

  private static func load() throws(Failure) {
    var words = [CChar](repeating: 0, count: 1024)
    if millrace_xgb_load(&words, words.count) != 0 { throw Failure(words: text(words), isMissing: true) }
  }

  private static func call(_ code: Int32) throws(Failure) {
    if code == 0 { return }
    // The first line; what follows is a trace of the library's own functions.
    let words = String(cString: millrace_xgb_words()).split(separator: "\n").first.map(String.init) ?? ""
    throw Failure(words: "XGBoost refused: \(words)", isMissing: false)
  }

  private static func text(_ words: [CChar]) -> String {
    String(decoding: words.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  private final class Matrix {
    let handle: UnsafeMutableRawPointer

    init(_ columns: [[Double]], rows: Range<Int>) throws(Failure) {
      let width = columns.count
      var cells = [Float](repeating: 0, count: max(rows.count * width, 1))
      for (at, column) in columns.enumerated() {
        for row in rows { cells[(row - rows.lowerBound) * width + at] = Float(column[row]) }
      }
      var made: UnsafeMutableRawPointer?
      try BoostedTrees.call(millrace_xgb_matrix(cells, UInt64(rows.count), UInt64(width), &made))
      guard let made else { throw Failure(words: "XGBoost made no matrix", isMissing: false) }
      handle = made
    }

    deinit { millrace_xgb_free_matrix(handle) }
  }

  private final class Booster {
    let handle: UnsafeMutableRawPointer

    init(training matrix: Matrix?) throws(Failure) {
      var made: UnsafeMutableRawPointer?
      try BoostedTrees.call(millrace_xgb_booster(matrix?.handle, &made))
      guard let made else { throw Failure(words: "XGBoost made no model", isMissing: false) }
      handle = made
    }

    func saved() throws(Failure) -> [UInt8] {
      var (count, bytes): (UInt64, UnsafePointer<CChar>?) = (0, nil)
      try BoostedTrees.call(millrace_xgb_save(handle, &count, &bytes))
      guard let bytes else { throw Failure(words: "XGBoost saved no model", isMissing: false) }
      return Array(UnsafeRawBufferPointer(start: bytes, count: Int(count)))
    }

    deinit { millrace_xgb_free_booster(handle) }
  }
}
