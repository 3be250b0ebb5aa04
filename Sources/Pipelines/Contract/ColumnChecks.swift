import Columns
import Diagnostics

extension Schema {
  /// Why column `name` cannot be read as numbers, said at `place`; nil when it can.
  public func mistake(readingNumbers name: String, of port: String, at place: Place) -> Diagnostic? {
    guard let type = type(of: name) else { return missing(name, of: port, at: place) }
    if type.isNumeric { return nil }
    return Diagnostic("column \"\(name)\" of input \"\(port)\" is not numeric", at: place, expected: "a number type", found: "\(type)")
  }

  /// Why column `name` does not say on which day something was, said at `place`; nil when it does.
  public func mistake(readingDays name: String, of port: String, at place: Place) -> Diagnostic? {
    switch type(of: name) {
    case nil: missing(name, of: port, at: place)
    case .date?, .timestamp?: nil
    case let type?:
      Diagnostic("column \"\(name)\" of input \"\(port)\" has a type that does not fit", at: place, expected: "a date or timestamp", found: "\(type)")
    }
  }

  /// That there is no column `name`, said at `place`; nil when there is one.
  public func mistake(finding name: String, of port: String, at place: Place) -> Diagnostic? {
    index(of: name) == nil ? missing(name, of: port, at: place) : nil
  }

  /// That a stage's own column `name` is taken already; nil when it is free.
  public func mistake(adding name: String, to port: String) -> Diagnostic? {
    guard index(of: name) != nil else { return nil }
    return Diagnostic(
      "input \"\(port)\" already has a column \"\(name)\", which this stage makes", at: .input(port: port),
      hint: "leave it out, or rename it in the stage before")
  }

  private func missing(_ name: String, of port: String, at place: Place) -> Diagnostic {
    Diagnostic("input \"\(port)\" has no column \"\(name)\"", at: place, hint: hint(forUnknown: name, among: names))
  }
}
