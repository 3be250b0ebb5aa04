/// Bytes as text of 64 letters (RFC 4648, section 4), so that a JSON document can hold them.
public enum Base64 {
  private static let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  public static func text(of bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let left = min(3, bytes.count - start)
      let word = (0..<3).reduce(0) { $0 << 8 | ($1 < left ? Int(bytes[start + $1]) : 0) }
      for place in 0..<4 {
        text.append(place <= left ? letters[word >> (18 - 6 * place) & 63] : UInt8(ascii: "="))
      }
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// nil for a text that is not of this form.
  public static func bytes(of text: String) -> [UInt8]? {
    var valueOf = [Int](repeating: -1, count: 256)
    for (value, letter) in letters.enumerated() { valueOf[Int(letter)] = value }
    let utf8 = Array(text.utf8)
    guard utf8.count % 4 == 0 else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(utf8.count / 4 * 3)
    for start in stride(from: 0, to: utf8.count, by: 4) {
      let isLast = start + 4 == utf8.count
      let filler = isLast ? (utf8[start + 3] == UInt8(ascii: "=") ? (utf8[start + 2] == UInt8(ascii: "=") ? 2 : 1) : 0) : 0
      var word = 0
      for place in 0..<4 {
        let value = place < 4 - filler ? valueOf[Int(utf8[start + place])] : 0
        if value < 0 { return nil }
        word = word << 6 | value
      }
      for place in 0..<(3 - filler) { bytes.append(UInt8(word >> (16 - 8 * place) & 255)) }
    }
    return bytes
  }
}
