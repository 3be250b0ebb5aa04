import Columns

/// The dictionary of one text column in one file: it may only grow, because the Arrow file format knows no replacement.
///
/// Batches whose dictionary is not the start or the continuation of the file's get other codes; the texts stay.
struct GrowingDictionary {
  private(set) var values: TextValues
  /// Text → code; made when a batch does not fit as it is.
  private var codes: [Digest: Int32]?
  /// How the codes of the foreign dictionary seen last translate.
  private var foreign: (values: TextValues, codes: [Int32])?

  init(_ values: TextValues) { self.values = values }

  /// The same texts with codes into `values`, which may have grown.
  mutating func recoded(_ column: Column) -> Column {
    switch column.storage {
    case .codes(let buffer, let own):
      if own === values { return column }
      if foreign?.values !== own {
        if isPrefix(values, of: own) {
          values = own
          codes = nil
          return column
        }
        if isPrefix(own, of: values) { return Column(type: column.type, count: column.count, validity: column.validity, storage: .codes(buffer, values)) }
        foreign = (own, translate(0..<own.count, of: own))
      }
      let map = foreign!.codes
      let from = UnsafeBufferPointer(rebasing: buffer.values(as: Int32.self).prefix(column.count))
      let recoded = Buffer(byteCount: column.count * 4) { bytes in
        let to = bytes.bindMemory(to: Int32.self)
        // Code 0 stays under a null.
        for row in 0..<column.count where !column.isNull(row) { to[row] = map[Int(from[row])] }
      }
      return Column(type: column.type, count: column.count, validity: column.validity, storage: .codes(recoded, values))
    case .text(let texts):
      let present = (0..<column.count).filter { !column.isNull($0) }
      let found = translate(present, of: texts)
      let made = Buffer(byteCount: column.count * 4) { bytes in
        let to = bytes.bindMemory(to: Int32.self)
        for (i, row) in present.enumerated() { to[row] = found[i] }
      }
      return Column(type: column.type, count: column.count, validity: column.validity, storage: .codes(made, values))
    case .bits, .fixed: preconditionFailure("a dictionary was asked for a \(column.type) column")
    }
  }

  private func isPrefix(_ shorter: TextValues, of longer: TextValues) -> Bool {
    guard shorter.count <= longer.count else { return false }
    return (0..<shorter.count).allSatisfy { shorter[$0].elementsEqual(longer[$0]) }
  }

  /// Codes of the texts at `places`; new texts go behind the others, in the order in which they come.
  private mutating func translate(_ places: some Sequence<Int>, of texts: TextValues) -> [Int32] {
    var index = codes ?? Dictionary(
      (0..<values.count).map { (Digest(of: UnsafeRawBufferPointer(values[$0])), Int32($0)) }, uniquingKeysWith: { first, _ in first })
    var added: [Int] = [], result: [Int32] = []
    for place in places {
      let hash = Digest(of: UnsafeRawBufferPointer(texts[place]))
      if let code = index[hash] {
        result.append(code)
      } else {
        let code = Int32(values.count + added.count)
        index[hash] = code
        added.append(place)
        result.append(code)
      }
    }
    codes = index
    if !added.isEmpty {
      var builder = TextBuilder(reserving: values.count + added.count)
      for code in 0..<values.count { builder.append(values[code]) }
      for place in added { builder.append(texts[place]) }
      if case .text(let grown) = builder.finish().storage { values = grown }
    }
    return result
  }
}
