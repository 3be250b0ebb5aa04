import CScan
import Columns

extension UnitWorker {
  /// Where the cells' texts are: offsets from `base`; `present` 0: null, 1: a value.
  struct Cells {
    let base: UnsafePointer<UInt8>
    let starts: UnsafeMutablePointer<UInt32>, ends: UnsafeMutablePointer<UInt32>
    let present: UnsafeMutablePointer<UInt8>
  }

  func locate(_ base: UnsafePointer<UInt8>, _ shadow: Int, _ column: Int, _ rows: Int) -> Cells {
    starts.clear(for: rows)
    ends.clear(for: rows)
    present.clear(for: rows)
    let plan = layout.plans[column], position = layout.positions[column]
    let to = Cells(base: base, starts: starts.pointer, ends: ends.pointer, present: present.pointer)
    let rowFirst = index.rowFirst.pointer, rowStart = index.rowStart.pointer, fieldEnds = index.ends.pointer
    let quote = layout.quote ?? 0, quotes = layout.quote != nil, keepsEmpty = plan.isText ? UInt8(1) : 0
    let escape = layout.escape
    let fieldStarts: UnsafeMutablePointer<UInt32>? = index.hasStarts ? index.starts.pointer : nil
    for row in 0..<rows {
      let field = Int(rowFirst[row]) &+ position
      var start = fieldStarts.map { Int($0[field]) } ?? (position == 0 ? Int(rowStart[row]) : Int(fieldEnds[field &- 1]) &+ 1)
      var end = Int(fieldEnds[field])
      var has: UInt8 = end != start ? 1 : 0
      if quotes, base[start] == quote, has != 0 {
        (start, end) = unquoted(base, shadow, start &+ 1, end &- 1, quote: quote, escape: escape)
        has = end != start ? 1 : keepsEmpty
      } else if let escape, has != 0 {
        (start, end) = unquoted(base, shadow, start, end, quote: nil, escape: escape)
      }
      to.starts[row] = UInt32(truncatingIfNeeded: start)
      to.ends[row] = UInt32(truncatingIfNeeded: end)
      to.present[row] = has
    }
    if plan.column.trim || !plan.edits.isEmpty || !plan.nulls.isEmpty { return adjust(to, column, rows) }
    return to
  }

  /// The text within quotes; where it holds doubled quotes or escapes, a copy without them in the shadow.
  @inline(never) func unquoted(
    _ base: UnsafePointer<UInt8>, _ shadow: Int, _ start: Int, _ end: Int, quote: UInt8?, escape: UInt8?
  ) -> (Int, Int) {
    var at = start
    if let quote, escape == nil {
      while at < end {
        let left = end &- at
        let found = cscan_mask(base + at, quote) & (left >= 64 ? ~0 : (1 &<< UInt64(left)) &- 1)
        if found != 0 { return unescaped(base, shadow, start, end, quote: quote, escape: nil) }
        at &+= 64
      }
      return (start, end)
    }
    while at < end {
      if base[at] == quote || base[at] == escape { return unescaped(base, shadow, start, end, quote: quote, escape: escape) }
      at &+= 1
    }
    return (start, end)
  }

  @inline(never) private func unescaped(
    _ base: UnsafePointer<UInt8>, _ shadow: Int, _ start: Int, _ end: Int, quote: UInt8?, escape: UInt8?
  ) -> (Int, Int) {
    let to = UnsafeMutablePointer(mutating: base)
    var at = start, out = start + shadow
    if let quote, escape == nil {
      // From quote to quote: the first of two goes along with the text before it, the second is passed over.
      while at < end {
        var next = at
        while next < end {
          let left = end &- next
          let found = cscan_mask(base + next, quote) & (left >= 64 ? ~0 : (1 &<< UInt64(left)) &- 1)
          if found != 0 {
            next &+= found.trailingZeroBitCount
            break
          }
          next = left > 64 ? next &+ 64 : end
        }
        let count = min(next &+ 1, end) &- at
        (to + out).update(from: base + at, count: count)
        out &+= count
        at = next &+ 1
        if at < end, base[at] == quote { at &+= 1 }
      }
      return (start + shadow, out)
    }
    while at < end {
      if base[at] == escape, at + 1 < end {
        at += 1
      } else if escape == nil, base[at] == quote, at + 1 < end, base[at + 1] == quote {
        at += 1
      }
      to[out] = base[at]
      out += 1
      at += 1
    }
    return (start + shadow, out)
  }

