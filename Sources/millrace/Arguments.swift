import ArgumentParser
import Diagnostics
import Engine
import Formats
import Pipelines
import Stages

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// What every command takes.
struct CommonArguments: ParsableArguments {
  @Flag(help: "No progress and no warnings; the result and errors only.") var quiet = false
}

/// A cache that several stores share.
struct CacheArguments: ParsableArguments {
  @Option(help: ArgumentHelp(
    "A folder or s3:// address: what the store does not hold is looked for there, what is made is put there. Default: $MILLRACE_CACHE.", valueName: "place"))
  var cache: String?
  @Flag(help: "Only look there; put nothing.") var cacheReadOnly = false

  func shared() throws -> SharedCache? {
    guard let place = cache ?? environment("MILLRACE_CACHE"), !place.isEmpty else { return nil }
    return try SharedCache(place, isReadOnly: cacheReadOnly)
  }
}

/// Where artifacts are.
struct StoreArguments: ParsableArguments {
  @Option(help: ArgumentHelp("The store. Default: $MILLRACE_ARTIFACTS, else artifacts/ of the project.", valueName: "dir"))
  var artifacts: String?

  func store(of project: Project) -> ArtifactStore { project.store(option: artifacts, environment: environment("MILLRACE_ARTIFACTS")) }

  /// For commands that name no document: of the project around the current folder.
  var store: ArtifactStore { store(of: Project(document: "pipeline.json")) }
}

/// `name=value`.
struct Assignment: ExpressibleByArgument {
  let name: String
  let value: String

  init?(argument: String) {
    guard let at = argument.firstIndex(of: "="), at > argument.startIndex else { return nil }
    name = String(argument[..<at])
    value = String(argument[argument.index(after: at)...])
  }
}

/// The values of a document's parameters, and what it may read.
struct ValueArguments: ParsableArguments {
  @Option(name: .customLong("set"), help: ArgumentHelp("The value of a parameter; may be repeated.", valueName: "name=value"))
  var assignments: [Assignment] = []
  @Option(help: ArgumentHelp("A file or folder outside of the project that the document may read; may be repeated.", valueName: "path"))
  var allowPath: [String] = []
  @Option(help: ArgumentHelp(
    "A database that the document may read, by the name it has there; may be repeated. Also: $MILLRACE_CONNECTION_NAME.", valueName: "name=url"))
  var allowConnection: [Assignment] = []

  var values: [(name: String, value: String)] { assignments.map { ($0.name, $0.value) } }
  var connections: [(name: String, url: String)] { allowConnection.map { ($0.name, $0.value) } }

  func source(_ document: String) -> PipelineSource {
    PipelineSource(document: document, values: values, allowPath: allowPath, connections: connections)
  }
}

struct DocumentArguments: ParsableArguments {
  @Argument(help: ArgumentHelp("The pipeline.", valueName: "document")) var document: String
  @OptionGroup var given: ValueArguments

  var source: PipelineSource { given.source(document) }
  var project: Project { source.project }
  func resolved() throws -> ResolvedDocument { try source.resolved() }
  func plan(_ options: RunOptions = RunOptions()) throws -> BoundPlan { try source.plan(options) }
}

/// A document with the values of its parameters.
struct PipelineSource {
  let document: String
  let values: [(name: String, value: String)]
  let allowPath: [String]
  /// Databases that it may read. They may hold passwords: no plan and no record names them.
  var connections: [(name: String, url: String)] = []
  /// The text in place of the file's.
  var text: [UInt8]?

  var project: Project { Project(document: document) }

  func resolved() throws -> ResolvedDocument {
    try PipelineDocument.resolved(text ?? contents(ofDocument: document), file: document, set: values, kinds: stageCatalog)
  }

  /// Names, types and settings settled; every source file found. What is wrong with `options` is told with the rest.
  func plan(_ options: RunOptions = RunOptions()) throws -> BoundPlan { try bound(resolved(), options, findsFiles: true) }

  /// The same; `options` is completed by what the record of a run says of how it was started, and by what was looked for.
  func planToRun(_ options: inout RunOptions) throws -> BoundPlan {
    let document = try resolved()
    var found: [FoundSource] = []
    let plan = try bound(document, options, findsFiles: true) { found.append($0) }
    options.provenance = provenance(of: document.document.source.text.bytes, origins: document.origins(of: plan))
    options.words?.found = found
    return plan
  }

  func provenance(of text: [UInt8], origins: JSONValue) -> Provenance {
    Provenance(text: String(decoding: text, as: UTF8.self), values: values, allowPath: allowPath, origins: origins, project: project.root)
  }

  var finder: SourceFinder { SourceFinder(project: project, allow: allowPath, connections: connections) }

