/// The one place that turns a `Diagnostic` into words.
///
///     pipelines/shop.json:12:19: error: unknown setting "trimm" of stage "sales" (clean)
///       12 |       "with": { "trimm": true } } },
///          |                 ^~~~~~~
///       hint: did you mean "trim"?
extension Diagnostic: CustomStringConvertible {
  public var description: String {
    var lines = [headline]
    if case .text(let span) = place { lines += span.excerptLines }
    if let expected, let found {
      lines.append("  expected \(expected), found \(found)")
    } else if let expected {
      lines.append("  expected \(expected)")
    } else if let found {
      lines.append("  found \(found)")
    }
    if let hint { lines.append("  hint: \(hint)") }
    return lines.joined(separator: "\n")
  }

  private var headline: String {
    switch place {
    case .text(let span): "\(span.file):\(span.line):\(span.column): \(severity): \(message)"
    case .data(let file, let line, let byte, let column):
      "\(Self.words(file, line, byte, column)): \(severity): \(message)"
    case .setting(let path, _, _): "\(severity): \(message) (setting \(path.pointer))"
    case .input(let port): port.map { "\(severity): \(message) (input \"\($0)\")" } ?? "\(severity): \(message)"
    case .nowhere: "\(severity): \(message)"
    }
  }
}

extension Diagnostic {
  /// The mistake as it is told of a stage: the document's place at the head of the line, then `owner` (`pipeline "shop", stage
  /// "sales" (clean)`), then a place in a data file where there is one.
  ///
  ///     shop.json:5:6: error: pipeline "shop", stage "sales" (ingest): sales.csv, line 3: the row has 2 cells
  public func told(of owner: String, at span: TextSpan?) -> Diagnostic {
    var told = self
    told.message = "\(owner): \(message)"
    guard let span else { return told }
    switch place {
    case .data(let file, let line, let byte, let column):
      told.message = "\(owner): \(Self.words(file, line, byte, column)): \(message)"
      told.place = .text(span)
    case .nowhere: told.place = .text(span)
    case .text, .setting, .input: break
    }
    return told
  }

  private static func words(_ file: String, _ line: Int?, _ byte: Int?, _ column: String?) -> String {
    ([file] + [line.map { "line \($0)" }, byte.map { "byte \($0)" }, column.map { "column \"\($0)\"" }].compactMap { $0 })
      .joined(separator: ", ")
  }
}

extension Mistakes: CustomStringConvertible {
  public var description: String { all.map(\.description).joined(separator: "\n") }
}

extension TextSpan {
  /// The line and a marker under the span. Long lines (minified documents) are cut to a window around the span.
  fileprivate var excerptLines: [String] {
    let scalars = Array(excerpt.unicodeScalars)
    let window = 100, column = column - excerptStart
    var start = 0
    if scalars.count > window { start = max(0, min(column - 1 - window / 3, scalars.count - window)) }
    let end = min(scalars.count, start + window)
    let before = start + excerptStart > 0 ? "…" : "", after = end < scalars.count || isCutBehind ? "…" : ""
    var shown = String.UnicodeScalarView()
    // A tab counts as one column and control characters must not reach a terminal.
    for scalar in scalars[start..<end] { shown.append(scalar.value < 32 || scalar.value == 127 ? " " : scalar) }
    let number = String(line)
    let margin = String(repeating: " ", count: number.count)
    let indent = String(repeating: " ", count: max(0, column - 1 - start) + before.count)
    let room = max(1, min(length, end - (column - 1)))
    return [
      "  \(number) | \(before)\(String(shown))\(after)",
      "  \(margin) | \(indent)^\(String(repeating: "~", count: room - 1))",
    ]
  }
}
