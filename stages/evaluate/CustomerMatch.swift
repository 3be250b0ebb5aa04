import Columns
import Diagnostics

/// For every customer of `predicted`, its row in `holdout`.
struct CustomerMatch {
  let partner: [Int]

  /// Throws when a customer is missing on either side, named twice, or has no name.
  init(_ predicted: Column, _ holdout: Column, name: String) throws {
    // Both usually come from one rfm and have the same customers in the same rows.
    if predicted.count == holdout.count, Self.isStrictlyAscending(predicted), Self.areEqual(predicted, holdout) {
      partner = Array(0..<predicted.count)
      return
    }
    let rowOf = try Self.rows(of: holdout, "holdout", name)
    let known = try Self.rows(of: predicted, "predicted", name)
    let customers = predicted.allValues
    let strangers = customers.filter { rowOf[$0] == nil }
    let forgotten = holdout.allValues.filter { known[$0] == nil }
    var mistakes: [Diagnostic] = []
    for (missing, here, there) in [(strangers, "predicted", "holdout"), (forgotten, "holdout", "predicted")] where !missing.isEmpty {
      let shown = missing.prefix(5).map { "\"\($0)\"" }.joined(separator: ", ")
      let count = missing.count == 1 ? "1 customer of \"\(here)\" is" : "\(missing.count) customers of \"\(here)\" are"
      mistakes.append(
        Diagnostic(
          "\(count) missing in \"\(there)\": \(shown)\(missing.count > 5 ? ", …" : "")", at: .input(port: there),
          hint: "take both from one rfm with \"holdout\""))
    }
    if !mistakes.isEmpty { throw Mistakes(mistakes) }
    partner = customers.map { rowOf[$0]! }
  }

  private static func rows(of customers: Column, _ port: String, _ name: String) throws -> [Value: Int] {
    var rows: [Value: Int] = [:]
    rows.reserveCapacity(customers.count)
    for (row, customer) in customers.allValues.enumerated() {
      if customer == .null {
        throw Diagnostic("a customer of \"\(port)\" has no \"\(name)\" (row \(row + 1))", at: .input(port: port))
      }
      if let other = rows.updateValue(row, forKey: customer) {
        throw Diagnostic(
          "customer \"\(customer)\" of \"\(port)\" stands in two rows, \(other + 1) and \(row + 1)", at: .input(port: port),
          hint: "evaluate compares one row a customer")
      }
    }
    return rows
  }

  private static func areEqual(_ a: Column, _ b: Column) -> Bool {
    if a.nullCount > 0 || b.nullCount > 0 { return false }
    switch a.type {
    case .string:
      let (left, right) = (a.text, b.text)
      return (0..<a.count).allSatisfy { left[$0].elementsEqual(right[$0]) }
    case .int32, .date: return a.values(as: Int32.self).elementsEqual(b.values(as: Int32.self))
    case .int64, .decimal, .timestamp: return a.values(as: Int64.self).elementsEqual(b.values(as: Int64.self))
    case .float64, .bool: return false
    }
  }

  // Strictly, so that nobody stands there twice.
  private static func isStrictlyAscending(_ column: Column) -> Bool {
    if column.nullCount > 0 { return false }
    let steps = 1..<max(column.count, 1)
    switch column.type {
    case .string:
      let text = column.text
      return steps.allSatisfy { text[$0 - 1].lexicographicallyPrecedes(text[$0]) }
    case .int32, .date:
      let cells = column.values(as: Int32.self)
      return steps.allSatisfy { cells[$0 - 1] < cells[$0] }
    case .int64, .decimal, .timestamp:
      let cells = column.values(as: Int64.self)
      return steps.allSatisfy { cells[$0 - 1] < cells[$0] }
    case .float64, .bool: return false
    }
  }
}
