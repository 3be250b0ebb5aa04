import Diagnostics
import Testing

@testable import Formats

/// The inflater against zlib, whatever the pieces; and what is said of damage.
@Suite struct GzipTests {
  private static func text(_ dice: inout Dice, _ count: Int) -> [UInt8] {
    let words = ["alpha", ",", "12.5", "\n", "été", "\"", "a longer stretch of text"]
    var bytes: [UInt8] = []
    while bytes.count < count {
      bytes += Array(words.randomElement(using: &dice)!.utf8)
      if Int.random(in: 0..<9, using: &dice) == 0 { bytes.append(UInt8.random(in: 0...255, using: &dice)) }
    }
    return bytes
  }

  /// nil: refused.
  private func unpacked(_ bytes: [UInt8], piece: Int, room: Int = 1 << 16) -> [UInt8]? {
    let source = GzipBytes(MemoryBytes(bytes, name: "t.gz", piece: piece))
    var out: [UInt8] = [], space = [UInt8](repeating: 0, count: room)
    while true {
      guard let n = try? space.withUnsafeMutableBytes({ try source.read(into: $0) }) else { return nil }
      if n == 0 { return out }
      out += space[..<n]
    }
  }

  @Test func anyPieces() {
    var dice = Dice(state: 21)
    for (size, level) in [(0, 6), (1, 6), (300, 0), (3000, 1), (3000, 9), (200_000, 6), (200_000, 0), (70_000, 3)] as [(Int, Int32)] {
      let text = Self.text(&dice, size), packed = GzipTwin.packed(text, level: level)
      for (piece, room) in [(1, 1), (1, 1 << 16), (7, 100), (1000, 1 << 15), (1 << 20, 33), (1 << 20, 1 << 20)] where size < 10_000 || piece * room > 10_000 {
        #expect(unpacked(packed, piece: piece, room: room) == text, "\(size) bytes, pieces of \(piece), room for \(room)")
      }
    }
  }

  @Test func members() {
    var dice = Dice(state: 22)
    for round in 0..<30 {
      var packed: [UInt8] = [], text: [UInt8] = []
      for _ in 0..<Int.random(in: 1...6, using: &dice) {
        let part = Self.text(&dice, Int.random(in: 0...2000, using: &dice))
        text += part
        packed += GzipTwin.packed(part, level: Int32.random(in: 0...9, using: &dice))
      }
      if round % 3 == 0 { packed += [UInt8](repeating: 0, count: round) }
      for piece in [1, 5, 100, 1 << 20] { #expect(unpacked(packed, piece: piece) == text, "round \(round), pieces of \(piece)") }
      #expect(unpacked(packed + [7], piece: 64) == nil)
    }
  }

  /// Cut anywhere, any byte another: refused where zlib refuses, and never another text.
  @Test func damage() {
    var dice = Dice(state: 23)
    for level in [0, 1, 6] as [Int32] {
      let text = Self.text(&dice, 700), packed = GzipTwin.packed(text, level: level)
      for end in 0..<packed.count { #expect(unpacked(Array(packed[..<end]), piece: 1 + end % 50) == nil, "cut at \(end)") }
      for at in packed.indices {
        var other = packed
        other[at] ^= UInt8(1 << Int.random(in: 0..<8, using: &dice))
        let twin = GzipTwin.unpacked(other)
        #expect(unpacked(other, piece: 1 + at % 50) == twin, "byte \(at) is \(other[at]) for \(packed[at]): zlib says \(twin == nil ? "damaged" : "sound")")
      }
    }
  }

  @Test(arguments: [
    ("empty", [], "t.gz: error: is empty\n  hint: a .gz of no rows still has a header of 18 bytes"), ("other", [80, 75, 3, 4], "t.gz: error: is no gzip file"),
    ("cut", [0x1F, 0x8B, 8, 0, 0, 0], "t.gz, byte 6: error: is cut off: the packed data ends too early"),
    ("method", [0x1F, 0x8B, 7, 0, 0, 0, 0, 0, 0, 3, 0, 0], "t.gz, byte 10: error: is damaged: packed otherwise than by deflate"),
    ("flags", [0x1F, 0x8B, 8, 0x80, 0, 0, 0, 0, 0, 3, 0, 0], "t.gz, byte 3: error: is damaged: the header has unknown flags"),
  ] as [(String, [UInt8], String)])
  func words(_ name: String, _ bytes: [UInt8], _ words: String) {
    #expect(message { try GzipBytes(MemoryBytes(bytes, name: "t.gz")).all() } == words, "\(name)")
  }
}
