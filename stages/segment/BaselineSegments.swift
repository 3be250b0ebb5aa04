import Columns
import Diagnostics
import Kernels
import Pipelines
import Statistics

/// The segments of an earlier run, customer by customer: what those of this run are compared with, and named by.
struct BaselineSegments {
  /// A segment keeps its name when at least this share of the customers in either are in both (Jaccard).
  static let leastOverlap = 1.0 / 3

  static let transitions = Schema([
    Field("from", .string), Field("to", .string), Field("customers", .int64), Field("share", .float64), Field("revenue_before", .float64),
    Field("revenue", .float64), Field("at_risk", .float64),
  ])
  /// What stands for the segment of customers that are in one of the tables only.
  static let (absentBefore, absentNow) = ("new", "gone")

  /// By segment of the earlier run: its number and label.
  private let numbers: [Int32], labels: [String]
  /// By row of the earlier run: index in `labels`, −1 without one.
  private let segmentOfRow: [Int32]
  private let revenue: [Double]?
  /// Row of this run → row of the earlier one, −1 where there is none.
  private let partner: [Int32]

  /// `baseline` has the columns `key`, segment, segment_label and, where it is compared, revenue.
  init(_ baseline: Batch, revenue: String?, key: String, of keys: Column) throws {
    let names = baseline[key]
    let table = JoinTable(keys: [names], count: baseline.count)
    if let row = table.repeatedRow {
      throw Diagnostic(
        "\"\(names.value(at: row))\" stands in two rows of the baseline", at: .input(port: "baseline"), expected: "one row for each \"\(key)\"")
    }
    var partner = [Int32](repeating: -1, count: keys.count)
    let pairs = table.probe([keys], count: keys.count, .inner)
    for (row, other) in zip(pairs.left, pairs.right) { partner[Int(row)] = other }
    self.partner = partner
    let (given, text) = (baseline["segment"], baseline["segment_label"].text)
    let number = given.doubles()
    var places: [String: Int32] = [:]
    var found: (numbers: [Int32], labels: [String]) = ([], [])
    var segments = [Int32](repeating: -1, count: baseline.count)
    for row in 0..<baseline.count where !given.isNull(row) && !baseline["segment_label"].isNull(row) {
      let label = text.string(row)
      guard (1...1_000_000).contains(number[row]) else {
        throw Diagnostic(
          "a segment of the baseline has the number \(number[row])", at: .input(port: "baseline"), expected: "numbers from 1, as segment gives them")
      }
      if places[label] == nil {
        places[label] = Int32(found.labels.count)
        found.labels.append(label)
        found.numbers.append(Int32(number[row]))
      }
      segments[row] = places[label]!
    }
    (numbers, labels, segmentOfRow) = (found.numbers, found.labels, segments)
    self.revenue = revenue.map { baseline[$0].doubles() }
  }

  private func before(_ row: Int) -> Int { partner[row] < 0 ? -1 : Int(segmentOfRow[Int(partner[row])]) }

  // MARK: Identity

  /// The same segments under the numbers and labels of those of the baseline that they are most like; others get new numbers.
  func named(_ made: Segmentation) -> Segmentation {
    let k = made.labels.count
    var both: [Int: Int] = [:]
    var (now, then) = ([Int](repeating: 0, count: k), [Int](repeating: 0, count: labels.count))
    for (row, segment) in made.segmentOfRow.enumerated() where segment >= 0 {
      let other = before(row)
      if other < 0 { continue }
      both[Int(segment) * labels.count + other, default: 0] += 1
      now[Int(segment)] += 1
      then[other] += 1
    }
    var pairs = both.map { cell, count -> (segment: Int, other: Int, overlap: Double) in
      let (segment, other) = (cell / labels.count, cell % labels.count)
      return (segment, other, Double(count) / Double(now[segment] + then[other] - count))
    }
    pairs.sort { $0.overlap != $1.overlap ? $0.overlap > $1.overlap : ($0.segment, $0.other) < ($1.segment, $1.other) }
    var place = [Int32](repeating: -1, count: k)
    var (taken, matches) = (Set<Int>(), [JSONValue](repeating: .null, count: k))
    for pair in pairs where pair.overlap >= Self.leastOverlap && place[pair.segment] < 0 && !taken.contains(pair.other) {
      place[pair.segment] = numbers[pair.other] - 1
      taken.insert(pair.other)
      matches[pair.segment] = ["label": .string(labels[pair.other]), "overlap": .double(pair.overlap)]
    }
    var next = (numbers.max() ?? 0)
    for segment in 0..<k where place[segment] < 0 {
      place[segment] = next
      next += 1
      matches[segment] = ["label": .string("cluster \(next)"), "overlap": .null]
    }
    var all = (0..<Int(next)).map { "cluster \($0 + 1)" }
    for (number, label) in zip(numbers, labels) { all[Int(number) - 1] = label }
    var result = made.renumbered(place, labels: all)
    result.metrics["kept_names"] = .integer(taken.count)
    result.metrics["identity"] = .array(matches)
    return result
  }

