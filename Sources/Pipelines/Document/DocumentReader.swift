import Diagnostics

/// Takes a document apart and gathers its mistakes; wiring is in `DocumentReader+Wiring`.
struct DocumentReader {
  let json: JSONDocument
  var mistakes: [Diagnostic]
  var gaps = DocumentGaps()
  /// Keys of the document that are not there, and look like others that nobody knows.
  private(set) var meant: Set<String> = []
  var areDeclarationsRead: Bool { json.root["parameters"].map { $0.members != nil } ?? !meant.contains("parameters") }

  init(_ json: JSONDocument, mistakes: [Diagnostic]) {
    self.json = json
    self.mistakes = mistakes
  }

  /// Ten times as many as have been tried.
  private static let stageLimit = 100_000

  /// Whether so many mistakes were found that no more are looked for.
  var isFull: Bool { mistakes.count >= json.text.mistakeLimit }

  // Nil only when the whole is not an object.
  mutating func read() -> PipelineDocument? {
    guard json.root.members != nil else {
      mistakes.append(
        Diagnostic("the document is not an object", at: .text(json.span(of: [])), expected: "an object", found: json.value.words))
      return nil
    }
    meant = checkKeys(json.root, ["$schema", "pipeline", "summary", "parameters", "matrix", "stages"], of: "a document", at: [])
    let name = meant.contains("pipeline") ? "" : requiredText("pipeline", in: json.root, of: "the document", at: []) ?? ""
    if json.root["pipeline"]?.string != nil { checkName(name, "pipeline", at: ["pipeline"], isKey: false) }
    _ = optionalText("$schema", in: json.root, at: [])
    let summary = optionalText("summary", in: json.root, at: []) ?? ""
    let parameters = readParameters()
    let matrix = readMatrix(parameters)
    var stages = readStages()
    checkWiring(&stages)
    checkParameters(declared: parameters, stages: stages)
    let document = PipelineDocument(source: json, name: name, summary: summary, parameters: parameters, matrix: matrix, stages: stages)
    let isMatrixWhole = json.root["matrix"].map { $0.members?.count == matrix.count } ?? !meant.contains("matrix")
    if isMatrixWhole, gaps.misread.isEmpty, gaps.unconnected.isEmpty {
      checkVariants(document)
    } else {
      // What varies may be what could not be read.
      for stage in stages where stage.readsAllVariants { gaps.unconnected.insert(stage.name) }
    }
    return document
  }

  // MARK: Parameters

