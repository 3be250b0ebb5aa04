import Statistics

extension AttributeEncoder {
  /// What an encoder cannot be learned from.
  public struct Mistake: Error, Hashable, Sendable {
    public enum Reason: Hashable, Sendable {
      case noSuchLevel(String, among: [String])
      case notInTheOrder([String])
      case notANumber
      case noLevels
      case nothingThere
      case tooManyLevels(Int)
    }
    public var feature: Int
    public var reason: Reason
  }

  /// One-hot columns of more levels say more of single rows than of levels.
  public static let mostLevels = 1000

  /// Learns from the rows of a fit and encodes them; in the columns of a target encoding the rows are encoded by other rows.
  ///
  /// `dropsBaseline` is false for trees.
  public static func learn(
    _ attributes: [(name: String, column: AttributeColumn, encoding: AttributeEncoding)], target: [Double], missing: MissingPolicy,
    unseen: UnseenPolicy, dropsBaseline: Bool, seed: UInt64
  ) throws(MistakeList) -> (encoder: AttributeEncoder, encoded: Encoded) {
    var encoder = AttributeEncoder(features: [], missing: missing, unseen: unseen)
    var mistakes: [Mistake] = []
    for (at, attribute) in attributes.enumerated() {
      switch form(of: attribute.column, attribute.encoding, target, missing, dropsBaseline) {
      case .success(let form): encoder.features.append(Feature(name: attribute.name, form: form))
      case .failure(let reason): mistakes.append(Mistake(feature: at, reason: reason.reason))
      }
    }
    if !mistakes.isEmpty { throw MistakeList(mistakes: mistakes) }
    var encoded = encoder.encode(attributes.map(\.column))
    for (at, attribute) in attributes.enumerated() {
      guard case .target(let smoothing) = attribute.encoding, case .levels(let codes, let names) = attribute.column else { continue }
      let place = encoder.names.firstIndex { $0.feature == at }!
      encoded.columns[place] = crossFitted(
        codes, names.count, target, smoothing, instead: encoded.columns[place], seed: seed &+ UInt64(at), missing: encoder.features[at].form)
    }
    return (encoder, encoded)
  }

  public struct MistakeList: Error, Sendable { public var mistakes: [Mistake] }
  private struct Refusal: Error { var reason: Mistake.Reason }

  private static func form(
    of column: AttributeColumn, _ encoding: AttributeEncoding, _ target: [Double], _ policy: MissingPolicy, _ dropsBaseline: Bool
  ) -> Result<Form, Refusal> {
    func refuse(_ reason: Mistake.Reason) -> Result<Form, Refusal> { .failure(Refusal(reason: reason)) }
    switch (encoding, column) {
    case (.number, .numbers(let values)):
      let known = values.filter(\.isFinite)
      if known.isEmpty { return refuse(.nothingThere) }
      return .success(.number(fill: fill(known, policy), indicator: policy == .indicator && known.count < values.count))
    case (.number, .levels): return refuse(.notANumber)
    case (_, .numbers): return refuse(.noLevels)
    case (.ordinal(let order), .levels(let codes, let names)):
      let used = usedLevels(codes, names)
      if !order.isEmpty {
        let strange = used.filter { !order.contains($0) }
        if !strange.isEmpty { return refuse(.notInTheOrder(strange)) }
      }
      let levels = order.isEmpty ? used : order
      var place: [String: Int] = [:]
      for (at, level) in levels.enumerated() { place[level] = at }
      let known = codes.compactMap { $0 >= 0 ? Double(place[names[Int($0)]]!) : nil }
      if known.isEmpty { return refuse(.nothingThere) }
      return .success(.ordinal(levels: levels, fill: fill(known, policy), indicator: policy == .indicator && known.count < codes.count))
    case (.oneHot(let baseline), .levels(let codes, let names)):
      let levels = usedLevels(codes, names)
      if levels.isEmpty { return refuse(.nothingThere) }
      if levels.count > mostLevels { return refuse(.tooManyLevels(levels.count)) }
      if let baseline, !levels.contains(baseline) { return refuse(.noSuchLevel(baseline, among: levels)) }
      return .success(
        .oneHot(
          levels: levels, baseline: dropsBaseline ? baseline.flatMap(levels.firstIndex) ?? 0 : nil,
          missing: missingLevel(codes, names, levels, policy, own: 0)))
    case (.target(let smoothing), .levels(let codes, let names)):
      let levels = usedLevels(codes, names)
      if levels.isEmpty { return refuse(.nothingThere) }
      let all = Summaries.mean(target)
      let means = levelMeans(codes, names.count, target, smoothing, rows: Array(codes.indices), mean: all)
      let byName = Dictionary(uniqueKeysWithValues: zip(names, means.levels))
      return .success(
        .target(
          levels: levels, values: levels.map { byName[$0]! }, otherwise: all,
          missing: missingLevel(codes, names, levels, policy, own: means.missing)))
    }
  }

