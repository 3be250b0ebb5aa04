import Columns
import Diagnostics
import Pipelines
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// What one running stage is granted. Outputs grow in a folder of their own and become artifacts only when all is well.
// @unchecked: mutable state lies in `state`, a mutex.
final class StageContext: RunContext, @unchecked Sendable {
  let stage: BoundStage
  /// What the names of its files begin with. They lie beside those of other stages: a folder for each would be made and removed again.
  private let prefix: String
  private let grantedWidth: @Sendable () -> Int
  private let cancellation: CancellationFlag
  private let observer: (any RunObserver)?
  let part: String?
  private let files: [[SourceFile]]?

  /// What becomes of an output.
  enum Place: Sendable {
    /// A file, for the store or for this run.
    case file
    /// Handed to a stage that runs at this moment.
    case stream(@Sendable (RowStep<Batch>) throws -> Void)
    /// Nobody reads it: digested only.
    case nowhere
  }
  private let places: [String: Place]
  private let asked: [String: Set<String>]
  private let tallies: [String: OutputTallies]
  private let deadline: StageDeadline?

  private enum Output {
    case table([TableWriter])
    case document([UInt8])
    case file(path: String, name: String, mediaType: String)
  }

  private struct State {
    var outputs: [String: Output] = [:]
    var warnings: [Diagnostic] = []
    var scratch: String?
    /// Every path at which something may lie.
    var made: [String] = []
    /// Of paths that were given out.
    var count = 0
    /// The partition that was opened last of each streamed output.
    var streamed: [String: TableWriter] = [:]
  }
  private let state = Mutex(State())
  /// An output of so many bytes is small.
  static let mostHeld = 16 << 10

  /// No name begins with `prefix` yet; all that do go when the stage has ended. Outputs without a place become files; of outputs that
  /// are not in `asked` all columns count.
  init(
    stage: BoundStage, prefix: String, places: [String: Place] = [:], asked: [String: Set<String>] = [:], width: @escaping @Sendable () -> Int, cancellation: CancellationFlag,
    observer: (any RunObserver)?, part: String? = nil, files: [[SourceFile]]? = nil, tallies: [String: OutputTallies] = [:], deadline: StageDeadline? = nil
  ) {
    self.stage = stage
    self.prefix = prefix
    self.places = places
    self.asked = asked
    grantedWidth = width
    self.cancellation = cancellation
    self.observer = observer
    self.part = part
    self.files = files ?? stage.files
    self.tallies = tallies
    self.deadline = deadline
  }

  var width: Int { grantedWidth() }
  var parameters: [String: ParameterValue] { stage.parameters }
  var warnings: [Diagnostic] { state.withLock { $0.warnings } }
  /// For expectations, of the rows that were written.
  var counts: [(expectation: Int, counts: JSONValue)] { tallies.keys.sorted().flatMap { tallies[$0]?.counts ?? [] } }

  func columnsAsked(of output: String) -> Set<String>? { asked[output] }

  func files(ofSource index: Int) -> [SourceFile] {
    guard let files, files.indices.contains(index) else {
      preconditionFailure("stage \"\(stage.name)\" asked for source \(index), which it does not have")
    }
    return files[index]
  }

  func openTable(_ output: String, schema: Schema, partition: String) throws -> any TableSink {
    guard case .table(let declared) = type(of: output) else { preconditionFailure("output \"\(output)\" of stage \"\(stage.name)\" is no table") }
    precondition(
      declared.schema == schema,
      "stage \"\(stage.name)\" opened output \"\(output)\" with columns \(schema.fields.map { "\($0.name): \($0.type)" }) where its binding says \(declared.schema.fields.map { "\($0.name): \($0.type)" })")
    let target: TableWriter.Target
    switch places[output] ?? .file {
    case .file: target = .file(path: fresh("part"))
    case .nowhere: target = .nowhere
    case .stream(let hand):
      checkOrder(output, partition)
      try hand(.partition(partition))
      target = .stream { try hand(.batch($0)) }
    }
    let (observer, name, deadline) = (observer, stage.name, deadline)
    // Of many partitions the sum is not small.
    let before = state.withLock { if case .table(let open)? = $0.outputs[output] { open.count } else { 0 } }
    let writer = TableWriter(
      schema: schema, key: partition, target: target, held: before < 16 ? Self.mostHeld : 0, asked: asked[output], tallies: tallies[output], width: grantedWidth
    ) {
      observer?.stageProgressed(name, output: output, rows: $0)
      try deadline?.check()
    }
    state.withLock {
      var writers: [TableWriter] = []
      if case .table(let open)? = $0.outputs[output] { writers = open }
      tallies[output]?.open(partition, isAlone: writers.allSatisfy { $0.closed != nil })
      precondition(!writers.contains { $0.key == partition }, "stage \"\(stage.name)\" opened partition \"\(partition)\" of output \"\(output)\" twice")
      $0.outputs[output] = .table(writers + [writer])
      if case .stream = target { $0.streamed[output] = writer }
    }
    return writer
  }

