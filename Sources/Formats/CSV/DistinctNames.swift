/// Names made distinct and non-empty, one after the other: `a, a, ""` → `a, a_2, column_3`. A name that stands in the table itself is never given to another column.
struct DistinctNames {
  private var taken: Set<String>
  private var given: Set<String> = []

  init(_ names: some Sequence<String>) { taken = Set(names) }

  /// - Parameter at: the column's place, from 0.
  mutating func next(_ name: String, at: Int) -> String {
    var distinct = name
    if name.isEmpty || given.contains(name) {
      let stem = name.isEmpty ? "column" : name
      var number = name.isEmpty ? at + 1 : 2
      while taken.contains("\(stem)_\(number)") { number += 1 }
      distinct = "\(stem)_\(number)"
      taken.insert(distinct)
    }
    given.insert(distinct)
    return distinct
  }
}