  private static func fill(_ known: [Double], _ policy: MissingPolicy) -> Double? {
    switch policy {
    case .leaveOut, .keep: nil
    case .mean, .indicator: Summaries.mean(known)
    case .median: Summaries.median(known)
    }
  }

  /// Names that rows have, ascending.
  private static func usedLevels(_ codes: [Int32], _ names: [String]) -> [String] {
    var isUsed = [Bool](repeating: false, count: names.count)
    for code in codes where code >= 0 { isUsed[Int(code)] = true }
    return names.indices.filter { isUsed[$0] }.map { names[$0] }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  private static func missingLevel(
    _ codes: [Int32], _ names: [String], _ levels: [String], _ policy: MissingPolicy, own: Double
  ) -> MissingLevel {
    switch policy {
    case .leaveOut, .keep: return .unknown
    case .indicator: return codes.contains { $0 < 0 } ? .own(own) : .unknown
    case .mean, .median:
      var counts = [Int](repeating: 0, count: names.count)
      for code in codes where code >= 0 { counts[Int(code)] += 1 }
      var most = 0
      for at in counts.indices where counts[at] > counts[most] { most = at }
      return .level(levels.firstIndex(of: names[most])!)
    }
  }

  /// (Σ of the level + smoothing · mean of all) / (rows of the level + smoothing).
  private static func levelMeans(
    _ codes: [Int32], _ count: Int, _ target: [Double], _ smoothing: Double, rows: [Int], mean: Double
  ) -> (levels: [Double], missing: Double) {
    var sums = [Double](repeating: 0, count: count + 1), counts = sums
    for row in rows {
      let at = codes[row] < 0 ? count : Int(codes[row])
      sums[at] += target[row]
      counts[at] += 1
    }
    let means = sums.indices.map { counts[$0] + smoothing > 0 ? (sums[$0] + smoothing * mean) / (counts[$0] + smoothing) : mean }
    return (Array(means[..<count]), means[count])
  }

  /// Every row gets the mean of its level in the four fifths of the rows that it is not in (Micci-Barreca 2001; five folds).
  private static func crossFitted(
    _ codes: [Int32], _ count: Int, _ target: [Double], _ smoothing: Double, instead: [Double], seed: UInt64, missing: Form
  ) -> [Double] {
    var values = instead
    guard case .target(_, _, _, let policy) = missing else { return values }
    let folds = AttributeSplit.folds(rows: codes.count, count: 5, seed: seed)
    // A level that only the row's own fold has is unknown to the others.
    for fold in 0..<5 {
      let others = folds.indices.filter { folds[$0] != fold }
      if others.isEmpty { continue }
      let mean = Summaries.mean(others.map { target[$0] })
      let means = levelMeans(codes, count, target, smoothing, rows: others, mean: mean)
      for row in folds.indices where folds[row] == fold {
        if codes[row] >= 0 {
          values[row] = means.levels[Int(codes[row])]
        } else if case .own = policy {
          values[row] = means.missing
        }
      }
    }
    return values
  }
}
