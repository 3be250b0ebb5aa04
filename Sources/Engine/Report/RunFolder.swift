import Diagnostics
import Pipelines

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// `runs/<id>/`: what a run leaves for people. The clock is read here and nowhere else.
struct RunFolder {
  let id: String
  /// ISO 8601, UTC.
  let started: String
  private let store: ArtifactStore

  init(in store: ArtifactStore) throws {
    self.store = store
    while true {
      var now = timespec()
      clock_gettime(CLOCK_REALTIME, &now)
      var seconds = now.tv_sec, parts = tm()
      gmtime_r(&seconds, &parts)
      let date = [(parts.tm_year + 1900, 4), (parts.tm_mon + 1, 2), (parts.tm_mday, 2)].map { padded(Int($0.0), $0.1) }
      let time = [parts.tm_hour, parts.tm_min, parts.tm_sec].map { padded(Int($0), 2) }
      // The second in 65,536 parts: runs of one second sort by time too.
      let tick = String(Int(now.tv_nsec) * 65_536 / 1_000_000_000, radix: 16)
      let id = "\(date.joined())T\(time.joined())Z-\(String(repeating: "0", count: 4 - tick.count))\(tick)"
      if mkdir(store.runs + "/" + id, 0o777) == 0 {
        self.id = id
        started = "\(date.joined(separator: "-"))T\(time.joined(separator: ":"))Z"
        return
      }
      guard errno == EEXIST else { throw Disk.failure("make the folder", store.runs + "/" + id) }
      usleep(100)
    }
  }

  /// `files` is the store that holds the run's artifacts.
  func write(_ report: RunReport, files: ArtifactStore) throws {
    let folder = store.runs + "/" + id
    for stage in report.stages {
      for output in stage.outputs where output.isKept {
        guard case .file(let file, let name, _) = output.record.content else { continue }
        try Disk.linkOrCopy(files.path(of: file, in: output.record.digest), to: folder + "/" + name)
      }
    }
    try Disk.write(Array(RunPage(report).html.utf8), to: folder + "/run.html", durably: false)
    // Last, and in one step: a run without run.json was killed.
    try Disk.write(Array(report.recordJSON.pretty().utf8), to: folder + "/.run.json", durably: false)
    guard rename(folder + "/.run.json", folder + "/run.json") == 0 else { throw Disk.failure("write", folder + "/run.json") }
    let link = store.runs + "/.latest-" + id
    if symlink(id, link) == 0, rename(link, store.runs + "/latest") != 0 { unlink(link) }
  }
}

private func padded(_ number: Int, _ width: Int) -> String {
  let digits = String(number)
  return String(repeating: "0", count: max(0, width - digits.count)) + digits
}
