import Diagnostics

/// One batch while it is drawn: what each child was asked, and what it answered. The first child lays charts out; a second one, if
/// there is one, makes the PNG files of them meanwhile.
struct Drawing {
  private let renderer: ChartRenderer
  private let queue: JobQueue
  private let isSplit: Bool
  private var jobs: [ChartRenderer.Job?]
  private var pictures: [ChartRenderer.Picture?]
  private var mistakes: [Diagnostic?]
  /// By child: the charts it was asked for and has not answered yet; nil is the one that only warms up.
  private var asked: [[Int?]] = [[], []]
  private var greeted = [false, false]
  private var isComplete = false

  init(_ renderer: ChartRenderer, _ queue: JobQueue, count: Int, isSplit: Bool) {
    (self.renderer, self.queue, self.isSplit) = (renderer, queue, isSplit)
    jobs = Array(repeating: nil, count: count)
    pictures = Array(repeating: nil, count: count)
    mistakes = Array(repeating: nil, count: count)
  }

  /// Passes on what came; gives whether all charts are here, so that time counts. Throws what makes the rest pointless.
  mutating func react(_ children: inout [ChildProcess]) throws -> Bool {
    let new = try queue.take()
    for (at, job) in new.jobs {
      jobs[at] = job
      var formats = job.formats
      if isSplit, formats.remove(.png) != nil {
        // An SVG is what a PNG is made of.
        formats.insert(.svg)
        if children.count == 1 { children.append(try renderer.start()) }
      }
      ask(&children[0], 0, at, "spec", job.spec, formats)
    }
    isComplete = new.isComplete
    if isComplete { children[0].finishInput() }
    for child in children.indices { try read(child, &children) }
    if children.count > 1, !children[0].isTalking || isComplete && asked[0].isEmpty { children[1].finishInput() }
    return isComplete
  }

  /// Has the child load what the first chart needs, while there is none yet.
  mutating func warmUp(_ child: inout ChildProcess) {
    ask(&child, 0, nil, "spec", ["mark": "point", "data": ["values": [[:]]]], .svg)
  }

  /// The charts that came after the children had ended; they are only named.
  mutating func takeRest() throws { for (at, job) in try queue.take().jobs { jobs[at] = job } }

  private mutating func ask(
    _ child: inout ChildProcess, _ number: Int, _ at: Int?, _ field: String, _ chart: Spec, _ formats: ChartRenderer.Formats
  ) {
    let line: Spec = .object([
      ("formats", formats.names), ("scale", .integer(renderer.scale)), ("vegaLite", .string(RendererScript.vegaLite)), (field, chart),
    ])
    child.tell(line.bytes + [UInt8(ascii: "\n")])
    asked[number].append(at)
  }

  private mutating func read(_ child: Int, _ children: inout [ChildProcess]) throws {
    var reader = AnswerReader(bytes: children[child].output)
    while let answer = reader.next() {
      if !greeted[child] {
        try greet(answer)
        greeted[child] = true
        continue
      }
      guard !asked[child].isEmpty else { break }
      guard let at = asked[child].removeFirst(), let job = jobs[at] else { continue }
      guard answer.word == "ok", answer.parts.count == 3 else {
        mistakes[at] = Diagnostic("chart \"\(job.name)\" could not be drawn", found: answer.text(0).firstLine)
        continue
      }
      if child == 1 {
        pictures[at]?.png = Array(answer.parts[1])
        continue
      }
      let svg = answer.text(0)
      pictures[at] = ChartRenderer.Picture(
        svg: job.formats.contains(.svg) ? SVGNames.numbered(svg) : "", png: Array(answer.parts[1]), html: answer.text(2))
      if isSplit, job.formats.contains(.png) { ask(&children[1], 1, at, "svg", .string(svg), .png) }
    }
    if reader.position > 0 { children[child].output.removeFirst(reader.position) }
  }

  private func greet(_ greeting: AnswerReader.Answer) throws(Mistakes) {
    if greeting.word == "missing" {
      throw Mistakes(
        Diagnostic(
          "the chart renderer is not installed", expected: ChartRenderer.version, found: greeting.text(0),
          hint: "run: make setup (or set MILLRACE_RENDERER_PATH to the folder that holds vl_convert)"))
    }
    if greeting.word == "version", greeting.text(0) != ChartRenderer.moduleVersion {
      throw Mistakes(
        Diagnostic(
          "the chart renderer has another version, which would draw other pictures", expected: ChartRenderer.version,
          found: "vl-convert " + greeting.text(0), hint: "run: make setup"))
    }
  }

  /// The pictures, when all children have ended.
  func result(_ children: [ChildProcess], timedOut: Bool) throws(Mistakes) -> [ChartRenderer.Picture] {
    var all = mistakes.compactMap(\.self)
    let unanswered = Set(asked.joined().compactMap(\.self))
    if let first = jobs.indices.first(where: { mistakes[$0] == nil && (pictures[$0] == nil || unanswered.contains($0)) }) {
      let name = jobs[first]?.name ?? ""
      let broken = children.first { !$0.complaint.isEmpty || $0.status != 0 } ?? children[0]
      let complaint = String(decoding: broken.complaint, as: UTF8.self).lastLine
      all.append(
        timedOut
          ? Diagnostic("chart \"\(name)\" was not drawn in time", expected: "all charts within \(renderer.timeoutSeconds) seconds")
          : Diagnostic(
            "the chart renderer ended before chart \"\(name)\" was drawn",
            found: complaint.isEmpty ? "wait status \(broken.status ?? 0)" : complaint))
    }
    guard all.isEmpty else { throw Mistakes(all) }
    return pictures.compactMap(\.self)
  }
}

/// Splits a child's output into its answers: `word LENGTH LENGTH …`, a line feed, and the parts.
private struct AnswerReader {
  struct Answer {
    var word: String
    var parts: [ArraySlice<UInt8>]

    func text(_ part: Int) -> String { part < parts.count ? String(decoding: parts[part], as: UTF8.self) : "" }
  }

  let bytes: [UInt8]
  private(set) var position = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  /// Nil at the end, and where the rest has not come yet.
  mutating func next() -> Answer? {
    guard let end = bytes[position...].firstIndex(of: UInt8(ascii: "\n")) else { return nil }
    let words = String(decoding: bytes[position..<end], as: UTF8.self).split(separator: " ")
    guard let word = words.first else { return nil }
    var start = end + 1, parts: [ArraySlice<UInt8>] = []
    for length in words.dropFirst() {
      guard let length = Int(length), length >= 0, length <= bytes.count - start else { return nil }
      parts.append(bytes[start..<start + length])
      start += length
    }
    position = start
    return Answer(word: String(word), parts: parts)
  }
}

extension String {
  fileprivate var firstLine: String { split(whereSeparator: \.isNewline).first.map(String.init) ?? "" }
  fileprivate var lastLine: String { split(whereSeparator: \.isNewline).last.map(String.init) ?? "" }
}
