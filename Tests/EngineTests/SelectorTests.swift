import Diagnostics
import Pipelines
import Testing

@testable import Engine

/// What selectors mean, word by word, and what a run makes of them.
@Suite(.serialized) struct SelectorTests {
  /// lines → good → rfm → fit → value → plot, rfm → value, good → months
  private let graph = StageGraph(
    names: ["lines", "good", "months", "rfm", "fit", "value", "plot"],
    kinds: ["ingest", "clean", "aggregate", "rfm", "fit", "predict", "visualize"],
    needs: [[], [0], [1], [1], [3], [3, 4], [5]])

  @Test(arguments: [
    ("rfm", "rfm"), ("+rfm", "lines good rfm"), ("rfm+", "rfm fit value plot"), ("+rfm+", "lines good rfm fit value plot"),
    ("1+rfm", "good rfm"), ("rfm+1", "rfm fit value"), ("2+value+1", "good rfm fit value plot"), ("0+rfm+0", "rfm"),
    ("kind:fit", "fit"), ("+kind:aggregate", "lines good months"), ("all", "lines good months rfm fit value plot"), ("*", "lines good months rfm fit value plot"),
    ("*o*", "good months plot"), ("m*s", "months"), ("f*", "fit"), ("stale", "value plot"), ("stale,kind:predict", "value"), ("1+failed", "rfm fit"),
    ("rfm+,+value", "rfm fit value"), ("months plot", "months plot"), ("lines months,good rfm+1,fit", "lines fit"), ("good+,months+", "months"),
  ])
  func whatItMeans(text: String, names: String) throws {
    let selected = try Selector(text, option: "--only")
      .selected(in: graph, stale: graph.names.map { $0 == "value" || $0 == "plot" }, failed: ["fit"])
    #expect(zip(graph.names, selected).filter(\.1).map(\.0).joined(separator: " ") == names)
  }

  @Test(arguments: ["", "+", "a++", "a+b", "x+1+y", "kind:", "kind:Fit", "A", "a,,b", "a+-1", "99999999+a", "sel.x", "A*"])
  func whatIsNoSelector(text: String) {
    #expect(throws: Diagnostic.self) { try Selector(text, option: "--only") }
  }

