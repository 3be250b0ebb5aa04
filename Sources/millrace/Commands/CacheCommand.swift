import ArgumentParser
import Diagnostics
import Engine
import Pipelines

struct CacheCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cache", abstract: "Looks after the store of artifacts.", subcommands: [Stats.self, Verify.self, Collect.self, CachePushCommand.self, CachePullCommand.self],
    defaultSubcommand: Stats.self)

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

  struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "verify", abstract: "Reads every artifact and recipe, and tells what is not as it was written.",
      discussion: "Exit code 3 when something is found. The next run makes again what it needs of that.")

    @Flag(help: "One JSON object on standard output.") var json = false
    @OptionGroup var width: WidthArguments
    @OptionGroup var place: StoreArguments
    @OptionGroup var common: CommonArguments

    func run() throws {
      let store = place.store
      let findings = StoreFindings(of: store, width: width.width)
      if json {
        Standard.out(findings.json.pretty())
      } else {
        for finding in findings.all { Standard.out("\(singleLine(finding.path)): \(finding.what)\n") }
        let total = "\(counted(findings.artifacts, "artifact")), \(counted(findings.recipes, "recipe")), \(bytesText(findings.bytes)) read"
        Standard.out("store \(shownPath(store.path)): \(total), \(findings.all.isEmpty ? "all as it was written" : "\(grouped(findings.all.count)) not as it was written")\n")
      }
      if !findings.all.isEmpty { throw Exit.moved }
    }
  }

  struct Collect: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "gc", abstract: "Takes old runs away, and the artifacts that no other run gave.",
      discussion: """
        Runs that are pinned (millrace runs pin ID), that are under way, and the newest of each pipeline always stay. \
        Beside a run under way nothing that it uses is taken.
        """)

    @Option(help: ArgumentHelp("Keep so many runs of each pipeline, the newest.", valueName: "n")) var keepRuns = 10
    @Option(help: ArgumentHelp("Take runs older than this too: \"30 days\".", valueName: "duration")) var olderThan: Age?
    @Option(help: ArgumentHelp("Take further runs, the oldest first, until the store is not larger: 20GiB.", valueName: "size")) var maxSize: ByteCount?
    @Flag(help: "Only say what would be taken.") var dryRun = false
    @Flag(help: "One JSON object on standard output.") var json = false
    @OptionGroup var place: StoreArguments
    @OptionGroup var common: CommonArguments

    func validate() throws {
      if keepRuns < 1 { throw ValidationError("--keep-runs takes 1 or more.") }
    }

    func run() throws {
      var rules = CollectionRules()
      rules.runs = keepRuns
      rules.age = olderThan?.seconds
      rules.bytes = maxSize?.bytes
      let collection = try place.store.collect(rules, isDry: dryRun) { holder in
        Standard.error("the store waits for \(holder.map(\.description) ?? "another process")\n")
      }
      if json {
        Standard.out(collection.json.pretty())
      } else {
        let what = [counted(collection.runs.count, "run"), counted(collection.recipes.count, "recipe"), counted(collection.artifacts.count, "artifact")]
        let verb = dryRun ? "would take" : "took"
        Standard.out("\(verb) \(what.joined(separator: ", ")): \(bytesText(collection.bytes)) freed, \(bytesText(collection.left)) left\n")
      }
      if let limit = maxSize?.bytes, collection.left > limit, !common.quiet {
        let warning = Diagnostic(
          "the store is larger than \(bytesText(limit)) with the runs alone that always stay", hint: "millrace runs unpin, or delete the store", severity: .warning)
        Standard.error(warning.description + "\n")
      }
    }
  }
}

/// A duration: `30 days`.
struct Age: ExpressibleByArgument {
  let seconds: Int

  init?(argument: String) {
    guard let duration = Duration(argument), let seconds = Int(exactly: (duration.count * Double(duration.unit.seconds)).rounded()) else { return nil }
    self.seconds = seconds
  }
}
