import Diagnostics
import Pipelines

/// What the options of a command mean, stage by stage.
struct Selection {
  /// The stages asked for: everything else that takes part must be in the store.
  let asked: [Bool]
  /// Taken out by `--exclude`.
  let excluded: [Bool]
  let forced: [Bool]

  /// `stale` and `failed` are asked only when a selector needs them.
  init(
    _ options: RunOptions, of plan: BoundPlan, stale: () throws -> [Bool], failed: () throws -> Set<String>
  ) throws {
    let mistakes = options.mistakes(in: plan)
    if !mistakes.isEmpty { throw Mistakes(mistakes) }
    let graph = StageGraph(plan)
    let selectors = try options.selectors()
    let stale = selectors.contains { $0.selector.isAboutFreshness } ? try stale() : []
    let failed = selectors.contains { $0.selector.isAboutStore } ? try failed() : []
    func union(_ option: String) -> [Bool] {
      selectors.filter { $0.option == option }.map { $0.selector.selected(in: graph, stale: stale, failed: failed) }
        .reduce(graph.names.map { _ in false }) { zip($0, $1).map { $0 || $1 } }
    }
    let to = graph.reached(from: union("--to"), before: nil, behind: 0), only = union("--only")
    let isAll = options.to.isEmpty && options.only.isEmpty
    let excluded = union("--exclude")
    self.excluded = excluded
    var asked = graph.names.indices.map { graph.isStage[$0] && (isAll || to[$0] || only[$0]) && !excluded[$0] }
    // What is expected of a stage that takes part is asked for with it.
    let taking = graph.reached(from: asked, before: nil, behind: 0)
    let names = Set(graph.names.indices.filter { taking[$0] }.map { graph.names[$0] })
    for (at, stage) in plan.stages.enumerated() { if let expectation = stage.expectation { asked[at] = names.contains(expectation.subject) } }
    self.asked = asked
    let named = union("--force")
    forced = plan.stages.enumerated().map { at, stage in
      named[at] || options.asksAgain && stage.isAskedAlways && !excluded[at] && (options.only.isEmpty || asked[at])
    }
  }

  /// The stages asked for and all that they need.
  func participants(in plan: BoundPlan) -> [Bool] {
    StageGraph(plan).reached(from: asked, before: nil, behind: 0)
  }
}

extension RunOptions {
  /// Every selector with the option it stands behind.
  func selectors() throws(Diagnostic) -> [(option: String, selector: Selector)] {
    var all: [(String, Selector)] = []
    for (option, texts) in written { for text in texts { all.append((option, try Selector(text, option: option))) } }
    return all
  }

  private var written: [(String, [String])] { [("--force", force), ("--to", to), ("--only", only), ("--exclude", exclude)] }

  /// Whether a selector needs files and store to be looked at.
  public var isAboutStore: Bool { (try? selectors().contains { $0.selector.isAboutStore }) ?? false }

  /// Selectors that cannot be read or name what is not there, all of them.
  func mistakes(in plan: BoundPlan) -> [Diagnostic] {
    mistakes(StageGraph(plan), of: plan.pipeline)
  }

  /// The same, of a document that may not have been bound: they are told together with what is wrong in it.
  public func mistakes(among stages: [(name: String, kind: String)], of pipeline: String) -> [Diagnostic] {
    mistakes(StageGraph(names: stages.map(\.name), kinds: stages.map(\.kind)), of: pipeline)
  }

  private func mistakes(_ graph: StageGraph, of pipeline: String) -> [Diagnostic] {
    written.flatMap { option, texts in
      texts.flatMap { text -> [Diagnostic] in
        do throws(Diagnostic) { return try Selector(text, option: option).mistakes(option: option, in: graph, of: pipeline) } catch { return [error] }
      }
    }
  }
}
