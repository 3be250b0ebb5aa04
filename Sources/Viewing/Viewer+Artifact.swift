import Columns
import Diagnostics
import Engine
import Pipelines

/// `/artifacts/KEY`: what an artifact is, who made it from what, and how it begins.
extension Viewer {
  /// Runs that are named on a page of an artifact.
  private static let makerLimit = 20
  /// The longest text of a document on a page, and the largest file that is given.
  private static let documentLimit = 1 << 20, contentLimit = 64 << 20

  func artifact(_ record: ArtifactRecord) throws -> ViewResponse {
    let path = "/artifacts/\(record.digest)"
    let makers = view.makers(of: record.digest)
    let title = makers.first.map { "\($0.stage).\($0.output)" } ?? "Artifact \(record.digest.description.prefix(8))"
    var facts: [HTML] = ["digest <code>\(record.digest.description)</code>", "\(bytesText(record.byteCount))"]
    var body: HTML = ""
    switch record.content {
    case .table(let table):
      facts.insert("table", at: 0)
      facts += ["\(counted(table.rows, "row"))", "\(counted(table.schema.count, "column"))"]
      if table.partitions.count > 1 { facts.append("\(counted(table.partitions.count, "partition"))") }
      body = try columns(record, table, path)
    case .document:
      facts.insert("document", at: 0)
      let text = view.document(record)?.pretty() ?? ""
      let shown: HTML = text.utf8.count > Self.documentLimit ? "<p>The document is too long to be shown here: <a href=\"\(path).json\">as JSON</a>.</p>" : "<pre>\(text)</pre>"
      body = "<h2>Content</h2>\n\(shown)\n"
    case .file(_, let name, let type):
      facts.insert("file <code>\(name)</code>", at: 0)
      facts.append("\(type)")
      let picture: HTML = type.hasPrefix("image/") ? "<p><img src=\"\(path)/content\" alt=\"\(name)\"></p>\n" : ""
      body = "<h2>Content</h2>\n\(picture)<p><a href=\"\(path)/content\">\(type.hasPrefix("image/") || type == "text/html" ? "Open" : "Download") \(name)</a></p>\n"
    }
    return frame(200, title, "<p class=\"facts\">\(facts.joined(" · "))</p>\n\(origin(makers))\(body)", json: path + ".json")
  }

  // MARK: Who made it

  private func origin(_ makers: [StoreView.Maker]) -> HTML {
    guard let newest = makers.first else { return "<h2>Made by</h2>\n<p>No run of this store names it.</p>\n" }
    let record = view.run(exactly: newest.run).flatMap { view.record(of: $0) }
    let stage = record?["stages"]?.array?.first { $0["name"]?.string == newest.stage }
    var body: HTML = "<h2>Made by</h2>\n<dl><dt>stage</dt><dd>\(newest.stage) (\(stage?["kind"]?.string ?? "")), output \(newest.output)</dd>"
    body += "<dt>recipe</dt><dd><code>\(stage?["recipe"]?.string ?? "")</code></dd>"
    let twins = makers.dropFirst().filter { $0.run == newest.run }.map { "\($0.stage).\($0.output)" }
    if !twins.isEmpty { body += "<dt>the same</dt><dd>\(twins.joined(separator: ", "))</dd>" }
    var runs: [String] = []
    for maker in makers where runs.last != maker.run { runs.append(maker.run) }
    let links = runs.prefix(Self.makerLimit).map { run -> HTML in "<a href=\"/runs/\(percentEncoded(run))\">\(run)</a>" }
    body += "<dt>in runs</dt><dd>\(links.joined(", "))\(runs.count > Self.makerLimit ? " and \(runs.count - Self.makerLimit) more" : "")</dd>"
    let files = (stage?["sources"]?.members ?? []).map(\.key)
    if !files.isEmpty { body += "<dt>files</dt><dd>\(files.joined(separator: ", "))</dd>" }
    body += "</dl>\n"
    let inputs = view.inputs(of: newest)
    if inputs.isEmpty { return body }
    var table = HTMLTable("Inputs", "input", "from", "what is read")
    for input in inputs {
      table.append(["\(input.alias)", giver(input.stage, input.output, input.artifact), read(input)])
    }
    return body + table.html
  }

  func giver(_ stage: String?, _ output: String?, _ artifact: Digest?) -> HTML {
    guard let stage, let output, let artifact else { return "not in the record" }
    if view.artifact(artifact) == nil { return "\(stage).\(output), not in the store" }
    return "<a href=\"/artifacts/\(artifact.description)\">\(stage).\(output)</a>"
  }

  func read(_ input: StageInput) -> HTML {
    guard let columns = input.columns else { return "all of it" }
    return columns.isEmpty ? "how many rows there are" : "\(columns.joined(separator: ", "))"
  }

  // MARK: A table

