/// What the JSON Schema of documents says about one kind.
public struct KindSchema: Sendable {
  public let kind: String
  public let summary: String
  public let settings: SettingsDescription
  /// Whether it reads anything: a kind without inputs may not have `from`.
  public let hasInputs: Bool

  public init(kind: String, summary: String, settings: SettingsDescription, hasInputs: Bool) {
    self.kind = kind
    self.summary = summary
    self.settings = settings
    self.hasInputs = hasInputs
  }
}

/// The JSON Schema (draft 2020-12) of a pipeline document with these kinds: for editors; the checks of `millrace check` go further.
public func documentSchema(_ kinds: [KindSchema]) -> JSONValue {
  let name: JSONValue = ["pattern": "^[a-z][a-z0-9_-]{0,63}$"]
  let reference: JSONValue = ["type": "string", "pattern": "^[a-z][a-z0-9_-]{0,63}(\\.[a-z][a-z0-9_-]{0,63})?$"]
  let scalars = ParameterType.scalars.map(\.name)
  let types = (scalars + ["one-of"] + scalars.map { "list<\($0)>" }).map(JSONValue.string)
  let stages: [JSONValue] = kinds.map { kind in
    let with: JSONValue = .object([JSONMember("$ref", "#/$defs/with-\(kind.kind)")])
    return [
      "if": ["properties": ["stage": ["const": .string(kind.kind)]]],
      "then": [
        "properties": kind.hasInputs ? ["with": with] : ["with": with, "from": false],
        "required": kind.settings.items.contains(where: \.isRequired) ? ["with"] : [],
      ],
    ]
  }
  var definitions: [JSONMember] = [
    JSONMember(
      "parameter", ["type": "string", "pattern": "\\$\\{[a-z][a-z0-9_-]{0,63}\\}", "description": "\"${p}\" is replaced by the parameter p"]),
    JSONMember("output", reference),
    JSONMember(
      "input",
      [
        "anyOf": [
          ["$ref": "#/$defs/output"],
          ["type": "object", "properties": ["artifact": ["type": "string"]], "required": ["artifact"], "additionalProperties": false],
          [
            "type": "object", "properties": ["run": ["type": "string"], "of": ["$ref": "#/$defs/output"]], "required": ["run", "of"],
            "additionalProperties": false,
          ],
        ]
      ]),
  ]
  for kind in kinds {
    let schema = kind.settings.schema.members ?? []
    definitions.append(JSONMember("with-\(kind.kind)", .object([JSONMember("description", .string(kind.summary))] + schema)))
  }
  let stage: JSONValue = [
    "type": "object",
    "properties": [
      "stage": ["enum": .array(kinds.map { .string($0.kind) })],
      "from": [
        "anyOf": [
          ["$ref": "#/$defs/output"],
          ["type": "object", "propertyNames": name, "additionalProperties": ["$ref": "#/$defs/input"]],
        ]
      ],
      "with": ["type": "object"],
      "keep": ["type": "boolean", "description": "false: stream the output into its consumers instead of storing it", "default": true],
    ],
    "required": ["stage"],
    "additionalProperties": false,
    "allOf": .array(stages),
  ]
  let parameter: JSONValue = [
    "type": "object",
    "properties": ["type": ["enum": .array(types)], "default": [:], "help": ["type": "string"], "values": ["type": "array"]],
    "required": ["type"],
    "additionalProperties": false,
  ]
  return [
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Millrace pipeline",
    "type": "object",
    "properties": [
      "$schema": ["type": "string"],
      "pipeline": ["type": "string", "pattern": "^[a-z][a-z0-9_-]{0,63}$"],
      "summary": ["type": "string"],
      "parameters": ["type": "object", "propertyNames": name, "additionalProperties": parameter],
      "stages": ["type": "object", "propertyNames": name, "additionalProperties": stage, "minProperties": 1],
    ],
    "required": ["pipeline", "stages"],
    "additionalProperties": false,
    "$defs": .object(definitions),
  ]
}
