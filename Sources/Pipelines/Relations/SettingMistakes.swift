import Columns
import Diagnostics
import Expressions

extension Diagnostic {
  /// A setting names a column that its input lacks.
  public static func missingColumn(_ name: String, in schema: Schema, at path: [PathStep]) -> Diagnostic {
    Diagnostic("no column \"\(name)\" in the input", at: .setting(path), hint: Diagnostics.hint(forUnknown: name, among: schema.names))
  }
}

extension [String: ParameterValue] {
  /// What `$name` stands for inside expressions. Durations and lists have no literal and stay out.
  public var bindings: Expression.Bindings {
    compactMapValues { value in
      switch value {
      case .string(let text), .path(let text): (.string(text), .string)
      case .int(let number): (.int(number), .int64)
      case .float(let number): (.float(number), .float64)
      case .bool(let value): (.bool(value), .bool)
      case .date(let date): (.date(Int32(clamping: date.days)), .date)
      case .duration, .list: nil
      }
    }
  }
}

/// Collects what is wrong while a stage binds, so that all of it is told at once.
public struct SettingMistakes {
  public var all: [Diagnostic] = []

  public init() {}

  /// The value, or nil with its mistakes kept, their places continued from `path`.
  public mutating func catching<T>(_ path: [PathStep], _ body: () throws(Mistakes) -> T) -> T? {
    do throws(Mistakes) { return try body() } catch {
      all += error.prefixed(by: path).all
      return nil
    }
  }

  /// The type of a column that a setting names.
  public mutating func type(of name: String, in schema: Schema, at path: [PathStep]) -> ColumnType? {
    if let type = schema.type(of: name) { return type }
    all.append(.missingColumn(name, in: schema, at: path))
    return nil
  }

  /// A name that a setting gives to a new column: it must be one, and new.
  public mutating func newColumn(_ name: String, in taken: [String], at path: [PathStep]) -> Bool {
    if name.isEmpty {
      all.append(Diagnostic("a column needs a name", at: .setting(path)))
      return false
    }
    if taken.contains(name) {
      all.append(
        Diagnostic("there is a column \"\(name)\" already", at: .setting(path), hint: "choose another name"))
      return false
    }
    return true
  }

  public func throwing() throws(Mistakes) { if !all.isEmpty { throw Mistakes(all) } }
}

extension Array where Element: Hashable {
  /// Without repetitions, in order of first mention.
  public var unique: [Element] {
    var seen: Set<Element> = []
    return filter { seen.insert($0).inserted }
  }
}
