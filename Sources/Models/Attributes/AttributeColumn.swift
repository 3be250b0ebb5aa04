/// One attribute of the customers: a number or a level for each; what is missing is NaN or −1.
public enum AttributeColumn: Sendable {
  case numbers([Double])
  /// `codes` point into `names`, which ascend.
  case levels(codes: [Int32], names: [String])

  public var count: Int {
    switch self {
    case .numbers(let values): values.count
    case .levels(let codes, _): codes.count
    }
  }

  public func gather(_ rows: [Int]) -> AttributeColumn {
    switch self {
    case .numbers(let values): .numbers(rows.map { values[$0] })
    case .levels(let codes, let names): .levels(codes: rows.map { codes[$0] }, names: names)
    }
  }

  /// Levels from texts in any order; nil is missing.
  public static func levels(_ texts: [String?]) -> AttributeColumn {
    var codeOf: [String: Int32] = [:]
    for case let text? in texts { codeOf[text] = 0 }
    let names = codeOf.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    for (at, name) in names.enumerated() { codeOf[name] = Int32(at) }
    return .levels(codes: texts.map { $0.map { codeOf[$0]! } ?? -1 }, names: names)
  }
}

/// How attributes become columns of numbers.
public enum AttributeEncoding: Hashable, Sendable {
  /// A number as it is.
  case number
  /// A column of 0 and 1 for each level but the baseline; `nil`: the first level. Trees need none: every level has a column.
  case oneHot(baseline: String?)
  /// The mean target of the level, drawn to the mean of all as if `smoothing` further rows had that. While a model is fitted, the
  /// mean comes from other rows than the one that gets it.
  case target(smoothing: Double)
  /// 0, 1, 2 … in the order given; empty: ascending by name.
  case ordinal(order: [String])
}

/// What becomes of a missing cell.
public enum MissingPolicy: String, Hashable, Sendable, CaseIterable {
  /// The row is left out; in a prediction it gets none.
  case leaveOut = "leave-out"
  /// The mean of the column, of levels the most frequent one.
  case mean
  /// The median of the column, of levels the most frequent one.
  case median
  /// As mean, with a column of its own that is 1 there; of levels a level of its own.
  case indicator
  /// Trees decide at each branch which way it goes.
  case keep
}

/// What becomes of a level that was not there when the model was fitted.
public enum UnseenPolicy: String, Hashable, Sendable, CaseIterable {
  /// One-hot: no level, which is the baseline where there is one; target: the mean of all; ordinal: as if it were missing.
  case usual
  /// The row gets no prediction.
  case null
  /// Nothing is predicted.
  case error
}
