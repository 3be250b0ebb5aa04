import ArgumentParser
import Diagnostics
import Pipelines
import Stages

struct SimulateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate", abstract: "Writes transactions of a simulated shop, whose truth is known, as a CSV file.",
    discussion: "The same bytes for the same seed, on every machine. millrace stages describe simulate says what each setting means.")

  @Argument(help: ArgumentHelp("The CSV file to write.", valueName: "out.csv")) var target: String
  @Option(help: ArgumentHelp("How many customers.", valueName: "n")) var customers: Int?
  @Option(help: ArgumentHelp("How many weeks they are watched.", valueName: "n")) var weeks: Int?
  @Option(help: ArgumentHelp("Another seed, another shop.", valueName: "n")) var seed: Int?
  @Option(help: ArgumentHelp("The first day.", valueName: "date")) var start: String?
  @Option(help: "BG/NBD: shape of the purchase rates.") var r: Double?
  @Option(help: "BG/NBD: scale of the purchase rates, in weeks.") var alpha: Double?
  @Option(help: "BG/NBD: first shape of the dropout probabilities.") var a: Double?
  @Option(help: "BG/NBD: second shape of the dropout probabilities.") var b: Double?
  @Option(help: "Gamma-Gamma: shape of one customer's spends.") var p: Double?
  @Option(help: "Gamma-Gamma: shape of the customers' means.") var q: Double?
  @Option(help: "Gamma-Gamma: scale of the customers' means, in pounds.") var v: Double?
  @Option(help: ArgumentHelp("Also write the truth, as JSON.", valueName: "file")) var truth: String?
  @OptionGroup var width: WidthArguments
  @OptionGroup var common: CommonArguments

  func run() throws {
    Interruption.begin()
    let stage = try simulation()
    let truth = try finishedFile(target) { path in
      let context = OneFileContext(path: path, width: width.width)
      _ = try stage.run(Inputs([]), context)
      return context.document ?? .null
    }
    if let file = self.truth { try finishedFile(file) { try write(truth.pretty(), to: $0) } }
    if !common.quiet {
      let rows = truth["wrote"]?["rows"]?.int ?? 0, purchases = truth["wrote"]?["purchases"]?.int ?? 0
      Standard.error("\(target): \(counted(rows, "row")), \(counted(purchases, "purchase"))\n")
    }
  }

  /// The settings of the stage, judged as a document's are.
  private func simulation() throws -> Simulate {
    var written: [JSONMember] = []
    for (name, value) in [("customers", customers), ("weeks", weeks), ("seed", seed)] {
      if let value { written.append(JSONMember(name, .integer(value))) }
    }
    if let start { written.append(JSONMember("start", .string(start))) }
    for (name, value) in [("r", r), ("alpha", alpha), ("a", a), ("b", b), ("p", p), ("q", q), ("v", v)] {
      if let value { written.append(JSONMember(name, .double(value))) }
    }
    return try settings(Simulate.self, written: .object(written), owner: "of simulate")
  }
}
