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

/// A document, the values of its parameters, and what it may read.
struct DocumentArguments: ParsableArguments {
  @Argument(help: ArgumentHelp("The pipeline.", valueName: "document")) var document: String
  @Option(name: .customLong("set"), help: ArgumentHelp("The value of a parameter; may be repeated.", valueName: "name=value"))
  var assignments: [Assignment] = []
  @Option(help: ArgumentHelp("A file or folder outside of the project that the document may read; may be repeated.", valueName: "path"))
  var allowPath: [String] = []
  @Option(help: ArgumentHelp(
    "A database that the document may read, by the name it has there; may be repeated. Also: $MILLRACE_CONNECTION_NAME.", valueName: "name=url"))
  var allowConnection: [Assignment] = []

  var project: Project { Project(document: document) }

  func resolved() throws -> ResolvedDocument {
    try PipelineDocument(contents(ofDocument: document), file: document).resolve(set: assignments.map { ($0.name, $0.value) })
  }

  /// Names, types and settings settled; every source file found. What is wrong with `options` is told with the rest.
  func plan(_ options: RunOptions = RunOptions()) throws -> BoundPlan {
    let finder = SourceFinder(project: project, allow: allowPath, connections: allowConnection.map { ($0.name, $0.value) })
    let document = try resolved()
    do throws(Mistakes) {
      return try document.bound(to: stageCatalog) { source, stage throws(Mistakes) in
        try finder.files(of: source, origin: stage.pathOrigin(of: source.setting))
      }
    } catch {
      throw Mistakes(options.mistakes(among: document.stages.map { $0.name }, of: document.document.name) + error.all)
    }
  }
}

/// The bytes of a document. No document is as long as the limit: a data file was named in its place.
func contents(ofDocument path: String) throws -> [UInt8] {
  let file = try FileBytes(path: path)
  if file.size > 64 << 20 { throw Diagnostic("\(path): a document of \(bytesText(file.size)) is not read", expected: "at most 64 MiB") }
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

/// What `run` and `plan` take alike.
struct RunArguments: ParsableArguments {
  @OptionGroup var width: WidthArguments
  @Option(help: ArgumentHelp("These stages and what they need; may be repeated.", valueName: "stage")) var to: [String] = []
  @Option(help: ArgumentHelp("These stages only; what they need must be in the store.", valueName: "stage")) var only: [String] = []
  @Option(help: ArgumentHelp("Run these whatever the store holds; may be repeated.", valueName: "stage")) var force: [String] = []
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
    options.to = to
    options.only = only
    options.toolVersion = toolVersion
    return options
  }
}

/// Warnings of a plan, on standard error.
func tell(_ warnings: [Diagnostic], unless quiet: Bool) {
  if !quiet { for warning in warnings { Standard.error(warning.description + "\n") } }
}
