import Columns
import Diagnostics
import Formats
import Pipelines

/// An archive of a run, unpacked into a folder that nobody else knows. Members that are none of a run's, and those that are larger than what was said
/// of them before, are refused.
struct RunUnpacking {
  let folder: String
  let artifacts: [Digest]
  let recipes: [Digest]
  private let name: String

  static let runFiles = ["run.json", "run.html"]

  init(_ archive: Archive, in folder: String, _ name: String) throws {
    self.folder = folder
    self.name = name
    // Whoever lies about sizes fills no disk.
    var room = Disk.freeBytes(at: folder).flatMap { Int(exactly: $0) } ?? .max
    for place in ["run", "recipes", "objects"] { try Disk.makeFolders(folder + "/" + place) }
    // By artifact the sizes of its files.
    var said: [Digest: [String: Int]] = [:]
    try archive.forEachMember { member, bytes in
      let stranger = Self.refusal("\(JSONValue.string(member).canonical) is no member of a run", name)
      let parts = member.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
      var limit = SharedArrival.recordLimit
      var described: Digest?
      switch (parts[0], parts.count) {
      case ("run", 2):
        guard Self.runFiles.contains(parts[1]) else { throw stranger }
      case ("recipes", 2):
        guard parts[1].hasSuffix(".json"), let key = Digest(parts[1].dropLast(5)), parts[1] == "\(key).json" else { throw stranger }
      case ("objects", 3):
        guard let digest = Digest(parts[1]), parts[1] == digest.description else { throw stranger }
        if parts[2] == "artifact.json" {
          try Disk.makeFolders("\(folder)/objects/\(digest)")
          described = digest
        } else {
          guard let size = said[digest]?[parts[2]] else {
            throw Self.refusal("\(JSONValue.string(member).canonical) is not what its artifact.json said before", name)
          }
          limit = size
        }
      default: throw stranger
      }
      guard limit <= room else { throw Self.refusal("it unpacks to more than there is room for", name) }
      let path = folder + "/" + member
      try copy(bytes, to: path, atMost: limit)
      let size = Disk.size(ofFile: path) ?? 0
      guard size <= limit else { throw Self.refusal("\(member) is larger than \(limit) bytes", name) }
      room -= size
      if let described {
        guard let record = SharedArrival.record(in: "\(folder)/objects/\(described)", described) else {
          throw Self.refusal("objects/\(described)/artifact.json is not what was written", name)
        }
        said[described] = Dictionary(uniqueKeysWithValues: record.files.map { ($0.name, $0.bytes) })
      }
    }
    artifacts = said.keys.sorted()
    recipes = Disk.names(in: folder + "/recipes").compactMap { Digest($0.dropLast(5)) }.sorted()
    for file in Self.runFiles where !Disk.exists(folder + "/run/" + file) { throw refusal("it holds no \(file)") }
  }

  func record() throws -> JSONValue {
    guard let record = Disk.json(folder + "/run/run.json") else { throw refusal("its run.json is no JSON") }
    return record
  }

  /// An id becomes the name of a folder.
  func id(of record: JSONValue) -> String? {
    guard let id = record["run"]?.string, (1...64).contains(id.utf8.count), id != "latest" else { return nil }
    return id.utf8.allSatisfy { $0 == 45 || (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) } ? id : nil
  }

  /// Whether a text is the name of a file in a folder.
  static func isName(_ text: String) -> Bool {
    !text.isEmpty && !text.hasPrefix(".") && !text.contains("/") && text.utf8.count <= 255 && !text.unicodeScalars.contains { $0.value < 32 || $0.value == 127 }
  }

  func refusal(_ why: String) -> Diagnostic { Self.refusal(why, name) }

  private static func refusal(_ why: String, _ name: String) -> Diagnostic {
    Diagnostic("is no archive of a run that can be taken: \(why)", at: .data(file: name, line: nil, byte: nil, column: nil), expected: "what millrace runs export wrote")
  }
}
