import Diagnostics
import Formats
import Pipelines

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Finds the files of a source. A document may read within its project, and whatever was named on the command line.
///
///     let finder = SourceFinder(project: Project(document: "pipelines/shop.json"), allow: ["/data/shop.csv"])
///     try finder.files(of: Source(.files("../data/*.csv"), setting: ["path"]))
public struct SourceFinder: Sendable {
  private let project: Project
  /// Absolute, links resolved where they exist.
  private let allowed: [String]
  /// Addresses of buckets, folders and objects named on the command line.
  private let allowedRemote: [String]
  private let connections: [(name: String, url: String)]
  private let environment: @Sendable (String) -> String?

  /// `allow`: files and folders named on the command line, from the current folder; `connections`: databases named there. A connection that is
  /// not among them may stand in the environment as `MILLRACE_CONNECTION_` and its name in capitals.
  public init(
    project: Project, allow: [String] = [], connections: [(name: String, url: String)] = [],
    environment: @escaping @Sendable (String) -> String? = { getenv($0).map { String(cString: $0) } }
  ) {
    self.project = project
    self.connections = connections
    self.environment = environment
    allowedRemote = allow.filter(RemoteAddress.isAddress)
    allowed = allow.filter { !RemoteAddress.isAddress($0) }.flatMap { path -> [String] in
      let whole = Disk.normalized(path, from: Disk.currentFolder)
      return [whole, Disk.resolved(whole)].compactMap { $0 }
    }
  }

  /// In the order of their names. A path typed on the command line is taken from the current folder, and is allowed.
  public func files(of source: Source, origin: PathOrigin = .document) throws(Mistakes) -> [SourceFile] {
    switch source.version {
    case .files(let pattern): try files(matching: pattern, origin: origin, at: .setting(source.setting))
    case .query(let connection, _): [try database(connection, at: .setting(source.setting))]
    }
  }

  /// A database by the name that the person gave it: where it is, and who may read it, the document does not say.
  private func database(_ name: String, at place: Place) throws(Mistakes) -> SourceFile {
    SourceFile(name: name, path: try Self.address(ofConnection: name, connections, environment, at: place))
  }