  // MARK: Who moved

  /// One row for each pair of segments between which there are customers. At risk is the revenue of those that went to a segment whose
  /// customers bring less, or are gone.
  func transitions(to made: Segmentation, revenue now: [Double]?) -> Batch {
    let names = labels + [Self.absentBefore]
    let targets = made.labels + [Self.absentNow]
    struct Cell { var customers = 0, before = 0.0, after = 0.0 }
    var cells = [Cell](repeating: Cell(), count: names.count * targets.count)
    func known(_ value: Double) -> Double { value.isFinite ? value : 0 }
    var isKept = [Bool](repeating: false, count: segmentOfRow.count)
    for (row, segment) in made.segmentOfRow.enumerated() where segment >= 0 {
      let from = before(row)
      let at = (from < 0 ? labels.count : from) * targets.count + Int(segment)
      cells[at].customers += 1
      if let now { cells[at].after += known(now[row]) }
      if partner[row] >= 0 {
        isKept[Int(partner[row])] = true
        if let revenue { cells[at].before += known(revenue[Int(partner[row])]) }
      }
    }
    for (row, segment) in segmentOfRow.enumerated() where segment >= 0 && !isKept[row] {
      let at = Int(segment) * targets.count + made.labels.count
      cells[at].customers += 1
      if let revenue { cells[at].before += known(revenue[row]) }
    }
    // What a customer of a segment brings, by label: from the earlier run where it was there.
    var worth: [String: Double] = [:]
    for (to, label) in made.labels.enumerated() {
      let own = names.indices.map { cells[$0 * targets.count + to] }
      let count = own.reduce(0) { $0 + $1.customers }
      if count > 0, now != nil { worth[label] = own.reduce(0) { $0 + $1.after } / Double(count) }
    }
    for (from, label) in labels.enumerated() {
      let own = cells[from * targets.count..<(from + 1) * targets.count]
      let count = own.reduce(0) { $0 + $1.customers }
      if count > 0, revenue != nil { worth[label] = own.reduce(0) { $0 + $1.before } / Double(count) }
    }
    let present = cells.indices.filter { cells[$0].customers > 0 }
    let totals = names.indices.map { from in cells[from * targets.count..<(from + 1) * targets.count].reduce(0) { $0 + $1.customers } }
    let hasBoth = revenue != nil || now != nil
    return Batch(
      schema: Self.transitions,
      columns: [
        .strings(present.map { names[$0 / targets.count] }), .strings(present.map { targets[$0 % targets.count] }),
        .int64s(present.map { Int64(cells[$0].customers) }),
        .float64s(present.map { Double(cells[$0].customers) / Double(totals[$0 / targets.count]) }),
        .float64s(present.map { revenue == nil ? nil : cells[$0].before }), .float64s(present.map { now == nil ? nil : cells[$0].after }),
        .float64s(
          present.map { at in
            guard hasBoth else { return nil }
            let (from, to) = (names[at / targets.count], targets[at % targets.count])
            if at / targets.count == labels.count { return 0 }
            let isLess = to == Self.absentNow && at % targets.count == made.labels.count || (worth[to] ?? 0) < (worth[from] ?? 0)
            return isLess ? (revenue == nil ? cells[at].after : cells[at].before) : 0
          }),
      ], count: present.count)
  }
}
