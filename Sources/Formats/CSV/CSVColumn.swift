import Columns
import Diagnostics

/// One column to be read: where it stands, what its cells are, and what is done to their text first.
///
/// A cell's text goes trim → replace → null or type. An unquoted empty cell is null; a quoted one is an empty string,
/// and null for every other type.
public struct CSVColumn: Hashable, Sendable {
  public var name: String
  public var source: Source
  public var type: ColumnType
  /// Texts that mean null, quoted or not.
  public var nulls: [String]
  /// How dates and timestamps are written: `%d/%m/%Y` or `dd/MM/yyyy`; nil: ISO 8601.
  public var format: String?
  /// Takes blanks and tabs off both ends.
  public var trim: Bool
  /// Replacements in order, every match each.
  public var replace: [Replacement]

  public enum Source: Hashable, Sendable {
    case name(String)
    /// From 1.
    case position(Int)
  }

  /// A regular expression and what stands for its matches (`$1` is the first group).
  public struct Replacement: Hashable, Sendable {
    public var pattern: String
    public var template: String

    public init(_ pattern: String, with template: String) {
      self.pattern = pattern
      self.template = template
    }
  }

  public init(
    _ name: String, from source: Source? = nil, _ type: ColumnType = .string, nulls: [String] = [], format: String? = nil,
    trim: Bool = false, replace: [Replacement] = []
  ) {
    self.name = name
    self.source = source ?? .name(name)
    self.type = type
    self.nulls = nulls
    self.format = format
    self.trim = trim
    self.replace = replace
  }

  var place: [PathStep] { ["columns", .key(name)] }
}

/// What of a column is settled before the first byte: formats parsed, patterns compiled.
struct ColumnPlan {
  let column: CSVColumn
  let format: DateFormat?
  let nulls: [[UInt8]]
  let edits: [TextEdit]

  var isText: Bool { column.type == .string }

  init(_ column: CSVColumn, _ mistakes: inout [Diagnostic]) {
    self.column = column
    nulls = column.nulls.map { Array($0.utf8) }
    edits = column.replace.enumerated().compactMap { at, replacement in
      do { return try TextEdit(replacement) } catch {
        mistakes.append(Diagnostic(
          "the regular expression does not read: \(error)", at: .setting(column.place + ["replace", .index(at)]),
          found: "\"\(replacement.pattern)\""))
        return nil
      }
    }
    switch (column.format, column.type) {
    case (nil, _): format = nil
    case (let text?, .date), (let text?, .timestamp):
      switch DateFormat.parse(text, withTime: column.type != .date) {
      case .success(let parsed): format = parsed
      case .failure(let refusal):
        format = nil
        mistakes.append(Diagnostic(refusal.message, at: .setting(column.place + ["format"]), expected: refusal.expected, found: "\"\(text)\""))
      }
    case (let text?, let type):
      format = nil
      mistakes.append(Diagnostic(
        "a format is for dates and timestamps", at: .setting(column.place + ["format"]), expected: "a column of type date or timestamp",
        found: "\"\(text)\" for type \(type)"))
    }
    if case .position(let position) = column.source, position < 1 {
      mistakes.append(Diagnostic(
        "a position counts from 1", at: .setting(column.place + ["source"]), expected: "1 or more", found: "\(position)"))
    }
  }
}