  /// Trim, replacements, null texts. An unquoted cell that came out empty is null; so is an empty one of another type.
  private func adjust(_ cells: Cells, _ column: Int, _ rows: Int) -> Cells {
    let plan = layout.plans[column]
    var base = cells.base
    if plan.column.trim {
      for row in 0..<rows where cells.present[row] != 0 && cells.starts[row] != cells.ends[row] {
        var start = Int(cells.starts[row]), end = Int(cells.ends[row])
        while start < end, base[start] == 32 || base[start] == 9 { start &+= 1 }
        while start < end, base[end &- 1] == 32 || base[end &- 1] == 9 { end &-= 1 }
        cells.starts[row] = UInt32(truncatingIfNeeded: start)
        cells.ends[row] = UInt32(truncatingIfNeeded: end)
        if start == end { cells.present[row] = 0 }
      }
    }
    if let editor = editors[column] {
      base = edit(cells, editor, rows)
    } else {
      for step in plan.edits {
        switch step {
        case .dropSuffix(let text): drop(text, fromEnd: true, cells, rows)
        case .dropPrefix(let text): drop(text, fromEnd: false, cells, rows)
        case .pattern: preconditionFailure("a pattern has no editor")
        }
      }
    }
    for null in plan.nulls {
      null.withUnsafeBufferPointer { null in
        for row in 0..<rows where cells.present[row] != 0 && Int(cells.ends[row] &- cells.starts[row]) == null.count {
          let text = base + Int(cells.starts[row])
          if (0..<null.count).allSatisfy({ text[$0] == null[$0] }) { cells.present[row] = 0 }
        }
      }
    }
    return Cells(base: base, starts: cells.starts, ends: cells.ends, present: cells.present)
  }

  private func drop(_ text: [UInt8], fromEnd: Bool, _ cells: Cells, _ rows: Int) {
    let count = text.count, base = cells.base
    text.withUnsafeBufferPointer { text in
      for row in 0..<rows where cells.present[row] != 0 {
        let start = Int(cells.starts[row]), end = Int(cells.ends[row])
        guard end &- start >= count else { continue }
        let at = fromEnd ? end &- count : start
        var same = true
        for i in 0..<count where base[at &+ i] != text[i] { same = false }
        if !same { continue }
        if fromEnd { cells.ends[row] = UInt32(truncatingIfNeeded: at) } else { cells.starts[row] = UInt32(truncatingIfNeeded: start &+ count) }
        if end &- start == count { cells.present[row] = 0 }
      }
    }
  }

  /// Regular expressions work on copies, one behind the other in memory of their own.
  private func edit(_ cells: Cells, _ editor: PatternEditor, _ rows: Int) -> UnsafePointer<UInt8> {
    var used = 0
    for row in 0..<rows where cells.present[row] != 0 {
      let before = UnsafeBufferPointer(start: cells.base + Int(cells.starts[row]), count: Int(cells.ends[row] &- cells.starts[row]))
      var text = editor.edit(String(decoding: before, as: UTF8.self))
      text.withUTF8 { bytes in
        edited.grow(to: used + bytes.count + 16, keeping: used)
        if bytes.count > 0 { (edited.pointer + used).update(from: bytes.baseAddress!, count: bytes.count) }
        cells.starts[row] = UInt32(used)
        used += bytes.count
        cells.ends[row] = UInt32(used)
        if bytes.count == 0, before.count > 0 { cells.present[row] = 0 }
      }
    }
    return UnsafePointer(edited.pointer)
  }
}
