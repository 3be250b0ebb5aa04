import Columns

/// The days on which customers were observed: from the first purchase of any of them to the end of the observation, both inclusive.
///
/// A fitted model carries them: what comes after `until` it has not seen. That day is the cut between what it was fitted to and what it
/// may be tried on. A model of spend knows no time, and does not change with an end that moves: its last day is that of the last purchase.
public struct ObservedDays: Hashable, Sendable {
  public let from: CivilDate
  public let until: CivilDate

  public init(from: CivilDate, until: CivilDate) { (self.from, self.until) = (from, until) }

  /// The columns from which they are known; none where the table lacks one of the two.
  public static func columns(_ columns: PurchaseColumns, in schema: Schema, timed: Bool) -> [String] {
    guard schema.type(of: columns.first) == .date else { return [] }
    if timed { return schema.type(of: columns.age)?.isNumeric == true ? [columns.first, columns.age] : [] }
    return schema.type(of: columns.last) == .date ? [columns.first, columns.last] : []
  }

  /// Of the customers' columns that `columns(_:in:timed:)` names; `unit` is that of the ages, and means nothing to a model without time.
  public init?(_ customers: Batch, _ columns: PurchaseColumns, timed: Bool, unit: Duration.Unit?) {
    guard !Self.columns(columns, in: customers.schema, timed: timed).isEmpty else { return nil }
    let first = customers[columns.first]
    if timed {
      guard let unit else { return nil }
      self.init(first: first, ages: customers[columns.age].doubles(), unit: unit)
    } else {
      let firsts = first.doubles(), lasts = customers[columns.last].doubles()
      self.init(first: first, ages: firsts.indices.map { lasts[$0] - firsts[$0] }, unit: .day)
    }
  }

  /// An age after its first day a customer's observation ends; the latest end counts. Nil where no customer has both.
  public init?(first: Column, ages: [Double], unit: Duration.Unit) {
    precondition(first.type == .date && first.count == ages.count, "a first day for each age")
    let perUnit = Duration(1, unit).days
    var (earliest, latest) = (Int.max, Int.min)
    withExtendedLifetime(first) {
      let days = first.values(as: Int32.self)
      for row in ages.indices where !first.isNull(row) {
        let end = Double(days[row]) + (ages[row] * perUnit).rounded()
        // Neither NaN nor a day that no calendar has.
        guard end.magnitude < Self.farthest, Double(days[row]).magnitude < Self.farthest else { continue }
        earliest = min(earliest, Int(days[row]))
        latest = max(latest, Int(end))
      }
    }
    if earliest > latest { return nil }
    self.init(from: CivilDate(days: earliest), until: CivilDate(days: latest))
  }

  /// Days from 1970 that dates reach.
  private static let farthest = 2_900_000.0

  // MARK: In a document

  public var json: JSONValue { ["from": .string(from.description), "until": .string(until.description)] }

  /// Nil where the document says nothing of them, as older ones do.
  public init?(_ json: JSONValue?) {
    guard let from = json?["from"]?.string.flatMap({ CivilDate($0) }), let until = json?["until"]?.string.flatMap({ CivilDate($0) }) else { return nil }
    self.init(from: from, until: until)
  }
}
