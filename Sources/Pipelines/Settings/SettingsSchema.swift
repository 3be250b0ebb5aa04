extension SettingsDescription {
  /// The object as JSON Schema (draft 2020-12). Inside a document any value may also be `"${p}"`, which
  /// `#/$defs/parameter` of the document's schema stands for.
  public var schema: JSONValue {
    var properties: [JSONMember] = []
    for item in items {
      var members = item.shape.schemaOrParameter(item.range).members ?? []
      if !item.help.isEmpty {
        // The setting's own words in place of those of its form: a key may stand once.
        members.removeAll { $0.key == "description" }
        members.insert(JSONMember("description", .string(item.help)), at: 0)
      }
      if let standard = item.standard, !standard.isNull { members.append(JSONMember("default", standard)) }
      properties.append(JSONMember(item.name, .object(members)))
    }
    var members: [JSONMember] = [
      JSONMember("type", "object"), JSONMember("properties", .object(properties)), JSONMember("additionalProperties", false),
    ]
    let required = items.filter(\.isRequired).map { JSONValue.string($0.name) }
    if !required.isEmpty { members.append(JSONMember("required", .array(required))) }
    return .object(members)
  }

  /// Rows of a Markdown table of four columns: setting, type, default, meaning. Settings of nested objects follow
  /// theirs, as `scores.bins`.
  public var markdownRows: [String] { markdownRows(under: "") }

  private func markdownRows(under prefix: String) -> [String] {
    items.flatMap { item in
      let name = prefix + item.name
      let standard = item.standard.map { $0.isNull ? "" : "`\($0.canonical)`" } ?? "required"
      let cells = ["`\(name)`", item.typeText, standard, item.help]
      let row = "| " + cells.map { Self.escaped($0) }.joined(separator: " | ") + " |"
      return [row] + item.shape.nested.flatMap { $0.markdownRows(under: item.shape.nestedPrefix(name) + ".") }
    }
  }

  private static func escaped(_ cell: String) -> String {
    var text = ""
    for character in cell { text += character == "|" ? "\\|" : character == "\n" ? " " : String(character) }
    return text
  }
}

extension SettingShape {
  func nestedPrefix(_ name: String) -> String {
    switch self {
    case .named: name + ".*"
    case .list: name + "[]"
    default: name
    }
  }

  func schemaOrParameter(_ range: SettingRange?) -> JSONValue {
    switch self {
    case .text, .any: schema(range)
    case .formed(let form) where form.name == "sql" || form.name == "path": schema(range)
    default: ["anyOf": [schema(range), ["$ref": "#/$defs/parameter"]]]
    }
  }

  func schema(_ range: SettingRange?) -> JSONValue {
    switch self {
    case .boolean: ["type": "boolean"]
    case .integer: Self.bounded("integer", range)
    case .number: Self.bounded("number", range)
    case .text: ["type": "string"]
    case .formed(let form): form.name == "date" ? ["type": "string", "format": "date"] : ["type": "string", "description": .string(form.words)]
    case .choice(let cases): ["enum": .array(cases.map(JSONValue.string))]
    case .optional(let inner): ["anyOf": [inner.schema(range), ["type": "null"]]]
    case .list(let inner): ["type": "array", "items": inner.schemaOrParameter(range)]
    case .named(let inner): ["type": "object", "additionalProperties": inner.schemaOrParameter(range)]
    case .oneOrMany(let inner): ["anyOf": [inner.schema(range), ["type": "array", "items": inner.schemaOrParameter(range)]]]
    case .either(let a, let b): ["anyOf": [a.schema(range), b.schema(range)]]
    case .group(let description): description.schema
    case .shortened(let description, let item): ["anyOf": [item.shape.schema(item.range), description.schema]]
    case .secret:
      [
        "type": "object", "properties": ["secret": ["type": "string"]], "required": ["secret"],
        "additionalProperties": false,
      ]
    case .any: [:]
    }
  }

  private static func bounded(_ type: String, _ range: SettingRange?) -> JSONValue {
    var members = [JSONMember("type", .string(type))]
    if let low = range?.lowest { members.append(JSONMember("minimum", .number(low))) }
    if let high = range?.highest {
      members.append(JSONMember(range?.leavesOutHighest == true ? "exclusiveMaximum" : "maximum", .number(high)))
    }
    return .object(members)
  }
}
