/// The names that parts of an SVG have among themselves: `id="clip0"`, `url(#clip0)`, `href="#clip0"`.
enum SVGNames {
  /// Numbered by first appearance. The renderer counts on from picture to picture, and a picture must not show what was
  /// drawn before it.
  static func numbered(_ svg: String) -> String {
    var known: [[UInt8]: Int] = [:]
    return renamed(svg) { name in
      let number = known[name] ?? known.count
      known[name] = number
      return Array("n\(number)".utf8)
    }
  }

  /// With a prefix, so that several pictures may stand on one page.
  static func prefixed(_ svg: String, by prefix: String) -> String { renamed(svg) { prefix.utf8 + $0 } }

  // Only attributes are touched; a label may read "url(#" and stays.
  private static func renamed(_ svg: String, _ rename: ([UInt8]) -> [UInt8]) -> String {
    let marks = [" id=\"", "url(#", "href=\"#"].map { Array($0.utf8) }
    let ends = Set("\")'".utf8)
    let bytes = Array(svg.utf8)
    var out: [UInt8] = [], quote: UInt8?, isInTag = false, position = 0
    out.reserveCapacity(bytes.count + bytes.count / 16)
    while position < bytes.count {
      let byte = bytes[position]
      out.append(byte)
      position += 1
      guard isInTag else {
        isInTag = byte == UInt8(ascii: "<")
        continue
      }
      if let open = quote {
        if byte == open { quote = nil }
      } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
        quote = byte
      } else if byte == UInt8(ascii: ">") {
        isInTag = false
      }
      // All marks end in one of these two.
      guard byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "#"),
        marks.contains(where: { out.suffix($0.count).elementsEqual($0) })
      else { continue }
      var name: [UInt8] = []
      while position < bytes.count, !ends.contains(bytes[position]) {
        name.append(bytes[position])
        position += 1
      }
      out += rename(name)
    }
    return String(decoding: out, as: UTF8.self)
  }
}
