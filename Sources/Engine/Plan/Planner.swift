import Columns
import Diagnostics
import Pipelines

/// Walks a bound plan in its order and says of every stage whether it is fresh. Moves no data; source files are hashed
/// when they look new.
struct Planner {
  let plan: BoundPlan
  let options: RunOptions
  let freshness: Freshness
  let sources: SourceVersions
  /// For the word `failed`.
  let registry: RunRegistry

  func report() throws -> PlanReport {
    let selection = try selection()
    let wanted = selection.participants(in: plan)
    var stages: [PlanReport.Stage] = [], problems: [Diagnostic] = []
    var byIndex: [Int: PlanReport.Stage] = [:], firstOfRecipe: [Digest: Int] = [:]
    var history: [String: Catalog.StageHistory]?
    var isIndexed = false
    /// Stages whose tables have, or will have, several partitions.
    var several: Set<Int> = []
    for (index, stage) in plan.stages.enumerated() where wanted[index] {
      let files: [[SourceVersions.File]]
      do { files = try sources.versions(of: stage) } catch {
        problems += Mistakes(describing: error, in: stage).all.map { $0.told(of: owner(of: stage), at: stage.span) }
        continue
      }
      // A stage before this one has a problem already, and nothing can be said of this one.
      guard stage.inputs.allSatisfy({ byIndex[$0.stage] != nil }) else { continue }
      let contents = stage.inputs.map { input -> Recipe.Content in
        let producer = byIndex[input.stage]!
        return producer.made.map { .known($0.record(of: input.output)) } ?? .unknown(name: "\(producer.recipe.key):\(input.output)")
      }
      let recipe = Recipe(stage: stage, inputs: contents, sources: files.map { $0.map { ($0.file.name, $0.digest) } })
      var status = PlanReport.Status.wouldExecute
      var reasons: [Reason] = [], made: Freshness.Made?, twin: Int?
      if selection.forced[index] {
        reasons = [Reason(stage.isAskedAlways ? .unversioned : .forced)]
      } else if let first = firstOfRecipe[recipe.key], byIndex[first]!.made == nil, plan.stages[first].keep, stage.keep {
        (status, twin) = (.cached, first)
      } else {
        let finding = recipe.isComplete ? freshness.find(recipe.key, of: stage) : .unknown
        if case .made(let found) = finding {
          (status, made) = (.cached, found)
        } else {
          if !recipe.isComplete {
            if !isIndexed { freshness.catalog.refreshRecipes(from: freshness.store) }
            isIndexed = true
            if freshness.mayBeFound(recipe, of: stage) { status = .mayExecute }
          }
          if history == nil { history = freshness.catalog.history(of: plan.pipeline) }
          reasons = freshness.reasons(
            for: recipe, of: stage, finding: finding, history: history?[stage.name], producers: stage.inputs.map { plan.stages[$0.stage].name })
        }
      }
      if !selection.asked[index], status != .cached {
        problems.append(Diagnostic(
          "it is needed and is not in the store as it stands now (\(reasons.first.map(\.description) ?? "not made"))",
          hint: selection.excluded[index] ? "exclude what needs it too: --exclude \(stage.name)+" : "use --to in place of --only"
        ).told(of: owner(of: stage), at: stage.span))
      }
      if firstOfRecipe[recipe.key] == nil { firstOfRecipe[recipe.key] = index }
      let isSeveral = files.contains { $0.count > 1 } || stage.inputs.contains { several.contains($0.stage) }
      if isSeveral, stage.keepsPartitions { several.insert(index) }
      let entry = PlanReport.Stage(
        name: stage.name, kind: stage.contract.kind, status: status, reasons: reasons, whole: isSeveral ? stage.whole : nil, expectation: stage.expectation, index: index, recipe: recipe, sources: files,
        made: made, twin: twin)
      byIndex[index] = entry
      stages.append(entry)
    }
    blockWhatIsNotMet(&stages)
    makeAgainWhatWasNotKept(&stages)
    let names = stages.flatMap { stage in fileNames(of: stage.made).map { (stage: stage.name, file: $0) } }
    problems += clashes(names)
    if !problems.isEmpty { throw Mistakes(problems) }
    return PlanReport(pipeline: plan.pipeline, nodes: stages)
  }

  private func owner(of stage: BoundStage) -> String {
    "pipeline \"\(plan.pipeline)\", stage \"\(stage.name)\" (\(stage.contract.kind))"
  }

