/// What a text looks like, for guesses about a table. Nothing is read by it.
enum CellLook: UInt8, CaseIterable {
  case empty, integer, decimal, date, time, dateTime, percent, money, truth, address, code, word, text

  /// Whether such a cell says that the table was cut in the right places.
  var isTyped: Bool { self != .text && self != .word && self != .code }
  var isNumber: Bool { self == .integer || self == .decimal || self == .percent || self == .money }

  init(_ cell: some Collection<UInt8>) {
    let bytes = Array(cell.drop { $0 == 32 || $0 == 9 }.reversed().drop { $0 == 32 || $0 == 9 }.reversed())
    if bytes.isEmpty { self = .empty; return }
    if bytes.count > 60 {
      self = Self.isAddress(bytes) ? .address : .text
      return
    }
    if let number = Self.number(bytes) { self = number; return }
    if let time = Self.moment(bytes) { self = time; return }
    if Self.isAddress(bytes) { self = .address; return }
    let lower = bytes.map { (65...90).contains($0) ? $0 | 32 : $0 }
    if Self.truths.contains(lower) { self = .truth; return }
    if Self.missing.contains(lower) { self = .empty; return }
    var letters = 0, digits = 0, others = 0, blanks = 0
    for byte in bytes {
      switch byte {
      case 48...57: digits += 1
      case 65...90, 97...122, 0x80...: letters += 1
      case 32: blanks += 1
      case 45, 46, 95, 47: others += 1
      default: self = .text; return
      }
    }
    if blanks == 0, digits > 0 { self = .code } else if letters > 0, others + digits == 0 || blanks < 4 { self = .word } else { self = .text }
  }

  private static let truths: Set<[UInt8]> = Set(["true", "false", "yes", "no"].map { Array($0.utf8) })
  private static let missing: Set<[UInt8]> = Set(["na", "n/a", "nan", "null", "none", "-", ".", "?"].map { Array($0.utf8) })

  private static func isDigit(_ byte: UInt8) -> Bool { byte &- 48 < 10 }

  /// Integers, decimals with point or comma, groups of three, exponents, a sign, a currency or a percent sign.
  private static func number(_ bytes: [UInt8]) -> CellLook? {
    var text = bytes[...], isMoney = false, isPercent = false
    if text.first == 40, text.last == 41 { text = text.dropFirst().dropLast() }
    if let sign = text.first, sign == 43 || sign == 45 { text = text.dropFirst() }
    for currency in Self.currencies where text.starts(with: currency) {
      text = text.dropFirst(currency.count).drop { $0 == 32 }
      isMoney = true
      if text.first == 45 { text = text.dropFirst() }
      break
    }
    if text.last == 37 {
      text = text.dropLast()
      while text.last == 32 { text = text.dropLast() }
      isPercent = true
    } else if !isMoney {
      for currency in Self.currencies where text.suffix(currency.count).elementsEqual(currency) && text.count > currency.count {
        text = text.dropLast(currency.count)
        while text.last == 32 { text = text.dropLast() }
        isMoney = true
        break
      }
    }
    var digits = 0, marks: [UInt8] = [], runs: [Int] = [0], at = text.startIndex
    scan: while at < text.endIndex {
      switch text[at] {
      case 48...57:
        digits += 1
        runs[runs.count - 1] += 1
      case 44, 46, 39:
        marks.append(text[at])
        runs.append(0)
      case 69, 101:
        guard digits > 0 else { return nil }
        var exponent = text[(at + 1)...]
        if exponent.first == 43 || exponent.first == 45 { exponent = exponent.dropFirst() }
        guard !exponent.isEmpty, exponent.allSatisfy(isDigit) else { return nil }
        break scan
      default: return nil
      }
      at += 1
    }
    guard digits > 0, marks.count <= 6 else { return nil }
    if marks.count > 1 {
      // Groups of three behind the first, and another mark at most at the end.
      let group = marks[0], groups = marks.prefix { $0 == group }.count
      guard marks.count - groups <= 1, runs[0] <= 3, runs[0] > 0, runs[1..<groups].allSatisfy({ $0 == 3 }) else { return nil }
      if marks.count == groups, runs[groups] != 3 { return nil }
    }
    if isPercent { return .percent }
    if isMoney { return .money }
    return marks.isEmpty && at == text.endIndex ? .integer : .decimal
  }

