import Columns

/// What one unit of text gave: typed cells of its good rows, and its bad rows. Used again for the next window.
// @unchecked: written by the one worker that decodes the unit, read after all workers are done.
final class UnitResult: @unchecked Sendable {
  /// Good rows.
  var rows = 0
  /// Good and bad rows.
  var records = 0
  var lines = 0
  var blankRows = 0
  var from = 0
  var consumed = 0
  var isDoubtful = false
  var bad: [BadRow] = []
  /// The place of each good row among the unit's records; only where there are bad ones.
  let ordinals = Slab<UInt32>()
  var chunks: [ColumnChunk] = []
}

/// The cells of one column in one unit.
final class ColumnChunk {
  /// Fixed cells; dictionary codes, where −1 − k is text k of `fresh`.
  let cells = Slab<UInt8>()
  /// 0 is null.
  let valid = Slab<UInt8>()
  /// Plain text: n + 1 offsets into `bytes`.
  let offsets = Slab<Int32>()
  let bytes = Slab<UInt8>()
  var nullCount = 0
  /// Texts that the column's dictionary did not hold before this window.
  let fresh = TextDictionary()
}

/// A row that cannot be read.
struct BadRow {
  enum Reason: Hashable {
    case fieldCount(found: Int)
    case textBehindQuote
    case unclosedQuote
    case invalidUTF8
    case cell(column: Int, CellFlaw)
  }

  /// Among the unit's records, from 0.
  var ordinal: Int
  var start: Int, end: Int
  var reason: Reason
  /// The bad cell, or the bad byte.
  var cell: Range<Int>
}
