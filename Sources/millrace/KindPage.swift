import Pipelines
import Stages

/// Everything a person needs to know to write one kind of stage.
struct KindPage {
  let contract: Contract
  let settings: SettingsDescription

  init(_ kind: any Stage.Type) {
    func settings<S: Stage>(of kind: S.Type) -> SettingsDescription { SettingsDescription(of: kind) }
    contract = kind.contract
    self.settings = settings(of: kind)
  }

  var schema: KindSchema {
    KindSchema(kind: contract.kind, summary: contract.summary, settings: settings, hasInputs: !contract.inputs.isEmpty)
  }

  // MARK: For a terminal

  var text: String {
    var text = "\(contract.kind): \(contract.summary)\n"
    text += ports("inputs", contract.inputs) + ports("outputs", contract.outputs)
    if settings.items.isEmpty { return text }
    var table = TextTable([("setting", .left), ("type", .left), ("default", .left), ("meaning", .left)])
    append(settings, under: "", to: &table)
    return text + "\n" + table.text()
  }

  private func ports(_ title: String, _ ports: [Port]) -> String {
    if ports.isEmpty { return "" }
    var table = TextTable([("", .left), ("", .left), ("", .left)])
    for port in ports { table.append([port.name, carries(port), port.help]) }
    return "\n\(title)\n" + table.text(indent: 2)
  }

  private func append(_ description: SettingsDescription, under prefix: String, to table: inout TextTable) {
    for item in description.items {
      table.append([prefix + item.name, item.typeText, item.standard.map { $0.isNull ? "" : $0.canonical } ?? "required", item.help])
      let (inner, step) = group(in: item.shape)
      if let inner { append(inner, under: prefix + item.name + step + ".", to: &table) }
    }
  }

  /// The nested object of a setting, and how its path goes on.
  private func group(in shape: SettingShape) -> (SettingsDescription?, step: String) {
    switch shape {
    case .group(let description), .shortened(let description, _): (description, "")
    case .optional(let inner): group(in: inner)
    case .list(let inner): (group(in: inner).0, "[]")
    case .oneOrMany(let inner): group(in: inner)
    case .named(let inner): (group(in: inner).0, ".*")
    case .either(let a, let b): group(in: a).0 == nil ? group(in: b) : group(in: a)
    case .boolean, .integer, .number, .text, .formed, .choice, .secret, .any: (nil, "")
    }
  }

  private func carries(_ port: Port) -> String {
    let word = port.carries == .any ? "table, document or file" : port.carries.rawValue
    switch port.arity {
    case .one: return word
    case .optional: return word + ", optional"
    case .many: return word + ", any number"
    }
  }

  // MARK: For the manual

  var markdown: String {
    var text = "## \(contract.kind)\n\n\(contract.summary)\n\n"
    for (title, ports) in [("Inputs", contract.inputs), ("Outputs", contract.outputs)] where !ports.isEmpty {
      text += "\(title): "
        + ports.map { "`\($0.name)` (\(carries($0))\($0.help.isEmpty ? "" : ": \($0.help)"))" }.joined(separator: ", ") + "\n\n"
    }
    if settings.items.isEmpty { return text }
    text += "| setting | type | default | meaning |\n| --- | --- | --- | --- |\n"
    return text + settings.markdownRows.map { $0 + "\n" }.joined()
  }
}

/// The JSON Schema of documents over the whole catalog.
var catalogSchema: JSONValue { documentSchema(stageCatalog.kinds.map { KindPage($0).schema }) }
