import CScan

/// The offset of the first byte that is not UTF-8 (RFC 3629: no surrogates, nothing overlong, nothing past U+10FFFF).
func firstInvalidUTF8(_ base: UnsafePointer<UInt8>, from: Int, to: Int) -> Int? {
  var at = from
  while at < to {
    if at &+ 64 <= to, cscan_has_high(base + at) == 0 {
      at &+= 64
      continue
    }
    let lead = base[at]
    if lead < 0x80 {
      at &+= 1
      continue
    }
    let length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2
    guard lead >= 0xC2, lead <= 0xF4, at &+ length <= to else { return at }
    let second = base[at &+ 1]
    switch lead {
    case 0xE0: if second < 0xA0 { return at }
    case 0xED: if second > 0x9F { return at }
    case 0xF0: if second < 0x90 { return at }
    case 0xF4: if second > 0x8F { return at }
    default: break
    }
    for i in 1..<length where base[at &+ i] & 0xC0 != 0x80 { return at }
    at &+= length
  }
  return nil
}

/// Bytes as a text for people: what is not UTF-8 as `\xNN`.
func printable(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
  guard let base = bytes.baseAddress, firstInvalidUTF8(base, from: 0, to: bytes.count) != nil else {
    return String(decoding: bytes, as: UTF8.self)
  }
  var text: [UInt8] = [], at = 0
  while at < bytes.count {
    let bad = firstInvalidUTF8(base, from: at, to: bytes.count) ?? bytes.count
    text += bytes[at..<bad]
    at = bad
    guard at < bytes.count else { break }
    let digits = Array("0123456789ABCDEF".utf8)
    text += [UInt8(ascii: "\\"), UInt8(ascii: "x"), digits[Int(bytes[at] >> 4)], digits[Int(bytes[at] & 15)]]
    at += 1
  }
  return String(decoding: text, as: UTF8.self)
}
