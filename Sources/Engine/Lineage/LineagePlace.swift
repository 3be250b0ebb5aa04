import CCurl
import Diagnostics
import Pipelines

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Where OpenLineage events go: behind the lines of a file, or to a server that takes one a request.
public enum LineagePlace: Sendable {
  case file(String)
  case server(url: String, key: String?)

  /// The path that servers of the standard (Marquez, DataHub and others) listen at.
  public static let endpoint = "/api/v1/lineage"
  /// For a request, in seconds. A run does not wait for it, but for what is left at its end.
  private static let patience = 10

  /// - Parameters:
  ///   - place: a path, or an address of http or https; `endpoint` is put behind one without a path.
  ///   - key: sent as a bearer token.
  public init(_ place: String, key: String? = nil) throws {
    guard let scheme = ["http://", "https://"].first(where: place.lowercased().hasPrefix) else {
      guard !place.contains("://") else {
        throw Diagnostic(
          "events of lineage cannot go to \"\(place)\"", expected: "a file, or an address that begins with http:// or https://",
          found: String(place.prefix { $0 != ":" }) + "://")
      }
      self = .file(place)
      return
    }
    let parts = place.dropFirst(scheme.count).split(separator: "/", maxSplits: 1)
    self = .server(url: parts.count < 2 ? scheme + (parts.first ?? "") + Self.endpoint : place, key: key)
  }

  /// Throws where nothing can be written, before anything is run.
  func begin() throws {
    guard case .file(let path) = self else { return }
    let file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o666)
    guard file >= 0 else { throw Disk.failure("write events of lineage to", path) }
    close(file)
  }

  /// One event, as one line or one request.
  func send(_ event: JSONValue) throws {
    switch self {
    case .file(let path):
      // One write of a whole line at the end: runs that share a file do not mix theirs.
      let line = event.canonicalBytes + [10]
      let file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o666)
      guard file >= 0 else { throw Disk.failure("write events of lineage to", path) }
      defer { close(file) }
      guard line.withUnsafeBytes({ write(file, $0.baseAddress!, $0.count) }) == line.count else { throw Disk.failure("write events of lineage to", path) }
    case .server(let url, let key):
      let headers = ["Content-Type: application/json", "Expect:"] + (key.map { ["Authorization: Bearer \($0)"] } ?? [])
      let copies = headers.map { strdup($0) }
      defer { for copy in copies { free(copy) } }
      let pointers = copies.compactMap { $0.map { UnsafePointer($0) } }
      var words = [CChar](repeating: 0, count: 512)
      let body = event.canonicalBytes
      let status = body.withUnsafeBytes { bytes in
        millrace_http_post(url, pointers, pointers.count, bytes.baseAddress!, bytes.count, Self.patience, &words, words.count)
      }
      if (200..<300).contains(status) { return }
      let found = status < 0 ? String(decoding: words.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) : "status \(status)"
      throw Diagnostic("events of lineage do not arrive at \(Self.shown(url))", expected: "a status of 200 to 299", found: found)
    }
  }

  /// Without a password in it.
  private static func shown(_ url: String) -> String {
    var parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false).map(String.init)
    if parts.count > 2, let at = parts[2].lastIndex(of: "@") { parts[2] = String(parts[2][parts[2].index(after: at)...]) }
    return parts.joined(separator: "/")
  }
}
