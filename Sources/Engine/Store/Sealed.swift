import Columns
import Diagnostics
import Pipelines

/// A JSON file of the store that carries the digest of its own content, so that a flipped bit is never believed.
///
///     {"seal":"9f…","content":{…}}
enum Sealed {
  static func bytes(_ content: JSONValue) -> [UInt8] {
    let inside = content.canonicalBytes
    return head(inside.withUnsafeBytes { Digest(of: $0) }) + inside + tail
  }

  private static func head(_ seal: Digest) -> [UInt8] { Array("{\"seal\":\"\(seal)\",\"content\":".utf8) }
  private static let tail = Array("}\n".utf8)

  /// Nil when the file is missing or is not what was written.
  static func content(_ path: String) -> JSONValue? {
    Disk.contents(path).flatMap { content(of: $0, path) }
  }

  /// The same of bytes that were read; `path` is their name.
  static func content(of written: [UInt8], _ path: String) -> JSONValue? {
    let length = head(Digest(high: 0, low: 0)).count
    guard written.count > length + tail.count else { return nil }
    let inside = Array(written[length..<written.count - tail.count])
    // To the last byte: a file that was cut behind its content is not what was written either.
    guard written.starts(with: head(inside.withUnsafeBytes { Digest(of: $0) })), written.suffix(tail.count).elementsEqual(tail) else { return nil }
    return JSONReader.readAll(inside, file: path).document?.value
  }
}
