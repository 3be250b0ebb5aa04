import Diagnostics

/// What a stage says besides its settings and wiring, and the matrix.
extension DocumentReader {
  /// Parameters with several values: `"matrix": {"k": [3, 4, 5]}`.
  mutating func readMatrix(_ parameters: [DocumentParameter]) -> [DocumentAxis] {
    // Which types its values are to have, nobody knows.
    if !areDeclarationsRead { return [] }
    if json.root["matrix"].map({ $0.members == nil }) ?? meant.contains("matrix") {
      // Which of them it was to give values to, nobody knows.
      gaps.unvalued.formUnion(parameters.filter { $0.standard == nil }.map(\.name))
    }
    return objects("matrix", words: #"an object of parameters and lists of values such as {"k": [3, 4, 5]}"#).compactMap { name, node in
      if isFull { return nil }
      let path: [PathStep] = ["matrix", .key(name)]
      guard let parameter = parameters.first(where: { $0.name == name }) else {
        mistakes.append(Diagnostic(
          "the matrix names parameter \(JSONValue.string(name).canonical), and there is no such parameter", at: .text(json.span(ofKey: path)),
          hint: hint(forUnknown: name, among: parameters.map(\.name)) ?? "declare it under \"parameters\""))
        if let meant = nearest(to: name, among: parameters.map(\.name)) { gaps.unvalued.insert(meant) }
        return nil
      }
      if case .list = parameter.type {
        misfit("parameter \"\(name)\" cannot vary", path, "a parameter with a single value, which is no list")
        gaps.unvalued.insert(name)
        return nil
      }
      guard let items = node.items, !items.isEmpty else {
        misfit("the values of \"\(name)\" do not fit", path, "a list of values such as [3, 4, 5]")
        gaps.unvalued.insert(name)
        return nil
      }
      var values: [ParameterValue] = []
      for (at, item) in items.enumerated() where !isFull {
        let place = path + [.index(at)]
        guard let value = parameter.type.value(of: item.value) else {
          misfit("a value of \"\(name)\" does not fit", place, parameter.type.words)
          continue
        }
        if !DocumentAxis.canName(value.text) {
          misfit("a value of \"\(name)\" cannot stand in the name of a variant", place, "a text without [ ] , = \" and line breaks")
          continue
        }
        if values.contains(where: { $0.text == value.text }) {
          misfit("a value of \"\(name)\" stands there twice", place, "every value once")
          continue
        }
        values.append(value)
      }
      if values.isEmpty {
        gaps.unvalued.insert(name)
        return nil
      }
      return DocumentAxis(name: name, values: values)
    }
  }

  mutating func readExpectations(_ stage: String, _ node: JSONNode, at path: [PathStep]) -> [JSONValue] {
    guard let written = node["expect"] else { return [] }
    let place = path + ["expect"]
    guard let items = written.items else {
      misfit("\"expect\" of stage \"\(stage)\" does not fit", place, #"a list such as [{"notNull": "customer"}]"#)
      return []
    }
    for (at, item) in items.enumerated() where item.members == nil {
      misfit("an expectation does not fit", place + [.index(at)], #"an object such as {"notNull": "customer"}"#)
      gaps.unresolved.append(json.span(of: place + [.index(at)]))
    }
    return items.map { $0.members == nil ? [:] : $0.value }
  }

  mutating func readRetries(_ stage: String, _ node: JSONNode, at path: [PathStep]) -> RetryPolicy {
    guard let written = node["retries"] else { return .never }
    let place = path + ["retries"], words = "a number of retries from 0 to \(RetryPolicy.limit)"
    let isCount = { (count: Int) in (0...RetryPolicy.limit).contains(count) }
    guard written.members != nil else {
      if let times = written.value.int, isCount(times) { return RetryPolicy(times: times) }
      misfit("\"retries\" of stage \"\(stage)\" does not fit", place, words + #", or an object such as {"times": 3, "wait": "1 second"}"#)
      return .never
    }
    checkKeys(written, ["times", "wait", "most"], of: "retries", at: place)
    var policy = RetryPolicy(times: 0)
    if let times = written["times"]?.value.int, isCount(times) {
      policy.times = times
    } else {
      misfit("\"times\" of the retries of stage \"\(stage)\" does not fit", place + ["times"], words)
    }
    if let wait = readDuration("wait", of: written, at: place) { policy.wait = wait }
    if let most = readDuration("most", of: written, at: place) { policy.most = most }
    return policy
  }

  mutating func readTimeout(_ stage: String, _ node: JSONNode, at path: [PathStep]) -> Duration? {
    guard let timeout = readDuration("timeout", of: node, at: path) else { return nil }
    if timeout.count > 0 { return timeout }
    misfit("\"timeout\" of stage \"\(stage)\" does not fit", path + ["timeout"], "a duration longer than nothing")
    return nil
  }

  private mutating func readDuration(_ key: String, of node: JSONNode, at path: [PathStep]) -> Duration? {
    guard let written = node[key] else { return nil }
    if let duration = written.string.flatMap({ Duration($0) }), duration.count(of: .day) <= 366 { return duration }
    misfit("\"\(key)\" does not fit", path + [.key(key)], "a duration such as \"30 seconds\" or \"5 minutes\", at most a year")
    return nil
  }
}

extension DocumentStage {
  /// Every text in which parameters may stand, with its path below the stage.
  func forEachText(_ body: (String, [PathStep]) -> Void) {
    with.forEachText(at: ["with"], body)
    if !expect.isEmpty { JSONValue.array(expect).forEachText(at: ["expect"], body) }
  }
}
