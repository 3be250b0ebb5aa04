import ArgumentParser
import Diagnostics
import Pipelines
import Stages

struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Tells all mistakes of pipeline documents; opens no data file.")

  @Argument(help: ArgumentHelp("Pipeline documents.", valueName: "document")) var documents: [String]
  @Option(name: .customLong("set"), help: ArgumentHelp("The value of a parameter; may be repeated.", valueName: "name=value"))
  var assignments: [Assignment] = []
  @Flag(help: "Only whether each is strict JSON (RFC 8259, no duplicate keys).") var syntax = false
  @OptionGroup var common: CommonArguments

  func run() throws {
    var isWrong = false
    for path in documents {
      do {
        let bytes = try contents(ofDocument: path)
        if syntax {
          _ = try JSONReader.read(bytes, file: path)
          if !common.quiet { Standard.out("\(path): strict JSON\n") }
        } else {
          let values = assignments.map { (name: $0.name, value: $0.value) }
          let plan = try PipelineDocument.resolved(bytes, file: path, set: values, kinds: stageCatalog).bound(to: stageCatalog, finding: nil)
          tell(plan.warnings, unless: common.quiet)
          if !common.quiet { Standard.out("\(path): pipeline \(plan.pipeline), \(counted(plan.stages.count(where: \.isStage), "stage")), no mistakes\n") }
        }
      } catch let mistakes as Mistakes {
        Standard.error(mistakes.description + "\n")
        isWrong = true
      } catch let mistake as Diagnostic {
        Standard.error(mistake.description + "\n")
        isWrong = true
      }
    }
    if isWrong { throw Exit.unfit }
  }
}
