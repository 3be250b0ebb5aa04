import Columns

/// Texts by character (Unicode scalar), where arguments may differ from row to row.
extension Kernel {
  func concatenate(skippingNulls: Bool) -> Column {
    let texts = operands.map(\.column.text)
    var builder = TextBuilder(reserving: rows)
    var joined: [UInt8] = []
    for row in 0..<rows {
      if !skippingNulls, isNull(row) {
        builder.appendNull()
        continue
      }
      joined.removeAll(keepingCapacity: true)
      for (at, operand) in operands.enumerated() where !operand.isNull(row) { joined.append(contentsOf: texts[at][operand.at(row)]) }
      joined.withUnsafeBufferPointer { builder.append($0) }
    }
    return builder.finish()
  }

  func position() -> Column {
    let (a, b) = (operands[0].column.text, operands[1].column.text)
    let cells = (0..<rows).map { row -> Int64? in
      if isNull(row) { return nil }
      let whole = a[operands[0].at(row)], part = b[operands[1].at(row)]
      guard let at = firstIndex(of: part, in: whole, from: 0) else { return 0 }
      return Int64(characters(UnsafeBufferPointer(rebasing: whole[..<at]))) + 1
    }
    return .int64s(cells)
  }

  func splitPart() -> (Column, Failures) {
    let (a, b) = (operands[0].column.text, operands[1].column.text)
    var failures: [RowFailure] = []
    var builder = TextBuilder(reserving: rows)
    for row in 0..<rows {
      guard !isNull(row), case .int(let n) = operands[2].value(row) else {
        builder.appendNull()
        continue
      }
      let whole = a[operands[0].at(row)], separator = b[operands[1].at(row)]
      guard n >= 1, !separator.isEmpty else {
        failures.append(RowFailure(
          row: Int32(truncatingIfNeeded: row), reason: n < 1 ? "piece \(n) of a text: the first is 1" : "an empty separator"))
        builder.appendNull()
        continue
      }
      var start = 0, piece: Int64 = 1
      var found: Range<Int>?
      while found == nil {
        let end = firstIndex(of: separator, in: whole, from: start)
        if piece == n { found = start..<(end ?? whole.count) } else if end == nil { found = 0..<0 }
        piece += 1
        start = (end ?? whole.count) + separator.count
      }
      builder.append(UnsafeBufferPointer(rebasing: whole[found!]))
    }
    return (builder.finish(), Failures(failures))
  }

  /// From a character, counted from 1; places before the first count as empty, as in SQL.
  func substring() -> Column {
    slices { row, _ in
      guard case .int(let start) = operands[1].value(row) else { return nil }
      var end = Int64.max
      if operands.count > 2 {
        guard case .int(let count) = operands[2].value(row) else { return nil }
        let (sum, over) = start.addingReportingOverflow(max(0, count))
        end = over ? .max : sum
      }
      return (max(1, start) - 1, max(1, end) - 1)
    }
  }

  func ends(fromLeft: Bool) -> Column {
    slices { row, text in
      guard case .int(let count) = operands[1].value(row) else { return nil }
      if fromLeft { return (0, max(0, count)) }
      let length = Int64(characters(text))
      return (max(0, length - max(0, min(count, length))), length)
    }
  }

  /// `bounds` gives characters from 0, end exclusive.
  private func slices(_ bounds: (Int, UnsafeBufferPointer<UInt8>) -> (Int64, Int64)?) -> Column {
    let view = operands[0].column.text
    var builder = TextBuilder(reserving: rows)
    for row in 0..<rows {
      let text = view[operands[0].at(row)]
      guard !isNull(row), let (start, end) = bounds(row, text) else {
        builder.appendNull()
        continue
      }
      let from = byteIndex(text, character: start), to = max(from, byteIndex(text, character: end))
      builder.append(UnsafeBufferPointer(rebasing: text[from..<to]))
    }
    return builder.finish()
  }

  /// The widest that a padded text gets, in characters.
  private static var widest: Int64 { 1 << 20 }

  func pad(atStart: Bool) -> (Column, Failures) {
    let (a, fill) = (operands[0].column.text, operands[2].column.text)
    var failures: [RowFailure] = []
    let column = texts { row in
      guard !isNull(row), case .int(let width) = operands[1].value(row) else { return nil }
      guard width <= Self.widest else {
        failures.append(RowFailure(row: Int32(truncatingIfNeeded: row), reason: "a text padded to \(width) characters"))
        return nil
      }
      let text = Array(a.string(operands[0].at(row)).unicodeScalars), padding = Array(fill.string(operands[2].at(row)).unicodeScalars)
      let missing = max(0, Int(width) - text.count)
      let added: [Unicode.Scalar] = padding.isEmpty ? [] : (0..<missing).map { padding[$0 % padding.count] }
      let kept = Array(text.prefix(max(0, Int(width))))
      var out = String.UnicodeScalarView()
      out.append(contentsOf: atStart ? added : kept)
      out.append(contentsOf: atStart ? kept : added)
      return String(out)
    }
    return (column, Failures(failures))
  }
}

/// UTF-8 bytes that begin a character.
private func characters(_ text: UnsafeBufferPointer<UInt8>) -> Int {
  var n = 0
  for byte in text where byte & 0xC0 != 0x80 { n &+= 1 }
  return n
}

/// Where character `n` (from 0) begins; the end when there are fewer.
private func byteIndex(_ text: UnsafeBufferPointer<UInt8>, character n: Int64) -> Int {
  if n >= Int64(text.count) { return text.count }
  var seen: Int64 = -1
  for (at, byte) in text.enumerated() where byte & 0xC0 != 0x80 {
    seen += 1
    if seen == n { return at }
  }
  return text.count
}

private func firstIndex(of part: UnsafeBufferPointer<UInt8>, in whole: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
  guard start + part.count <= whole.count else { return nil }
  if part.isEmpty { return start }
  for at in start...(whole.count - part.count) where whole[at] == part[0] {
    if (1..<part.count).allSatisfy({ whole[at + $0] == part[$0] }) { return at }
  }
  return nil
}
