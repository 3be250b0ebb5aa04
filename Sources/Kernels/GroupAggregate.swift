import Columns

/// What an aggregate computes of the cells of a group; nulls do not take part.
public enum GroupFunction: Hashable, Sendable {
  /// Rows, nulls too.
  case rows
  case count
  case countDistinct
  case sum
  case mean
  case min
  case max
  case first
  case last
  case median
  /// Sample standard deviation and variance (n − 1); null below two values.
  case deviation, variance

  /// The type that the aggregate of a column has: integers and decimals sum exactly, means are doubles.
  public func result(of input: ColumnType?) -> ColumnType {
    switch self {
    case .rows, .count, .countDistinct: .int64
    case .mean, .median, .deviation, .variance: .float64
    case .min, .max, .first, .last: input ?? .int64
    case .sum:
      switch input {
      case .decimal(_, let scale)?: .decimal(precision: ColumnType.widestDecimal, scale: scale)
      case .float64?: .float64
      default: .int64
      }
    }
  }
}

/// One aggregate over groups that come batch by batch. Sums of integers and decimals run in 128 bits; sums of doubles
/// in row order with Neumaier's compensation, so that nothing depends on batches or threads.
public final class GroupAggregate {
  public let function: GroupFunction
  private let input: ColumnType?
  private var counts: [Int64] = []
  private var exact: [Int128] = []
  private var sums: [Double] = [], lost: [Double] = []
  private var best: [Int64] = []
  private var places: [(batch: Int32, row: Int32)] = []
  private var kept: [Cells] = []
  private var pairs: KeyIndex?
  private var values: [(group: Int32, value: Double)] = []

  public init(_ function: GroupFunction, of input: ColumnType?) {
    self.function = function
    self.input = input
    if function == .countDistinct, let input { pairs = KeyIndex(types: [.int32, input]) }
  }

  private var isReal: Bool { input == .float64 }

  /// Adds rows: `groups` names each row's group, `groupCount` how many there are so far.
  public func add(_ column: Column?, groups: [Int32], groupCount: Int) {
    grow(to: groupCount)
    guard let column, function != .rows else {
      for group in groups { counts[Int(group)] += 1 }
      return
    }
    let cells = Cells(column)
    switch function {
    case .rows: break
    case .count:
      for (row, group) in groups.enumerated() where !cells.isNull(row) { counts[Int(group)] += 1 }
    case .countDistinct: addDistinct(column, cells, groups)
    case .sum, .mean: addSum(column, cells, groups)
    case .min, .max:
      if cells.kind == .text { addPlaces(cells, groups) } else { addExtremes(cells, groups) }
    case .first, .last: addPlaces(cells, groups)
    case .median, .deviation, .variance:
      let numbers = column.doubles()
      for (row, group) in groups.enumerated() where !cells.isNull(row) {
        counts[Int(group)] += 1
        if function == .median { values.append((group, numbers[row])) } else { addWelford(numbers[row], Int(group)) }
      }
    }
  }

  private func grow(to groups: Int) {
    if counts.count >= groups { return }
    let more = groups - counts.count
    counts.append(contentsOf: repeatElement(0, count: more))
    switch function {
    case .rows, .count, .countDistinct, .median: break
    case .sum, .mean:
      if isReal {
        sums.append(contentsOf: repeatElement(0, count: more))
        lost.append(contentsOf: repeatElement(0, count: more))
      } else {
        exact.append(contentsOf: repeatElement(0, count: more))
      }
    case .deviation, .variance:
      sums.append(contentsOf: repeatElement(0, count: more))
      lost.append(contentsOf: repeatElement(0, count: more))
    case .min, .max, .first, .last:
      best.append(contentsOf: repeatElement(0, count: more))
      places.append(contentsOf: repeatElement((batch: -1, row: -1), count: more))
    }
  }

  private func addDistinct(_ column: Column, _ cells: Cells, _ groups: [Int32]) {
    guard let pairs else { return }
    let before = pairs.count
    let ids = pairs.groups(of: [.full(.int32, groups), column], count: groups.count)
    var seen = before
    for (row, group) in groups.enumerated() where Int(ids[row]) == seen {
      seen += 1
      if !cells.isNull(row) { counts[Int(group)] += 1 }
    }
  }

  private func addSum(_ column: Column, _ cells: Cells, _ groups: [Int32]) {
    // Arrays of an object are looked after at every access; those of a function are not.
    var counts = exchanged(\.counts, [])
    defer { self.counts = counts }
    if isReal {
      let numbers = column.values(as: Double.self)
      var (sums, lost) = (exchanged(\.sums, []), exchanged(\.lost, []))
      defer { (self.sums, self.lost) = (sums, lost) }
      for (row, group) in groups.enumerated() where !cells.isNull(row) {
        let at = Int(group), value = numbers[row], total = sums[at], next = total + value
        lost[at] += total.magnitude >= value.magnitude ? (total - next) + value : (value - next) + total
        sums[at] = next
        counts[at] += 1
      }
    } else {
      var exact = exchanged(\.exact, [])
      defer { self.exact = exact }
      for (row, group) in groups.enumerated() where !cells.isNull(row) {
        exact[Int(group)] += Int128(Int64(bitPattern: cells.word(row)))
        counts[Int(group)] += 1
      }
    }
  }

  private func exchanged<T>(_ path: ReferenceWritableKeyPath<GroupAggregate, [T]>, _ new: [T]) -> [T] {
    let old = self[keyPath: path]
    self[keyPath: path] = new
    return old
  }

