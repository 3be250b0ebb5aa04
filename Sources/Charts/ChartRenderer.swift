import Diagnostics
import Dispatch

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Specifications to pictures, by vl-convert in one child process, or two, for the whole batch.
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

    var names: Spec {
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
    try render(count: jobs.count, processes: 1, check: check) { put in for (at, job) in jobs.enumerated() { put(at, job) } }
  }

  /// The same for charts that are still to be made: `making` puts each under its place, from any threads. With more than one process
  /// the renderer starts meanwhile, draws what is there, and a second process makes PNG files of what the first has laid out. The
  /// pictures are the same.
  public func render(
    count: Int, processes: Int, check: @Sendable () throws -> Void = {},
    making: @escaping @Sendable (_ put: @Sendable (Int, Job) -> Void) throws -> Void
  ) throws -> [Picture] {
    guard count > 0 else { return [] }
    let queue = JobQueue()
    let make: @Sendable () -> Void = {
      do {
        try making { queue.put($0, $1) }
        queue.complete()
      } catch { queue.complete(error) }
    }
    if processes < 2 { make() }
    var drawing = Drawing(self, queue, count: count, isSplit: processes > 1)
    var children = [try start()]
    let made = DispatchGroup()
    if processes > 1 {
      drawing.warmUp(&children[0])
      DispatchQueue(label: "millrace.charts").async(group: made, execute: make)
    }
    let ending = Conversation.hold(&children, seconds: timeoutSeconds, wake: queue.readEnd, check: check) { try drawing.react(&$0) }
    made.wait()
    var timedOut = false
    switch ending {
    case .interrupted(let error): throw error
    case .timedOut: timedOut = true
    case .ended: break
    }
    // Ctrl-C reaches the renderer too: that it ended early is no mistake then.
    try check()
    try drawing.takeRest()
    return try drawing.result(children, timedOut: timedOut)
  }

  func start() throws(Mistakes) -> ChildProcess {
    let arguments = ["-c", RendererScript.source, folder ?? "", String(getpid())]
    switch ChildProcess.start(python, arguments, environment: Self.childEnvironment()) {
    case .success(let child): return child
    case .failure(let failure):
      throw Mistakes(
        Diagnostic(
          "the chart renderer could not be started", expected: "\(python) on the PATH",
          found: String(cString: strerror(failure.code)), hint: "install Python 3, then run: make setup"))
    }
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