  /// Whoever reads the rows as they come must get them as they would lie in the store.
  private func checkOrder(_ output: String, _ partition: String) {
    guard let before = state.withLock({ $0.streamed[output] }) else { return }
    precondition(
      before.closed != nil && before.key.utf8.lexicographicallyPrecedes(partition.utf8),
      "stage \"\(stage.name)\" opened partition \"\(partition)\" of output \"\(output)\" before it had closed \"\(before.key)\", or after it in their order")
  }

  func writeDocument(_ output: String, _ document: JSONValue) throws {
    guard case .document = type(of: output) else { preconditionFailure("output \"\(output)\" of stage \"\(stage.name)\" is no document") }
    add(output, .document(document.canonicalBytes))
  }

  func writeFile(_ output: String, name: String, mediaType: String, _ bytes: [UInt8]) throws {
    try Disk.write(bytes, to: try openFile(output, name: name, mediaType: mediaType), durably: false)
  }

  func openFile(_ output: String, name: String, mediaType: String) throws -> String {
    guard case .file = type(of: output) else { preconditionFailure("output \"\(output)\" of stage \"\(stage.name)\" is no file") }
    let isControl = name.unicodeScalars.contains { $0.value < 32 || $0.value == 127 }
    if name.isEmpty || name == "." || name == ".." || name.contains("/") || isControl || name.utf8.count > 255 {
      throw Diagnostic(
        "the file name \(JSONValue.string(name).canonical) cannot be used", expected: "a name without folders, at most 255 bytes long")
    }
    let path = fresh("file")
    add(output, .file(path: path, name: name, mediaType: mediaType))
    return path
  }

  func scratchFolder() throws -> String {
    if let made = state.withLock({ $0.scratch }) { return made }
    let path = fresh("scratch")
    guard mkdir(path, 0o700) == 0 else { throw Disk.failure("make the folder", path) }
    return state.withLock {
      if $0.scratch == nil { $0.scratch = path }
      return $0.scratch!
    }
  }

  func checkCancellation() throws {
    if cancellation.isCancelled { throw RunCancelled() }
    try deadline?.check()
  }

  func warn(_ diagnostic: Diagnostic) {
    var warning = diagnostic
    warning.severity = .warning
    state.withLock { $0.warnings.append(warning) }
    observer?.warned(stage.name, warning)
  }

  // MARK: Sealing

  /// An output as it will lie in the store, but for `artifact.json`.
  struct Sealed {
    let name: String
    let record: ArtifactRecord
    /// Holds its files; of one whose files are small it is still to be made, by `write`.
    let folder: String
    /// All of its files, where they are few bytes.
    var small: [(name: String, bytes: [UInt8])]?

    /// Makes the folder if it is not there.
    func write() throws {
      guard let small else { return }
      guard mkdir(folder, 0o777) == 0 else { throw Disk.failure("make the folder", folder) }
      for file in small { try Disk.write(file.bytes, to: folder + "/" + file.name, durably: false) }
    }
  }

  /// After the stage has ended: every output measured and digested, in the order of the binding. To flush them is left to who commits them.
  func seal() throws -> [Sealed] {
    let outputs = state.withLock { $0.outputs }
    return try stage.binding.outputs.map { declared in
      guard let output = outputs[declared.name] else {
        preconditionFailure("stage \"\(stage.name)\" ended without writing its output \"\(declared.name)\"")
      }
      return try seal(output, declared)
    }
  }