  // Welford (1962): `sums` holds means, `lost` the sums of squared deviations.
  private func addWelford(_ value: Double, _ at: Int) {
    let delta = value - sums[at]
    sums[at] += delta / Double(counts[at])
    lost[at] += delta * (value - sums[at])
  }

  private func addExtremes(_ cells: Cells, _ groups: [Int32]) {
    let wantsLess = function == .min
    for (row, group) in groups.enumerated() where !cells.isNull(row) {
      let at = Int(group)
      var value = Int64(bitPattern: cells.word(row))
      // The order of doubles is that of their bits, those of negatives turned round.
      if cells.kind == .real, value < 0 { value ^= Int64.max }
      if counts[at] == 0 || (wantsLess ? value < best[at] : value > best[at]) { best[at] = value }
      counts[at] += 1
    }
  }

  private func addPlaces(_ cells: Cells, _ groups: [Int32]) {
    let batch = Int32(kept.count)
    kept.append(cells)
    for (row, group) in groups.enumerated() where !cells.isNull(row) {
      let at = Int(group)
      counts[at] += 1
      let wins: Bool
      if places[at].batch < 0 { wins = true } else {
        switch function {
        case .last: wins = true
        case .min, .max:
          let order = compareBytes(cells.text(row), kept[Int(places[at].batch)].text(Int(places[at].row)))
          wins = function == .min ? order < 0 : order > 0
        default: wins = false
        }
      }
      if wins { places[at] = (batch, Int32(row)) }
    }
  }

  /// The aggregate of each group; `overflowed` names a group whose exact sum does not fit the result's type.
  public func finish(groupCount: Int) -> (column: Column, overflowed: Int?) {
    grow(to: groupCount)
    let type = function.result(of: input)
    let groups = 0..<groupCount
    switch function {
    case .rows, .count, .countDistinct: return (.full(.int64, Array(counts.prefix(groupCount))), nil)
    case .sum where isReal: return (.float64s(groups.map { counts[$0] == 0 ? nil : total($0) }), nil)
    case .sum:
      var limit = Int128(Int64.max)
      if case .decimal = type { limit = 999_999_999_999_999_999 }
      let overflowed = groups.first { exact[$0].magnitude > limit.magnitude }
      var sums = FixedBuilder<Int64>(type, reserving: groupCount)
      for group in groups {
        if counts[group] == 0 { sums.appendNull() } else { sums.append(Int64(truncatingIfNeeded: exact[group])) }
      }
      return (sums.finish(), overflowed)
    case .mean:
      var power = 1.0
      if case .decimal(_, let scale)? = input { for _ in 0..<scale { power *= 10 } }
      return (.float64s(groups.map { group in
        if counts[group] == 0 { return nil }
        let sum = isReal ? total(group) : Double(exact[group])
        return sum / (power * Double(counts[group]))
      }), nil)
    case .median: return (.float64s(medians(groupCount)), nil)
    case .deviation, .variance:
      return (.float64s(groups.map { group in
        if counts[group] < 2 { return nil }
        let variance = lost[group] / Double(counts[group] - 1)
        return function == .variance ? variance : variance.squareRoot()
      }), nil)
    case .min, .max, .first, .last: return (extremes(type, groupCount), nil)
    }
  }

  private func total(_ group: Int) -> Double { lost[group].isFinite ? sums[group] + lost[group] : sums[group] }

  private func medians(_ groupCount: Int) -> [Double?] {
    var byGroup = [[Double]](repeating: [], count: groupCount)
    for (group, value) in values where !value.isNaN { byGroup[Int(group)].append(value) }
    return byGroup.map { values in
      if values.isEmpty { return nil }
      let sorted = values.sorted(), half = sorted.count / 2
      return sorted.count % 2 == 1 ? sorted[half] : sorted[half - 1] + (sorted[half] - sorted[half - 1]) * 0.5
    }
  }

  private func extremes(_ type: ColumnType, _ groupCount: Int) -> Column {
    if places.contains(where: { $0.batch >= 0 }) || input == .string {
      if type == .string {
        var texts = TextBuilder(reserving: groupCount)
        for (batch, row) in places.prefix(groupCount) {
          if batch < 0 { texts.appendNull() } else { texts.append(kept[Int(batch)].text(Int(row)).bindMemory(to: UInt8.self)) }
        }
        return texts.finish()
      }
      return column(type, (0..<groupCount).map { places[$0].batch < 0 ? nil : kept[Int(places[$0].batch)].word(Int(places[$0].row)) })
    }
    return column(type, (0..<groupCount).map { group in
      if counts[group] == 0 { return nil }
      let value = best[group]
      return UInt64(bitPattern: type == .float64 && value < 0 ? value ^ Int64.max : value)
    })
  }

  private func column(_ type: ColumnType, _ words: [UInt64?]) -> Column {
    if type == .bool { return .bools(words.map { $0.map { $0 != 0 } }) }
    if type.width == 4 {
      var cells = FixedBuilder<Int32>(type, reserving: words.count)
      for word in words { if let word { cells.append(Int32(truncatingIfNeeded: word)) } else { cells.appendNull() } }
      return cells.finish()
    }
    var cells = FixedBuilder<UInt64>(type, reserving: words.count)
    for word in words { if let word { cells.append(word) } else { cells.appendNull() } }
    return cells.finish()
  }
}
