import Columns
import Diagnostics
import Pipelines
import Synchronization

@testable import Engine

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A stage kind whose work is a closure of the test: looked up by the word `script`, which is no setting.
struct Toy: MergeableStage {
  static let contract = Contract("toy", "for tests", inputs: [.table("table", .many)], outputs: [.table("table")], version: 1)
  var script = ""
  /// The paths of its sources, as its settings have them under "path".
  var paths: [String] = []

  var sources: [Source] { paths.map { Source(.files($0), setting: ["path"]) } }

  func bind(_ inputs: Inputs<ArtifactType>, _ context: BindContext) throws(Mistakes) -> Binding {
    preconditionFailure("the plans of these tests are made by hand")
  }

  func run(_ inputs: Inputs<Artifact>, _ context: any RunContext) throws -> Metrics {
    guard let work = Self.scripts.withLock({ $0[script] }) else { preconditionFailure("no script \"\(script)\"") }
    return try work(inputs, context)
  }

  func runPart(_ inputs: Inputs<Artifact>, _ context: any RunContext) throws -> Metrics {
    guard let work = Self.scripts.withLock({ $0[script + "#part"] }) else { preconditionFailure("no state in script \"\(script)\"") }
    return try work(inputs, context)
  }

  func merge(_ states: [TableArtifact], metrics: [JSONValue], _ context: any RunContext) throws -> Metrics {
    guard let work = Self.scripts.withLock({ $0[script + "#merge"] }) else { preconditionFailure("no merge in script \"\(script)\"") }
    return try work(Inputs(states.map { .init(port: "table", alias: "state", value: .table($0)) }), context)
  }

  typealias Work = @Sendable (Inputs<Artifact>, any RunContext) throws -> Metrics
  static let scripts = Mutex<[String: Work]>([:])
}

/// Counts how often each stage's work ran.
final class Counter: Sendable {
  private let counts = Mutex<[String: Int]>([:])

  func add(_ name: String) { counts.withLock { $0[name, default: 0] += 1 } }
  /// The counts since the last call, by name.
  func take() -> [String: Int] {
    counts.withLock { counts in
      defer { counts = [:] }
      return counts
    }
  }
}

/// What a test wants to be told of.
final class BatchHook: Sendable {
  private let hook = Mutex<(@Sendable (String) throws -> Void)?>(nil)

  var call: (@Sendable (String) throws -> Void)? {
    get { hook.withLock { $0 } }
    set { hook.withLock { $0 = newValue } }
  }
}

/// A pipeline, a folder and a store: run, count, change one thing, run, count again.
final class Story {
  /// The two columns that every table of these tests has.
  static let schema = Schema([Field("x", .int64), Field("y", .int64)])

  struct Need {
    let alias: String
    let stage: String
    let reads: Binding.Read.Columns
    var output: String?
    var passes = Binding.Read.Passes.many
  }

  struct Definition {
    var name: String
    var settings: JSONValue
    var needs: [Need]
    /// Name of a file in the story's folder.
    var file: String?
    /// The folder of that file, below the story's, as a document has it in front of the name.
    var place = ""
    /// Names of several, in place of `file`.
    var files: [String]?
    var cut = Binding.Work.whole(because: nil)
    /// Of a stage that merges states.
    var part: Toy.Work?, merge: Toy.Work?
    var version = 1
    var keep = true
    var retries = RetryPolicy.never
    var timeout: Pipelines.Duration?
    var parameters: [String: ParameterValue] = [:]
    var outputs: [Binding.Output]
    var work: Toy.Work
  }

  let folder: String
  let store: ArtifactStore
  let counter = Counter()
  var stages: [Definition] = []
  /// Called by `addSource`, `addMap` and `addTotal` for every batch, with the stage's name.
  var onBatch: (@Sendable (String) throws -> Void)? {
    get { batchHook.call }
    set { batchHook.call = newValue }
  }
  private let batchHook = BatchHook()
  private static let folders = Mutex<[String]>([])

