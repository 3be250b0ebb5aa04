import Statistics

/// A model of a value from attributes: how the attributes become numbers, and what the numbers say.
public struct AttributeModel: Hashable, Sendable {
  public enum Kind: String, CaseIterable, Hashable, Sendable {
    case ols, ridge
    case elasticNet = "elastic-net"
    case poisson, tweedie
    case zeroInflatedLognormal = "zero-inflated-lognormal"
    case randomForest = "random-forest"
    case gradientBoosting = "gradient-boosting"

    public var isTrees: Bool { self == .randomForest || self == .gradientBoosting }
    public var isPenalized: Bool { self == .ridge || self == .elasticNet }
  }

  public enum Law: Hashable, Sendable {
    case linear(LinearForm)
    /// e^(linear form)
    case logLinear(LinearForm)
    case zeroInflatedLognormal(ZeroInflatedLognormal)
    case trees(BoostedTrees)
  }

  public var kind: Kind
  public var encoder: AttributeEncoder
  public var law: Law

  public init(kind: Kind, encoder: AttributeEncoder, law: Law) { (self.kind, self.encoder, self.law) = (kind, encoder, law) }

  /// One value a row; NaN where the row cannot be used.
  public func values(_ encoded: AttributeEncoder.Encoded) throws -> [Double] {
    let rows = encoded.isUsable.count
    let values: [Double] =
      switch law {
      case .linear(let form): form.values(encoded.columns, rows: rows)
      case .logLinear(let form): form.values(encoded.columns, rows: rows).map { Portable.exp(min($0, 700)) }
      case .zeroInflatedLognormal(let model): model.values(encoded.columns, rows: rows)
      case .trees(let trees): try trees.values(encoded.columns, rows: rows)
      }
    return values.indices.map { encoded.isUsable[$0] && values[$0].isFinite ? values[$0] : .nan }
  }

  /// What each feature adds to a row's value (of a model of the logarithm: to the value's logarithm) against the base; nil for
  /// models that are no sum. Columns of one feature are added up.
  public func contributions(_ encoded: AttributeEncoder.Encoded) throws -> (base: Double, features: [[Double]])? {
    let rows = encoded.isUsable.count
    let parts: (base: Double, columns: [[Double]])
    switch law {
    case .linear(let form), .logLinear(let form): parts = form.contributions(encoded.columns)
    case .zeroInflatedLognormal: return nil
    case .trees(let trees): parts = try trees.contributions(encoded.columns, rows: rows)
    }
    var features = [[Double]](repeating: [Double](repeating: 0, count: rows), count: encoder.features.count)
    for (at, name) in encoder.names.enumerated() {
      for row in 0..<rows { features[name.feature][row] += parts.columns[at][row] }
    }
    for at in features.indices { for row in 0..<rows where !encoded.isUsable[row] { features[at][row] = .nan } }
    return (parts.base, features)
  }

  /// How much worse predictions get when one feature's cells are dealt out anew among the rows (Breiman 2001; Fisher, Rudin &
  /// Dominici 2019): the rise of the root mean squared error, its mean and standard deviation over `repeats`.
  public func permutationImportance(
    _ encoded: AttributeEncoder.Encoded, _ actual: [Double], repeats: Int, seed: UInt64, check: () throws -> Void = {}
  ) throws -> [(mean: Double, deviation: Double)] {
    let rows = encoded.isUsable.indices.filter { encoded.isUsable[$0] }
    var whole = encoded
    whole.columns = encoded.columns.map { c in rows.map { c[$0] } }
    whole.isUsable = rows.map { _ in true }
    let truth = rows.map { actual[$0] }
    func rmse(_ encoded: AttributeEncoder.Encoded) throws -> Double {
      let errors = zip(try values(encoded), truth).map { ($0 - $1) * ($0 - $1) }.filter(\.isFinite)
      return errors.isEmpty ? .nan : (Summaries.sum(errors) / Double(errors.count)).squareRoot()
    }
    let plain = try rmse(whole)
    let names = encoder.names
    return try encoder.features.indices.map { feature in
      let rises = try (0..<repeats).map { turn -> Double in
        try check()
        let order = AttributeSplit.shuffled(rows.count, seed, substream: UInt64(feature * repeats + turn + 1))
        var dealt = whole
        for (at, name) in names.enumerated() where name.feature == feature { dealt.columns[at] = order.map { whole.columns[at][$0] } }
        return try rmse(dealt) - plain
      }
      return (Summaries.mean(rises), repeats > 1 ? Summaries.variance(rises).squareRoot() : 0)
    }
  }
}
