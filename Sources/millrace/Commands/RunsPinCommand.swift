import ArgumentParser
import Engine

struct RunsPinCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "pin", abstract: "Keeps a run, and all that it gave, whatever cache gc is told.")

  @Argument(help: ArgumentHelp("An id, the beginning of one, \"last\", or \"last~1\".", valueName: "id")) var id = "last"
  @OptionGroup var place: StoreArguments
  @OptionGroup var common: CommonArguments

  func run() throws {
    let pinned = try RunRegistry(store: place.store).pin(id)
    if !common.quiet { Standard.out("run \(pinned) is pinned\n") }
  }
}

struct RunsUnpinCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "unpin", abstract: "Lets cache gc take a run again.")

  @Argument(help: ArgumentHelp("An id, the beginning of one, \"last\", or \"last~1\".", valueName: "id")) var id: String
  @OptionGroup var place: StoreArguments
  @OptionGroup var common: CommonArguments

  func run() throws {
    let unpinned = try RunRegistry(store: place.store).unpin(id)
    if !common.quiet { Standard.out("run \(unpinned) is not pinned\n") }
  }
}
