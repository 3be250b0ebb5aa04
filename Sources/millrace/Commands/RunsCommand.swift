import ArgumentParser
import Diagnostics
import Engine
import Pipelines

struct RunsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "runs", abstract: "Lists the runs of a store, or shows one.", subcommands: [
      List.self, Show.self, RunsCompareCommand.self, RunsReproduceCommand.self, RunsPinCommand.self, RunsUnpinCommand.self,
      RunsTraceCommand.self, RunsExportCommand.self, RunsImportCommand.self,
    ], defaultSubcommand: List.self)

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists the runs of a store, the newest first.")

    @Flag(help: "One JSON array on standard output.") var json = false
    @OptionGroup var place: StoreArguments
    @OptionGroup var common: CommonArguments

    func run() throws {
      let entries = RunRegistry(store: place.store).list()
      if json {
        let items = entries.map { entry -> JSONValue in
          let members = (entry.summary ?? ["run": .string(entry.id), "status": .string(entry.status)]).members ?? []
          return .object(members + (entry.isPinned ? [JSONMember("pinned", true)] : []))
        }
        return Standard.out(JSONValue.array(items).pretty())
      }
      var table = TextTable([("run", .left), ("pipeline", .left), ("status", .left), ("seconds", .right), ("executed", .right), ("cached", .right)])
      for entry in entries {
        table.append([
          entry.id, entry.pipeline, entry.status + (entry.isPinned ? ", pinned" : ""), entry.summary == nil ? "" : plainSeconds(entry.seconds),
          entry.summary == nil ? "" : String(entry.executed), entry.summary == nil ? "" : String(entry.cached),
        ])
      }
      Standard.out(entries.isEmpty ? "no runs\n" : table.text())
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Shows one run: its stages, reasons and outputs.")

    @Argument(help: ArgumentHelp("An id, the beginning of one, \"last\", or \"last~1\".", valueName: "id")) var id = "last"
    @Flag(help: "The run's record as JSON on standard output.") var json = false
    @OptionGroup var place: StoreArguments
    @OptionGroup var common: CommonArguments

    func run() throws {
      let record = try RunRegistry(store: place.store).record(id)
      if json { return Standard.out(record.pretty()) }
      let word = { (name: String) in record[name]?.string ?? "" }
      var text = "run \(word("run")), pipeline \(word("pipeline")) (\(word("file"))), \(word("status"))\n"
      text += "started \(word("started")), \(secondsText(record["seconds"]?.double ?? 0)), "
      text += "\(record["executed"]?.int ?? 0) executed, \(record["cached"]?.int ?? 0) cached\n\n"
      var table = TextTable([("stage", .left), ("kind", .left), ("status", .left), ("seconds", .right), ("rows", .right), ("digest", .left), ("because", .left)])
      for stage in record["stages"]?.array ?? [] {
        let main = stage["outputs"]?.members?.first?.value
        let status = stage["status"]?.string ?? ""
        table.append([
          stage["name"]?.string ?? "", stage["kind"]?.string ?? "", status,
          status == "executed" || status == "failed" ? plainSeconds(stage["seconds"]?.double ?? 0) : "", main?["rows"]?.int.map(grouped) ?? "",
          String((main?["digest"]?.string ?? "").prefix(12)), reasonText((stage["reasons"]?.array ?? []).compactMap { Reason(json: $0) }),
        ])
      }
      text += table.text()
      for stage in record["stages"]?.array ?? [] {
        let notes = (stage["metrics"]?["notes"]?.array ?? []).compactMap(\.string)
        if !notes.isEmpty { text += "\n\(stage["name"]?.string ?? "")\n" + notes.map { "  \($0)\n" }.joined() }
      }
      Standard.out(text)
    }
  }
}