  /// The same; without files where nothing but names, kinds and wiring counts.
  func bound(_ options: RunOptions, findsFiles: Bool) throws -> BoundPlan { try bound(resolved(), options, findsFiles: findsFiles) }

  private func bound(
    _ document: ResolvedDocument, _ options: RunOptions, findsFiles: Bool, _ tell: @escaping (FoundSource) -> Void = { _ in }
  ) throws -> BoundPlan {
    let finder = finder
    do throws(Mistakes) {
      if !findsFiles { return try document.bound(to: stageCatalog, finding: nil) }
      return try document.bound(to: stageCatalog) { source, stage throws(Mistakes) in
        let origin = stage.pathOrigin(of: source.setting), files = try finder.files(of: source, origin: origin)
        tell(FoundSource(source, origin, files))
        return files
      }
    } catch {
      throw Mistakes(options.mistakes(among: document.stages.map { ($0.name, $0.kind) }, of: document.document.name) + error.all)
    }
  }
}

/// The bytes of a document. No document is as long as the limit: a data file was named in its place.
func contents(ofDocument path: String) throws -> [UInt8] {
  let file = try FileBytes(path: path)
  if file.size > 16 << 20 { throw Diagnostic("\(path): a document of \(bytesText(file.size)) is not read", expected: "at most 16 MiB") }
  return try file.all()
}

/// A count of bytes as people write it: `4GiB`.
struct ByteCount: ExpressibleByArgument {
  let bytes: Int

  init?(argument: String) {
    guard let bytes = byteCount(argument) else { return nil }
    self.bytes = bytes
  }
}

struct WidthArguments: ParsableArguments {
  @Option(name: [.customShort("j", allowingJoined: true), .customLong("jobs")], help: ArgumentHelp("Threads at work. Default: one a processor.", valueName: "n"))
  var jobs: Int?

  var width: Int { jobs ?? max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

  func validate() throws {
    if let jobs, !(1...4096).contains(jobs) { throw ValidationError("-j takes a number from 1 to 4096.") }
  }
}

/// Which stages are meant, the same words for every command. A selector is `fit`, `+fit`, `rfm+`, `2+x+1`, `seg*`, `kind:fit`, `stale`,
/// `failed` or `all`; `a,b` is what both mean, `"a b"` what either does.
struct SelectionArguments: ParsableArguments {
  @Option(help: ArgumentHelp("These stages and what they need; may be repeated.", valueName: "selector")) var to: [String] = []
  @Option(help: ArgumentHelp("These stages only (fit, +fit, rfm+, 2+x+1, seg*, kind:fit, stale, failed); may be repeated.", valueName: "selector"))
  var only: [String] = []
  @Option(help: ArgumentHelp("Not these stages; may be repeated.", valueName: "selector")) var exclude: [String] = []

  func choose(_ options: inout RunOptions) { (options.to, options.only, options.exclude) = (to, only, exclude) }

  var isEmpty: Bool { to.isEmpty && only.isEmpty && exclude.isEmpty }

  /// Names of the stages chosen. Files and store are looked at where a selector needs them, and only there.
  func chosen(_ source: PipelineSource, _ place: StoreArguments) throws -> (plan: BoundPlan, names: [String]) {
    var options = RunOptions()
    choose(&options)
    let plan = try source.bound(options, findsFiles: options.isAboutStore)
    return (plan, try Executor(store: place.store(of: source.project)).selected(plan, options))
  }
}

/// What `run` and `plan` take alike.
struct RunArguments: ParsableArguments {
  @OptionGroup var width: WidthArguments
  @OptionGroup var selection: SelectionArguments
  @Option(help: ArgumentHelp("Run these whatever the store holds; may be repeated.", valueName: "selector")) var force: [String] = []
  @Option(help: ArgumentHelp("Stages run together while their estimates fit: 4GiB.", valueName: "size")) var memory: ByteCount?
  @Flag(help: "A failed stage stops only what needs it.") var keepGoing = false
  @Flag(help: "Read no earlier artifact, and leave the store as it is.") var noCache = false
  @Flag(help: "One JSON object on standard output.") var json = false

  var options: RunOptions {
    var options = RunOptions(width: width.width)
    options.memory = memory?.bytes
    options.keepGoing = keepGoing
    options.noCache = noCache
    options.force = force
    selection.choose(&options)
    options.toolVersion = toolVersion
    return options
  }

  /// Whether anything was said about what to run.
  var choosesWork: Bool { !selection.isEmpty || !force.isEmpty || noCache }
}

/// Warnings of a plan, on standard error.
func tell(_ warnings: [Diagnostic], unless quiet: Bool) {
  if !quiet { for warning in warnings { Standard.error(warning.description + "\n") } }
}
