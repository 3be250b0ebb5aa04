import Columns
import Diagnostics

/// The columns to be read, each with its place in the file's rows; settled once the header is known.
struct TableLayout {
  let plans: [ColumnPlan]
  /// Of each plan's field among a row's, from 0.
  let positions: [Int]
  let fieldCount: Int
  /// Names in the header that nobody asked for.
  let ignored: [String]
  let delimiter: UInt8
  let quote: UInt8?
  let escape: UInt8?
  let point: UInt8

  /// `names`: of the header, or nil where there is none and `fieldCount` fields are in the first row.
  /// `plans` nil: every column, as text. `owner`: who has the names, in messages.
  init(plans told: [ColumnPlan]?, names: [String]?, fieldCount: Int, dialect: CSVDialect, file: String, owner: String = "the header") throws {
    var mistakes: [Diagnostic] = []
    let plans = try told ?? Self.allAsText(names, fieldCount, file)
    var positions: [Int] = []
    for plan in plans {
      switch plan.column.source {
      case .position(let position):
        if position > fieldCount {
          mistakes.append(Diagnostic(
            "column \"\(plan.column.name)\" is not in the file", at: .data(file: file, line: nil, byte: nil, column: nil),
            expected: "position \(position)", found: "\(fieldCount) columns"))
        }
        positions.append(position - 1)
      case .name(let name):
        guard let names else {
          mistakes.append(Diagnostic(
            "column \"\(plan.column.name)\" is named, and the file has no header", at: .data(file: file, line: nil, byte: nil, column: nil),
            hint: "give positions (from 1) as \"source\", or set \"headerRows\""))
          positions.append(0)
          continue
        }
        let found = names.indices.filter { names[$0] == name }
        if found.isEmpty {
          mistakes.append(Diagnostic(
            "\(owner) has no column \"\(name)\"", at: .data(file: file, line: nil, byte: nil, column: nil),
            hint: hint(forUnknown: name, among: names)))
        } else if found.count > 1 {
          mistakes.append(Diagnostic(
            "\(owner) has \(found.count) columns \"\(name)\"", at: .data(file: file, line: nil, byte: nil, column: nil),
            hint: "name them by position: " + found.map { "\($0 + 1)" }.joined(separator: ", ")))
        }
        positions.append(found.first ?? 0)
      }
    }
    if !mistakes.isEmpty { throw Mistakes(mistakes) }
    self.plans = plans
    self.positions = positions
    self.fieldCount = fieldCount
    let used = Set(positions)
    ignored = (0..<fieldCount).filter { !used.contains($0) }.map { names?[$0] ?? "column \($0 + 1)" }
    delimiter = dialect.delimiter.asciiValue ?? 44
    quote = dialect.quote?.asciiValue
    escape = dialect.escape == dialect.quote ? nil : dialect.escape?.asciiValue
    point = dialect.decimal.asciiValue ?? 46
  }

  private static func allAsText(_ names: [String]?, _ fieldCount: Int, _ file: String) throws -> [ColumnPlan] {
    var distinct = DistinctNames(names ?? [])
    var mistakes: [Diagnostic] = []
    return (0..<fieldCount).map { at in
      return ColumnPlan(CSVColumn(distinct.next(names?[at] ?? "", at: at), from: .position(at + 1)), &mistakes)
    }
  }
}
