import Columns
import Diagnostics
import Foundation
import Pipelines
import Synchronization

/// Runs one stage on tables in memory, the way the engine would: settings from JSON, `bind`, only the columns named,
/// `run`, and every output exactly once with the schema that was promised.
///
///     let result = try runStage(Clean.self, ["require": ["customer"]], [.table("table", sales)])
///     result.rows("table")                    // [["a", "1"], …]
///     result.metrics["rows_kept"]
struct StageResult {
  let binding: Binding
  let context: BenchContext
  let metrics: Metrics

  /// All rows of a table output, partitions in order.
  func table(_ name: String = "table") -> Batch {
    let parts = context.tables.filter { $0.output == name }
    guard let first = parts.first else { preconditionFailure("the stage wrote no table \"\(name)\"") }
    return Batch.concatenate(parts.flatMap(\.batches), schema: first.schema)
  }

  /// The cells as texts, null as "".
  func rows(_ name: String = "table") -> [[String]] {
    let batch = table(name)
    return (0..<batch.count).map { row in batch.columns.map { $0.value(at: row).description } }
  }

  func document(_ name: String) -> JSONValue? { context.documents.first { $0.output == name }?.document }
  func file(_ name: String) -> BenchContext.File? { context.files.first { $0.output == name } }
  var warnings: [Diagnostic] { context.warnings }
}

/// What is connected to a port.
struct BenchInput {
  let port: String, alias: String
  let artifact: Artifact
  let type: ArtifactType

  static func table(_ port: String = "table", alias: String? = nil, _ batches: Batch..., order: TableType.Order = .source) -> BenchInput {
    table(port, alias: alias, partitions: [("", batches)], order: order)
  }

  static func table(
    _ port: String = "table", alias: String? = nil, partitions: [(key: String, batches: [Batch])], order: TableType.Order = .source,
    timeUnit: Duration.Unit? = nil
  ) -> BenchInput {
    let artifact = memoryTable(partitions, order: order, timeUnit: timeUnit)
    return BenchInput(port: port, alias: alias ?? port, artifact: .table(artifact), type: .table(artifact.type))
  }

  static func document(_ port: String, alias: String? = nil, _ document: JSONValue, about: String) -> BenchInput {
    BenchInput(port: port, alias: alias ?? port, artifact: .document(document), type: .document(about: about))
  }

  static func file(_ port: String, alias: String? = nil, _ file: FileArtifact) -> BenchInput {
    BenchInput(port: port, alias: alias ?? port, artifact: .file(file), type: .file(mediaType: file.mediaType))
  }
}

/// A table in memory; `named` limits what can be read, as a binding does.
func memoryTable(
  _ partitions: [(key: String, batches: [Batch])], order: TableType.Order = .source, named: [String]? = nil, timeUnit: Duration.Unit? = nil
) -> TableArtifact {
  let schema = partitions.first { !$0.batches.isEmpty }?.batches[0].schema ?? Schema([])
  let readable = named.map { names in schema.names.filter(names.contains) } ?? schema.names
  let parts = partitions.map { key, batches in
    TablePartition(key: key, batchRows: batches.map(\.count)) { at, columns in batches[at].selecting(readable).selecting(columns ?? readable) }
  }
  return TableArtifact(type: TableType(schema.selecting(readable), order: order, timeUnit: timeUnit), partitions: parts, digest: Digest(of: "bench"))
}

func batch(_ columns: (String, Column)...) -> Batch {
  Batch(schema: Schema(columns.map { Field($0.0, $0.1.type) }), columns: columns.map(\.1), count: columns.first?.1.count ?? 0)
}

/// The stage with settings as a document would give them; mistakes in them are thrown.
func makeStage<S: Stage>(_ kind: S.Type, _ written: JSONValue) throws -> S {
  let (canonical, mistakes) = canonicalSettings(SettingsDescription(of: kind), written: written, owner: "")
  guard mistakes.isEmpty else { throw Mistakes(mistakes) }
  return try decodeSettings(kind, from: canonical)
}

func bindStage<S: Stage>(
  _ kind: S.Type, _ settings: JSONValue, _ inputs: [BenchInput], parameters: [String: ParameterValue] = [:], files: [[SourceFile]]? = nil
) throws -> Binding {
  let types = Inputs(inputs.map { Inputs<ArtifactType>.Entry(port: $0.port, alias: $0.alias, value: $0.type) })
  return try makeStage(kind, settings).bind(types, BindContext(parameters: parameters, files: files))
}

