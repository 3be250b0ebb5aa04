import ArgumentParser
import Diagnostics
import Pipelines
import Stages

struct StagesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stages", abstract: "Lists the kinds of stages, or describes one.", subcommands: [List.self, Describe.self],
    defaultSubcommand: List.self)

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists the kinds of stages that a document may name.")

    @OptionGroup var common: CommonArguments

    func run() throws {
      var table = TextTable([("kind", .left), ("what it does", .left)])
      for kind in stageCatalog.kinds { table.append([kind.contract.kind, kind.contract.summary]) }
      Standard.out(table.text())
    }
  }

  struct Describe: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "describe", abstract: "Describes one kind: its inputs, outputs and settings with their defaults and ranges.")

    @Argument(help: ArgumentHelp("A kind, such as clean.", valueName: "kind")) var kind: String
    @Flag(help: "The JSON Schema of its settings.") var json = false
    @OptionGroup var common: CommonArguments

    func run() throws {
      guard let known = stageCatalog[kind] else {
        throw Diagnostic("there is no kind of stage \"\(kind)\"", hint: hint(forUnknown: kind, among: stageCatalog.names))
      }
      let page = KindPage(known)
      Standard.out(json ? page.settings.schema.pretty() : page.text)
    }
  }
}

struct SchemaCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "schema", abstract: "Prints the JSON Schema of pipeline documents, for editors.")

  @OptionGroup var common: CommonArguments

  func run() throws { Standard.out(catalogSchema.pretty()) }
}

struct DocsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "docs", abstract: "Writes stages.md and pipeline.schema.json into a folder.", shouldDisplay: false)

  @Argument(help: ArgumentHelp("The folder.", valueName: "folder")) var folder: String
  @OptionGroup var common: CommonArguments

  func run() throws {
    let pages = stageCatalog.kinds.map { KindPage($0) }
    var text = "# Kinds of stages\n\nMade by `millrace docs`; do not edit. `millrace stages describe KIND` says the same in a terminal.\n\n"
    text += pages.map { "* [\($0.contract.kind)](#\($0.contract.kind)): \($0.contract.summary)\n" }.joined()
    text += pages.map { "\n" + $0.markdown }.joined()
    for (name, content) in [("stages.md", text), ("pipeline.schema.json", catalogSchema.pretty())] {
      try finishedFile(folder + "/" + name) { try write(content, to: $0) }
    }
  }
}
