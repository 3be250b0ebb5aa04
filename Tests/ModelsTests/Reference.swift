import Foundation
import Models

/// A JSON value whose numbers are read exactly (JSONSerialization loses last digits).
enum JSON: Decodable, Sendable {
  case object([String: JSON])
  case array([JSON])
  case number(Double)
  case text(String)
  case null

  init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if value.decodeNil() { self = .null }
    else if let x = try? value.decode(Double.self) { self = .number(x) }
    else if let x = try? value.decode(String.self) { self = .text(x) }
    else if let x = try? value.decode([JSON].self) { self = .array(x) }
    else { self = .object(try value.decode([String: JSON].self)) }
  }

  subscript(path: String...) -> JSON {
    path.reduce(self) { value, key in
      guard case .object(let members) = value, let member = members[key] else { fatalError("no \(key) in the reference") }
      return member
    }
  }
  subscript(i: Int) -> JSON { items[i] }
  var items: [JSON] { if case .array(let items) = self { items } else { fatalError("not an array") } }
  var number: Double { if case .number(let x) = self { x } else { fatalError("not a number: \(self)") } }
  var numbers: [Double] { items.map(\.number) }
}

/// Reference values beside their scripts, and the shared data where they are present.
enum Reference {
  static let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()

  static func values(_ name: String) throws -> JSON {
    try JSONDecoder().decode(JSON.self, from: Data(contentsOf: tests.appendingPathComponent("ReferenceValues/" + name)))
  }

  /// A file of the shared data, or nil (with a note) on a machine without them.
  static func shared(_ path: String) -> Data? {
    let root = ProcessInfo.processInfo.environment["MILLRACE_SHARED"].map { URL(fileURLWithPath: $0) }
      ?? tests.resolvingSymlinksInPath().deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("shared")
    let data = try? Data(contentsOf: root.appendingPathComponent("data/" + path))
    if data == nil { print("note: data/\(path) is not on this machine; nothing was compared") }
    return data
  }

  static func expected(_ name: String) throws -> JSON? {
    try shared("expected/" + name).map { try JSONDecoder().decode(JSON.self, from: $0) }
  }

  /// CDNOW: 39 weeks to 1997-09-30 as a summary, mean repeat spend, and purchases of the 39 weeks after.
  struct CDNOW: Sendable {
    var summary: PurchaseSummary
    var spend: [Double]
    var holdout: [Double]
    /// What was spent in the 39 weeks after.
    var spendAfter: [Double]
  }

  static let cdnow: CDNOW? = {
    guard let data = shared("cdnow/CDNOW_sample.txt") else { return nil }
    // id → day → spend
    var customers: [Int: [Int: Double]] = [:]
    for line in String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline) {
      let fields = line.split(separator: " ")
      let date = Int(fields[2])!
      customers[Int(fields[1])!, default: [:]][day(date), default: 0] += Double(fields[4])!
    }
    let end = day(19970930)
    var result = CDNOW(summary: PurchaseSummary(x: [], tx: [], T: []), spend: [], holdout: [], spendAfter: [])
    for (_, days) in customers.sorted(by: { $0.key < $1.key }) {
      let calibration = days.keys.filter { $0 <= end }.sorted()
      let first = calibration[0]
      let x = Double(calibration.count - 1)
      result.summary.x.append(x)
      result.summary.tx.append(Double(calibration.last! - first) / 7)
      result.summary.T.append(Double(end - first) / 7)
      result.spend.append(x > 0 ? calibration.dropFirst().reduce(0) { $0 + days[$1]! } / x : 0)
      result.holdout.append(Double(days.count - calibration.count))
      result.spendAfter.append(days.keys.filter { $0 > end }.sorted().reduce(0) { $0 + days[$1]! })
    }
    return result
  }()

  /// lifetimes' own summary of CDNOW: times of two decimals.
  static let roundedSummary: PurchaseSummary? = rounded?.summary
  static let rounded: (summary: PurchaseSummary, spend: [Double])? = {
    guard let data = shared("cdnow/cdnow_customers_summary_with_transactions.csv") else { return nil }
    var (s, spend) = (PurchaseSummary(x: [], tx: [], T: []), [Double]())
    for line in String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline).dropFirst() {
      let cells = line.split(separator: ",").map { Double($0)! }
      s.x.append(cells[1])
      s.tx.append(cells[2])
      s.T.append(cells[3])
      spend.append(cells[4])
    }
    return (s, spend)
  }()

  /// Days of the proleptic Gregorian calendar from 0000-03-01.
  static func day(_ date: Int) -> Int {
    let (y, m, d) = (date / 10000, date / 100 % 100, date % 100)
    let (year, month) = m > 2 ? (y, m - 3) : (y - 1, m + 9)
    return 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + d - 1
  }
}

func relative(_ found: Double, _ expected: Double) -> Double {
  (found - expected).magnitude / max(expected.magnitude, 1e-300)
}
