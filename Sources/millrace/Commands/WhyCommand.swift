import ArgumentParser
import Diagnostics
import Engine
import Pipelines

struct WhyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "why", abstract: "Tells why a stage is to be executed, or when and why it was, back to the first causes.")

  @OptionGroup var document: DocumentArguments
  @Argument(help: ArgumentHelp("The stage.", valueName: "stage")) var stage: String
  @Flag(help: "One JSON object on standard output.") var json = false
  @OptionGroup var place: StoreArguments
  @OptionGroup var common: CommonArguments

  func run() throws {
    let plan = try document.plan()
    _ = try plan.stage(named: stage)
    var options = RunOptions()
    options.toolVersion = toolVersion
    let story = try Executor(store: place.store(of: document.project)).story(of: stage, plan, options)
    if json {
      let causes = story.causes.map { cause -> JSONValue in ["stage": .string(cause.stage), "reason": cause.reason.json] }
      let value: JSONValue = [
        "pipeline": .string(plan.pipeline), "stage": .string(stage), "steps": .array(story.steps.map(\.json)), "causes": .array(causes),
      ]
      return Standard.out(value.pretty())
    }
    var text = ""
    for step in story.steps {
      let past = step.status != .cached ? "" : step.run.map { ", made by run \($0)" } ?? ", made by a run that is not recorded"
      text += "\(step.name) (\(step.kind)): \(step.status.rawValue)\(past)\n"
      for reason in step.reasons { text += "  " + singleLine(reason.description) + "\n" }
    }
    let causes = story.causes
    if !causes.isEmpty {
      text += causes.count == 1 ? "\nfirst cause\n" : "\nfirst causes\n"
      for cause in causes { text += "  stage \(cause.stage): \(singleLine(cause.reason.description))\n" }
    }
    Standard.out(text)
  }
}
