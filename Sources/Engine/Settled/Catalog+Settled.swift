import Columns
import Pipelines

/// What the next run of the same words will find, one for each pipeline.
extension Catalog {
  func settledRun(_ key: Digest) -> SettledRun? {
    let rows = try? database.read {
      try $0.rows(
        "SELECT pipeline, stages, sources, places, stamp, files, page, members, told FROM settled WHERE key = ?", .text(key.description))
    }
    guard let row = rows?.first, let pipeline = row[0].text, let stages = row[1].integer, let sources = row[2].text, let places = row[3].text,
      let stamp = row[4].text.flatMap({ Digest($0) }), let files = row[5].text.flatMap(value), let page = row[6].text, let members = row[7].text, let told = row[8].text,
      let known = value(sources)
    else { return nil }
    return SettledRun(
      pipeline: pipeline, key: key, stages: Int(stages), sources: known, places: lines(places), stamp: stamp,
      findings: RunFolder.Findings(files: (files.array ?? []).compactMap(RunFile.init(json:)), page: page, members: members), told: told)
  }

  func replaceSettledRun(of pipeline: String, by next: SettledRun?, _ turn: borrowing CatalogDatabase.Turn) throws {
    guard let next else { return try turn.run("DELETE FROM settled WHERE pipeline = ?", .text(pipeline)) }
    try turn.run(
      """
      INSERT OR REPLACE INTO settled (pipeline, key, stages, sources, places, stamp, files, page, members, told) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """, .text(pipeline), .text(next.key.description), .integer(Int64(next.stages)), .text(next.sources.canonical), .text(next.places.joined(separator: "\n")),
      .text(next.stamp.description), .text(JSONValue.array(next.findings.files.map(\.json)).canonical), .text(next.findings.page), .text(next.findings.members),
      .text(next.told))
  }

  private func value(_ text: String) -> JSONValue? { JSONReader.readAll(Array(text.utf8), file: "catalog").document?.value }

  private func lines(_ text: String) -> [String] { text.utf8.split(separator: 10).map { String($0)! } }
}

extension RunFile {
  fileprivate var json: JSONValue { [.string(name), .string(mediaType), .string(place)] }

  fileprivate init?(json: JSONValue) {
    let texts = (json.array ?? []).compactMap(\.string)
    guard texts.count == 3 else { return nil }
    self.init(name: texts[0], mediaType: texts[1], place: texts[2])
  }
}
