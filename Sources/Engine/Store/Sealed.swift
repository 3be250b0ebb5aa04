import Columns
import Diagnostics
import Pipelines

/// A JSON file of the store that carries the digest of its own content, so that a flipped bit is never believed.
///
///     {"seal":"9f…","content":{…}}
enum Sealed {
  static func bytes(_ content: JSONValue) -> [UInt8] {
    let inside = content.canonicalBytes
    let seal = inside.withUnsafeBytes { Digest(of: $0) }
    return Array("{\"seal\":\"\(seal)\",\"content\":".utf8) + inside + Array("}\n".utf8)
  }

  /// Nil when the file is missing or is not what was written.
  static func content(_ path: String) -> JSONValue? {
    guard let file = Disk.json(path), let seal = file["seal"]?.string, let content = file["content"] else { return nil }
    return content.canonicalBytes.withUnsafeBytes { Digest(of: $0).description } == seal ? content : nil
  }
}