  private func columns(_ record: ArtifactRecord, _ table: ArtifactRecord.Table, _ path: String) throws -> HTML {
    guard let look = try look(at: record) else { return "<p>The table cannot be read.</p>" }
    let hasRun = !view.makers(of: record.digest).isEmpty
    let extent = look.profiledRows < table.rows ? "Columns and their profile, of the first \(counted(look.profiledRows, "row"))" : "Columns and their profile"
    var schema = HTMLTable(extent, "column", "type", "nulls#", "distinct#", "smallest", "largest")
    for profile in look.profiles {
      let name = profile.field.name
      schema.append([
        hasRun ? "<a href=\"\(path)/columns/\(percentEncoded(name))\">\(named(name))</a>" : named(name), "\(profile.field.type.description)",
        "\(grouped(profile.nulls))", "\(profile.distinctText)", cell(profile.smallest ?? .null), cell(profile.largest ?? .null),
      ])
    }
    var body: HTML = "<h2>Columns</h2>\n"
    if look.isCut { body += "<p>The first \(TableLook.columnLimit) of \(grouped(table.schema.count)) columns.</p>\n" }
    if hasRun { body += "<p>The name of a column leads to where it comes from.</p>\n" }
    body += schema.html
    if look.first.isEmpty { return body + "<p>The table has no rows.</p>\n" }
    var rows = HTMLTable(
      look.first.count < table.rows ? "The first \(look.first.count) of \(counted(table.rows, "row"))" : counted(table.rows, "row"),
      [HTMLTable.Column(title: "row", isNumber: true)] + look.profiles.map { HTMLTable.Column(title: $0.field.name, isNumber: $0.field.type.isNumeric) })
    rows.holdsData = true
    for (at, values) in look.first.enumerated() { rows.append(["\(at + 1)"] + values.map(cell)) }
    return body + "<h2>Rows</h2>\n\(rows.html)"
  }

  private func named(_ column: String) -> HTML { column.isEmpty ? "<em>no name</em>" : "\(column)" }

  /// A null and an empty text do not look alike.
  private func cell(_ value: Value) -> HTML {
    switch value {
    case .null: "<small>null</small>"
    case .string(let text) where text.isEmpty: "<small>empty</small>"
    default: "\(shortened(value.description, TableLook.cellLimit))"
    }
  }

  // MARK: For programs

  func artifactJSON(_ record: ArtifactRecord) throws -> JSONValue {
    var members = [JSONMember("digest", .string(record.digest.description)), JSONMember("bytes", .integer(record.byteCount))]
    switch record.content {
    case .table(let table):
      members += [JSONMember("kind", "table"), JSONMember("rows", .integer(table.rows))]
      if let look = try look(at: record) {
        let names = look.profiles.map(\.field.name)
        members += [
          JSONMember("profiled", .integer(look.profiledRows)), JSONMember("columns", .array(look.profiles.map(\.json))),
          JSONMember("first", .array(look.first.map { values in .object(zip(names, values).map { JSONMember($0, $1.json) }) })),
        ]
      }
    case .document: members += [JSONMember("kind", "document"), JSONMember("document", view.document(record) ?? .null)]
    case .file(_, let name, let type):
      members += [JSONMember("kind", "file"), JSONMember("name", .string(name)), JSONMember("mediaType", .string(type))]
    }
    let makers = view.makers(of: record.digest)
    members.append(JSONMember("made_by", .array(makers.prefix(Self.makerLimit).map { ["run": .string($0.run), "stage": .string($0.stage), "output": .string($0.output)] })))
    if let newest = makers.first { members.append(JSONMember("inputs", .array(view.inputs(of: newest).map(inputJSON)))) }
    return .object(members)
  }

  func inputJSON(_ input: StageInput) -> JSONValue {
    [
      "input": .string(input.alias), "columns": input.columns.map { .array($0.map { .string($0) }) } ?? .null,
      "stage": input.stage.map { .string($0) } ?? .null, "output": input.output.map { .string($0) } ?? .null,
      "artifact": input.artifact.map { .string($0.description) } ?? .null,
    ]
  }

  // MARK: Bytes

  /// A file of a pipeline. Whatever it holds, it is a stranger to these pages: it has an origin of its own, reaches no network, and is only shown
  /// as what it was declared to be.
  func content(of record: ArtifactRecord) throws -> ViewResponse {
    guard case .file(_, let name, let declared) = record.content else { throw Missing(words: "artifact \(record.digest) is no file") }
    guard let bytes = view.content(of: record, limit: Self.contentLimit) else {
      throw Missing(words: "the file of artifact \(record.digest) is larger than \(bytesText(Self.contentLimit)), or cannot be read: it lies in \(view.store.path)/objects/\(record.digest)")
    }
    let shown = ["text/html": "text/html; charset=utf-8", "image/png": "image/png", "image/svg+xml": "image/svg+xml"]
    let policy = "sandbox allow-scripts allow-downloads; default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"
    let attached = ViewResponse.Header(name: "Content-Disposition", value: "attachment; filename*=UTF-8''\(percentEncoded(name))")
    return ViewResponse(type: shown[declared] ?? "application/octet-stream", bytes, policy: policy, more: shown[declared] == nil ? [attached] : [])
  }
}
