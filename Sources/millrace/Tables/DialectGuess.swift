import Formats

/// Finds the character between the cells of delimited text from its first lines.
///
/// The right one stands equally often in every line, outside of quotes. Of several the one that is most often there wins;
/// without any it is the comma.
func guessedDelimiter(_ head: [UInt8], quote: Character?, preambleRows: Int) -> Character {
  // UTF-16: every other byte of plain text is zero.
  let lines = plainLines(head.filter { $0 != 0 }, quote: quote?.asciiValue).dropFirst(preambleRows).prefix(50)
  var best: (delimiter: Character, agreeing: Int, count: Int) = (",", 0, 0)
  for delimiter in [",", ";", "\t", "|"] as [Character] {
    let counts = lines.map { line in line.filter { $0 == delimiter.asciiValue }.count }
    guard let first = counts.first, first > 0 else { continue }
    let agreeing = counts.filter { $0 == first }.count
    if (agreeing, first) > (best.agreeing, best.count) { best = (delimiter, agreeing, first) }
  }
  return best.delimiter
}

/// Lines without what stands between quotes; a last line that may be cut off is left out when there are others.
private func plainLines(_ bytes: [UInt8], quote: UInt8?) -> [[UInt8]] {
  var lines: [[UInt8]] = [[]], isQuoted = false
  for byte in bytes {
    if byte == quote {
      isQuoted.toggle()
    } else if !isQuoted {
      if byte == 10 || byte == 13 {
        if !lines[lines.count - 1].isEmpty { lines.append([]) }
      } else {
        lines[lines.count - 1].append(byte)
      }
    }
  }
  if lines.count > 1 { lines.removeLast() }
  return lines
}
