/// Text that stands in HTML, in an attribute too.
public func escaped(_ text: String) -> String {
  var text = text
  let isPlain = text.withUTF8 { bytes in
    // Most texts stand there as they are.
    bytes.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "&"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\""), UInt8(ascii: "'"): false
      default: byte >= 32
      }
    }
  }
  if isPlain { return text }
  var out = ""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "&": out += "&amp;"
    case "<": out += "&lt;"
    case ">": out += "&gt;"
    case "\"": out += "&quot;"
    case "'": out += "&#39;"
    default: out.unicodeScalars.append(scalar.value < 32 && scalar != "\n" && scalar != "\t" ? "\u{FFFD}" : scalar)
    }
  }
  return out
}

/// A file's name as a link. `./` keeps `a:b` from being a scheme.
func linked(_ name: String) -> String { "./" + percentEncoded(name) }

/// As one step of a path or one value of a query: everything but letters, digits and `.-_~` in percent form.
public func percentEncoded(_ name: String) -> String {
  name.utf8.map { byte in
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
      UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "~"):
      String(UnicodeScalar(byte))
    default: "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
    }
  }.joined()
}

/// `12.3 s`, `45 ms`.
public func duration(_ seconds: Double) -> String {
  seconds < 1 ? "\(decimals(seconds * 1000, seconds < 0.01 ? 1 : 0)) ms" : "\(decimals(seconds, 2)) s"
}

/// A number that is not negative, with so many digits behind the point; `?` of others.
func decimals(_ value: Double, _ digits: Int) -> String {
  var power = 1.0
  for _ in 0..<digits { power *= 10 }
  let scaled = (value * power).rounded()
  guard scaled >= 0, scaled < 9e15 else { return "?" }
  if digits == 0 { return String(Int(scaled)) }
  let rest = String(Int(scaled) % Int(power))
  return "\(Int(scaled) / Int(power))." + String(repeating: "0", count: digits - rest.count) + rest
}