  /// Stages behind an expectation that is not met do not run; those behind one that is not known yet wait for it.
  private func blockWhatIsNotMet(_ stages: inout [PlanReport.Stage]) {
    guard stages.contains(where: { $0.expectation != nil }) else { return }
    let places = Dictionary(uniqueKeysWithValues: stages.enumerated().map { ($1.index, $0) })
    for at in stages.indices {
      let stage = plan.stages[stages[at].index]
      let guards = stage.guards.compactMap { places[$0] }, needs = stage.inputs.compactMap { places[$0.stage] }
      if let unmet = guards.first(where: { stages[$0].isUnmet }) {
        let expectation = stages[unmet].expectation!
        stages[at] = stages[at].with(.blocked, [Reason(.expectation, name: "\(expectation.subject): \(expectation.expectation.words)")])
      } else if let blocked = needs.first(where: { stages[$0].status == .blocked }) {
        stages[at] = stages[at].with(.blocked, stages[blocked].reasons)
      } else if guards.contains(where: { stages[$0].isPending }) || needs.contains(where: { stages[$0].isHeld }) {
        stages[at] = stages[at].with(stages[at].status, stages[at].reasons, isHeld: true)
      }
    }
  }

  /// A stage whose rows are not kept runs when a stage that runs needs them.
  private func makeAgainWhatWasNotKept(_ stages: inout [PlanReport.Stage]) {
    // Backwards in the plan's order: what it needs may not have been kept either.
    for at in stages.indices.reversed() {
      let stage = stages[at]
      guard !plan.stages[stage.index].keep, stage.twin == nil, stage.status != .wouldExecute, stage.made?.isStored != true else { continue }
      let consumers = stages[(at + 1)...].filter { consumer in
        let bound = plan.stages[consumer.index]
        return consumer.status != .cached && consumer.status != .blocked && bound.inputs.contains { $0.stage == stage.index && bound.needsRows(of: $0) }
      }
      guard let consumer = consumers.first(where: { $0.status == .wouldExecute }) ?? consumers.first else { continue }
      stages[at] = stage.with(consumer.status, stage.reasons + [Reason(.unkept, name: consumer.name)], isHeld: stage.isHeld)
    }
  }

  /// What the selectors mean. `stale` is what a plan of everything says.
  func selection() throws -> Selection {
    try Selection(
      options, of: plan,
      stale: {
        var everything = options
        (everything.to, everything.only, everything.exclude, everything.force) = ([], [], [], [])
        let report = try Planner(plan: plan, options: everything, freshness: freshness, sources: sources, registry: registry).report()
        var stale = plan.stages.map { _ in true }
        for stage in report.nodes where stage.status == .cached { stale[stage.index] = false }
        return stale
      },
      failed: { registry.failedStages(of: plan.pipeline) })
  }
}

/// Names under which the files of a stage stand in the run's folder.
func fileNames(of made: Freshness.Made?) -> [String] {
  guard let made, made.isStored else { return [] }
  return made.outputs.compactMap { if case .file(_, let name, _) = $0.record.content { name } else { nil } }
}

/// Two files of one name would lie in one place in the run's folder.
func clashes(_ files: [(stage: String, file: String)]) -> [Diagnostic] {
  var owner: [String: String] = ["run.html": "the run itself", "run.json": "the run itself"]
  var found: [Diagnostic] = []
  for (stage, file) in files {
    if let first = owner[file] {
      found.append(Diagnostic(
        "two files are named \"\(file)\"", expected: "a name of its own for every file of a run",
        found: "one of \(first == "the run itself" ? first : "stage \"\(first)\"") and one of stage \"\(stage)\""))
    } else {
      owner[file] = stage
    }
  }
  return found
}

extension BoundStage {
  /// Whether it reads what has no version.
  var isAskedAlways: Bool {
    stage.sources.contains { if case .query(_, nil) = $0.version { true } else { false } }
  }

  /// Whether several partitions that come in come out as several.
  var keepsPartitions: Bool {
    if case .mergeable = binding.work { return false }
    return binding.outputs.first?.type.table?.order == .source
  }

  /// The setting for which the work is not cut into partitions.
  var whole: String? { if case .whole(let setting) = binding.work { setting } else { nil } }

  /// Whether more is read of an input than what is known without its rows.
  func needsRows(of input: BoundInput) -> Bool {
    binding.reads.first { $0.alias == input.alias }?.columns != .named([])
  }
}

extension Mistakes {
  /// Whatever was thrown.
  init(describing error: any Error) {
    switch error {
    case let mistakes as Mistakes: self = mistakes
    case let diagnostic as Diagnostic: self.init(diagnostic)
    case let refusal as Refusal: self.init(refusal.diagnostic)
    default: self.init(Diagnostic("\(error)"))
    }
  }

  /// The same, with the stage named where they name no place of their own.
  init(describing error: any Error, in stage: BoundStage) {
    self.init(describing: error)
    all = all.map(stage.locate)
    for at in all.indices where all[at].place == .nowhere { if let span = stage.span { all[at].place = .text(span) } }
  }
}
