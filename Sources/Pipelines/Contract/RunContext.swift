import Columns
import Diagnostics

/// What the engine grants a running stage. All of it may be used from any thread.
public protocol RunContext: Sendable {
  /// How many threads may be busy. Results never depend on it.
  var width: Int { get }
  /// Typed literals for `$name` inside expressions.
  var parameters: [String: ParameterValue] { get }
  /// What is made of it at this moment: the name of one partition, or nil for everything at once.
  var part: String? { get }
  /// The files of a source, by its place in `sources`; of the part that is made.
  func files(ofSource index: Int) -> [SourceFile]

  /// Opens a table output; rows are appended in their stated order. `partition` is its key.
  func openTable(_ output: String, schema: Schema, partition: String) throws -> any TableSink
  /// The columns of a table output that anybody reads; nil: all. Rows of the others are counted and not looked at: they may hold
  /// anything of their type, such as nulls.
  func columnsAsked(of output: String) -> Set<String>?
  /// Writes a document output: canonical JSON.
  func writeDocument(_ output: String, _ document: JSONValue) throws
  /// Writes a file output. `name` is what people see in the run's folder.
  func writeFile(_ output: String, name: String, mediaType: String, _ bytes: [UInt8]) throws
  /// A path to write a large file output to, piece by piece; sealed when the stage ends.
  func openFile(_ output: String, name: String, mediaType: String) throws -> String

  /// A folder of the stage's own, gone after it.
  func scratchFolder() throws -> String
  /// Throws when the run was asked to stop; call it once a batch.
  func checkCancellation() throws
  /// Told to people, with the run going on; recorded with the artifact.
  func warn(_ diagnostic: Diagnostic)
}

extension RunContext {
  public var part: String? { nil }
  public func columnsAsked(of output: String) -> Set<String>? { nil }

  public func openTable(_ output: String, schema: Schema) throws -> any TableSink {
    try openTable(output, schema: schema, partition: "")
  }

  /// A whole table at once.
  public func writeTable(_ output: String, _ batch: Batch) throws {
    let sink = try openTable(output, schema: batch.schema)
    try sink.append(batch)
    try sink.close()
  }

  /// `work(0)…work(count − 1)` on at most `width` threads; returns when all have ended. The first error by index is thrown.
  public func concurrently(_ count: Int, _ work: @Sendable (Int) throws -> Void) throws {
    try performConcurrently(count, width: width, work)
  }
}

/// Takes the rows of one partition of a table output.
public protocol TableSink: AnyObject, Sendable {
  /// Batches become batches of the file; a batch of no rows is left out. A dictionary may only grow: each must start with
  /// the one before it, else the column is written as plain text.
  func append(_ batch: Batch) throws
  func close() throws
}

/// Deterministic numbers about a stage's work, in the order given; stored with its artifacts, repeated when cached.
public struct Metrics: Sendable {
  public private(set) var members: [(name: String, value: JSONValue)] = []

  public init() {}

  /// As an object.
  public var json: JSONValue { .object(members.map { JSONMember($0.name, $0.value) }) }

  public subscript(name: String) -> JSONValue? {
    get { members.first { $0.name == name }?.value }
    set {
      if let at = members.firstIndex(where: { $0.name == name }) {
        if let newValue { members[at].value = newValue } else { members.remove(at: at) }
      } else if let newValue {
        members.append((name, newValue))
      }
    }
  }
}
