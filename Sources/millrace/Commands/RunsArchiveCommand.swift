import ArgumentParser
import Diagnostics
import Engine

struct RunsExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Writes a run with everything it gave as one file.",
    discussion: "The same run gives the same bytes. millrace runs import takes it into another store.")

  @Argument(help: ArgumentHelp("An id, the beginning of one, \"last\", or \"last~1\".", valueName: "id")) var id: String
  @Argument(help: ArgumentHelp("The file to write, a .tar.gz.", valueName: "file")) var file: String
  @OptionGroup var width: WidthArguments
  @OptionGroup var place: StoreArguments
  @OptionGroup var common: CommonArguments

  func validate() throws {
    if !file.hasSuffix(".tar.gz"), !file.hasSuffix(".tgz") { throw ValidationError("A run is exported as .tar.gz.") }
  }

  func run() throws {
    let done = try RunArchive(store: place.store, width: width.width).export(id, to: file)
    if !common.quiet { Standard.error("run \(done.id): \(bytesText(done.bytes)) in \(shownPath(file))\n") }
  }
}

struct RunsImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import", abstract: "Takes a run that millrace runs export wrote, with its artifacts and recipes, into the store.",
    discussion: "Nothing of an archive is believed: every digest is compared before anything gets its place.")

  @Argument(help: ArgumentHelp("A .tar.gz of a run.", valueName: "file")) var file: String
  @OptionGroup var width: WidthArguments
  @OptionGroup var place: StoreArguments
  @OptionGroup var common: CommonArguments

  func run() throws {
    let taken = try RunArchive(store: place.store, width: width.width).take(from: file)
    Standard.out("run \(taken.id)\(taken.wasKnown ? " was there" : "")\n")
  }
}
