import ArgumentParser
import Engine

struct CacheCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cache", abstract: "Looks after the store of artifacts.", subcommands: [Stats.self], defaultSubcommand: Stats.self)

  struct Stats: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "stats", abstract: "Says how much a store holds.")

    @Flag(help: "One JSON object on standard output.") var json = false
    @OptionGroup var place: StoreArguments
    @OptionGroup var common: CommonArguments

    func run() throws {
      let store = place.store
      let statistics = StoreStatistics(of: store)
      if json { return Standard.out(statistics.json.pretty()) }
      var table = TextTable([("", .left), ("", .right)])
      table.append(["artifacts", grouped(statistics.objects)])
      table.append(["bytes", bytesText(statistics.bytes)])
      table.append(["recipes", grouped(statistics.recipes)])
      table.append(["runs", grouped(statistics.runs)])
      Standard.out("store \(shownPath(store.path))\n" + table.text(indent: 2))
    }
  }
}