  private static let currencies = ["$", "€", "£", "¥", "EUR", "USD", "GBP"].map { Array($0.utf8) }

  /// Runs of digits and the marks between them: 28/01/2018, 2018-01-28T09:30:00Z, 9 Dec 2011, 12:30.
  private static func moment(_ bytes: [UInt8]) -> CellLook? {
    guard bytes.count >= 4, bytes.count <= 35 else { return nil }
    var date = bytes[...], time: ArraySlice<UInt8>?
    if let colon = bytes.firstIndex(of: 58) {
      var start = colon
      while start > 0, isDigit(bytes[start - 1]) { start -= 1 }
      time = bytes[start...]
      date = bytes[..<start]
      while let last = date.last, last == 32 || last == 84 || last == 116 || last == 44 { date = date.dropLast() }
    }
    if let time, !isTime(time) { return nil }
    if date.isEmpty { return time == nil ? nil : .time }
    guard isDay(date) else { return nil }
    return time == nil ? .date : .dateTime
  }

  private static func isTime(_ text: ArraySlice<UInt8>) -> Bool {
    var rest = text, runs = 0
    while let first = rest.first, isDigit(first) {
      let run = rest.prefix(while: isDigit)
      rest = rest.dropFirst(run.count)
      guard run.count <= 2 || runs >= 2 && run.count <= 9 else { return false }
      runs += 1
      if runs > 4 { return false }
      if rest.first == 58 && runs < 3 || rest.first == 46 && runs == 3 { rest = rest.dropFirst() } else { break }
    }
    guard runs >= 2 else { return false }
    // AM, PM, Z, +01:00.
    let tail = Array(rest.drop { $0 == 32 })
    if tail.isEmpty { return true }
    if tail.count == 2, tail[1] | 32 == 109, tail[0] | 32 == 97 || tail[0] | 32 == 112 { return true }
    if tail == [90] { return true }
    return (tail[0] == 43 || tail[0] == 45) && tail.dropFirst().allSatisfy { isDigit($0) || $0 == 58 } && tail.count <= 6
  }

  private static func isDay(_ text: ArraySlice<UInt8>) -> Bool {
    var runs: [Int] = [], marks: Set<UInt8> = [], word: [UInt8] = [], words = 0, wasDigit = false
    for byte in text {
      if isDigit(byte) {
        if wasDigit { runs[runs.count - 1] += 1 } else { runs.append(1) }
        wasDigit = true
      } else {
        wasDigit = false
        if (65...90).contains(byte) || (97...122).contains(byte) {
          word.append(byte | 32)
        } else {
          guard byte == 45 || byte == 47 || byte == 46 || byte == 32 || byte == 44 else { return false }
          marks.insert(byte)
          if !word.isEmpty {
            words += 1
            if !isMonth(word) { return false }
            word = []
          }
        }
      }
    }
    if !word.isEmpty {
      words += 1
      if !isMonth(word) { return false }
    }
    guard runs.allSatisfy({ $0 <= 4 && $0 != 3 }) else { return false }
    if words == 1 { return runs.count == 1 || runs.count == 2 }
    return words == 0 && runs.count == 3 && marks.count == 1 && runs.filter { $0 == 4 }.count <= 1 && runs[1] <= 2
  }

  private static func isMonth(_ word: [UInt8]) -> Bool {
    word.count >= 3 && months.contains { month in month.starts(with: word) || word.starts(with: month.prefix(3)) && word.count == 3 || word == Array("sept".utf8) }
  }

  private static let months = [
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
  ].map { Array($0.utf8) }

  private static func isAddress(_ bytes: [UInt8]) -> Bool {
    if bytes.contains(32) { return false }
    for start in ["http://", "https://", "www.", "ftp://"] where bytes.starts(with: start.utf8) { return true }
    guard let at = bytes.firstIndex(of: 64), at > 0 else { return false }
    return bytes[(at + 1)...].contains(46) && bytes.filter { $0 == 64 }.count == 1
  }
}
