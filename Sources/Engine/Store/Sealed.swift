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
  private static let headLength = head(Digest(high: 0, low: 0)).count
  private static let tail = Array("}\n".utf8)

  /// Nil when the file is missing or is not what was written.
  static func content(_ path: String) -> JSONValue? { document(path)?.value }

  /// The same with the places of everything in it.
  static func document(_ path: String) -> JSONDocument? { Disk.contents(path).flatMap { document(of: $0, path) } }

  /// Of bytes that were read; `path` is their name.
  static func document(of written: [UInt8], _ path: String) -> JSONDocument? {
    guard written.count > headLength + tail.count else { return nil }
    let inside = Array(written[headLength..<written.count - tail.count])
    // To the last byte: a file that was cut behind its content is not what was written either.
    guard written.starts(with: head(inside.withUnsafeBytes { Digest(of: $0) })), written.suffix(tail.count).elementsEqual(tail) else { return nil }
    return JSONReader.readAll(inside, file: path).document
  }
}
