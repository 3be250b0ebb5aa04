import Synchronization

/// A loose table as text by the rules, for the reader of such text: every row has the table's cells.
///
/// Where each row stood in the file is kept until the reader has come by.
// @unchecked: by the protocol's contract one thread reads at a time; what another takes meanwhile is behind the lock.
final class LooseBytes: ByteSource, @unchecked Sendable {
  struct Origin: Sendable {
    /// In the text that is given out.
    var start: Int
    var line: Int
    var byte: Int
  }

  private struct Kept {
    var origins: [Origin] = []
    var rejects: [LooseReject] = []
    var report = LooseReport()
  }

  let name: String
  private let table: LooseTable
  private var text: [UInt8] = []
  private var given = 0
  private var total = 0
  private var ended = false
  private var row = LooseRow()
  private let kept = Mutex(Kept())

  private let delimiter: UInt8

  init(_ table: LooseTable, delimiter: UInt8) {
    self.table = table
    self.delimiter = delimiter
    name = table.name
    if let header = table.header { LooseText.append(names: header, delimiter: delimiter, to: &text) }
  }

  func read(into room: UnsafeMutableRawBufferPointer) throws -> Int {
    if given == text.count, !ended { try refill() }
    let n = min(room.count, text.count - given)
    text.withUnsafeBytes { if n > 0 { room.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[given..<given + n])) } }
    given += n
    return n
  }

  private func refill() throws {
    total += text.count
    text.removeAll(keepingCapacity: true)
    given = 0
    var origins: [Origin] = []
    while text.count < 64 << 10 {
      guard let place = try table.next(into: &row) else {
        ended = true
        break
      }
      origins.append(Origin(start: total + text.count, line: place.line, byte: place.byte))
      row.pad(to: table.width)
      row.cut(to: table.width)
      LooseText.append(row, delimiter: delimiter, to: &text)
    }
    let rejects = table.takeRejects(), report = table.report
    kept.withLock {
      $0.origins += origins
      $0.rejects += rejects
      $0.report = report
    }
  }

  var report: LooseReport { kept.withLock { $0.report } }

  /// Rejects in front of a byte of the file; all for nil.
  func takeRejects(before byte: Int?) -> [LooseReject] {
    kept.withLock { kept in
      let count = byte.map { byte in kept.rejects.firstIndex { $0.byte >= byte } ?? kept.rejects.count } ?? kept.rejects.count
      defer { kept.rejects.removeFirst(count) }
      return Array(kept.rejects[..<count])
    }
  }

  /// Where the row stood that holds a byte of the text given out.
  func origin(of byte: Int) -> Origin? {
    kept.withLock { kept in
      var low = 0, high = kept.origins.count
      while low < high {
        let middle = (low + high) / 2
        if kept.origins[middle].start <= byte { low = middle + 1 } else { high = middle }
      }
      return low == 0 ? nil : kept.origins[low - 1]
    }
  }

  /// Forgets rows in front of a byte of the text given out.
  func forget(before byte: Int) {
    kept.withLock { kept in
      let count = kept.origins.firstIndex { $0.start >= byte } ?? kept.origins.count
      if count > 1 { kept.origins.removeFirst(count - 1) }
    }
  }
}