  /// What the person says of a connection, on the command line or in the environment. No message repeats it.
  public static func address(
    ofConnection name: String, _ connections: [(name: String, url: String)] = [],
    _ environment: (String) -> String? = { getenv($0).map { String(cString: $0) } }, at place: Place = .nowhere
  ) throws(Mistakes) -> String {
    let variable = "MILLRACE_CONNECTION_" + name.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0.uppercased() : "_" }.joined()
    guard let url = connections.last(where: { $0.name == name })?.url ?? environment(variable), !url.isEmpty else {
      throw Mistakes(Diagnostic(
        "the connection \(JSONValue.string(name).canonical) is not allowed", at: place,
        hint: "allow it with --allow-connection \(name)=postgresql://host/database, or with \(variable) in the environment"))
    }
    guard PostgresQuery.isAddress(url) else {
      throw Mistakes(Diagnostic("the address of connection \(JSONValue.string(name).canonical) is not understood", at: place, expected: "postgresql://user@host:port/database"))
    }
    return url
  }

  func files(matching pattern: String, origin: PathOrigin, at place: Place) throws(Mistakes) -> [SourceFile] {
    // Not repeated: a password may stand in it.
    if PostgresQuery.isAddress(pattern) {
      throw Mistakes(Diagnostic("a database is no path", at: place, hint: "name it with \"connection\", and say where it is on the command line"))
    }
    if pattern.isEmpty || pattern.utf8.contains(0) {
      throw Mistakes(Diagnostic("the path \(JSONValue.string(pattern).canonical) names no file", at: place))
    }
    if RemoteAddress.isAddress(pattern) { return try objects(matching: pattern, origin: origin, at: place) }
    let base = origin == .document ? project.documentFolder : Disk.currentFolder
    var glob = Glob(Disk.normalized(pattern, from: base))
    // A folder means the files in it.
    if !glob.isPattern, Disk.isFolder(glob.pattern) { glob = Glob(glob.pattern + "/*") }
    let fixed = fixedPart(of: glob)
    if origin == .document, !isAllowed(glob.isPattern ? fixed : glob.pattern) { throw Mistakes(outside(pattern, at: place)) }
    var paths = [glob.pattern]
    if glob.isPattern {
      do { paths = try glob.files() } catch {
        if !Glob(pattern).isPattern { throw Mistakes(Diagnostic("the folder \"\(pattern)\" holds no files", at: place)) }
        throw Mistakes(Diagnostic("no file matches \"\(pattern)\"", at: place, hint: "* and ? match within one name, ** matches folders"))
      }
    }
    var files: [SourceFile] = [], mistakes: [Diagnostic] = []
    for path in paths {
      if let mistake = problem(path, spelled: glob.isPattern ? name(of: path, fixed: fixed, isPattern: true) : pattern, at: place) {
        mistakes.append(mistake)
        continue
      }
      if origin == .document, !isAllowed(Disk.resolved(path) ?? path) {
        mistakes.append(outside(pattern, at: place))
        continue
      }
      files.append(SourceFile(name: name(of: path, fixed: fixed, isPattern: glob.isPattern), path: path))
    }
    if !mistakes.isEmpty { throw Mistakes(mistakes) }
    return files.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
  }

  /// Objects behind addresses are outside of every project: a document may read them only where the command line says so.
  private func objects(matching pattern: String, origin: PathOrigin, at place: Place) throws(Mistakes) -> [SourceFile] {
    do {
      let address = try RemoteAddress(pattern, at: place)
      if origin == .document, !allowedRemote.contains(where: address.isBelow) { throw outside(pattern, at: place) }
      return try address.objects().map { SourceFile(name: $0.name, path: $0.address.text) }
    } catch {
      guard var mistake = error as? Diagnostic else { throw Mistakes(Diagnostic("\(error)", at: place)) }
      if case .nowhere = mistake.place { mistake.place = place }
      throw Mistakes(mistake)
    }
  }

  private func isAllowed(_ path: String) -> Bool {
    ([project.root] + allowed).contains { path == $0 || Disk.path(path, below: $0) != nil }
  }

  /// The part below the pattern's fixed part; of a single file its own name. It reaches artifacts and recipes, so it depends
  /// neither on where the document lies nor on where the files do.
  private func name(of path: String, fixed: String, isPattern: Bool) -> String {
    if isPattern, let below = Disk.path(path, below: fixed) { return below }
    return Disk.name(of: path)
  }

  /// The folder before the first star.
  private func fixedPart(of glob: Glob) -> String {
    guard glob.isPattern else { return Disk.folder(of: glob.pattern) }
    var parts: [Substring] = []
    for part in glob.pattern.split(separator: "/") {
      if Glob(String(part)).isPattern { break }
      parts.append(part)
    }
    return "/" + parts.joined(separator: "/")
  }

  private func outside(_ pattern: String, at place: Place) -> Diagnostic {
    Diagnostic(
      "the path \(JSONValue.string(pattern).canonical) leads outside of the project", at: place,
      hint: "allow it with --allow-path, or give it on the command line with --set")
  }

  /// What is wrong with a file that has to be read; nil when nothing is.
  private func problem(_ path: String, spelled: String, at place: Place) -> Diagnostic? {
    let shown = JSONValue.string(spelled).canonical
    var status = stat()
    if stat(path, &status) != 0 {
      let code = errno
      guard code == ENOENT else { return Diagnostic("\(shown) cannot be opened: \(String(cString: strerror(code)))", at: place) }
      var link = stat()
      if lstat(path, &link) == 0 { return Diagnostic("\(shown) is a link to a file that does not exist", at: place) }
      return Diagnostic("there is no file \(shown)", at: place, hint: missingHint(path, spelled: spelled))
    }
    switch status.st_mode & S_IFMT {
    case S_IFREG: break
    case S_IFDIR:
      return Diagnostic("\(shown) is a folder", at: place, expected: "a file", hint: "\(spelled)/* takes all files in it")
    default: return Diagnostic("\(shown) is not a regular file", at: place, expected: "a file")
    }
    if access(path, R_OK) != 0 { return Diagnostic("\(shown) cannot be read: \(String(cString: strerror(errno)))", at: place) }
    return nil
  }

  private func missingHint(_ path: String, spelled: String) -> String? {
    let folder = Disk.folder(of: path)
    guard Disk.isFolder(folder) else { return "the folder \(JSONValue.string(Disk.folder(of: spelled)).canonical) does not exist" }
    let files = Disk.names(in: folder).filter { !$0.hasPrefix(".") && !Disk.isFolder(folder + "/" + $0) }
    guard let near = nearest(to: Disk.name(of: path), among: files) else { return nil }
    let prefix = spelled.contains("/") ? Disk.folder(of: spelled) + "/" : ""
    return "did you mean \"\(prefix)\(near)\"?"
  }
}
