import Diagnostics

/// A stretch of text in memory: what the last window left over, then newly read bytes, with room of the same size
/// behind it for unescaped text.
// @unchecked: filled by one thread while others read another window; handed over with a dispatch group.
final class TextWindow: @unchecked Sendable {
  private var memory: UnsafeMutableRawPointer
  /// Room in front for what the last window left over.
  private var headroom: Int
  private let fresh: Int
  /// The text is `base[begin..<end]`.
  private(set) var begin: Int
  private(set) var end: Int
  private(set) var atEnd = false
  private static let padding = 128

  init(bytes: Int, headroom: Int) {
    fresh = bytes
    self.headroom = headroom
    memory = Self.allocate(headroom + bytes)
    begin = headroom
    end = headroom
  }

  deinit { memory.deallocate() }

  private static func allocate(_ room: Int) -> UnsafeMutableRawPointer {
    let memory = UnsafeMutableRawPointer.allocate(byteCount: 2 * room + 4 * padding, alignment: 64)
    // Loads may begin before a text and run over its end.
    memory.initializeMemory(as: UInt8.self, repeating: 0, count: padding)
    return memory
  }

  var base: UnsafePointer<UInt8> { UnsafePointer((memory + Self.padding).assumingMemoryBound(to: UInt8.self)) }
  private var bytes: UnsafeMutablePointer<UInt8> { (memory + Self.padding).assumingMemoryBound(to: UInt8.self) }
  /// From a place of the text to its place in the room behind.
  var shadow: Int { headroom + fresh + 2 * Self.padding }

  /// Reads as much as fits, so that a window's content depends on the text alone and not on the source's pieces.
  func fill(from source: ByteSource) throws {
    begin = headroom
    end = headroom
    atEnd = false
    let limit = headroom + fresh
    while end < limit {
      let n = try source.read(into: UnsafeMutableRawBufferPointer(start: bytes + end, count: limit - end))
      if n == 0 {
        atEnd = true
        break
      }
      end += n
    }
    pad()
  }

  private func pad() { (bytes + end).update(repeating: 0, count: Self.padding) }

  /// Puts what another window left over in front.
  func prepend(_ rest: UnsafeBufferPointer<UInt8>) {
    if rest.count > headroom {
      let larger = rest.count + rest.count / 2, filled = end - begin
      let moved = Self.allocate(larger + fresh)
      (moved + Self.padding + larger).copyMemory(from: memory + Self.padding + begin, byteCount: filled)
      memory.deallocate()
      memory = moved
      headroom = larger
      begin = larger
      end = larger + filled
      pad()
    }
    begin = headroom - rest.count
    if let from = rest.baseAddress { (bytes + begin).update(from: from, count: rest.count) }
  }

  /// The last row of a text may lack its line end.
  func closeLastRow() {
    guard atEnd, end > begin, bytes[end - 1] != 10, bytes[end - 1] != 13 else { return }
    bytes[end] = 10
    end += 1
    pad()
  }

  /// Takes bytes off the front.
  func drop(to offset: Int) { begin = offset }
}
