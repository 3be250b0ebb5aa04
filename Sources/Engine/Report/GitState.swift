import Pipelines

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The commit of a Git repository, read from its files; the tool itself is asked only whether files differ from it.
struct GitState {
  private let folder: String
  private let commit: String

  /// Of the repository around a folder; nil when there is none, or nothing was committed.
  init?(around folder: String) {
    var at = folder
    while !Disk.exists(at + "/.git") {
      if at == "/" || at == "." { return nil }
      at = Disk.folder(of: at)
    }
    self.folder = at
    var git = at + "/.git"
    let line = { (path: String) in Disk.contents(path).map { String(decoding: $0.prefix { $0 != 10 }, as: UTF8.self) } }
    // A work tree beside its repository has a file that says where that is.
    if !Disk.isFolder(git), let text = line(git), text.hasPrefix("gitdir: ") { git = Disk.normalized(String(text.dropFirst(8)), from: at) }
    let common = line(git + "/commondir").map { Disk.normalized($0, from: git) } ?? git
    guard let head = line(git + "/HEAD") else { return nil }
    guard head.hasPrefix("ref: ") else {
      commit = head
      return
    }
    let name = String(head.dropFirst(5))
    if let found = line(git + "/" + name) ?? line(common + "/" + name) {
      commit = found
      return
    }
    let packed = Disk.contents(common + "/packed-refs").map { String(decoding: $0, as: UTF8.self).split(separator: "\n") } ?? []
    guard let found = packed.first(where: { $0.hasSuffix(" " + name) })?.prefix(while: { $0 != " " }) else { return nil }
    commit = String(found)
  }

  func json(looksForChanges: Bool) -> JSONValue {
    let changes = looksForChanges ? hasChanges : nil
    return .object([JSONMember("commit", .string(commit)), changes.map { JSONMember("dirty", .bool($0)) }].compactMap { $0 })
  }

  /// Whether a file that is versioned differs from the commit; nil when Git cannot be asked.
  private var hasChanges: Bool? {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { return nil }
    defer { close(ends[0]) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    posix_spawn_file_actions_addclose(&actions, ends[0])
    let call = ["git", "-C", folder, "--no-optional-locks", "status", "--porcelain", "--untracked-files=no"]
    let words: [UnsafeMutablePointer<CChar>?] = call.map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var child = pid_t()
    let failed = posix_spawnp(&child, "git", &actions, nil, words, environ)
    close(ends[1])
    if failed != 0 { return nil }
    var said = false, room = [UInt8](repeating: 0, count: 4096)
    while true {
      let n = read(ends[0], &room, room.count)
      if n < 0, errno == EINTR { continue }
      if n <= 0 { break }
      said = true
    }
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0, errno == EINTR {}
    return status == 0 ? said : nil
  }
}
