/// 1234567 → `1,234,567`.
public func grouped(_ number: Int) -> String {
  let digits = Array(String(number.magnitude))
  var text = number < 0 ? "-" : ""
  for (at, digit) in digits.enumerated() {
    if at > 0, (digits.count - at) % 3 == 0 { text += "," }
    text.append(digit)
  }
  return text
}

/// Seconds with two places, from a minute on `1:05 min`, from an hour on `2:01 h`.
public func secondsText(_ seconds: Double) -> String {
  guard seconds.isFinite, seconds < 1e9 else { return "?" }
  if seconds < 59.995 {
    let hundredths = Int((max(0, seconds) * 100).rounded())
    return "\(hundredths / 100).\(twoDigits(hundredths % 100)) s"
  }
  let whole = Int(seconds.rounded())
  return whole < 3600 ? "\(whole / 60):\(twoDigits(whole % 60)) min" : "\(whole / 3600):\(twoDigits(whole / 60 % 60)) h"
}

private func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }

/// In units of 1024: `12.3 MiB`.
public func bytesText(_ bytes: Int) -> String {
  let units = ["KiB", "MiB", "GiB", "TiB", "PiB"]
  if bytes < 1024 { return "\(bytes) B" }
  var value = Double(bytes) / 1024, unit = 0
  while value >= 1023.95, unit < units.count - 1 {
    value /= 1024
    unit += 1
  }
  let tenths = Int((value * 10).rounded())
  return "\(tenths / 10).\(tenths % 10) \(units[unit])"
}

/// `1 row`, `2 rows`.
public func counted(_ count: Int, _ noun: String) -> String { "\(grouped(count)) \(noun)\(count == 1 ? "" : "s")" }

/// `4GiB`, `512MB`, `1000000` as bytes; nil for other texts and for what no machine has.
public func byteCount(_ text: String) -> Int? {
  let digits = text.prefix { ("0"..."9").contains($0) || $0 == "." }
  let powers: [String: Double] = [
    "": 1, "b": 1, "kib": 1024, "mib": 1_048_576, "gib": 1_073_741_824, "tib": 1_099_511_627_776, "k": 1024, "m": 1_048_576,
    "g": 1_073_741_824, "t": 1_099_511_627_776, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12,
  ]
  guard let number = Double(digits), let power = powers[text.dropFirst(digits.count).lowercased()] else { return nil }
  let bytes = number * power
  return bytes >= 1 && bytes < 1e18 ? Int(bytes) : nil
}
