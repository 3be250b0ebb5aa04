import Diagnostics
import Pipelines

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// What a run was started with, for its record: enough to do it again.
public struct Provenance: Sendable {
  /// The document's text.
  public let text: String
  /// Of parameters, as typed after `--set`.
  public let values: [(name: String, value: String)]
  public let allowPath: [String]
  /// The current folder, from which typed paths count.
  public let folder: String
  /// Where every value came from: `ResolvedDocument.origins`.
  public let origins: JSONValue
  /// The project, whose version is recorded.
  public let project: String

  public init(
    text: String, values: [(name: String, value: String)], allowPath: [String], origins: JSONValue, project: String
  ) {
    self.text = text
    self.values = values
    self.allowPath = allowPath
    folder = Disk.currentFolder
    self.origins = origins
    self.project = project
  }

  /// Members of the record, but for the origins. Whether files differ from the commit is looked up only for runs that made something.
  func members(_ options: RunOptions, hasMade: Bool) -> [JSONMember] {
    let texts = { (list: [String]) in JSONValue.array(list.map { .string($0) }) }
    var members: [JSONMember] = [
      JSONMember("started-with", [
        "text": .string(text), "set": .array(values.map { ["name": .string($0.name), "value": .string($0.value)] }), "allow": texts(allowPath),
        "folder": .string(folder), "to": texts(options.to), "only": texts(options.only), "exclude": texts(options.exclude),
      ]),
      JSONMember("machine", Self.machine),
    ]
    if let git = GitState(around: project) { members.append(JSONMember("git", git.json(looksForChanges: hasMade))) }
    return members
  }

  private static var machine: JSONValue {
    var names = utsname()
    uname(&names)
    let text = { (bytes: UnsafeRawBufferPointer) in String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) }
    let memory = Int(sysconf(Int32(_SC_PHYS_PAGES))).multipliedReportingOverflow(by: Int(sysconf(Int32(_SC_PAGESIZE)))).partialValue
    return [
      "host": .string(withUnsafeBytes(of: &names.nodename, text)), "system": .string(withUnsafeBytes(of: &names.sysname, text)),
      "release": .string(withUnsafeBytes(of: &names.release, text)), "architecture": .string(withUnsafeBytes(of: &names.machine, text)),
      "processors": .integer(Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))), "memory": .integer(memory),
    ]
  }
}
