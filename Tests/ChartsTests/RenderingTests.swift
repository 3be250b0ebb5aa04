import Diagnostics
import Synchronization
import Testing

@testable import Charts

/// The renderer is installed by the set-up step; where it is absent these tests say so and pass.
@Suite struct RenderingTests {
  private func installed() -> ChartRenderer? {
    let renderer = ChartRenderer()
    if renderer.folder == nil { print("note: vl-convert is not installed (make setup); pictures are not drawn in this test") }
    return renderer.folder == nil ? nil : renderer
  }

  /// One of each kind, with names that would break out of a careless writer.
  private var charts: [(String, any Chart)] {
    var random = Seeded(state: 7)
    let values = (0..<3000).map { _ in random.skewed() }, others = (0..<3000).map { _ in random.skewed() + 1 }
    let hostile = "</text><script>alert('1')</script> & \"url(#x)\""
    let pounds = NumberFormat.currency("£")
    return [
      ("histogram", Histogram(values: values, frame: Frame(hostile), x: Axis("Value", pounds, shownShare: 0.95), density: true)),
      ("log histogram", Histogram(values: values, frame: Frame("Value"), x: Axis("Value", pounds, scale: .log))),
      ("bar", Bar(categories: [hostile, "b"], values: [1, -2], frame: Frame("Bars"), value: Axis("Value", pounds))),
      (
        "grouped bar",
        GroupedBar(
          categories: ["a", "b"], series: [.init("s", [0.1, 0.2]), .init("t", [0.3, .nan])], frame: Frame("Groups"),
          value: Axis("Share", .percent))
      ),
      (
        "dots",
        Scatter(
          x: values, y: others, groups: Groups(values.map { $0 > 100 ? hostile : "small" }), frame: Frame("Dots"),
          x: Axis("x"), y: Axis("y", .plain, scale: .log))
      ),
      ("grid", Scatter(x: values, y: others, frame: Frame("Grid"), x: Axis("x", shownShare: 0.9), y: Axis("y", scale: .log))),
      (
        "line",
        Line(
          positions: .dates(["2011-01-01", "2011-02-01"]),
          series: [.init("a", [1, 2], low: [0, 1], high: [2, 3]), .init("b", [2, .nan], isDashed: true)], frame: Frame("Lines"),
          x: Axis(), y: Axis("y"))
      ),
      ("heat map", HeatMap(rows: ["r"], columns: ["c", "d"], values: [1, .nan], frame: Frame("Cells"))),
      ("dendrogram", ShapeTests.tree),
      ("lorenz", Lorenz(values: values, frame: Frame("Shares"), x: Axis("Customers", .percent), y: Axis("Value", .percent))),
      (
        "pareto",
        Pareto(categories: [hostile, "b", "c"], values: [1, 5, 2], frame: Frame("Parts"), value: Axis("Value", pounds))
      ),
      (
        "box",
        Box(
          categories: [Box.Category(hostile, values)!, Box.Category("b", others)!], frame: Frame("Boxes"),
          value: Axis("Value", pounds, scale: .log))
      ),
      ("no tree", Dendrogram(merges: [], frame: Frame("No tree"))),
      ("no shares", Lorenz(values: [0, -1, .nan], frame: Frame("No shares"), x: Axis(), y: Axis())),
      ("no parts", Pareto(categories: [], values: [], frame: Frame("No parts"), value: Axis())),
      ("no boxes", Box(categories: [], frame: Frame("No boxes"), value: Axis())),
      ("nothing", Histogram(values: [], frame: Frame("Nothing"), x: Axis("Value"))),
      ("one value", Histogram(values: [4.2], frame: Frame("One"), x: Axis("Value"), density: true)),
    ]
  }

  @Test func everyKindTwiceTheSameBytes() throws {
    guard let renderer = installed() else { return }
    let jobs = charts.map { ChartRenderer.Job($0.0, $0.1.spec(.light)) }
    let first = try renderer.render(jobs)
    // Backwards: what was drawn before must not show.
    let second = Array(try renderer.render(jobs.reversed()).reversed())
    for (job, (a, b)) in zip(jobs, zip(first, second)) {
      #expect(a.png.starts(with: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), "\(job.name)")
      #expect(a.svg.hasPrefix("<svg ") && a.svg.hasSuffix("</svg>"), "\(job.name)")
      #expect(!a.svg.contains("<script"), "\(job.name)")
      #expect(a.html.isEmpty && a.png == b.png && a.svg == b.svg, "\(job.name)")
    }
    // As they become ready, the last one first, with a second process for the PNG files.
    let together = try renderer.render(count: jobs.count, processes: 2) { put in for at in jobs.indices.reversed() { put(at, jobs[at]) } }
    #expect(together == first)
    // Width and height stand at bytes 16 ..< 24 of a PNG: 640 × 360 drawn at scale 2.
    #expect(Array(first[0].png[16..<24]) == [0, 0, 5, 0, 0, 0, 2, 208])
  }

  @Test func everyBadChartIsNamed() throws {
    guard let renderer = installed() else { return }
    let good = charts[8].1.spec(.light)
    let jobs: [ChartRenderer.Job] = [
      .init("bad", ["mark": 7]), .init("good", good), .init("from outside", [
        "data": ["url": "https://example.com/a.csv"], "mark": "point",
      ]),
    ]
    do {
      _ = try renderer.render(jobs)
      Issue.record("a chart without sense was drawn")
    } catch let error as Mistakes {
      #expect(error.all.map(\.message).first == "chart \"bad\" could not be drawn")
      #expect(!error.all.contains { $0.message.contains("good") })
    }
  }

