import Columns

/// A row of the function table: all that checking, evaluating and printing know about one SQL function.
public struct Function: Sendable {
  /// As canonical text spells it.
  public let name: String
  public let aliases: [String]
  let parameters: [Parameter]
  let result: @Sendable ([ColumnType]) -> ColumnType
  let kernel: Kernel
  /// Why a row of it can fail; nil when it cannot.
  public let failure: String?
  let duckdb: Spelling
  let spark: Spelling
  /// One sentence.
  public let help: String

  init(
    _ name: String, _ aliases: [String] = [], _ parameters: [Parameter],
    _ result: @escaping @Sendable ([ColumnType]) -> ColumnType, _ kernel: Kernel, failure: String? = nil,
    duckdb: Spelling = .same, spark: Spelling = .same, _ help: String
  ) {
    self.name = name
    self.aliases = aliases
    self.parameters = parameters
    self.result = result
    self.kernel = kernel
    self.failure = failure
    self.duckdb = duckdb
    self.spark = spark
    self.help = help
  }

  struct Parameter: Sendable {
    enum Kind: Sendable {
      case any, number, integer, float, text, bool, day, moment, unit
      /// All parameters of this kind become one type.
      case common
    }
    var name: String
    var kind: Kind
    /// Must be written as a value: Arrow takes it as an option.
    var isConstant = false
    var isOptional = false
    /// The last one may stand once or more.
    var repeats = false

    static func any(_ name: String) -> Parameter { Parameter(name: name, kind: .any) }
    static func number(_ name: String) -> Parameter { Parameter(name: name, kind: .number) }
    static func integer(_ name: String) -> Parameter { Parameter(name: name, kind: .integer) }
    static func float(_ name: String) -> Parameter { Parameter(name: name, kind: .float) }
    static func text(_ name: String) -> Parameter { Parameter(name: name, kind: .text) }
    static func bool(_ name: String) -> Parameter { Parameter(name: name, kind: .bool) }
    /// A date or a timestamp.
    static func day(_ name: String) -> Parameter { Parameter(name: name, kind: .day) }
    /// A timestamp.
    static func moment(_ name: String) -> Parameter { Parameter(name: name, kind: .moment) }
    static let unit = Parameter(name: "unit", kind: .unit, isConstant: true)
    static func common(_ name: String) -> Parameter { Parameter(name: name, kind: .common) }

    var constant: Parameter { changed { $0.isConstant = true } }
    var optional: Parameter { changed { $0.isOptional = true } }
    var repeating: Parameter { changed { $0.repeats = true } }

    private func changed(_ change: (inout Parameter) -> Void) -> Parameter {
      var copy = self
      change(&copy)
      return copy
    }
  }

  enum Kernel: Sendable {
    /// A function of Arrow's registry over the arguments that are not constant; those are its options, in order.
    case arrow(String, options: @Sendable ([Value]) -> ArrowOptions? = { _ in nil })
    /// Our own, where Arrow has none, or calls libm, or cannot say which row failed.
    case own(Operation)
    /// Chosen by the types of the checked arguments.
    case lowered(@Sendable ([Node], ColumnType) -> Node)
    /// Another way to write something else.
    case rewritten(@Sendable ([Term]) -> Term)
  }

  /// How a dialect writes it.
  enum Spelling: Sendable {
    case same
    case name(String)
    /// `{0}` is the first argument, `{*}` all.
    case template(String)
  }

  /// `lpad(text, width, padding)`
  public var signature: String {
    "\(name)(" + parameters.map { ($0.isOptional ? "[\($0.name)]" : $0.name) + ($0.repeats ? ", …" : "") }.joined(separator: ", ") + ")"
  }

  func parameter(_ at: Int) -> Parameter { parameters[min(at, parameters.count - 1)] }

  /// "takes 2 arguments", when the count is wrong.
  func wrongCount(_ count: Int) -> String? {
    let least = parameters.count { !$0.isOptional }
    let most = parameters.last?.repeats == true ? Int.max : parameters.count
    if count >= least, count <= most { return nil }
    let number = least == most ? "\(least)" : most == Int.max ? "at least \(least)" : "\(least) to \(most)"
    return "takes \(number) argument\(least == 1 && most == 1 ? "" : "s")"
  }
}

/// Options of a call to Arrow, by the table in CArrowBridge's header.
public struct ArrowOptions: Hashable, Sendable {
  var kind: String
  var texts: [String] = []
  var integers: [Int64] = []

  init(_ kind: String, _ texts: [String] = [], _ integers: [Int64] = []) {
    self.kind = kind
    self.texts = texts
    self.integers = integers
  }
}

/// What a node of a checked expression does with its operands.
enum Operation: Hashable, Sendable {
  case arrow(String, ArrowOptions?)
  // Arithmetic; operands were made int64, float64 or decimals of the right scales by the checker.
  case add, subtract, multiply, divide, modulo
  case negate, absolute, sign
  case roundDown, roundUp
  /// Half away from zero, to so many digits.
  case round(Int)
  case compare(BinaryOperator)
  case not
  case test(TruthTest)
  /// Equal to one of the constants.
  case isIn([Value])
  case greatest, least, nullIf
  case elementary(Elementary)
  case cast(orNull: Bool)
  case concatenate(skippingNulls: Bool)
  case startsWith
  case position, splitPart, substring, left, right, padLeft, padRight
  case truncate(CalendarUnit), difference(CalendarUnit), advance(CalendarUnit)
  case makeDate, epoch, format
  case isNaN, isFinite
}

/// Elementary functions by our own portable code: the system's differ in the last bits between machines.
enum Elementary: Hashable, Sendable { case sqrt, ln, log10, log2, log1p, exp, power }

/// A checked expression, ready to evaluate: every node has its type, every conversion is a node.
indirect enum Node: Sendable {
  case column(String, ColumnType)
  /// NULL without a type has nil.
  case constant(Value, ColumnType?)
  case operation(Operation, [Node], ColumnType)
  case and(Node, Node)
  case or(Node, Node)
  case choose([(condition: Node, result: Node)], otherwise: Node?, ColumnType)
  case coalesce([Node], ColumnType)

  var type: ColumnType? {
    switch self {
    case .column(_, let type), .operation(_, _, let type), .choose(_, _, let type), .coalesce(_, let type): type
    case .constant(_, let type): type
    case .and, .or: .bool
    }
  }

  var constant: Value? { if case .constant(let value, _) = self { value } else { nil } }
}
