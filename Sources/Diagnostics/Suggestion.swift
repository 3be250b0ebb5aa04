/// "Did you mean": the nearest of the known names, or nil when none is near.
///
/// Distance is Damerau and Levenshtein's with adjacent transpositions (optimal string alignment), over scalars,
/// case ignored; near means at most a third of the longer name, and at least one change is always allowed.
public func nearest(to name: String, among known: some Sequence<String>) -> String? {
  let wanted = Array(name.lowercased().unicodeScalars)
  var best: (name: String, distance: Int)?
  // Among more names than that no person chose one of them and mistyped it.
  for candidate in known.prefix(10_000) {
    let other = Array(candidate.lowercased().unicodeScalars)
    let distance = alignmentDistance(wanted, other)
    guard distance <= max(1, max(wanted.count, other.count) / 3) else { continue }
    if best == nil || distance < best!.distance { best = (candidate, distance) }
  }
  return best?.name
}

/// The hint for an unknown name: the nearest known one, else the list when it is short.
public func hint(forUnknown name: String, among known: some Collection<String>) -> String? {
  if let near = nearest(to: name, among: known) { return "did you mean \"\(near)\"?" }
  guard !known.isEmpty, known.count <= 24 else { return nil }
  return "known: " + known.joined(separator: ", ")
}

private func alignmentDistance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
  if a.isEmpty || b.isEmpty { return max(a.count, b.count) }
  var twoBack: [Int] = [], back = Array(0...b.count)
  for i in 1...a.count {
    var row = [i] + Array(repeating: 0, count: b.count)
    for j in 1...b.count {
      row[j] = min(back[j] + 1, row[j - 1] + 1, back[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1))
      if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] { row[j] = min(row[j], twoBack[j - 2] + 1) }
    }
    (twoBack, back) = (back, row)
  }
  return back[b.count]
}
