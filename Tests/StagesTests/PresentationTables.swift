import Columns
import Diagnostics
import Foundation
import Pipelines

@testable import Charts

/// Tables like those that the pipelines draw and report, small and always the same.
enum PresentationTables {
  /// Customers as `predict` leaves them.
  static func value(_ count: Int = 400) -> BenchInput {
    var state: UInt64 = 20_111_209
    func random() -> Double {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Double(state >> 11) / 9_007_199_254_740_992
    }
    let names = (0..<count).map { String(10_000 + $0) }
    let spend = names.map { _ in 20 + 400 * random() * random() * random() }
    let orders = names.map { _ in Int64(1 + 30 * random() * random() * random()) }
    let since = names.map { _ in 370 * random() }
    let expected = zip(orders, since).map { Double($0) * (1 - $1 / 400) }
    let labels = ["Champions", "Loyal", "At risk", "Hibernating"]
    let rows = batch(
      ("customer", .strings(names)), ("orders", .int64s(orders)),
      ("revenue", .decimals(zip(spend, orders).map { Int64($0 * 1000) * $1 }, precision: 18, scale: 3)), ("since_last", .float64s(since)),
      ("p_alive", .float64s(since.map { 1 - $0 / 400 })), ("expected_purchases", .float64s(expected)), ("expected_spend", .float64s(spend)),
      ("clv", .float64s(zip(expected, spend).map { $0 * $1 })), ("r_score", .int32s(since.map { Int32(max(1, 5.99 - $0 / 75)) })),
      ("f_score", .int32s(orders.map { Int32(min(5, 1 + $0 / 3)) })), ("rfm_segment", .strings(since.map { labels[Int($0 / 93)] })),
      ("segment_label", .strings(orders.map { $0 > 8 ? "cluster 1" : $0 > 2 ? "cluster 2" : "cluster 3" })))
    // Two partitions, so that nothing may depend on there being one.
    let half = count / 2
    return .table("", partitions: [("a", [rows.slice(0..<half)]), ("b", [rows.slice(half..<count)])], order: .key(["customer"]), timeUnit: .day)
  }

  static let profile = BenchInput.table(
    "",
    batch(
      ("segment", .int32s([1, 2, 3, 4])), ("segment_label", .strings(["Champions", "Loyal", "At risk", "Hibernating"])),
      ("customers", .int64s([80, 120, 90, 110])), ("share", .float64s([0.2, 0.3, 0.225, 0.275])),
      ("revenue_share", .float64s([0.61, 0.24, 0.1, 0.05])), ("orders", .float64s([11.5, 6.25, 3.5, 1.25]))), order: .key(["segment"]))

  static let months: BenchInput = {
    let starts = (0..<24).map { Int64(CivilDate(year: 2010 + $0 / 12, month: $0 % 12 + 1, day: 1).days) * 86_400_000_000 }
    let revenue = (0..<24).map { (month: Int64) -> Int64? in 400_000_000 + month * month * 1_000_000 + month % 5 * 60_000_000 }
    let orders = (0..<24).map { (month: Int64) -> Int64? in 900 + 20 * month }
    return .table(
      "", batch(("month", .timestamps(starts)), ("revenue", .decimals(revenue, precision: 18, scale: 3)), ("orders", .int64s(orders))),
      order: .key(["month"]))
  }()

  static let countries: BenchInput = {
    let kinds = ["United Kingdom", "EIRE", "Germany", "France", "Channel Islands"]
    let names = (0..<20).map { $0 < 5 ? kinds[$0] : "\(kinds[$0 % 5]) \($0)" }
    let revenue = (0..<20).map { (rank: Int64) -> Int64? in 14_000_000_000 / (1 + rank * rank) }
    return .table("", batch(("country", .strings(names)), ("revenue", .decimals(revenue, precision: 18, scale: 3))), order: .key(["country"]))
  }()

  static let byFrequency = BenchInput.table(
    "",
    batch(
      ("frequency", .int32s(Array(0...7))), ("customers", .int64s([1411, 439, 214, 100, 62, 38, 29, 64])),
      ("actual", .float64s([0.237, 0.697, 1.393, 1.56, 2.53, 2.95, 3.45, 6.39])),
      ("predicted", .float64s([0.212, 0.74, 1.22, 1.74, 2.19, 2.75, 3.1, 5.9]))), order: .key(["frequency"]))

  static let quarantine = BenchInput.table(
    "", batch(("file", .strings(["a.csv", "a.csv", "a.csv"])), ("line", .int64s([4, 9, 11])), ("reason", .strings(["x", "y", "z"]))))

  static let bgnbd: JSONValue = [
    "model": "bg-nbd", "parameters": ["r": 0.242594, "alpha": 4.413532, "a": 0.792919, "b": 2.425895],
    "standard_errors": ["r": 0.012558, "alpha": 0.378221, "a": 0.185719, "b": 0.705345], "covariance": [[1, 0], [0, 1]],
    "log_likelihood": -9582.429207, "observations": 2357, "left_out": [["reason": "no repeat purchase", "customers": 1411]],
    "converged": true, "iterations": 14, "units": ["time": "week"], "diagnoses": [], "made_by": "millrace fit 1",
  ]

  static let evaluation: JSONValue = [
    "customers": 2357, "left_out": 0, "purchases": ["mae": 0.7855, "rmse": 1.608, "pearson": 0.6256],
    "spend": ["mae": 31.25, "gradient": 0.0000000012, "norm": 3.4280537977333362e-15],
  ]

  /// A document's settings as the repository has them.
  static func settings(_ pipeline: String, _ stage: String) throws -> JSONValue {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let bytes = [UInt8](try Data(contentsOf: root.appendingPathComponent("pipelines/\(pipeline).json")))
    return try JSONReader.read(bytes, file: pipeline).value["stages"]?[stage]?["with"] ?? .null
  }

  /// The package's own renderer: a development package lies elsewhere.
  static func renderer() -> ChartRenderer? {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let own = root.appendingPathComponent(".deps/python").path
    let folder = ChartRenderer.folderFound() ?? (FileManager.default.fileExists(atPath: own + "/vl_convert") ? own : nil)
    if folder == nil { print("note: vl-convert is not installed (make setup); pictures are not drawn in this test") }
    return folder.map { ChartRenderer(folder: $0) }
  }
}

extension BenchInput {
  func at(_ port: String, _ alias: String) -> BenchInput { BenchInput(port: port, alias: alias, artifact: artifact, type: type) }
}