  private func seal(_ output: Output, _ declared: Binding.Output) throws -> Sealed {
    switch output {
    case .table(let writers):
      guard case .table(let type) = declared.type else { preconditionFailure("a table was written to an output of another type") }
      let closed = writers.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }.map { writer in
        guard let closed = writer.closed else {
          preconditionFailure("stage \"\(stage.name)\" ended without closing partition \"\(writer.key)\" of output \"\(declared.name)\"")
        }
        return (writer: writer, closed)
      }
      // Of a streamed table there are no bytes.
      let isSmall = closed.allSatisfy { $0.1.bytes != nil } && closed.reduce(0) { $0 + $1.1.byteCount } <= Self.mostHeld
      let folder = isSmall ? unmade("object") : try made("object")
      var small: [(name: String, bytes: [UInt8])] = []
      let partitions = try closed.enumerated().map { at, entry in
        let (writer, closed) = entry
        var file: ArtifactRecord.StoredFile?
        if case .file(let path) = writer.target {
          let name = Self.partName(at)
          if let bytes = closed.bytes {
            forget(path)
            if isSmall { small.append((name, bytes)) } else { try Disk.write(bytes, to: folder + "/" + name, durably: false) }
            file = ArtifactRecord.StoredFile(name: name, bytes: closed.byteCount, checksum: closed.checksum)
          } else {
            file = try place(path, in: folder, as: name, closed)
          }
        }
        return ArtifactRecord.Partition(key: writer.key, batchRows: closed.batchRows, file: file, columns: closed.columns)
      }
      let record = ArtifactRecord(table: ArtifactRecord.Table(schema: type.schema, partitions: partitions))
      return Sealed(name: declared.name, record: record, folder: folder, small: isSmall ? small : nil)
    case .document(let bytes):
      let name = "document.json", file = ArtifactRecord.StoredFile(name: name, bytes: bytes.count, checksum: FileDigest.of(bytes))
      return Sealed(name: declared.name, record: ArtifactRecord(document: file), folder: unmade("object"), small: [(name, bytes)])
    case .file(let path, let name, let mediaType):
      // A fixed name: the one people see is the stage's choice, and stands in artifact.json.
      guard Disk.exists(path) else { preconditionFailure("stage \"\(stage.name)\" opened a file for output \"\(declared.name)\" and wrote none") }
      let folder = try made("object")
      return Sealed(
        name: declared.name, record: ArtifactRecord(file: try place(path, in: folder, as: "content"), name: name, mediaType: mediaType), folder: folder)
    }
  }

  private func made(_ word: String) throws -> String {
    let folder = fresh(word)
    guard mkdir(folder, 0o777) == 0 else { throw Disk.failure("make the folder", folder) }
    return folder
  }

  /// A path that is given out and not remembered: what is never made need not be removed.
  private func unmade(_ word: String) -> String {
    state.withLock {
      $0.count += 1
      return "\(prefix)-\(word)-\($0.count)"
    }
  }

  /// The file of a table's partition, counted in the order of the keys.
  static func partName(_ at: Int) -> String {
    let number = String(at)
    return "part-" + String(repeating: "0", count: max(0, 5 - number.count)) + number + ".arrow"
  }

  private func place(_ path: String, in folder: String, as name: String, _ written: TableWriter.Closed? = nil) throws -> ArtifactRecord.StoredFile {
    let target = folder + "/" + name
    guard rename(path, target) == 0 else { throw Disk.failure("write", target) }
    forget(path)
    // What was digested while it was written is not read again; that the file has all its bytes is asked of the disk.
    if let written, Disk.size(ofFile: target) == written.byteCount {
      return ArtifactRecord.StoredFile(name: name, bytes: written.byteCount, checksum: written.checksum)
    }
    return ArtifactRecord.StoredFile(
      name: name, bytes: Disk.size(ofFile: target) ?? 0, checksum: try FileDigest.of(target, width: width))
  }

  /// Removes whatever is left.
  func discard() { for path in state.withLock({ $0.made }) { Disk.remove(path) } }

  private func forget(_ path: String) { state.withLock { state in state.made.removeAll { $0 == path } } }

  private func type(of output: String) -> ArtifactType {
    guard let declared = stage.binding.outputs.first(where: { $0.name == output }) else {
      preconditionFailure("stage \"\(stage.name)\" wrote output \"\(output)\", which its binding does not name")
    }
    return declared.type
  }

  private func add(_ name: String, _ output: Output) {
    state.withLock {
      precondition($0.outputs[name] == nil, "stage \"\(stage.name)\" wrote output \"\(name)\" twice")
      $0.outputs[name] = output
    }
  }

  private func fresh(_ word: String) -> String {
    state.withLock {
      $0.count += 1
      let path = "\(prefix)-\(word)-\($0.count)"
      $0.made.append(path)
      return path
    }
  }
}
