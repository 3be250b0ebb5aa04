import Columns
import Testing

@testable import Formats

/// A small generator with a fixed seed (SplitMix64), so that a failure can be seen again.
struct Dice: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

@Suite struct CSVTwinTests {
  /// The reader's rows and rejects, in the file's order, against the twin's.
  private func compare(_ text: String, piece: Int, window: Int, unit: Int, width: Int?) throws {
    let columns = [CSVColumn("a", from: .position(1)), CSVColumn("b", from: .position(2)), CSVColumn("c", from: .position(3))]
    let reading = try Reading("h,h,h\n" + text, columns, sourceRow: "row", piece: piece, window: window, unit: unit, width: width)
    var good: [String] = [], bad = 0, number = 0
    for row in CSVTwin.rows(text) {
      if row.cells.count == 1, row.cells[0].text.isEmpty, !row.cells[0].quoted { continue }
      number += 1
      if row.spoiled || row.cells.count != 3 {
        bad += 1
      } else {
        good.append(row.cells.map { $0.text.isEmpty && !$0.quoted ? "∅" : $0.text }.joined(separator: "|") + "|\(number)")
      }
    }
    #expect(reading.lines == good, "pieces of \(piece), windows of \(window), units of \(unit): \(text.debugDescription)")
    #expect(reading.report.quarantined == bad, "\(text.debugDescription)")
    #expect(reading.report.rows == good.count + bad)
  }

  @Test func anyText() throws {
    var dice = Dice(state: 1)
    let alphabet = ["a", "b", ",", ",", ",", "\"", "\n", "\r\n", "\r", "é", " ", "\"\"", ",\"", "\",", "\n\"", "\"\n"]
    for _ in 0..<rounds(1500) {
      let text = (0..<Int.random(in: 0...40, using: &dice)).map { _ in alphabet.randomElement(using: &dice)! }.joined()
      try compare(text, piece: Int.random(in: 1...64, using: &dice), window: 1 << 16, unit: Int.random(in: 1...40, using: &dice), width: 2)
    }
  }

  @Test func soundText() throws {
    var dice = Dice(state: 2)
    let cells = ["", "x", "long text of some thirty bytes", "\"q\"", "\"a,b\"", "\"line\nend\"", "\"\"\"x\"\"\"", "\"\"", "é", "\"cr\r\nlf\""]
    // The last are long.
    for round in Array(0..<rounds(50)) + Array(50..<50 + max(3, rounds(10))) {
      let rows = (0..<(round < 50 ? 30 : 4000)).map { _ in (0..<3).map { _ in cells.randomElement(using: &dice)! }.joined(separator: ",") }
      let text = rows.joined(separator: ["\n", "\r\n", "\r"][round % 3])
      for _ in 0..<(round < 50 ? 6 : 2) {
        try compare(
          text, piece: Int.random(in: 1...(round < 50 ? 64 : 100_000), using: &dice), window: Int.random(in: 1...(1 << 17), using: &dice),
          unit: Int.random(in: 1...4096, using: &dice), width: Int.random(in: 1...3, using: &dice))
      }
    }
  }

  /// Batches have the same bytes, dictionaries too, at any width and however the source cuts its pieces.
  @Test func sameBatches() throws {
    var dice = Dice(state: 3)
    let words = (0..<40).map { "word \($0)" }
    let text = "a,b,c\n" + (0..<9000).map { row in
      "\(words.randomElement(using: &dice)!),\(row),\(row % 500 == 7 ? "bad" : "\(row % 7)")\n"
    }.joined()
    let columns = [CSVColumn("a"), CSVColumn("b"), CSVColumn("c", .int32)]
    let first = try Reading(text, columns, window: 1 << 16, unit: 4096, width: 1)
    #expect(first.batches[0]["a"].isDictionary && !first.batches[0]["b"].isDictionary)
    #expect(first.report.quarantined == 18)
    for (piece, width) in [(1 << 20, 2), (1000, 3), (7, 2)] {
      let other = try Reading(text, columns, piece: piece, window: 1 << 16, unit: 4096, width: width)
      #expect(other.batches.count == first.batches.count)
      #expect(other.rejects == first.rejects)
      for (a, b) in zip(first.batches, other.batches) {
        for (x, y) in zip(a.columns, b.columns) {
          #expect(x.allValues == y.allValues)
          if case .codes(let p, let v) = x.storage, case .codes(let q, let w) = y.storage {
            #expect(Array(p.values(as: Int32.self)) == Array(q.values(as: Int32.self)))
            #expect((0..<v.count).map(v.string) == (0..<w.count).map(w.string))
          } else {
            #expect(x.isDictionary == y.isDictionary)
          }
        }
      }
    }
  }
}
