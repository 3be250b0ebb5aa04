import Columns

@testable import Formats

/// The slow clear twin of the CSV reader: one character after the other, over the whole text, in strings.
/// RFC 4180 with any line end; a quote opens only at a cell's beginning; text behind a closing quote spoils the row; a quote
/// that is never closed spoils its line, and from there on quotes end with their line.
struct CSVTwin {
  struct Cell: Equatable {
    var text: String
    var quoted: Bool
  }

  struct Row: Equatable {
    var cells: [Cell]
    var spoiled = false
    /// Bytes of the text, line end included.
    var bytes = 0..<0
  }

  static func rows(_ text: String, delimiter: Character = ",") -> [Row] { rows(Array(text.utf8), delimiter: delimiter) }

  static func rows(_ bytes: [UInt8], delimiter: Character = ",") -> [Row] {
    let comma = delimiter.asciiValue!
    var rows: [Row] = [], at = 0, multiline = true
    func lineEnd(_ i: Int) -> Int { bytes[i] == 10 ? 1 : bytes[i] == 13 ? (i + 1 < bytes.count && bytes[i + 1] == 10 ? 2 : 1) : 0 }
    while at < bytes.count {
      let start = at
      var row = Row(cells: []), reachedEnd = false
      cells: while true {
        var cell: [UInt8] = [], quoted = false
        if at < bytes.count, bytes[at] == 34 {
          quoted = true
          at += 1
          while true {
            if at == bytes.count {
              if multiline {
                reachedEnd = true
                break cells
              }
              row.spoiled = true
              break
            }
            if bytes[at] == 34 {
              if at + 1 < bytes.count, bytes[at + 1] == 34 {
                cell.append(34)
                at += 2
                continue
              }
              at += 1
              break
            }
            if !multiline, lineEnd(at) > 0 {
              row.spoiled = true
              break
            }
            cell.append(bytes[at])
            at += 1
          }
        }
        while at < bytes.count, bytes[at] != comma, lineEnd(at) == 0 {
          if quoted { row.spoiled = true }
          cell.append(bytes[at])
          at += 1
        }
        row.cells.append(Cell(text: String(decoding: cell, as: UTF8.self), quoted: quoted))
        if at == bytes.count { break }
        if bytes[at] == comma {
          at += 1
          continue
        }
        at += lineEnd(at)
        break
      }
      if reachedEnd {
        multiline = false
        at = start
        continue
      }
      row.bytes = start..<at
      rows.append(row)
    }
    return rows
  }
}