  init() {
    // In memory where there is such a place: these stories flush some ten thousand files.
    let base = getenv("TMPDIR").map { String(cString: $0) } ?? (access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp")
    folder = Self.folders.withLock { folders in
      // Removed when the tests end: a story may be gone while what it made is still looked at.
      if folders.isEmpty { atexit { for folder in Story.folders.withLock({ $0 }) { Disk.remove(folder) } } }
      folders.append("\(base)/millrace-engine-\(getpid())-\(folders.count)")
      return folders.last!
    }
    Disk.remove(folder)
    guard mkdir(folder, 0o700) == 0 else { preconditionFailure("cannot make \(folder)") }
    store = ArtifactStore(path: folder + "/store")
  }

  func write(_ file: String, _ text: String) throws {
    Disk.remove(folder + "/" + file)
    try Disk.write(Array(text.utf8), to: folder + "/" + file, durably: false)
  }

  // MARK: Stages

  /// Reads `x,y` lines of a file.
  func addReader(_ name: String, file: String) {
    let path = folder + "/" + file
    add(name, file: file) { _, context in
      precondition(context.files(ofSource: 0).map(\.name) == [file])
      let lines = String(decoding: Disk.contents(path) ?? [], as: UTF8.self).split(separator: "\n").map { $0.split(separator: ",") }
      try context.writeTable("table", Story.table(x: lines.map { Int64($0[0])! }, y: lines.map { Int64($0[1])! }))
      return Metrics()
    }
  }

  /// x + settings.add, y as it is; reads everything.
  func addShift(_ name: String, from: String, add offset: Int) {
    add(name, settings: ["add": .integer(offset)], needs: [Need(alias: "table", stage: from, reads: .all)]) { inputs, context in
      let batch = try inputs.table().wholeBatch()
      try context.writeTable("table", Story.table(x: Story.cells(batch, "x").map { $0 + Int64(offset) }, y: Story.cells(batch, "y")))
      return Metrics()
    }
  }

  /// One row: the sum of x; y is 0. Reads x alone.
  func addSum(_ name: String, from: String) {
    add(name, settings: ["of": "x"], needs: [Need(alias: "table", stage: from, reads: .named(["x"]))]) { inputs, context in
      let batch = try inputs.table().wholeBatch()
      precondition(batch.schema.names == ["x"])
      let sum = Story.cells(batch, "x").reduce(0, +)
      try context.writeTable("table", Story.table(x: [sum], y: [0]))
      var metrics = Metrics()
      metrics["sum"] = .integer(sum)
      return metrics
    }
  }

  /// So many batches of two rows: x counts from the first number in the file, y from the second or 0.
  func addSource(_ name: String, file: String, batches: Int) {
    let (path, hook) = (folder + "/" + file, batchHook)
    add(name, file: file) { _, context in
      let numbers = String(decoding: Disk.contents(path) ?? [], as: UTF8.self).split(whereSeparator: { !$0.isNumber }).map { Int64($0)! }
      let (base, y) = (numbers[0], numbers.count > 1 ? numbers[1] : 0)
      let sink = try context.openTable("table", schema: Story.schema)
      for at in 0..<Int64(batches) {
        try context.checkCancellation()
        try hook.call?(name)
        try sink.append(Story.table(x: [base + at, base + at], y: [y + at, y + at]))
      }
      try sink.close()
      return Metrics()
    }
  }

  /// One row a file: the number in it. Every file is a partition.
  func addFiles(_ name: String, _ files: [String]) {
    let (folder, hook) = (folder, batchHook)
    add(name) { _, context in
      let files = context.files(ofSource: 0)
      var sum = 0
      for file in files {
        try hook.call?(file.name)
        let number = Int(String(decoding: Disk.contents(folder + "/" + file.name) ?? [], as: UTF8.self))!
        sum += number
        let sink = try context.openTable("table", schema: Story.schema, partition: files.count > 1 || context.part != nil ? file.name : "")
        try sink.append(Story.table(x: [Int64(number)], y: [1]))
        try sink.close()
      }
      var metrics = Metrics()
      metrics["rows"] = .integer(files.count)
      metrics["sum"] = .integer(sum)
      return metrics
    }
    self[name].files = files
    self[name].cut = .eachPartition
  }

  /// As `addTotal`, with a state for each partition.
  func addMerged(_ name: String, from: String) {
    addTotal(name, from: from)
    let counter = counter
    self[name].cut = .mergeable(state: TableType(Story.schema))
    self[name].part = { inputs, context in
      counter.add(name + " part")
      var sum: Int64 = 0
      try RowStream(inputs.table()).forEach(context) { sum += Story.cells($0, "x").reduce(0, +) }
      let sink = try context.openTable("state", schema: Story.schema, partition: context.part ?? "")
      try sink.append(Story.table(x: [sum], y: [0]))
      try sink.close()
      var metrics = Metrics()
      metrics["batches"] = 1
      return metrics
    }
    self[name].merge = { states, context in
      counter.add(name + " merge")
      var sum: Int64 = 0
      for state in states.many("table") {
        if case .table(let table) = state.value { try table.forEachBatch { sum += Story.cells($0, "x").reduce(0, +) } }
      }
      try context.writeTable("table", Story.table(x: [sum], y: [0]))
      var metrics = Metrics()
      metrics["sum"] = .integer(sum)
      metrics["batches"] = .integer(states.many("table").count)
      return metrics
    }
  }

  /// x + add, batch by batch, in the partitions of the input.
  func addMap(_ name: String, from: String, output: String? = nil, add offset: Int64) {
    let hook = batchHook
    add(name, settings: ["add": .integer(Int(offset))], needs: [Need(alias: "table", stage: from, reads: .all, output: output, passes: .once)]) { inputs, context in
      let rows = RowStream(inputs.table()).mapping(Story.schema) { batch in
        try hook.call?(name)
        return Story.table(x: Story.cells(batch, "x").map { $0 + offset }, y: Story.cells(batch, "y"))
      }
      _ = try rows.write("table", context)
      return Metrics()
    }
  }

  /// One row: the sum of one column, batch by batch.
  func addTotal(_ name: String, from: String, reading column: String = "x") {
    let hook = batchHook
    add(name, settings: ["of": .string(column)], needs: [Need(alias: "table", stage: from, reads: .named([column]), passes: .once)]) { inputs, context in
      var sum: Int64 = 0, batches = 0
      try RowStream(inputs.table()).forEach(context) { batch in
        precondition(batch.schema.names == [column])
        try hook.call?(name)
        sum += Story.cells(batch, column).reduce(0, +)
        batches += 1
      }
      try context.writeTable("table", Story.table(x: [sum], y: [0]))
      var metrics = Metrics()
      metrics["sum"] = .integer(Int(sum))
      metrics["batches"] = .integer(batches)
      return metrics
    }
  }

  /// A file that says what the first input's x are.
  func addPage(_ name: String, from: String, file: String = "page.txt") {
    let outputs = [Binding.Output("page", .file(mediaType: "text/plain"))]
    add(name, settings: ["name": .string(file)], needs: [Need(alias: "table", stage: from, reads: .named(["x"]))], outputs: outputs) { inputs, context in
      let text = Story.cells(try inputs.table().wholeBatch(), "x").map(String.init).joined(separator: " ")
      try context.writeFile("page", name: file, mediaType: "text/plain", Array(text.utf8))
      return Metrics()
    }
  }

  func add(
    _ name: String, settings: JSONValue = [:], needs: [Need] = [], file: String? = nil,
    outputs: [Binding.Output] = [Binding.Output("table", .table(TableType(Story.schema)))], _ work: @escaping Toy.Work
  ) {
    let counter = counter
    stages.removeAll { $0.name == name }
    stages.append(Definition(name: name, settings: settings, needs: needs, file: file, outputs: outputs) {
      counter.add(name)
      return try work($0, $1)
    })
  }

  subscript(name: String) -> Definition {
    get { stages.first { $0.name == name }! }
    set { stages[stages.firstIndex { $0.name == name }!] = newValue }
  }

  static func table(x: [Int64], y: [Int64]) -> Batch {
    Batch(schema: schema, columns: [.int64s(x), .int64s(y)], count: x.count)
  }

  static func cells(_ batch: Batch, _ column: String) -> [Int64] {
    withExtendedLifetime(batch) { Array(batch[column].values(as: Int64.self)) }
  }

  // MARK: Running

  var plan: BoundPlan {
    let places = Dictionary(uniqueKeysWithValues: stages.enumerated().map { ($1.name, $0) })
    let bound = stages.map { definition -> BoundStage in
      let script = folder + ":" + definition.name
      Toy.scripts.withLock {
        $0[script] = definition.work
        $0[script + "#part"] = definition.part
        $0[script + "#merge"] = definition.merge
      }
      let inputs = definition.needs.map { need in
        let output = self[need.stage].outputs.first { $0.name == need.output ?? self[need.stage].outputs[0].name }!
        return BoundInput(port: "table", alias: need.alias, stage: places[need.stage]!, output: output.name, type: output.type)
      }
      return BoundStage(
        name: definition.name, stage: Toy(script: script, paths: definition.file.map { [definition.place + $0] } ?? []),
        contract: Contract("toy", "for tests", inputs: [.table("table", .many)], outputs: [.table("table")], version: definition.version),
        settings: definition.file.map { .object((definition.settings.members ?? []) + [JSONMember("path", .string(definition.place + $0))]) } ?? definition.settings,
        binding: Binding(outputs: definition.outputs, reads: definition.needs.map { Binding.Read($0.alias, $0.reads, $0.passes) }, work: definition.cut),
        inputs: inputs,
        files: (definition.files ?? definition.file.map { [definition.place + $0] }).map { names in
          [names.map { SourceFile(name: definition.file ?? $0, path: folder + "/" + $0) }]
        } ?? [],
        parameters: definition.parameters, span: nil, keep: definition.keep, retries: definition.retries,
        timeout: definition.timeout)
    }
    return BoundPlan(pipeline: "story", file: "story.json", stages: bound, resolved: ["pipeline": "story"], warnings: [])
  }

  @discardableResult func run(
    _ options: RunOptions = RunOptions(width: 2), observer: (any RunObserver)? = nil, cancellation: CancellationFlag = CancellationFlag()
  ) throws -> RunReport {
    try Executor(store: store).run(plan, options, observer: observer, cancellation: cancellation)
  }

  func planned(_ options: RunOptions = RunOptions(width: 2)) throws -> PlanReport { try Executor(store: store).plan(plan, options) }

  /// Names of the stages whose work ran since the last call, ascending.
  func worked() -> [String] { counter.take().sorted { $0.key < $1.key }.flatMap { Array(repeating: $0.key, count: $0.value) } }
}

extension RunReport {
  func names(_ status: Stage.Status) -> [String] { stages.filter { $0.status == status }.map(\.name) }
  /// Digests of everything, by stage and output.
  var digests: [String] { stages.flatMap { stage in stage.outputs.map { "\(stage.name).\($0.name) \($0.record.digest)" } } }
}
