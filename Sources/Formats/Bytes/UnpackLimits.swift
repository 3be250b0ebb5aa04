import Diagnostics

/// How much unpacking may give, so that a small hostile file cannot fill the machine.
public struct UnpackLimits: Hashable, Sendable {
  /// Unpacked bytes of one member (or one .gz).
  public var bytes: Int
  /// Unpacked over packed bytes. Deflate reaches 1,032; tables seldom pass 50.
  public var ratio: Int
  /// Members of one archive.
  public var entries: Int

  /// The ratio is looked at only beyond so many unpacked bytes: small files of equal rows pack very well.
  static let ratioFloor = 32 << 20

  public init(bytes: Int = 1 << 40, ratio: Int = 250, entries: Int = 100_000) {
    self.bytes = bytes
    self.ratio = ratio
    self.entries = entries
  }

  func check(unpacked: Int, packed: Int, of source: ByteSource) throws {
    if unpacked > bytes {
      throw source.mistake("unpacks to more than the limit of \(bytes) bytes", hint: "raise the limit if the file is to be trusted")
    }
    if unpacked > Self.ratioFloor, packed > 0, unpacked / ratio > packed {
      throw source.mistake(
        "unpacks to more than \(ratio) times its packed size", hint: "raise the limit if the file is to be trusted")
    }
  }
}
