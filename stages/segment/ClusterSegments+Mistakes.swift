import Diagnostics
import Pipelines

/// What rows may have that no clusters can be made of.
extension ClusterSegments {
  static func tooFew(_ method: Segment.Method, _ wanted: Int?, of distinct: Int, points: Int, rows: Int) -> Diagnostic {
    Diagnostic(
      "\(method.rawValue) cannot make \(wanted ?? 1) segments of \(distinct) distinct \(distinct == 1 ? "point" : "points")",
      at: .setting(["k"]), expected: distinct == 0 ? "rows with numbers" : "k from 1 to \(distinct)", found: wanted.map { "\($0)" },
      hint: points < rows ? "\(rows - points) of \(rows) rows lack a number" : nil)
  }

  static func noWeight(_ value: Double, in column: String) -> Diagnostic {
    Diagnostic(
      "column \"\(column)\" holds no weight", at: .setting(["weight"]), expected: "numbers from 0 to 1000000000", found: "\(value)")
  }

  static func noLogarithm(_ value: Double, of column: String) -> Diagnostic {
    Diagnostic(
      "\"transform\": \"log1p\" cannot take column \"\(column)\"", at: .setting(["transform"]), expected: "values above -1",
      found: "\(value)", hint: "use \"transform\": \"none\", or keep such rows out before")
  }
}
