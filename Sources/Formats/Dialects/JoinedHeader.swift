/// Several rows of names as one, joined by blanks. A name above several columns stands once, over the first of them: it
/// holds for those to the right that have a name of their own below and none above.
func joinedHeader(_ rows: [[String]]) -> [String] {
  guard rows.count > 1 else { return rows.first ?? [] }
  let width = rows.map(\.count).max() ?? 0
  var names = Array(repeating: "", count: width)
  for (number, row) in rows.enumerated() {
    var above = ""
    for at in 0..<width {
      var text = at < row.count ? row[at] : ""
      if !text.isEmpty { above = text } else if number + 1 < rows.count {
        let below = rows[(number + 1)...].contains { at < $0.count && !$0[at].isEmpty }
        if below { text = above } else { above = "" }
      }
      if !text.isEmpty { names[at] += (names[at].isEmpty ? "" : " ") + text }
    }
  }
  return names
}
