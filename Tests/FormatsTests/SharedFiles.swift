import Foundation

/// The data that is no part of the repository: MILLRACE_SHARED, else `../shared` beside the package.
/// nil, with a note, where it is absent.
func shared(_ path: String) -> String? {
  let root = ProcessInfo.processInfo.environment["MILLRACE_SHARED"]
    ?? URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("shared").path
  let full = root + "/" + path
  if FileManager.default.fileExists(atPath: full) { return full }
  print("not there, so not tested: \(path)")
  return nil
}

/// A folder of its own, removed when the value goes.
final class Scratch {
  let path: String

  init() {
    path = NSTemporaryDirectory() + "millrace-formats-" + UUID().uuidString
    try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String, _ text: String = "") -> String {
    let full = path + "/" + name
    let folder = (full as NSString).deletingLastPathComponent
    try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    _ = FileManager.default.createFile(atPath: full, contents: Data(text.utf8))
    return full
  }
}
