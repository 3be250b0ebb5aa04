import ArgumentParser
import Diagnostics
import Engine
import Pipelines

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

struct RunsReproduceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reproduce", abstract: "Does a recorded run again, all of it and without the store, and says output by output whether it comes out the same.",
    discussion: "Exit codes: 0 the same; 1 a stage failed; 3 a file is not what the run read, or an output differs.")

  @Argument(help: ArgumentHelp("An id, the beginning of one, \"last\", or \"last~1\".", valueName: "id")) var id = "last"
  @OptionGroup var width: WidthArguments
  @Option(help: ArgumentHelp("A database that its document may read, as for run; may be repeated.", valueName: "name=url")) var allowConnection: [Assignment] = []
  @Flag(help: "One JSON object on standard output.") var json = false
  @OptionGroup var place: StoreArguments
  @OptionGroup var common: CommonArguments

  func run() throws {
    // Before the current folder changes.
    let store = ArtifactStore(path: absolute(place.store.path))
    let record = try RunRegistry(store: store).record(id)
    guard let recorded = LockFile(record: record), let start = record["started-with"], let text = start["text"]?.string else {
      throw Diagnostic("run \"\(id)\" was recorded by a version that did not say what it was started with")
    }
    if let folder = start["folder"]?.string, chdir(folder) != 0 {
      throw Diagnostic("the folder of run \"\(id)\" is not there: \"\(folder)\"", hint: "the paths of its document and of --set are counted from there")
    }
    let texts = { (key: String) in (start[key]?.array ?? []).compactMap(\.string) }
    var source = PipelineSource(
      document: record["file"]?.string ?? "",
      values: (start["set"]?.array ?? []).map { ($0["name"]?.string ?? "", $0["value"]?.string ?? "") }, allowPath: texts("allow"),
      connections: allowConnection.map { ($0.name, $0.value) })
    source.text = Array(text.utf8)
    var options = RunOptions(width: width.width)
    options.noCache = true
    // What it only had to find is made too.
    options.to = texts("to") + texts("only")
    options.exclude = texts("only").isEmpty ? texts("exclude") : []
    options.lock = recorded
    options.toolVersion = toolVersion
    let plan = try source.planToRun(&options)
    tell(plan.warnings, unless: common.quiet)
    let report = try ran(plan, options, store, quiet: common.quiet)
    if report.status != .succeeded { return try end(report, quiet: common.quiet) }
    let names = Set((record["stages"]?.array ?? []).filter { $0["outputs"]?.members?.isEmpty == false }.compactMap { $0["name"]?.string })
    let compared = recorded.compared(with: report).filter { names.contains(String($0.name.prefix { $0 != "." })) }
    let differing = compared.filter { !$0.isSame }.count
    if json {
      let value: JSONValue = [
        "run": record["run"] ?? .null, "again": .string(report.id), "same": .bool(differing == 0), "outputs": .array(compared.map(\.json)),
      ]
      Standard.out(value.pretty())
    } else {
      var table = TextTable([("output", .left), ("recorded", .left), ("again", .left), ("", .left)])
      for output in compared { table.append([output.name, shortened(output.locked), shortened(output.found), output.isSame ? "same" : "differs"]) }
      let verdict = differing == 0 ? "the same" : "\(counted(differing, "output")) of \(grouped(compared.count)) not the same"
      Standard.out(table.text() + "\nrun \(record["run"]?.string ?? "") done again as \(report.id): \(verdict)\n")
    }
    if differing > 0 { throw Exit.moved }
  }

  private func shortened(_ digest: String?) -> String { digest.map { String($0.prefix(12)) } ?? "nothing" }

  private func absolute(_ path: String) -> String {
    guard !path.hasPrefix("/"), let here = getcwd(nil, 0) else { return path }
    defer { free(here) }
    return String(cString: here) + "/" + path
  }
}
