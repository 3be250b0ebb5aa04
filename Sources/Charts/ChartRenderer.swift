import Diagnostics

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Specifications to pictures, by vl-convert in one child process for the whole batch.
///
///     let pictures = try ChartRenderer().render([.init("clv", histogram.spec(.light), [.png, .svg])])
///
/// No network is reachable for it, only its own fonts are used, and the same specification gives the same bytes.
public struct ChartRenderer: Sendable {
  /// What stands in recipes: another renderer makes other bytes.
  public static let version = "vl-convert 1.9.0.post1"
  /// What `vl_convert.__version__` says in that release.
  static let moduleVersion = "1.9.0"

  public struct Formats: OptionSet, Hashable, Sendable {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }
    public static let svg = Formats(rawValue: 1)
    public static let png = Formats(rawValue: 2)
    /// A page that needs no network, with the interactive chart and the libraries that draw it.
    public static let html = Formats(rawValue: 4)

    fileprivate var names: Spec {
      .array([(Formats.svg, "svg"), (.png, "png"), (.html, "html")].filter { contains($0.0) }.map { .string($0.1) })
    }
  }

  public struct Job: Sendable {
    /// Said in errors.
    public var name: String
    public var spec: Spec
    public var formats: Formats

    public init(_ name: String, _ spec: Spec, _ formats: Formats = [.png, .svg]) {
      self.name = name
      self.spec = spec
      self.formats = formats
    }
  }

  /// What was asked for; the rest is empty.
  public struct Picture: Hashable, Sendable {
    public var svg: String
    public var png: [UInt8]
    public var html: String
  }

  /// The folder that holds the Python package `vl_convert`; nil leaves it to the Python on the PATH.
  public var folder: String?
  public var python: String
  /// Pixels of a PNG for each CSS pixel.
  public var scale: Int
  /// For the whole batch.
  public var timeoutSeconds: Int

  /// Looks for the renderer: `MILLRACE_RENDERER_PATH`, then `.deps/python` in a folder at or above the executable's or
  /// the current one, then Python's own packages.
  public init(
    folder: String? = ChartRenderer.folderFound(), python: String = "python3", scale: Int = 2, timeoutSeconds: Int = 300
  ) {
    self.folder = folder
    self.python = python
    self.scale = scale
    self.timeoutSeconds = timeoutSeconds
  }

  /// The pictures in the order of the jobs. Throws `Mistakes`: one for each chart that could not be drawn, or the one
  /// that says why none could. `check` is asked while the renderer works; what it throws ends the renderer and is thrown on.
  public func render(_ jobs: [Job], check: @Sendable () throws -> Void = {}) throws -> [Picture] {
    guard !jobs.isEmpty else { return [] }
    var input: [UInt8] = []
    for job in jobs {
      let line: Spec = [
        "formats": job.formats.names, "scale": .integer(scale), "vegaLite": .string(RendererScript.vegaLite),
        "spec": job.spec,
      ]
      input += line.bytes + [UInt8(ascii: "\n")]
    }
    let arguments = ["-c", RendererScript.source, folder ?? "", String(getpid())]
    switch ChildProcess.run(
      python, arguments, environment: Self.childEnvironment(), input: input, seconds: timeoutSeconds,
      check: check)
    {
    case .failure(let failure):
      throw Mistakes(
        Diagnostic(
          "the chart renderer could not be started", expected: "\(python) on the PATH",
          found: String(cString: strerror(failure.code)), hint: "install Python 3, then run: make setup"))
    case .success(let outcome):
      if let interruption = outcome.interruption { throw interruption }
      // Ctrl-C reaches the renderer too: that it ended early is no mistake then.
      try check()
      return try pictures(jobs, outcome)
    }
  }

  private func pictures(_ jobs: [Job], _ outcome: ChildProcess.Outcome) throws(Mistakes) -> [Picture] {
    var answers = AnswerReader(bytes: outcome.output)
    let greeting = answers.next()
    if let greeting, greeting.word == "missing" {
      throw Mistakes(
        Diagnostic(
          "the chart renderer is not installed", expected: Self.version, found: greeting.text(0),
          hint: "run: make setup (or set MILLRACE_RENDERER_PATH to the folder that holds vl_convert)"))
    }
    if let greeting, greeting.word == "version", greeting.text(0) != Self.moduleVersion {
      throw Mistakes(
        Diagnostic(
          "the chart renderer has another version, which would draw other pictures", expected: Self.version,
          found: "vl-convert " + greeting.text(0), hint: "run: make setup"))
    }
    var pictures: [Picture] = [], mistakes: [Diagnostic] = []
    var drawn = 0
    for job in jobs {
      guard greeting != nil, let answer = answers.next() else { break }
      drawn += 1
      if answer.word == "ok", answer.parts.count == 3 {
        pictures.append(Picture(svg: SVGNames.numbered(answer.text(0)), png: Array(answer.parts[1]), html: answer.text(2)))
      } else {
        mistakes.append(
          Diagnostic("chart \"\(job.name)\" could not be drawn", found: answer.text(0).firstLine))
      }
    }
    if drawn < jobs.count {
      let complaint = String(decoding: outcome.complaint, as: UTF8.self).lastLine
      mistakes.append(
        outcome.timedOut
          ? Diagnostic(
            "chart \"\(jobs[drawn].name)\" was not drawn in time", expected: "all charts within \(timeoutSeconds) seconds")
          : Diagnostic(
            "the chart renderer ended before chart \"\(jobs[drawn].name)\" was drawn",
            found: complaint.isEmpty ? "wait status \(outcome.status)" : complaint))
    }
    guard mistakes.isEmpty else { throw Mistakes(mistakes) }
    return pictures
  }

  // MARK: Surroundings

  /// The folder of the renderer, by the rule of `init`; nil when none is found.
  public static func folderFound() -> String? {
    if let told = getenv("MILLRACE_RENDERER_PATH").map({ String(cString: $0) }), !told.isEmpty { return told }
    for start in [executableFolder(), currentFolder()].compactMap({ $0 }) {
      var folder = start
      while !folder.isEmpty {
        if access(folder + "/.deps/python/vl_convert/__init__.py", R_OK) == 0 { return folder + "/.deps/python" }
        guard let slash = folder.lastIndex(of: "/") else { break }
        folder = String(folder[..<slash])
      }
    }
    return nil
  }

  private static func executableFolder() -> String? {
    guard let path = realpath("/proc/self/exe", nil) else { return nil }
    defer { free(path) }
    let text = String(cString: path)
    return text.lastIndex(of: "/").map { String(text[..<$0]) }
  }

  private static func currentFolder() -> String? {
    guard let path = getcwd(nil, 0) else { return nil }
    defer { free(path) }
    return String(cString: path)
  }

  // The machine's zone, language and fonts must not show in a picture. The renderer's own variables could open the
  // network or add fonts.
  private static func childEnvironment() -> [(String, String)] {
    let ours = [
      ("TZ", "UTC"), ("LC_ALL", "C.UTF-8"), ("PYTHONDONTWRITEBYTECODE", "1"), ("PYTHONUTF8", "1"),
    ]
    var all: [(String, String)] = []
    var entry = environ
    while let text = entry.pointee {
      let line = String(cString: text)
      entry += 1
      guard let equals = line.firstIndex(of: "=") else { continue }
      let name = String(line[..<equals])
      if name.hasPrefix("VL_CONVERT_") || name.hasPrefix("LC_") || name == "LANG" || ours.contains(where: { $0.0 == name })
      {
        continue
      }
      all.append((name, String(line[line.index(after: equals)...])))
    }
    return all + ours
  }
}

/// Splits the child's output into its answers: `word LENGTH LENGTH …`, a line feed, and the parts.
private struct AnswerReader {
  struct Answer {
    var word: String
    var parts: [ArraySlice<UInt8>]

    func text(_ part: Int) -> String { part < parts.count ? String(decoding: parts[part], as: UTF8.self) : "" }
  }

  let bytes: [UInt8]
  var position = 0

  /// Nil at the end, and where the output breaks off.
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
