import Diagnostics

extension ResolvedDocument {
  /// Where every value came from, for the record of a run: of each parameter its value and whether it was typed; of each stage the
  /// settings that are made of parameters and those that are defaults of its kind, by JSON pointer. All others stand in the document.
  public func origins(of plan: BoundPlan) -> JSONValue {
    let axes = Set(document.matrix.map(\.name))
    let typed = parameters.map { parameter in
      let origin = parameter.origin == .commandLine ? "--set" : axes.contains(parameter.name) ? "matrix" : "default"
      return JSONMember(parameter.name, ["value": parameter.value.json, "from": .string(origin)])
    }
    let names = parameters.map(\.name)
    let byName = Dictionary(uniqueKeysWithValues: stages.map { ($0.name, $0) })
    let settings = plan.stages.compactMap { bound -> JSONMember? in
      guard let stage = byName[bound.name] else { return nil }
      var made: [JSONMember] = [], defaults: [JSONValue] = []
      stage.written.with.forEachText(at: []) { text, path in
        var used = Template(text).pieces.compactMap(\.parameter).filter(names.contains)
        used += Template.mentions(of: names, in: text).filter { !used.contains($0) }
        if !used.isEmpty { made.append(JSONMember(path.pointer, .array(used.map { .string($0) }))) }
      }
      bound.settings.forEachMember(notIn: stage.written.with, at: []) { defaults.append(.string($0.pointer)) }
      return JSONMember(bound.name, ["parameters": .object(made), "defaults": .array(defaults)])
    }
    return ["parameters": .object(typed), "settings": .object(settings)]
  }
}

extension JSONValue {
  /// Members that another value lacks at the same path.
  fileprivate func forEachMember(notIn other: JSONValue, at path: [PathStep], _ body: ([PathStep]) -> Void) {
    guard let members, other.members != nil else { return }
    for member in members {
      let path = path + [.key(member.key)]
      if let written = other[member.key] { member.value.forEachMember(notIn: written, at: path, body) } else { body(path) }
    }
  }
}