  private mutating func readParameters() -> [DocumentParameter] {
    objects("parameters").compactMap { name, node in
      if isFull { return nil }
      let path: [PathStep] = ["parameters", .key(name)]
      // Whoever uses it may have written a name that would do.
      if !checkName(name, "parameter", at: path, isKey: true) { gaps.unvalued.formUnion([name, name.lowercased()]) }
      guard node.members != nil else {
        misfit("parameter \"\(name)\" is not an object", path, #"an object such as {"type": "int", "default": 4}"#)
        gaps.unvalued.insert(name)
        return DocumentParameter(name: name, type: .string, standard: .string(""), help: "")
      }
      checkKeys(node, ["type", "default", "help", "values"], of: "a parameter", at: path)
      let help = optionalText("help", in: node, at: path) ?? ""
      guard let type = readType(name, node, at: path) else {
        // Its uses are known even when its type is not.
        gaps.unvalued.insert(name)
        return DocumentParameter(name: name, type: .string, standard: .string(""), help: help)
      }
      var standard: ParameterValue?
      if let written = node["default"] {
        standard = type.value(of: written.value)
        if standard == nil {
          misfit("the default of parameter \"\(name)\" does not fit its type", path + ["default"], type.words)
          gaps.unvalued.insert(name)
        }
      }
      return DocumentParameter(name: name, type: type, standard: standard, help: help)
    }
  }

  private mutating func readType(_ name: String, _ node: JSONNode, at path: [PathStep]) -> ParameterType? {
    guard let word = requiredText("type", in: node, of: "parameter \"\(name)\"", at: path) else { return nil }
    if word == "one-of" {
      guard let items = node["values"]?.items, !items.isEmpty else {
        misfit("parameter \"\(name)\" is one-of and has no list of values", path + ["values"], "\"values\", a list of texts, numbers or booleans")
        return nil
      }
      return .oneOf(
        items.enumerated().compactMap { index, item in
          switch item.content {
          case .string(let text): return .string(text)
          case .bool(let value): return .bool(value)
          case .number(let number): return number.int64.map(ParameterValue.int) ?? number.double.map(ParameterValue.float)
          case .null, .array, .object:
            misfit("a value of parameter \"\(name)\" does not fit", path + ["values", .index(index)], "a text, a number, true or false")
            return nil
          }
        })
    }
    if node["values"] != nil {
      mistakes.append(
        Diagnostic(
          "only a parameter of type one-of has values", at: .text(json.span(ofKey: path + ["values"])), found: "type \(word)"))
    }
    guard let type = ParameterType(word) else {
      let known = ParameterType.scalars.map(\.name) + ["one-of", "list<string>"]
      mistakes.append(
        Diagnostic(
          "unknown type of parameter \"\(name)\"", at: .text(json.span(of: path + ["type"])),
          expected: (ParameterType.scalars.map(\.name) + ["one-of", "list<…> of one of these"]).joined(separator: ", "),
          found: JSONValue.string(word).canonical, hint: nearest(to: word, among: known).map { "did you mean \"\($0)\"?" }))
      return nil
    }
    return type
  }

  // MARK: Stages

  private mutating func readStages() -> [DocumentStage] {
    guard let node = json.root["stages"] else {
      if meant.contains("stages") { return [] }
      mistakes.append(
        Diagnostic(
          "the document has no stages", at: .text(json.span(of: ["stages"])), expected: "\"stages\", an object of names and stages"))
      return []
    }
    if let count = node.members?.count, count > Self.stageLimit {
      // Nothing that long was meant; telling what else is wrong with it would take as long as it is.
      mistakes = [Diagnostic(
        "the document has \(count) stages", at: .text(json.text.span(of: node.range.lowerBound..<node.range.lowerBound + 1)),
        expected: "at most \(Self.stageLimit)")]
      return []
    }
    if node.members?.isEmpty == true {
      mistakes.append(Diagnostic("the document has no stages", at: .text(json.span(of: ["stages"])), expected: "at least one stage"))
    }
    return objects("stages").map { name, node in
      if isFull { return DocumentStage(name: name, kind: "", inputs: [], with: [:], keep: true) }
      let path: [PathStep] = ["stages", .key(name)]
      checkName(name, "stage", at: path, isKey: true)
      if reservedWords.contains(name) {
        mistakes.append(
          Diagnostic(
            "\"\(name)\" is a word of selectors and cannot name a stage", at: .text(json.span(ofKey: path)),
            hint: "reserved: " + reservedWords.joined(separator: ", ")))
      }
      guard node.members != nil else {
        misfit("stage \"\(name)\" is not an object", path, #"an object such as {"stage": "clean", "from": "…", "with": {}}"#)
        gaps.misread.insert(name)
        return DocumentStage(name: name, kind: "", inputs: [], with: [:], keep: true)
      }
      let meant = checkKeys(
        node, ["stage", "from", "with", "keep", "expect", "retries", "timeout"], of: "a stage", at: path,
        hints: ["matrix": "a matrix stands beside \"parameters\" and names them; what uses one of them is made once for each value"])
      let before = mistakes.count
      let kind = meant.contains("stage") ? nil : requiredText("stage", in: node, of: "stage \"\(name)\"", at: path, words: "a kind such as \"clean\"")
      var with = JSONValue.object([])
      if let written = node["with"] {
        if written.members == nil {
          misfit("\"with\" of stage \"\(name)\" does not fit", path + ["with"], "an object of settings")
        } else {
          with = written.value
        }
      }
      if mistakes.count > before || meant.contains("stage") || meant.contains("with") { gaps.misread.insert(name) }
      let beforeInputs = mistakes.count, inputs = readInputs(name, node, at: path)
      if mistakes.count > beforeInputs || meant.contains("from") { gaps.unconnected.insert(name) }
      var keep = true
      if let written = node["keep"]?.value {
        if let value = written.bool {
          keep = value
        } else {
          misfit("\"keep\" of stage \"\(name)\" does not fit", path + ["keep"], "true or false")
        }
      }
      return DocumentStage(
        name: name, kind: kind ?? "", inputs: inputs, with: with, keep: keep, expect: readExpectations(name, node, at: path),
        retries: readRetries(name, node, at: path), timeout: readTimeout(name, node, at: path))
    }
  }

  private mutating func readInputs(_ stage: String, _ node: JSONNode, at path: [PathStep]) -> [DocumentInput] {
    guard let from = node["from"] else { return [] }
    let place = path + ["from"]
    switch from.content {
    case .string(let text):
      return readOutput(text, at: place).map { [DocumentInput(alias: nil, reference: .output(stage: $0.stage, output: $0.output))] } ?? []
    case .object(let members) where members.count == 1 && members[0].key == "all" && json.root["matrix"] != nil:
      return readReference(from, at: place).map { [DocumentInput(alias: nil, reference: $0)] } ?? []
    case .object(let members):
      return members.compactMap { member in
        let place = place + [.key(member.key)]
        checkName(member.key, "alias", at: place, isKey: true)
        return readReference(member.value, at: place).map { DocumentInput(alias: member.key, reference: $0) }
      }
    case .array:
      misfit(
        "\"from\" of stage \"\(stage)\" does not fit", place, "a text, or an object of aliases",
        hint: "give each input a name of its own: { \"first\": \"…\", \"second\": \"…\" }")
    case .null, .bool, .number: misfit("\"from\" of stage \"\(stage)\" does not fit", place, "a text, or an object of aliases")
    }
    return []
  }

  private mutating func readReference(_ node: JSONNode, at path: [PathStep]) -> InputReference? {
    let words = #""stage", "stage.output", {"all": "stage"}, {"artifact": "…"} or {"run": "…", "of": "stage.output"}"#
    if let text = node.string {
      return readOutput(text, at: path).map { .output(stage: $0.stage, output: $0.output) }
    }
    guard node.members != nil else {
      misfit("an input does not fit", path, words)
      return nil
    }
    if node["all"] != nil {
      checkKeys(node, ["all"], of: "an input of all variants", at: path)
      return requiredText("all", in: node, of: "the input", at: path).flatMap { readOutput($0, at: path + ["all"]) }.map { .all(stage: $0.stage, output: $0.output) }
    }
    if node["artifact"] != nil {
      checkKeys(node, ["artifact"], of: "an artifact as input", at: path)
      return requiredText("artifact", in: node, of: "the input", at: path).map { .artifact(digest: $0) }
    }
    if node["run"] != nil {
      checkKeys(node, ["run", "of"], of: "an input from a run", at: path)
      let run = requiredText("run", in: node, of: "the input", at: path)
      let of = requiredText("of", in: node, of: "the input", at: path)
      if run == "last" {
        mistakes.append(
          Diagnostic(
            "\"last\" is a word of commands, never of documents", at: .text(json.span(of: path + ["run"])), expected: "the id or tag of a run"))
      }
      guard let run, let of, let output = readOutput(of, at: path + ["of"]) else { return nil }
      return .run(id: run, stage: output.stage, output: output.output)
    }
    misfit("an input does not fit", path, words)
    return nil
  }

  private mutating func readOutput(_ text: String, at path: [PathStep]) -> (stage: String, output: String?)? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard parts.count <= 2, parts.allSatisfy(isName) else {
      misfit("an input does not fit", path, #""stage" or "stage.output""#)
      return nil
    }
    return (parts[0], parts.count == 2 ? parts[1] : nil)
  }

  // MARK: Parts

  mutating func objects(_ key: String, words: String? = nil) -> [(String, JSONNode)] {
    guard let node = json.root[key] else { return [] }
    guard let members = node.members else {
      misfit("\"\(key)\" does not fit", [.key(key)], words ?? "an object of names and \(key)")
      return []
    }
    return members.map { ($0.key, $0.value) }
  }

  /// `hints`: what is said of keys that have their place elsewhere. Gives the keys that are not there and seem to be meant by unknown ones.
  @discardableResult
  mutating func checkKeys(_ node: JSONNode, _ known: [String], of what: String, at path: [PathStep], hints: [String: String] = [:]) -> Set<String> {
    var meant: Set<String> = []
    for member in node.members ?? [] where !isFull && !known.contains(member.key) {
      mistakes.append(
        Diagnostic(
          "unknown key \(JSONValue.string(member.key).canonical) of \(what)", at: .text(json.text.span(of: member.keyRange)),
          hint: hints[member.key] ?? hint(forUnknown: member.key, among: known)))
      if hints[member.key] == nil, let near = nearest(to: member.key, among: known), node[near] == nil { meant.insert(near) }
    }
    return meant
  }

  @discardableResult
  private mutating func checkName(_ name: String, _ what: String, at path: [PathStep], isKey: Bool) -> Bool {
    guard !isFull, !isName(name) else { return true }
    mistakes.append(
      Diagnostic(
        "\(JSONValue.string(name).canonical) cannot name \(what == "alias" ? "an" : "a") \(what)",
        at: .text(isKey ? json.span(ofKey: path) : json.span(of: path)),
        expected: "a small letter, then up to 63 small letters, digits, \"_\" or \"-\""))
    return false
  }

  private mutating func requiredText(
    _ key: String, in node: JSONNode, of what: String, at path: [PathStep], words: String = "a text"
  ) -> String? {
    guard node[key] != nil else {
      mistakes.append(Diagnostic("\(what) has no \"\(key)\"", at: .text(json.span(of: path + [.key(key)])), expected: "\"\(key)\", \(words)"))
      return nil
    }
    return optionalText(key, in: node, at: path, words: words)
  }

  private mutating func optionalText(_ key: String, in node: JSONNode, at path: [PathStep], words: String = "a text") -> String? {
    guard let written = node[key] else { return nil }
    guard let text = written.string else {
      misfit("\"\(key)\" does not fit", path + [.key(key)], words)
      return nil
    }
    return text
  }

  mutating func misfit(_ message: String, _ path: [PathStep], _ expected: String, hint: String? = nil) {
    if isFull { return }
    mistakes.append(
      Diagnostic(message, at: .text(json.span(of: path)), expected: expected, found: json.node(at: path)?.value.words, hint: hint))
  }
}
