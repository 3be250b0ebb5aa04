import ArgumentParser
import Diagnostics
import Formats
import Pipelines

struct InferCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "infer", abstract: "Prints the settings with which ingest reads a file: columns with their types, and the dialect.",
    discussion: """
      Types come from every row: a column has the type of at least 99 of 100 of its cells, and how many rows would be quarantined \
      for the others is told with an example, as everything found is, on standard error. Numbers with zeros in front stay text, and \
      so does what could be read in two ways. --write makes a pipeline of it, or adds the stage to one.
      """)

  @Argument(help: ArgumentHelp(SourceArgument.words, valueName: "file")) var source: SourceArgument
  @Option(help: ArgumentHelp("A pipeline to write the stage into; a new one where there is none.", valueName: "document")) var write: String?
  @Option(help: ArgumentHelp("The stage's name in it.", valueName: "name")) var stage = "table"
  @Option(help: ArgumentHelp("Which members of an archive.", valueName: "glob")) var member: String?
  @Option(help: ArgumentHelp("What to read of a database. Default: all of the only table of an SQLite database.", valueName: "sql")) var query: String?
  @OptionGroup var dialect: DialectArguments
  @OptionGroup var width: WidthArguments
  @OptionGroup var common: CommonArguments

  func run() throws {
    Interruption.begin()
    if write != nil, source.isDatabaseAddress {
      throw Diagnostic("a document does not say where a database is", hint: "put the address into MILLRACE_CONNECTION_SHOP and read connection:shop")
    }
    let table = try InferredTable(source.path(), dialect, member: member, query: query, width: width.width)
    if !common.quiet { for note in table.notes { Standard.error("\(source.shown): \(note)\n") } }
    guard case .object(var settings) = table.settings else { preconditionFailure("settings are no object") }
    guard let write else { return Standard.out(JSONValue.object(settings).pretty()) }
    if let member { settings.insert(JSONMember("member", .string(member)), at: 0) }
    if let query { settings.insert(JSONMember("query", .string(query)), at: 0) }
    settings.insert(
      source.connection.map { JSONMember("connection", .string($0)) } ?? JSONMember("path", .string(Self.relative(source.shown, toFolderOf: write))), at: 0)
    let made = JSONMember(stage, .object([JSONMember("stage", .string("ingest")), JSONMember("with", .object(settings))]))
    let document = try document(with: made)
    try finishedFile(write) { path in
      let file = try OutputFile(path: path)
      try file.write(document.pretty())
      try file.finish()
    }
    if !common.quiet { Standard.error("\(write): stage \"\(stage)\" with \(counted(table.columns.count, "column"))\n") }
  }

  /// The document with the stage: all else in it stays as it is.
  private func document(with stage: JSONMember) throws -> JSONValue {
    guard FileBytes.exists(write!) else {
      let name = write!.split(separator: "/").last.map { $0.hasSuffix(".json") ? String($0.dropLast(5)) : String($0) } ?? "pipeline"
      return .object([JSONMember("pipeline", .string(name)), JSONMember("stages", .object([stage]))])
    }
    guard case .object(var members) = try JSONReader.read(contents(ofDocument: write!), file: write!).value,
      let at = members.firstIndex(where: { $0.key == "stages" }), case .object(var stages) = members[at].value
    else { throw Diagnostic("\(write!): is no pipeline", expected: "an object with \"stages\"") }
    if stages.contains(where: { $0.key == stage.key }) {
      throw Diagnostic("\(write!): a stage \"\(stage.key)\" is there already", hint: "name another with --stage")
    }
    stages.insert(stage, at: 0)
    members[at].value = .object(stages)
    return .object(members)
  }

  /// Paths in a document are relative to it.
  private static func relative(_ path: String, toFolderOf document: String) -> String {
    if path.hasPrefix("/") || RemoteAddress.isAddress(path) { return path }
    let folders = document.split(separator: "/", omittingEmptySubsequences: true).dropLast().filter { $0 != "." }
    if document.hasPrefix("/") || folders.contains("..") { return path }
    var parts = path.split(separator: "/").filter { $0 != "." }, up = folders[...]
    while let first = up.first, parts.first == first, parts.count > 1 {
      up = up.dropFirst()
      parts.removeFirst()
    }
    return (Array(repeating: "..", count: up.count) + parts.map(String.init)).joined(separator: "/")
  }
}