/// The mistakes that `bind` reports, as people read them.
func mistakes<S: Stage>(
  of kind: S.Type, _ settings: JSONValue, _ inputs: [BenchInput], parameters: [String: ParameterValue] = [:]
) -> [String] {
  do {
    _ = try bindStage(kind, settings, inputs, parameters: parameters)
    return []
  } catch let mistakes as Mistakes {
    return mistakes.all.map(\.description)
  } catch {
    return ["\(error)"]
  }
}

func runStage<S: Stage>(
  _ kind: S.Type, _ settings: JSONValue, _ inputs: [BenchInput], parameters: [String: ParameterValue] = [:],
  files: [[SourceFile]] = [], width: Int = 2
) throws -> StageResult {
  let binding = try bindStage(kind, settings, inputs, parameters: parameters, files: files)
  let stage = try makeStage(kind, settings)
  let context = BenchContext(width: width, parameters: parameters, files: files)
  let limited = inputs.map { input -> Inputs<Artifact>.Entry in
    guard case .table(let table) = input.artifact else { return .init(port: input.port, alias: input.alias, value: input.artifact) }
    guard let read = binding.reads.first(where: { $0.alias == input.alias }) else {
      preconditionFailure("the binding does not say what is read of \"\(input.alias)\"")
    }
    guard case .named(let names) = read.columns else { return .init(port: input.port, alias: input.alias, value: input.artifact) }
    let kept = table.schema.names.filter(names.contains)
    let parts = table.partitions.map { part in
      TablePartition(key: part.key, batchRows: part.batchRows) { try part.read($0, columns: kept).selecting($1 ?? kept) }
    }
    let type = TableType(table.schema.selecting(kept), order: table.type.order, timeUnit: table.type.timeUnit)
    return .init(port: input.port, alias: input.alias, value: .table(TableArtifact(type: type, partitions: parts, digest: Digest(of: "bench"))))
  }
  let metrics = try stage.run(Inputs(limited), context)
  try context.check(binding)
  // What is read once may be handed over while it is made: the same must come out.
  for read in binding.reads where read.passes == .once {
    let again = BenchContext(width: width, parameters: parameters, files: files)
    let streamed = limited.map { input -> Inputs<Artifact>.Entry in
      guard input.alias == read.alias, case .table(let table) = input.value else { return input }
      return .init(port: input.port, alias: input.alias, value: .table(TableArtifact(type: table.type, arriving: BenchRows(table))))
    }
    let told = try stage.run(Inputs(streamed), again)
    try again.check(binding)
    precondition(
      again.content == context.content && told.members.map(\.name) == metrics.members.map(\.name)
        && zip(told.members, metrics.members).allSatisfy { $0.value == $1.value },
      "another result came out when \"\(read.alias)\" arrived while it was read")
  }
  return StageResult(binding: binding, context: context, metrics: metrics)
}

/// A table in memory as it would arrive.
private final class BenchRows: ArrivingRows {
  private let steps: Mutex<[RowStep<Batch>]>

  init(_ table: TableArtifact) {
    var all: [RowStep<Batch>] = []
    for partition in table.partitions {
      all.append(.partition(partition.key))
      for at in partition.batchRows.indices { if let batch = try? partition.read(at) { all.append(.batch(batch)) } }
    }
    steps = Mutex(all)
  }

  func next(atMost batches: Int) throws -> [RowStep<Batch>] {
    steps.withLock { $0.isEmpty ? [] : [$0.removeFirst()] }
  }
}

/// Collects what a stage writes.
// @unchecked: all mutable state is behind `state`.
final class BenchContext: RunContext, @unchecked Sendable {
  struct Table {
    let output: String, partition: String
    let schema: Schema
    var batches: [Batch] = []
    var isClosed = false
  }
  struct File {
    let output: String, name: String, mediaType: String
    let path: String
    var bytes: [UInt8] { [UInt8]((try? Data(contentsOf: URL(fileURLWithPath: path))) ?? Data()) }
  }
  private struct State {
    var tables: [Table] = []
    var documents: [(output: String, document: JSONValue)] = []
    var files: [File] = []
    var warnings: [Diagnostic] = []
  }