  @Test func noPython() {
    let renderer = ChartRenderer(folder: nil, python: "python-that-is-not-there")
    #expect(
      throws: Mistakes(
        Diagnostic(
          "the chart renderer could not be started", expected: "python-that-is-not-there on the PATH",
          found: "No such file or directory", hint: "install Python 3, then run: make setup"))
    ) { try renderer.render([.init("a", [:])]) }
  }

  @Test func aChildThatReadsNothing() {
    // `true` ends at once: writing to it must neither stop us nor end us by SIGPIPE.
    let many = Array(repeating: ChartRenderer.Job("a", .string(String(repeating: "x", count: 100_000))), count: 40)
    #expect(
      throws: Mistakes(
        Diagnostic("the chart renderer ended before chart \"a\" was drawn", found: "wait status 0"))
    ) { try ChartRenderer(folder: nil, python: "true").render(many) }
  }

  /// The fonts inside the renderer, whatever this machine has; rasters of other processors differ in a bit.
  @Test func thePixelsAreThoseOfTheRenderersOwnFonts() throws {
    guard let renderer = installed() else { return }
    let text: Spec = ["data": ["values": [["a": 1]]], "mark": ["type": "text", "fontSize": 40], "encoding": ["text": ["value": "Ag £ 0123 é"]]]
    let spec = text.adding([("config", Theme.light.config), ("width", 300), ("height", 60)])
    let png = try renderer.render([.init("text", spec)])[0].png
    let sum = png.reduce(UInt64(0xcbf2_9ce4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    #if arch(x86_64)
      #expect(sum == 0x810e_5eef_3e75_ca70, "\(png.count) bytes")
    #else
      print("note: \(png.count) bytes of text, sum \(sum)")
    #endif
  }

  @Test func aChartThatCannotBeMadeIsThrownOn() throws {
    struct Bad: Error {}
    guard let renderer = installed() else { return }
    for processes in [1, 2] {
      #expect(throws: Bad.self) {
        try renderer.render(count: 2, processes: processes) { put in
          put(1, .init("good", ["mark": "point", "data": ["values": []]]))
          throw Bad()
        }
      }
    }
  }

  private static let path = [("PATH", "/usr/bin:/bin")]

  @Test func aChildThatDoesNotEndIsEnded() throws {
    var children = [try ChildProcess.start("sleep", ["60"], environment: Self.path).get()]
    children[0].tell([1, 2, 3])
    guard case .timedOut = Conversation.hold(&children, seconds: 1) else {
      Issue.record("it was not stopped in time")
      return
    }
    #expect(children[0].status == 9 && children[0].output.isEmpty)
  }

  /// Of two that talk, both are heard to their end.
  @Test func twoChildrenAtOnce() throws {
    var children = try ["cat", "cat >&2; exit 3"].map { try ChildProcess.start("sh", ["-c", $0], environment: Self.path).get() }
    let much = [UInt8](repeating: 65, count: 1_000_000)
    for at in children.indices {
      children[at].tell(much)
      children[at].tell(much)
      children[at].finishInput()
    }
    guard case .ended = Conversation.hold(&children, seconds: 100) else {
      Issue.record("they did not end")
      return
    }
    #expect(children[0].output == much + much && children[0].complaint.isEmpty && children[0].status == 0)
    #expect(children[1].complaint == much + much && children[1].output.isEmpty && children[1].status == 3 << 8)
  }

  /// Asked to stop while the child sleeps, or after it has closed its output and sleeps on: killed and gone in both cases.
  @Test(arguments: ["exec sleep 600", "exec >&- 2>&-; exec sleep 600"]) func aChildIsEndedWhenTheCheckThrows(script: String) throws {
    struct Stop: Error {}
    let asked = Mutex(0)
    var children = [try ChildProcess.start("sh", ["-c", script], environment: Self.path).get()]
    children[0].tell([1, 2, 3])
    let ending = Conversation.hold(&children, seconds: 500) {
      let count = asked.withLock { asked in
        asked += 1
        return asked
      }
      if count == 3 { throw Stop() }
    }
    guard case .interrupted(let error) = ending else {
      Issue.record("it was not stopped")
      return
    }
    #expect(error is Stop && children[0].status == 9)
    #expect(asked.withLock { $0 } == 3)
  }

  @Test func whatTheCheckThrowsIsThrownOn() {
    struct Stop: Error {}
    #expect(throws: Stop.self) { try ChartRenderer(folder: nil, python: "cat").render([.init("a", [:])]) { throw Stop() } }
  }

  @Test func aFolderWithoutTheRenderer() throws {
    guard ChartRenderer().folder != nil else { return }
    do {
      _ = try ChartRenderer(folder: "/nonexistent").render([.init("a", [:])])
      print("note: this Python has vl_convert of its own")
    } catch let error as Mistakes {
      #expect(error.all.count == 1)
      #expect(
        error.all[0].message == "the chart renderer is not installed" && error.all[0].expected == "vl-convert 1.9.0.post1")
      #expect(
        error.all[0].hint == "run: make setup (or set MILLRACE_RENDERER_PATH to the folder that holds vl_convert)")
    }
  }
}
