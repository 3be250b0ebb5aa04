import Diagnostics
import Pipelines

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// `runs/<id>/`: what a run leaves for people. Named by the clock (`Instant`).
struct RunFolder {
  let id: String
  /// ISO 8601, UTC.
  let started: String
  private let store: ArtifactStore

  init(in store: ArtifactStore) throws {
    self.store = store
    while true {
      let now = Instant.now
      // The second in 65,536 parts: runs of one second sort by time too.
      let tick = String(now.nanoseconds * 65_536 / 1_000_000_000, radix: 16)
      let id = "\(now.whole.filter { $0 != "-" && $0 != ":" })-\(String(repeating: "0", count: 4 - tick.count))\(tick)"
      if mkdir(store.runs + "/" + id, 0o777) == 0 {
        self.id = id
        started = now.whole
        return
      }
      guard errno == EEXIST else { throw Disk.failure("make the folder", store.runs + "/" + id) }
      usleep(100)
    }
  }

  /// What a run found, beside what its heading says.
  struct Findings {
    let files: [RunFile]
    /// Of the page, below its head.
    let page: String
    /// Of `run.json`: members as they are printed, from `stages` to where the values of the document came from.
    let members: String
  }

  /// `files` is the store that holds the run's artifacts.
  func write(_ heading: RunHeading, _ findings: Findings, startedWith: [JSONMember], files: ArtifactStore) throws {
    let folder = store.runs + "/" + id
    for file in findings.files { try Disk.linkOrCopy(files.path + "/" + file.place, to: folder + "/" + file.name) }
    try Disk.write(Array(RunPage.html(heading, findings: findings.page).utf8), to: folder + "/run.html", durably: false)
    let record = [heading.json.prettyMembers, findings.members, JSONValue.object(startedWith).prettyMembers].filter { !$0.isEmpty }.joined(separator: ",\n")
    // Last, and in one step: a run without run.json was killed.
    try Disk.write(Array("{\n\(record)\n}\n".utf8), to: folder + "/.run.json", durably: false)
    guard rename(folder + "/.run.json", folder + "/run.json") == 0 else { throw Disk.failure("write", folder + "/run.json") }
    let link = store.runs + "/.latest-" + id
    if symlink(id, link) == 0, rename(link, store.runs + "/latest") != 0 { unlink(link) }
  }
}
