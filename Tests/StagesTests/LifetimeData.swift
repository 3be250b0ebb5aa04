import Columns
import Foundation
import Pipelines

/// Known answers and real customers of the shared data, where they are present.
enum LifetimeData {
  /// A file of the shared data, or nil (with a note) on a machine without them.
  static func shared(_ path: String) -> Data? {
    let package = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let root = ProcessInfo.processInfo.environment["MILLRACE_SHARED"].map { URL(fileURLWithPath: $0) }
      ?? package.deletingLastPathComponent().appendingPathComponent("shared")
    let data = try? Data(contentsOf: root.appendingPathComponent("data/" + path))
    if data == nil { print("note: data/\(path) is not on this machine; nothing was compared") }
    return data
  }

  static func expected(_ name: String) throws -> JSONValue? {
    guard let data = shared("expected/" + name) else { return nil }
    return try JSONReader.read([UInt8](data), file: name).value
  }

  /// CDNOW: 39 weeks to 1997-09-30 as a table of customers in weeks, and what they did in the 39 weeks after.
  static let cdnow: (customers: Batch, holdout: Batch)? = {
    guard let data = shared("cdnow/CDNOW_sample.txt") else { return nil }
    var spendOf: [Int: [Int: Double]] = [:]  // customer → day → spend
    for line in String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline) {
      let fields = line.split(separator: " ")
      spendOf[Int(fields[1])!, default: [:]][day(Int(fields[2])!), default: 0] += Double(fields[4])!
    }
    let end = day(1997_09_30)
    var id: [Int64] = [], x: [Int64] = [], tx: [Double] = [], T: [Double] = [], m: [Double] = [], bought: [Int64] = [], paid: [Double] = []
    for (customer, days) in spendOf.sorted(by: { $0.key < $1.key }) {
      let before = days.keys.filter { $0 <= end }.sorted()
      id.append(Int64(customer))
      x.append(Int64(before.count - 1))
      tx.append(Double(before.last! - before[0]) / 7)
      T.append(Double(end - before[0]) / 7)
      m.append(before.count > 1 ? before.dropFirst().reduce(0) { $0 + days[$1]! } / Double(before.count - 1) : 0)
      bought.append(Int64(days.count - before.count))
      paid.append(days.keys.filter { $0 > end }.sorted().reduce(0) { $0 + days[$1]! })
    }
    return (
      customers(id, x, tx, T, m),
      Batch(
        schema: Schema([Field("customer", .int64), Field("purchases", .int64), Field("revenue", .float64)]),
        columns: [.int64s(id), .int64s(bought), .float64s(paid)], count: id.count)
    )
  }()

  /// A table of customers with the columns that the models read.
  static func customers(_ id: [Int64], _ x: [Int64?], _ tx: [Double?], _ T: [Double?], _ m: [Double?]) -> Batch {
    Batch(
      schema: Schema([
        Field("customer", .int64), Field("frequency", .int64), Field("recency", .float64), Field("age", .float64),
        Field("monetary", .float64),
      ]), columns: [.int64s(id), .int64s(x), .float64s(tx), .float64s(T), .float64s(m)], count: id.count)
  }

  /// `rfm.first20` of a file of known answers.
  static func first20(_ expected: JSONValue) -> Batch {
    let rows = expected["rfm"]!["first20"]!.array!.map { $0.array!.map { $0.double! } }
    return customers(rows.map { Int64($0[0]) }, rows.map { Int64($0[1]) }, rows.map { $0[2] }, rows.map { $0[3] }, rows.map { $0[4] })
  }

  /// Days of the proleptic Gregorian calendar from 0000-03-01.
  static func day(_ date: Int) -> Int {
    let (y, m, d) = (date / 10000, date / 100 % 100, date % 100)
    let (year, month) = m > 2 ? (y, m - 3) : (y - 1, m + 9)
    return 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + d - 1
  }
}

func relative(_ found: Double, _ expected: Double) -> Double { (found - expected).magnitude / max(expected.magnitude, 1e-300) }

/// A fitted model as `fit` writes it, at given parameters.
func modelDocument(_ kind: String, _ parameters: JSONValue, unit: String? = nil) -> RoomInput {
  .document(
    ["model": .string(kind), "parameters": parameters, "units": unit.map { ["time": .string($0)] } ?? [:]], about: "model:\(kind)")
}
