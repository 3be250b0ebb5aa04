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
    guard let written = Disk.contents(path), let content = JSONReader.readAll(written, file: path).document?.value["content"] else { return nil }
    // To the last byte: a file that was cut behind its content is not what was written either.
    return bytes(content) == written ? content : nil
  }
}
