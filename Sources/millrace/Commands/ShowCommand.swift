import ArgumentParser
import Columns
import Diagnostics
import Engine
import Pipelines

/// `STAGE` or `STAGE.OUTPUT`.
struct OutputName: ExpressibleByArgument {
  let stage: String
  let output: String?

  init?(argument: String) {
    // Values of a variant, `segments[k=3].profile`, may hold points.
    let end = argument.lastIndex(of: "]").map { argument.index(after: $0) } ?? argument.startIndex
    let point = argument[end...].firstIndex(of: ".")
    let name = String(argument[..<(point ?? argument.endIndex)]), rest = point.map { String(argument[argument.index(after: $0)...]) }
    guard isName(Variant.writtenName(of: name)), rest.map(isName) ?? true else { return nil }
    stage = name
    output = rest
  }
}

struct ShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Shows what a stage made: columns, profile and first rows of a table; a document; where a file is.")

  @OptionGroup var document: DocumentArguments
  @Argument(help: ArgumentHelp("STAGE, or STAGE.OUTPUT.", valueName: "stage")) var name: OutputName
  @Option(help: ArgumentHelp("How many rows to show.", valueName: "n")) var rows = 10
  @Flag(help: "One JSON object on standard output.") var json = false
  @OptionGroup var place: StoreArguments
  @OptionGroup var common: CommonArguments

  func validate() throws {
    if rows < 0 { throw ValidationError("--rows takes 0 or more.") }
  }

  func run() throws {
    let store = place.store(of: document.project)
    let opened = try ArtifactReader(store: store).open(document.plan(), stage: name.stage, output: name.output)
    let title = "\(name.stage).\(opened.output)"
    switch opened.artifact {
    case .table(let table):
      let (profiles, first) = try look(at: table)
      Standard.out(json ? tableJSON(table, opened, profiles, first) : tableText(title, table, opened, profiles, first))
    case .document(let value):
      Standard.out(value.pretty())
    case .file(let file):
      if json {
        let value: JSONValue = [
          "stage": .string(name.stage), "output": .string(opened.output), "kind": "file", "name": .string(file.name),
          "mediaType": .string(file.mediaType), "digest": .string(file.digest.description), "path": .string(file.path),
        ]
        Standard.out(value.pretty())
      } else {
        Standard.out(shownPath(file.path) + "\n")
      }
    }
  }

  /// One pass over all batches: a profile of each column, and the first rows.
  private func look(at table: TableArtifact) throws -> (profiles: [ColumnProfile], first: Batch) {
    var profiles = table.schema.fields.map { ColumnProfile($0) }
    var first: [Batch] = [], taken = 0
    try table.forEachBatch(table.schema.names) { batch in
      for at in profiles.indices { profiles[at].add(batch.columns[at]) }
      if taken < rows {
        let more = min(rows - taken, batch.count)
        first.append(batch.slice(0..<more))
        taken += more
      }
    }
    return (profiles, Batch.concatenate(first, schema: table.schema))
  }

  private func tableText(_ title: String, _ table: TableArtifact, _ opened: ArtifactReader.Opened, _ profiles: [ColumnProfile], _ first: Batch) -> String {
    var text = "\(title): \(counted(table.rows, "row")), \(counted(table.schema.count, "column")), \(bytesText(opened.record.byteCount))"
    if table.partitions.count > 1 { text += ", \(table.partitions.count) partitions" }
    if case .key(let names) = table.type.order { text += ", ascending by \(names.joined(separator: ", "))" }
    text += "\ndigest \(opened.record.digest)\n\n"
    var columns = TextTable([("column", .left), ("type", .left), ("nulls", .right), ("distinct", .right), ("smallest", .left), ("largest", .left)])
    for profile in profiles {
      columns.append([
        profile.field.name, profile.field.type.description, grouped(profile.nulls), profile.distinctText,
        cut(profile.smallest?.description ?? "", to: 28), cut(profile.largest?.description ?? "", to: 28),
      ])
    }
    text += columns.text()
    if first.count == 0 { return text }
    var cells = TextTable(table.schema.fields.map { ($0.name, $0.type.isNumeric ? .right : .left) })
    for row in 0..<first.count { cells.append(first.columns.map { cut($0.value(at: row).description, to: 28) }) }
    return text + "\n" + cells.text()
  }

  private func tableJSON(_ table: TableArtifact, _ opened: ArtifactReader.Opened, _ profiles: [ColumnProfile], _ first: Batch) -> String {
    let rows = (0..<first.count).map { row in
      JSONValue.object(zip(table.schema.names, first.columns).map { JSONMember($0, $1.value(at: row).json) })
    }
    let value: JSONValue = [
      "stage": .string(name.stage), "output": .string(opened.output), "kind": "table", "digest": .string(opened.record.digest.description),
      "rows": .integer(table.rows), "bytes": .integer(opened.record.byteCount), "columns": .array(profiles.map(\.json)), "first": .array(rows),
    ]
    return value.pretty()
  }
}
