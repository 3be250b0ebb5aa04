import Columns
import Diagnostics

/// One kind of work. The struct's properties are its settings (each a `@Setting`); the folder under `stages/` is the
/// word in the document; one line in the catalog makes it known.
///
///     struct Clean: Stage {
///       static let contract = Contract("clean", "…", inputs: [.table("table")], outputs: [.table("table")], version: 1)
///       @Setting("columns that must not be null") var require: [String] = []
///       func bind(_ inputs: Inputs<ArtifactType>, _ context: BindContext) throws(Mistakes) -> Binding { … }
///       func run(_ inputs: Inputs<Artifact>, _ context: RunContext) throws -> Metrics { … }
///     }
public protocol Stage: Settings {
  /// Kind, one-line summary, ports, and every version that reaches its bytes.
  static var contract: Contract { get }

  /// What this stage reads from outside, and how each source's version is known.
  var sources: [Source] { get }

  /// Plan time, no rows read: exact types of every output, the columns read of each input, how the work may be cut, an
  /// estimate of memory; or every reason why not, each at `.setting` or `.input`.
  func bind(_ inputs: Inputs<ArtifactType>, _ context: BindContext) throws(Mistakes) -> Binding

  /// Run time. Same settings, inputs and sources give the same artifacts, byte for byte, at any width. Outputs are
  /// written through the context; every output of the binding must be, exactly once. Metrics are deterministic.
  func run(_ inputs: Inputs<Artifact>, _ context: any RunContext) throws -> Metrics

  /// The metrics of the whole from those of its partitions (objects), where work is cut into partitions; throws what only the whole
  /// can tell. The default adds numbers.
  func combined(_ parts: [JSONValue]) throws -> JSONValue

  /// What is to be told of the whole, where work is cut into partitions: a run on one of them (`RunContext.part`) cannot know it.
  func warnings(about metrics: JSONValue) -> [Diagnostic]
}

extension Stage {
  public var sources: [Source] { [] }

  public func combined(_ parts: [JSONValue]) throws -> JSONValue { sum(of: parts) }

  public func warnings(about metrics: JSONValue) -> [Diagnostic] { [] }
}

/// A kind that can sum up partitions one by one: `run` over all of them, and states that are merged, give the same bytes.
public protocol MergeableStage: Stage {
  /// Writes the table output `state`, of the type that the binding says, for the partitions that come in.
  func runPart(_ inputs: Inputs<Artifact>, _ context: any RunContext) throws -> Metrics

  /// Writes the outputs of the binding from the states of all partitions, in the order of their keys; `metrics` are theirs.
  func merge(_ states: [TableArtifact], metrics: [JSONValue], _ context: any RunContext) throws -> Metrics
}

/// What a kind is, said once.
public struct Contract: Sendable {
  /// The word in the document.
  public let kind: String
  /// One line, for lists.
  public let summary: String
  public let inputs: [Port]
  /// The first is the main one, which `"from": "stage"` means.
  public let outputs: [Port]
  /// Raised whenever the same settings and inputs may give other bytes.
  public let version: Int
  /// Versions of libraries and shared kernels that reach the bytes, in the order given: `["arrow": "26"]`.
  public let shares: KeyValuePairs<String, String>

  public init(
    _ kind: String, _ summary: String, inputs: [Port] = [], outputs: [Port], version: Int,
    shares: KeyValuePairs<String, String> = [:]
  ) {
    self.kind = kind
    self.summary = summary
    self.inputs = inputs
    self.outputs = outputs
    self.version = version
    self.shares = shares
  }
}

/// A named input or output of a kind.
public struct Port: Hashable, Sendable {
  public enum Carries: String, Hashable, Sendable { case table, document, file, any }
  public enum Arity: Hashable, Sendable {
    case one, optional
    /// Input: the keys of `from` are the user's aliases, in order. Output: as many as the settings name.
    case many
  }

  public let name: String
  public let carries: Carries
  public let arity: Arity
  public let help: String

  public init(_ name: String, _ carries: Carries, _ arity: Arity = .one, help: String = "") {
    self.name = name
    self.carries = carries
    self.arity = arity
    self.help = help
  }

  public static func table(_ name: String = "table", _ arity: Arity = .one, help: String = "") -> Port { Port(name, .table, arity, help: help) }
  public static func document(_ name: String, _ arity: Arity = .one, help: String = "") -> Port { Port(name, .document, arity, help: help) }
  public static func file(_ name: String, _ arity: Arity = .one, help: String = "") -> Port { Port(name, .file, arity, help: help) }
}

/// What flows through a port, known before any row is read.
public enum ArtifactType: Hashable, Sendable {
  case table(TableType)
  /// Canonical JSON; `about` says of what: "model:bg-nbd", "profile".
  case document(about: String)
  case file(mediaType: String)
  /// Known only once a footer has been read: `check` leaves it open, `plan` and `run` never do.
  case open

  public var carries: Port.Carries? {
    switch self {
    case .table: .table
    case .document: .document
    case .file: .file
    case .open: nil
    }
  }

  public var table: TableType? { if case .table(let type) = self { type } else { nil } }
}

/// A table's columns and the stated order of its rows.
public struct TableType: Hashable, Sendable {
  public enum Order: Hashable, Sendable {
    /// Partition key, then row.
    case source
    /// Ascending by these columns, nulls last, strings by UTF-8 bytes.
    case key([String])
  }

  public let schema: Schema
  public let order: Order
  /// What the times in a table of customers (`recency`, `age`, `since_last`) are measured in: `rfm` says it, stages that
  /// carry its columns repeat it, models need it. Nil where nothing is known.
  public let timeUnit: Duration.Unit?

  public init(_ schema: Schema, order: Order = .source, timeUnit: Duration.Unit? = nil) {
    self.schema = schema
    self.order = order
    self.timeUnit = timeUnit
  }
}

/// What is connected to the input ports, in the order of the contract, a many-port's in the order of the document.
public struct Inputs<Value: Sendable>: Sendable {
  public struct Entry: Sendable {
    public let port: String
    /// The user's name of one of many; equal to `port` elsewhere.
    public let alias: String
    public let value: Value

    public init(port: String, alias: String, value: Value) {
      self.port = port
      self.alias = alias
      self.value = value
    }
  }

  public let entries: [Entry]

  public init(_ entries: [Entry]) { self.entries = entries }

  /// What is connected to a port of arity one or optional.
  public subscript(port: String) -> Value? { entries.first { $0.port == port }?.value }

  /// What is connected to a many-port.
  public func many(_ port: String) -> [(alias: String, value: Value)] {
    entries.filter { $0.port == port }.map { ($0.alias, $0.value) }
  }
}

extension Inputs where Value == ArtifactType {
  /// The schema of a table port; nil when nothing is connected or the type is still open.
  public func schema(_ port: String = "table") -> Schema? { self[port]?.table?.schema }
}

extension Inputs where Value == Artifact {
  /// The table of a port that the contract requires.
  public func table(_ port: String = "table") -> TableArtifact {
    guard case .table(let table)? = self[port] else { preconditionFailure("input \"\(port)\" was asked for as a table and is none") }
    return table
  }

  public func document(_ port: String) -> JSONValue {
    guard case .document(let document)? = self[port] else { preconditionFailure("input \"\(port)\" was asked for as a document and is none") }
    return document
  }
}
