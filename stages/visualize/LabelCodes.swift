import Columns
import Pipelines

/// The labels of a column's rows as numbers: each different label is kept once, however many rows have it.
struct LabelCodes {
  /// By code, in order of first appearance; null is a label too.
  private(set) var names: [Value] = []
  private(set) var codes: [Int32] = []
  private var known: [Value: Int32] = [:]

  init(expecting rows: Int) { codes.reserveCapacity(rows) }

  mutating func add(_ column: Column) {
    guard column.isDictionary, let places = column.text.codes else {
      for row in 0..<column.count { codes.append(code(column.value(at: row))) }
      return
    }
    // A text of the dictionary is looked up once a batch.
    var codeOfPlace = [Int32](repeating: -1, count: column.text.values.count)
    for row in 0..<column.count {
      if column.isNull(row) {
        codes.append(code(.null))
        continue
      }
      let place = Int(places[row])
      if codeOfPlace[place] < 0 { codeOfPlace[place] = code(column.value(at: row)) }
      codes.append(codeOfPlace[place])
    }
  }

  private mutating func code(_ name: Value) -> Int32 {
    if let code = known[name] { return code }
    let code = Int32(names.count)
    known[name] = code
    names.append(name)
    return code
  }

  /// Codes in the order of their names.
  var ascending: [Int] { names.indices.sorted { Value.precedes(names[$0], names[$1]) } }

  /// The same labels, numbered in the order of their names.
  mutating func sort() {
    let order = ascending
    var place = [Int32](repeating: 0, count: names.count)
    for (new, old) in order.enumerated() { place[old] = Int32(new) }
    names = order.map { names[$0] }
    for row in codes.indices { codes[row] = place[Int(codes[row])] }
    for (name, code) in known { known[name] = place[Int(code)] }
  }
}