  let width: Int
  let parameters: [String: ParameterValue]
  private let sources: [[SourceFile]]
  private let folder: URL
  private let state = Mutex(State())

  init(width: Int, parameters: [String: ParameterValue], files: [[SourceFile]]) {
    self.width = width
    self.parameters = parameters
    sources = files
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("stage-\(UUID().uuidString)")
    try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  /// All outputs but large files, comparable.
  var content: [String] {
    tables.map { table in
      "\(table.output) \(table.partition) " + table.schema.fields.indices.map { at in
        let digester = ColumnDigester(type: table.schema.fields[at].type)
        for batch in table.batches { digester.update(batch.columns[at]) }
        return digester.finish().description
      }.joined(separator: " ")
    } + documents.map { "\($0.output) \($0.document.canonical)" } + files.map { "\($0.output) \($0.name) \(Digest(of: String(decoding: $0.bytes, as: UTF8.self)))" }
  }

  var tables: [Table] { state.withLock { $0.tables } }
  var documents: [(output: String, document: JSONValue)] { state.withLock { $0.documents } }
  var files: [File] { state.withLock { $0.files } }
  var warnings: [Diagnostic] { state.withLock { $0.warnings } }

  func files(ofSource index: Int) -> [SourceFile] { sources[index] }

  func openTable(_ output: String, schema: Schema, partition: String) throws -> any TableSink {
    let at = state.withLock { state in
      precondition(
        !state.tables.contains { $0.output == output && $0.partition == partition }, "output \"\(output)\" was opened twice")
      state.tables.append(Table(output: output, partition: partition, schema: schema))
      return state.tables.count - 1
    }
    return Sink(self, at)
  }

  func writeDocument(_ output: String, _ document: JSONValue) throws { state.withLock { $0.documents.append((output, document)) } }

  func writeFile(_ output: String, name: String, mediaType: String, _ bytes: [UInt8]) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: try openFile(output, name: name, mediaType: mediaType)))
  }

  func openFile(_ output: String, name: String, mediaType: String) throws -> String {
    let path = folder.appendingPathComponent("\(output)-\(name)").path
    state.withLock { $0.files.append(File(output: output, name: name, mediaType: mediaType, path: path)) }
    return path
  }

  func scratchFolder() throws -> String {
    let scratch = folder.appendingPathComponent("scratch")
    try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
    return scratch.path
  }

  func checkCancellation() throws {}
  func warn(_ diagnostic: Diagnostic) { state.withLock { $0.warnings.append(diagnostic) } }

  /// Every output of the binding was written, with the schema that was promised.
  func check(_ binding: Binding) throws {
    let written = state.withLock { $0 }
    for output in binding.outputs {
      switch output.type {
      case .table(let type):
        let parts = written.tables.filter { $0.output == output.name }
        precondition(!parts.isEmpty, "output \"\(output.name)\" was bound and not written")
        for part in parts {
          precondition(part.isClosed, "output \"\(output.name)\" was not closed")
          precondition(part.schema == type.schema, "output \"\(output.name)\" has \(part.schema.fields), bound was \(type.schema.fields)")
        }
      case .document: precondition(written.documents.contains { $0.output == output.name }, "document \"\(output.name)\" was not written")
      case .file: precondition(written.files.contains { $0.output == output.name }, "file \"\(output.name)\" was not written")
      case .open: preconditionFailure("output \"\(output.name)\" is still open at run time")
      }
    }
  }

  private final class Sink: TableSink {
    private let context: BenchContext
    private let at: Int

    init(_ context: BenchContext, _ at: Int) {
      self.context = context
      self.at = at
    }

    func append(_ batch: Batch) throws {
      context.state.withLock { state in
        precondition(batch.schema == state.tables[at].schema, "a batch of \(batch.schema.fields) for a table of \(state.tables[at].schema.fields)")
        if batch.count > 0 { state.tables[at].batches.append(batch) }
      }
    }

    func close() throws { context.state.withLock { $0.tables[at].isClosed = true } }
  }
}

/// The data folder beside the package, or nil: tests that need it pass with a note.
func sharedFolder() -> String? {
  let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  let path = ProcessInfo.processInfo.environment["MILLRACE_SHARED"] ?? root.deletingLastPathComponent().appendingPathComponent("shared").path
  if FileManager.default.fileExists(atPath: path + "/data") { return path }
  print("note: no shared data folder; set MILLRACE_SHARED to test against it")
  return nil
}
