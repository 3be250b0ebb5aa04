import Diagnostics

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A path pattern: `*` and `?` stand for characters of one name, `**` for any folders. No shell is asked.
///
///     Glob("2011/**/*.csv").matches("2011/q1/jan.csv")   // true
public struct Glob: Hashable, Sendable {
  public let pattern: String

  public init(_ pattern: String) { self.pattern = pattern }

  /// False when the pattern is the name of one file.
  public var isPattern: Bool { pattern.utf8.contains { $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "?") } }

  public func matches(_ path: String) -> Bool {
    Self.match(Self.parts(pattern)[...], Self.parts(path)[...])
  }

  private static func parts(_ path: String) -> [Substring] { path.split(separator: "/", omittingEmptySubsequences: true) }

  private static func match(_ pattern: ArraySlice<Substring>, _ path: ArraySlice<Substring>) -> Bool {
    guard let first = pattern.first else { return path.isEmpty }
    if first == "**" {
      // Equal neighbours say nothing new, and would cost a power of time.
      let rest = pattern.drop { $0 == "**" }
      return path.indices.contains { match(rest, path[$0...]) } || match(rest, path[path.endIndex...])
    }
    guard let name = path.first, matchName(first, name) else { return false }
    return match(pattern.dropFirst(), path.dropFirst())
  }

  /// `*` and `?` within one name; linear with one step back to the last star.
  static func matchName(_ pattern: Substring, _ name: Substring) -> Bool {
    let p = Array(pattern.unicodeScalars), n = Array(name.unicodeScalars)
    var i = 0, j = 0, star = -1, mark = 0
    while j < n.count {
      if i < p.count, p[i] == "*" {
        star = i
        mark = j
        i += 1
      } else if i < p.count, p[i] == "?" || p[i] == n[j] {
        i += 1
        j += 1
      } else if star >= 0 {
        mark += 1
        i = star + 1
        j = mark
      } else {
        return false
      }
    }
    return p[i...].allSatisfy { $0 == "*" }
  }

  /// The regular files that match, as paths in the pattern's own spelling, ascending by UTF-8 bytes. Names that begin
  /// with a dot match only where the pattern says the dot. Links to folders are not followed by `**`.
  public func files() throws -> [String] {
    guard isPattern else { return [pattern] }
    var found: [String] = []
    let absolute = pattern.hasPrefix("/")
    walk(absolute ? "/" : "", Self.parts(pattern)[...], &found)
    guard !found.isEmpty else {
      throw Diagnostic("no file matches \"\(pattern)\"", hint: "* and ? match within one name, ** matches folders")
    }
    return found.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.reduce(into: []) { if $0.last != $1 { $0.append($1) } }
  }

  private func walk(_ folder: String, _ pattern: ArraySlice<Substring>, _ found: inout [String]) {
    guard let first = pattern.first else { return }
    let rest = pattern.dropFirst()
    if first == "**" {
      walk(folder, rest.isEmpty ? ["*"] : rest, &found)
      for name in Self.names(in: folder) where !name.hasPrefix(".") && Self.kind(folder + name, follow: false) == S_IFDIR {
        walk(folder + name + "/", pattern, &found)
      }
      return
    }
    let literal = !Glob(String(first)).isPattern
    for name in literal ? [String(first)] : Self.names(in: folder)
    where literal || Self.matchName(first, name[...]) && (first.hasPrefix(".") || !name.hasPrefix(".")) {
      let path = folder + name
      if rest.isEmpty {
        if Self.kind(path, follow: true) == S_IFREG { found.append(path) }
      } else if Self.kind(path, follow: true) == S_IFDIR {
        walk(path + "/", rest, &found)
      }
    }
  }

  private static func kind(_ path: String, follow: Bool) -> mode_t? {
    var status = stat()
    guard (follow ? stat(path, &status) : lstat(path, &status)) == 0 else { return nil }
    return status.st_mode & S_IFMT
  }

  private static func names(in folder: String) -> [String] {
    guard let opened = opendir(folder.isEmpty ? "." : folder) else { return [] }
    defer { closedir(opened) }
    var names: [String] = []
    while let entry = readdir(opened) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(validatingCString: $0) }
      }
      if let name, name != ".", name != ".." { names.append(name) }
    }
    return names
  }
}
