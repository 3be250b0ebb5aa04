import Columns
import Diagnostics
import Engine
import Pipelines

/// `/artifacts/KEY/columns/NAME`: where a column comes from, step by step back to the files.
extension Viewer {
  func lineage(_ name: String, of record: ArtifactRecord) throws -> ViewResponse {
    guard let schema = record.table?.schema else { throw Missing(words: "artifact \(record.digest) is no table") }
    // A column may be called `a.json`.
    let isJSON = schema.index(of: name) == nil && name.hasSuffix(".json")
    let column = isJSON ? String(name.dropLast(5)) : name
    guard schema.index(of: column) != nil else {
      let advice = hint(forUnknown: column, among: schema.names).map { ": " + $0 } ?? ""
      throw Missing(words: "artifact \(record.digest) has no column \"\(column)\"\(advice)")
    }
    guard let lineage = ColumnLineage(of: column, in: record.digest, view) else {
      throw Missing(words: "no run of this store names artifact \(record.digest): where its columns come from is not known")
    }
    return isJSON ? ViewResponse(json(lineage)) : page(lineage, column, record)
  }

  private func page(_ lineage: ColumnLineage, _ column: String, _ record: ArtifactRecord) -> ViewResponse {
    let path = "/artifacts/\(record.digest)"
    let steps = lineage.steps.map { step -> HTML in
      var item: HTML = "<li id=\"\(anchor(step.place))\"><strong>\(step.place.column ?? "all")</strong>\(step.type.map { " (\($0.description))" } ?? "") of \(giver(step.place.stage, step.place.output, step.place.artifact)), <small>\(step.kind)</small><br>\(words(step, lineage))"
      for setting in step.settings { item += "<br><code>\(setting.path)</code>: <code>\(shortened(setting.value.canonical))</code>" }
      let others = step.reads.map { input -> HTML in "\(giver(input.stage, input.output, input.artifact)): \(read(input))" }
      if !others.isEmpty { item += "<details><summary>all that the stage reads</summary>\(others.joined("<br>"))</details>" }
      return item + "</li>\n"
    }
    let body: HTML = """
      <p>Of <a href="\(path)">\(lineage.steps[0].place.stage).\(lineage.steps[0].place.output)</a>, by the record of run <a href="/runs/\(percentEncoded(lineage.run))">\(lineage.run)</a>. \
      The column first, then what it was made of, back to the files.</p>
      <ol class="steps">
      \(steps.joined())</ol>
      \(lineage.isCut ? "<p>There are more steps than are shown.</p>" : "")
      """
    return frame(200, "Where \(column) comes from", body, json: "\(path)/columns/\(percentEncoded(column)).json")
  }

  private func anchor(_ place: ColumnLineage.Place) -> String { [place.stage, place.output, place.column].compactMap { $0.map(percentEncoded) }.joined(separator: "/") }

  private func words(_ step: ColumnLineage.Step, _ lineage: ColumnLineage) -> HTML {
    let shown = Set(lineage.steps.map(\.place))
    let from = step.from.map { source -> HTML in
      let name: HTML = source.column.map { "\($0) of \(source.stage ?? source.alias)" } ?? "\(source.stage ?? source.alias).\(source.output ?? "")"
      guard let place = source.place else { return name }
      return shown.contains(place) ? "<a href=\"#\(percentEncoded(anchor(place)))\">\(name)</a>" : name
    }.joined(", ")
    switch step.way {
    case .same: return "the same, value for value: \(from)"
    case .setting: return "named by a setting: \(from)"
    case .name: return "the column of that name, other rows or values: \(from)"
    case .stage: return "made by the stage of what it reads: \(from)"
    case .origin: return step.files.isEmpty ? "made by the stage, which reads nothing" : "read from \(step.files.joined(separator: ", "))"
    case .unknown: return "the recipe is not in the store any more"
    }
  }

  private func json(_ lineage: ColumnLineage) -> JSONValue {
    let steps = lineage.steps.map { step -> JSONValue in
      [
        "column": step.place.column.map { .string($0) } ?? .null, "type": step.type.map { .string($0.description) } ?? .null, "artifact": .string(step.place.artifact.description),
        "stage": .string(step.place.stage), "kind": .string(step.kind), "output": .string(step.place.output), "way": .string(step.way.rawValue),
        "from": .array(step.from.map { source in
          [
            "input": .string(source.alias), "column": source.column.map { .string($0) } ?? .null, "stage": source.stage.map { .string($0) } ?? .null,
            "output": source.output.map { .string($0) } ?? .null, "artifact": source.artifact.map { .string($0.description) } ?? .null,
          ]
        }),
        "settings": .object(step.settings.map { JSONMember($0.path, $0.value) }), "files": .array(step.files.map { .string($0) }),
        "reads": .array(step.reads.map(inputJSON)),
      ]
    }
    return ["run": .string(lineage.run), "steps": .array(steps), "more": .bool(lineage.isCut)]
  }
}
