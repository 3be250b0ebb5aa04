import Statistics

/// Attributes to columns of numbers, as it was learned from the rows of a fit.
public struct AttributeEncoder: Hashable, Sendable {
  public struct Feature: Hashable, Sendable {
    public var name: String
    public var form: Form

    public init(name: String, form: Form) {
      self.name = name
      self.form = form
    }
  }

  public enum Form: Hashable, Sendable {
    /// What stands for a missing cell, if anything, and whether a column says where.
    case number(fill: Double?, indicator: Bool)
    case oneHot(levels: [String], baseline: Int?, missing: MissingLevel)
    /// A value for each level; one for rows without a known level.
    case target(levels: [String], values: [Double], otherwise: Double, missing: MissingLevel)
    case ordinal(levels: [String], fill: Double?, indicator: Bool)
  }

  /// What a missing level is.
  public enum MissingLevel: Hashable, Sendable {
    /// Not a number.
    case unknown
    /// This level.
    case level(Int)
    /// A level of its own; for target encoding with this value.
    case own(Double)
  }

  public var features: [Feature]
  public var missing: MissingPolicy
  public var unseen: UnseenPolicy

  public init(features: [Feature], missing: MissingPolicy, unseen: UnseenPolicy) {
    self.features = features
    self.missing = missing
    self.unseen = unseen
  }

  /// A column of what the encoder makes.
  public struct Name: Hashable, Sendable {
    public let feature: Int
    /// Of one-hot columns; `missing` for the column of missing cells.
    public let level: String?
    public let isMissing: Bool
  }

  /// What the columns are, in their order.
  public var names: [Name] {
    features.indices.flatMap { at -> [Name] in
      func one(_ level: String? = nil, missing: Bool = false) -> Name { Name(feature: at, level: level, isMissing: missing) }
      switch features[at].form {
      case .number(_, let indicator), .ordinal(_, _, let indicator): return indicator ? [one(), one(missing: true)] : [one()]
      case .target: return [one()]
      case .oneHot(let levels, let baseline, let missing):
        let own = levels.indices.filter { $0 != baseline }.map { one(levels[$0]) }
        if case .own = missing { return own + [one(missing: true)] }
        return own
      }
    }
  }

  /// The columns of rows, and the rows that can be used.
  public struct Encoded: Sendable {
    /// In the order of `names`.
    public var columns: [[Double]]
    public var isUsable: [Bool]
    /// Levels that no fit knew, by feature: a name and how many rows have one.
    public var strangers: [(feature: Int, level: String, rows: Int)]
  }

  public func encode(_ attributes: [AttributeColumn]) -> Encoded {
    precondition(attributes.count == features.count, "\(attributes.count) attributes for \(features.count) features")
    let rows = attributes.first?.count ?? 0
    var encoded = Encoded(columns: [], isUsable: [Bool](repeating: true, count: rows), strangers: [])
    for (at, feature) in features.enumerated() { encode(feature, at, attributes[at], &encoded) }
    return encoded
  }

  private func encode(_ feature: Feature, _ at: Int, _ column: AttributeColumn, _ encoded: inout Encoded) {
    switch feature.form {
    case .number(let fill, let indicator):
      guard case .numbers(let values) = column else { preconditionFailure("attribute \(feature.name) was fitted as a number") }
      add(values, fill, indicator, &encoded)
    case .ordinal(let levels, let fill, let indicator):
      add(codes(of: column, among: levels, at, &encoded).map { $0 >= 0 ? Double($0) : .nan }, fill, indicator, &encoded)
    case .target(let levels, let values, let otherwise, let missing):
      let codes = codes(of: column, among: levels, at, &encoded)
      encoded.columns.append(
        codes.map { code in
          if code >= 0 { return values[code] }
          if code == Self.stranger { return otherwise }
          switch missing {
          case .unknown: return .nan
          case .level(let level): return values[level]
          case .own(let value): return value
          }
        })
      leaveOutMissing(codes, &encoded)
    case .oneHot(let levels, let baseline, let missing):
      var codes = codes(of: column, among: levels, at, &encoded)
      leaveOutMissing(codes, &encoded)
      if case .level(let level) = missing { codes = codes.map { $0 == Self.absent ? level : $0 } }
      let isUnknown = missing == .unknown
      for level in levels.indices where level != baseline {
        encoded.columns.append(codes.map { isUnknown && $0 == Self.absent ? .nan : $0 == level ? 1 : 0 })
      }
      if case .own = missing { encoded.columns.append(codes.map { $0 == Self.absent ? 1 : 0 }) }
    }
  }

  /// Missing, and of no level that is known.
  static let absent = -1, stranger = -2

  private func add(_ values: [Double], _ fill: Double?, _ indicator: Bool, _ encoded: inout Encoded) {
    if missing == .leaveOut { for row in values.indices where !values[row].isFinite { encoded.isUsable[row] = false } }
    // An infinite cell is as good as none.
    encoded.columns.append(values.map { $0.isFinite ? $0 : fill ?? .nan })
    if indicator { encoded.columns.append(values.map { $0.isFinite ? 0 : 1 }) }
  }

  private func leaveOutMissing(_ codes: [Int], _ encoded: inout Encoded) {
    if missing == .leaveOut { for row in codes.indices where codes[row] == Self.absent { encoded.isUsable[row] = false } }
  }

  /// The place of every row's level among those of the fit.
  private func codes(of column: AttributeColumn, among levels: [String], _ at: Int, _ encoded: inout Encoded) -> [Int] {
    guard case .levels(let codes, let names) = column else { preconditionFailure("attribute \(features[at].name) was fitted with levels") }
    var known: [String: Int] = [:]
    for (place, level) in levels.enumerated() { known[level] = place }
    let places = names.map { known[$0] ?? Self.stranger }
    var strange = [Int](repeating: 0, count: names.count)
    let found = codes.map { code -> Int in
      guard code >= 0 else { return Self.absent }
      if places[Int(code)] == Self.stranger { strange[Int(code)] += 1 }
      return places[Int(code)]
    }
    for (code, count) in strange.enumerated() where count > 0 { encoded.strangers.append((at, names[code], count)) }
    if unseen == .null { for row in found.indices where found[row] == Self.stranger { encoded.isUsable[row] = false } }
    return found
  }
}
