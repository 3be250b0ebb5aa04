/// One mistake: what, where, expected and found, and what to do. Facts only; `Wording.swift` makes the words.
///
///     Diagnostic("unknown setting \"trimm\"", at: .setting(["trimm"]), hint: "did you mean \"trim\"?")
public struct Diagnostic: Error, Hashable, Sendable {
  public var severity: Severity
  /// One sentence without a full stop, in the user's words.
  public var message: String
  public var place: Place
  public var expected: String?
  public var found: String?
  /// What to do about it.
  public var hint: String?
  /// Whether trying again later may help: a connection that broke, a disk that answered with an error. Mistakes stay mistakes.
  public var isTransient = false

  public enum Severity: String, Hashable, Sendable { case error, warning }

  public init(
    _ message: String, at place: Place = .nowhere, expected: String? = nil, found: String? = nil, hint: String? = nil,
    severity: Severity = .error
  ) {
    self.severity = severity
    self.message = message
    self.place = place
    self.expected = expected
    self.found = found
    self.hint = hint
  }
}

/// Where a mistake is.
public enum Place: Hashable, Sendable {
  case nowhere
  /// A span of a text file that was read whole: a pipeline document.
  case text(TextSpan)
  /// A setting of the stage that speaks, by its path under `with`; `offset` counts UTF-8 bytes into the setting's
  /// own text (an expression). The binder turns it into a `.text` place, because it knows the document.
  case setting([PathStep], offset: Int = 0, length: Int = 0)
  /// The wiring of the stage that speaks (its `from`); `port` nil means all of it.
  case input(port: String?)
  /// A row of a data file. `file` is the name the glob or archive gave, never a folder of a machine.
  case data(file: String, line: Int?, byte: Int?, column: String?)
}

/// A step of a path into a JSON value.
public enum PathStep: Hashable, Sendable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
  CustomStringConvertible
{
  case key(String)
  case index(Int)

  public init(stringLiteral value: String) { self = .key(value) }
  public init(integerLiteral value: Int) { self = .index(value) }

  /// The step in a JSON pointer (RFC 6901).
  public var description: String {
    switch self {
    case .key(let key): key.split(separator: "~", omittingEmptySubsequences: false).joined(separator: "~0")
      .split(separator: "/", omittingEmptySubsequences: false).joined(separator: "~1")
    case .index(let index): String(index)
    }
  }
}

extension [PathStep] {
  /// The path as a JSON pointer: `/stages/sales/with/keep/1`.
  public var pointer: String { map { "/" + $0.description }.joined() }
}

/// A span of a text, with what is needed to show it.
public struct TextSpan: Hashable, Sendable {
  /// As the person typed it.
  public var file: String
  /// Both count from 1; columns count Unicode scalars.
  public var line: Int, column: Int
  /// How many scalars of the line stand before the excerpt, and whether some stand behind it.
  public var excerptStart = 0, isCutBehind = false
  /// How many scalars of the line are meant; at least 1.
  public var length: Int
  private let cut: @Sendable () -> String

  /// The line, without its end; of a long line the part around the span. It is cut out of the text when it is asked for: of thousands of places hardly one
  /// is ever shown.
  public var excerpt: String { cut() }

  public init(
    file: String, line: Int, column: Int, excerpt: @escaping @autoclosure @Sendable () -> String, length: Int, excerptStart: Int = 0, isCutBehind: Bool = false
  ) {
    self.excerptStart = excerptStart
    self.isCutBehind = isCutBehind
    self.file = file
    self.line = line
    self.column = column
    self.length = length
    cut = excerpt
  }

  /// The same place, whatever stands there.
  public static func == (a: TextSpan, b: TextSpan) -> Bool { a.file == b.file && a.line == b.line && a.column == b.column && a.length == b.length }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(file)
    hasher.combine(line)
    hasher.combine(column)
    hasher.combine(length)
  }
}

/// Several mistakes, all that were known, in the order of the document.
public struct Mistakes: Error, Hashable, Sendable {
  public var all: [Diagnostic]

  public init(_ all: [Diagnostic]) { self.all = all }
  public init(_ one: Diagnostic) { all = [one] }
  public var isEmpty: Bool { all.isEmpty }
}