  @Test func allMistakesAtOnce() {
    var options = RunOptions()
    (options.to, options.only, options.exclude, options.force) = (["rmf+"], ["a++"], ["kind:fits"], ["z*"])
    let mistakes = options.mistakes(among: Array(zip(graph.names, graph.kinds)), of: "shop")
    #expect(Mistakes(mistakes).description == """
      error: --force names "z*", which fits no stage of pipeline "shop"
      error: --to names stage "rmf", which pipeline "shop" does not have
        hint: did you mean "rfm"?
      error: --only "a++" is no selector
        expected a stage, kind:KIND, stale, failed or all, with + before or behind it and commas between, found "a++"
      error: --exclude names kind "fits", of which pipeline "shop" has no stage
        hint: did you mean "fit"?
      """)
  }

  // MARK: In runs

  /// rows → left → end, rows → right
  private func fork() throws -> Story {
    let story = Story()
    try story.write("rows.csv", "1,10\n2,20\n")
    story.addReader("rows", file: "rows.csv")
    story.addShift("left", from: "rows", add: 1)
    story.addShift("right", from: "rows", add: 2)
    story.addSum("end", from: "left")
    return story
  }

  @Test func whatIsExcludedIsNotRun() throws {
    let story = try fork()
    var options = RunOptions(width: 2)
    options.exclude = ["left+"]
    #expect(try story.run(options).stages.map(\.name) == ["rows", "right"])
    #expect(story.worked() == ["right", "rows"])
    options.exclude = ["left"]
    #expect {
      try story.run(options)
    } throws: { "\($0)" == """
      error: pipeline "story", stage "left" (toy): it is needed and is not in the store as it stands now (first run)
        hint: exclude what needs it too: --exclude left+
      """ }
    options.only = ["stale"]
    options.exclude = ["end"]
    #expect(try story.run(options).names(.executed) == ["left"])
    #expect(story.worked() == ["left"])
    options.exclude = []
    #expect(try story.run(options).names(.executed) == ["end"])
    _ = story.worked()
    #expect(try story.run(options).stages.isEmpty)
    options.force = ["right,1+right left"]
    options.only = []
    #expect(try story.planned(options).names(.wouldExecute) == ["left", "right"])
  }

  @Test func whatFailedIsRunAgain() throws {
    let story = try fork()
    let work = story["right"].work
    story["right"].work = { _, _ in throw Diagnostic("not today") }
    var options = RunOptions(width: 1)
    options.keepGoing = true
    #expect(try story.run(options).status == .failed)
    story["right"].work = work
    story["end"].version = 2
    options.only = ["failed"]
    _ = story.worked()
    #expect(try story.run(options).stages.map(\.name) == ["rows", "right"])
    #expect(story.worked() == ["right"])
    #expect(try story.run(options).stages.isEmpty)
  }

  /// Another number to add, which changes what comes out.
  private func shift(_ name: String, by add: Int, in story: Story) {
    let at = story.stages.firstIndex { $0.name == name }!
    let needs = story[name].needs[0].stage
    story.addShift(name, from: needs, add: add)
    story.stages.insert(story.stages.removeLast(), at: at)
  }

  // MARK: Plans that are kept

  private func kept(_ story: Story, _ options: RunOptions = RunOptions(width: 2)) throws -> PlanFile {
    let json = PlanFile.json(try story.planned(options), document: "story.json", values: [("a", "1")], allowPath: ["x"], options: options)
    return try PlanFile(Array(json.pretty().utf8), file: "p.json")
  }

  @Test func aPlanThatIsKeptIsDoneOrNothingIs() throws {
    let story = try fork()
    try story.run()
    _ = story.worked()
    shift("left", by: 5, in: story)
    var options = RunOptions(width: 2)
    try kept(story).choose(&options)
    #expect(options.promise?.document == "story.json" && options.promise?.values.map(\.value) == ["1"] && options.promise?.allowPath == ["x"])
    try story.write("rows.csv", "1,10\n3,30\n")
    #expect {
      try story.run(options)
    } throws: { Mistakes(($0 as? Moved)?.all ?? []).description == """
      error: stage "rows" is not as it was planned
        expected cached, found would-execute: file rows.csv changed
      error: stage "left" is not as it was planned
        expected would-execute: setting /stages/left/with/add: 1 → 5, found would-execute: setting /stages/left/with/add: 1 → 5; rows is made again
      error: stage "right" is not as it was planned
        expected cached, found may-execute: rows is made again
      error: stage "end" would read something else than was planned
        hint: plan anew: millrace plan story.json --out p.json
      """ }
    #expect(story.worked() == [])
    try story.write("rows.csv", "1,10\n2,20\n")
    #expect(try story.run(options).names(.executed) == ["left", "end"])
    #expect(story.worked() == ["end", "left"])
    // Done already: not what was planned.
    #expect(throws: Moved.self) { try story.run(options) }
  }

  // MARK: Why

  private func told(_ story: StageStory) -> [String] {
    story.steps.map { "\($0.name) \($0.status.rawValue)\($0.run == nil ? "" : " by a run"): \($0.reasons.map(\.description).joined(separator: "; "))" }
      + story.causes.map { "cause \($0.stage): \($0.reason)" }
  }

  @Test func whyAStageRuns() throws {
    let story = try fork()
    let executor = Executor(store: story.store)
    #expect(told(try executor.story(of: "end", story.plan, RunOptions())) == ["end would-execute: first run", "cause end: first run"])
    try story.run()
    #expect(told(try executor.story(of: "end", story.plan, RunOptions())) == ["end cached by a run: first run", "cause end: first run"])
    shift("left", by: 5, in: story)
    #expect(told(try executor.story(of: "end", story.plan, RunOptions())) == [
      "end may-execute: left is made again", "left would-execute: setting /stages/left/with/add: 1 → 5",
      "cause left: setting /stages/left/with/add: 1 → 5",
    ])
    let second = try story.run()
    try story.run()
    let past = try executor.story(of: "end", story.plan, RunOptions())
    #expect(told(past) == [
      "end cached by a run: input table.x changed", "left cached by a run: setting /stages/left/with/add: 1 → 5",
      "cause left: setting /stages/left/with/add: 1 → 5",
    ])
    #expect(past.steps.map(\.run) == [second.id, second.id])
    // Part of the way: what is known already is told with what it was.
    try story.write("rows.csv", "4,40\n")
    var options = RunOptions()
    options.to = ["left"]
    try story.run(options)
    #expect(told(try executor.story(of: "end", story.plan, RunOptions())) == [
      "end would-execute: input table.x changed", "left cached by a run: input table changed", "rows cached by a run: file rows.csv changed",
      "cause rows: file rows.csv changed",
    ])
  }
}
