/// Tells how a text is written from its first bytes: by its byte-order mark, by where its zeros stand, by whether it is UTF-8.
public enum EncodingDetection {
  static let markReason = "a byte-order mark"

  public struct Found: Sendable, Equatable {
    public var encoding: TextEncoding
    /// One sentence.
    public var reason: String
  }

  /// `isWhole`: nothing comes behind `head`; otherwise its last character may be cut.
  public static func detect(_ head: [UInt8], isWhole: Bool) -> Found {
    if head.starts(with: [0xFF, 0xFE, 0, 0]) { return Found(encoding: .utf32LittleEndian, reason: markReason) }
    if head.starts(with: [0, 0, 0xFE, 0xFF]) { return Found(encoding: .utf32BigEndian, reason: markReason) }
    if head.starts(with: [0xEF, 0xBB, 0xBF]) { return Found(encoding: .utf8, reason: markReason) }
    if head.starts(with: [0xFF, 0xFE]) { return Found(encoding: .utf16LittleEndian, reason: markReason) }
    if head.starts(with: [0xFE, 0xFF]) { return Found(encoding: .utf16BigEndian, reason: markReason) }
    if let found = byZeros(head) { return found }
    let bad = head.withUnsafeBufferPointer { head in head.baseAddress.flatMap { firstInvalidUTF8($0, from: 0, to: head.count) } }
    guard let bad else { return Found(encoding: .utf8, reason: head.allSatisfy { $0 < 0x80 } ? "plain ASCII" : "every character is UTF-8") }
    // Damaged UTF-8 is no other encoding: readers tell the byte, or take it for a character where rules may be broken.
    if isShapedLikeUTF8(head) { return Found(encoding: .utf8, reason: "most characters are UTF-8") }
    // Five bytes mean nothing in windows-1252.
    let undefined: Set<UInt8> = [0x81, 0x8D, 0x8F, 0x90, 0x9D]
    if head.contains(where: undefined.contains) {
      return Found(encoding: .latin1, reason: "byte \(bad) is not UTF-8, and others not windows-1252")
    }
    return Found(encoding: .windows1252, reason: "byte \(bad) is not UTF-8")
  }

  /// Whether more bytes beyond ASCII stand in groups as UTF-8 has them (sound or not, the last one perhaps cut) than stand alone.
  private static func isShapedLikeUTF8(_ head: [UInt8]) -> Bool {
    var shaped = 0, alone = 0, at = 0
    while at < head.count {
      let lead = head[at]
      if lead < 0x80 {
        at += 1
        continue
      }
      let length = lead >= 0xF0 && lead < 0xF8 ? 4 : lead >= 0xE0 && lead < 0xF0 ? 3 : lead >= 0xC0 && lead < 0xE0 ? 2 : 0
      var next = at + 1
      while next < head.count, next < at + length, head[next] & 0xC0 == 0x80 { next += 1 }
      if length > 0, next == at + length || next == head.count {
        shaped += 1
        at = next
      } else {
        alone += 1
        at += 1
      }
    }
    return shaped > alone
  }

  /// Most characters of a table are ASCII: in UTF-16 every other byte is zero then, in UTF-32 three of four.
  private static func byZeros(_ head: [UInt8]) -> Found? {
    let length = head.count / 4 * 4
    guard length >= 4 else { return nil }
    var zeros = [0, 0, 0, 0]
    for at in 0..<length where head[at] == 0 { zeros[at & 3] += 1 }
    let most = length / 4
    func mostly(_ at: Int) -> Bool { zeros[at] * 10 >= most * 7 }
    func rarely(_ at: Int) -> Bool { zeros[at] * 20 <= most }
    let words = "zeros where the high bytes of characters stand"
    if mostly(1), mostly(2), mostly(3), rarely(0) { return Found(encoding: .utf32LittleEndian, reason: words) }
    if mostly(0), mostly(1), mostly(2), rarely(3) { return Found(encoding: .utf32BigEndian, reason: words) }
    if mostly(1), mostly(3), rarely(0), rarely(2) { return Found(encoding: .utf16LittleEndian, reason: words) }
    if mostly(0), mostly(2), rarely(1), rarely(3) { return Found(encoding: .utf16BigEndian, reason: words) }
    return nil
  }
}
