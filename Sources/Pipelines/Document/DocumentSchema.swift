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
          ["type": "object", "properties": ["all": ["$ref": "#/$defs/output"]], "required": ["all"], "additionalProperties": false],
          ["type": "object", "properties": ["artifact": ["type": "string"]], "required": ["artifact"], "additionalProperties": false],
          [
            "type": "object", "properties": ["run": ["type": "string"], "of": ["$ref": "#/$defs/output"]], "required": ["run", "of"],
            "additionalProperties": false,
          ],
        ]
      ]),
  ]
  definitions.append(JSONMember("expectation", expectationSchema))
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
          ["type": "object", "properties": ["all": ["$ref": "#/$defs/output"]], "required": ["all"], "additionalProperties": false],
          ["type": "object", "propertyNames": name, "additionalProperties": ["$ref": "#/$defs/input"]],
        ]
      ],
      "with": ["type": "object"],
      "keep": ["type": "boolean", "description": "false: stream the output into its consumers instead of storing it", "default": true],
      "expect": ["type": "array", "items": ["$ref": "#/$defs/expectation"], "description": "what is expected of its outputs and inputs"],
      "retries": [
        "description": "how often it is tried again when a source or a disk does not answer",
        "anyOf": [
          ["type": "integer", "minimum": 0, "maximum": .integer(RetryPolicy.limit)],
          [
            "type": "object",
            "properties": [
              "times": ["type": "integer", "minimum": 0, "maximum": .integer(RetryPolicy.limit)],
              "wait": ["type": "string", "default": "1 second", "description": "before the first; it doubles"],
              "most": ["type": "string", "default": "1 minute", "description": "no wait is longer"],
            ],
            "required": ["times"], "additionalProperties": false,
          ],
        ],
      ],
      "timeout": ["type": "string", "description": "how long one attempt may take: \"10 minutes\""],
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
      "matrix": [
        "type": "object", "propertyNames": name, "additionalProperties": ["type": "array", "minItems": 1],
        "description": "parameters with several values: a stage that they reach has a variant for every combination",
      ],
      "stages": ["type": "object", "propertyNames": name, "additionalProperties": stage, "minProperties": 1],
    ],
    "required": ["pipeline", "stages"],
    "additionalProperties": false,
    "$defs": .object(definitions),
  ]
}

/// One entry of `expect`.
private let expectationSchema: JSONValue = {
  let columns: JSONValue = ["anyOf": [["type": "string"], ["type": "array", "items": ["type": "string"], "minItems": 1]]]
  let count: JSONValue = ["type": "integer", "minimum": 0]
  return [
    "type": "object",
    "properties": [
      "notNull": columns, "unique": columns, "column": ["type": "string"], "min": [:], "max": [:], "in": ["type": "array", "minItems": 1],
      "rows": ["anyOf": [count, ["type": "object", "properties": ["min": count, "max": count], "additionalProperties": false]]],
      "sql": ["type": "string"], "fresh": ["type": "string"], "within": ["type": "string"], "asOf": ["type": "string"],
      "of": ["type": "string", "description": "an output; default the main one"], "input": ["type": "string", "description": "an input in place of an output"],
      "severity": ["enum": ["error", "warn", "quarantine"], "default": "error"], "name": ["type": "string", "description": "what people call it"],
    ],
    "anyOf": .array(["notNull", "unique", "column", "rows", "sql", "fresh"].map { ["required": .array([.string($0)])] }),
    "additionalProperties": false,
  ]
}()
