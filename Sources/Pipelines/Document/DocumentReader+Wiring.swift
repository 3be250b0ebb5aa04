import Diagnostics

extension DocumentReader {
  /// Every stage that is read exists, and none reads itself by any way round; those that do are left without inputs.
  mutating func checkWiring(_ stages: inout [DocumentStage]) {
    var index: [String: Int] = [:]
    for (at, stage) in stages.enumerated() { index[stage.name] = at }
    var needs = Array(repeating: [Int](), count: stages.count)
    for (at, stage) in stages.enumerated() {
      for input in stage.inputs {
        guard let name = input.reference.stage else { continue }
        if let needed = index[name] {
          needs[at].append(needed)
        } else if !isFull {
          mistakes.append(
            Diagnostic(
              "stage \"\(stage.name)\" reads \"\(name)\", and there is no such stage", at: .text(json.span(of: place(of: input, stage))),
              hint: hint(forUnknown: name, among: stages.map(\.name))))
        }
      }
    }
    let (cycles, members) = Self.cycles(needs)
    for cycle in cycles where !isFull { report(cycle, stages) }
    for at in members {
      gaps.unconnected.insert(stages[at].name)
      stages[at].inputs = []
    }
  }

  /// What is read with all its variants has some.
  mutating func checkVariants(_ document: PipelineDocument) {
    let reach = MatrixReach(document), names = Set(document.stages.map(\.name))
    for stage in document.stages {
      for input in stage.inputs where !isFull {
        guard case .all(let name, _) = input.reference, names.contains(name), reach.axes(of: name).isEmpty else { continue }
        mistakes.append(
          Diagnostic(
            "stage \"\(stage.name)\" reads all variants of \"\(name)\", which has none", at: .text(json.span(of: place(of: input, stage))),
            hint: "no parameter of the matrix reaches it: write \"\(name)\""))
        gaps.unconnected.insert(stage.name)
      }
    }
  }

  private func place(of input: DocumentInput, _ stage: DocumentStage) -> [PathStep] {
    ["stages", .key(stage.name), "from"] + (input.alias.map { [.key($0)] } ?? [])
  }

  private mutating func report(_ cycle: [Int], _ stages: [DocumentStage]) {
    let names = (cycle + [cycle[0]]).map { "\"\(stages[$0].name)\"" }
    let shown = names.count <= 8 ? names : Array(names.prefix(4)) + ["… \(names.count - 6) more …"] + names.suffix(2)
    let first = stages[cycle[0]], next = stages[cycle.count > 1 ? cycle[1] : cycle[0]].name
    let input = first.inputs.first { $0.reference.stage == next }
    mistakes.append(
      Diagnostic(
        cycle.count == 1
          ? "stage \(names[0]) reads itself"
          : "\(cycle.count) stages read each other in a circle: " + shown.joined(separator: " reads "),
        at: .text(json.span(of: input.map { place(of: $0, first) } ?? ["stages", .key(first.name)])),
        hint: "a stage can only read what is made without it"))
  }

  /// One cycle of every strongly connected set of stages, and every stage that reads itself; and whatever is in any. Tarjan (1972), "Depth-first search and linear
  /// graph algorithms", with a stack of its own: documents are not trusted to be shallow.
  static func cycles(_ needs: [[Int]]) -> (cycles: [[Int]], members: Set<Int>) {
    var found: [[Int]] = needs.indices.filter { needs[$0].contains($0) }.map { [$0] }
    var number = Array(repeating: -1, count: needs.count), low = number
    var set = Array(repeating: -1, count: needs.count)
    var stack: [Int] = [], counter = 0, sets: [[Int]] = []
    for root in needs.indices where number[root] < 0 {
      var calls: [(stage: Int, edge: Int)] = [(root, 0)]
      while let (stage, edge) = calls.last {
        if edge == 0 {
          number[stage] = counter
          low[stage] = counter
          counter += 1
          stack.append(stage)
        }
        if edge < needs[stage].count {
          calls[calls.count - 1].edge += 1
          let next = needs[stage][edge]
          if number[next] < 0 {
            calls.append((next, 0))
          } else if set[next] < 0 {
            low[stage] = min(low[stage], number[next])
          }
          continue
        }
        if low[stage] == number[stage] {
          var members: [Int] = []
          repeat {
            members.append(stack.removeLast())
            set[members.last!] = sets.count
          } while members.last! != stage
          sets.append(members)
        }
        calls.removeLast()
        if let caller = calls.last?.stage { low[caller] = min(low[caller], low[stage]) }
      }
    }
    var within = Set(found.joined())
    for (at, members) in sets.enumerated() where members.count > 1 {
      within.formUnion(members)
      // Following first needs inside the set must come round.
      var walk = [members.min()!], seen: [Int: Int] = [walk[0]: 0]
      while true {
        let here = walk.last!
        let next = needs[here].first { set[$0] == at && $0 != here }!
        if let start = seen[next] {
          let loop = Array(walk[start...])
          let first = loop.indices.min { loop[$0] < loop[$1] }!
          found.append(Array(loop[first...] + loop[..<first]))
          break
        }
        seen[next] = walk.count
        walk.append(next)
      }
    }
    return (found, within)
  }

  /// Every parameter that is used is declared, and every declared one is used, as far as declarations and uses can be read.
  mutating func checkParameters(declared: [DocumentParameter], stages: [DocumentStage]) {
    var used: Set<String> = []
    for stage in stages where !isFull {
      let own: [PathStep] = ["stages", .key(stage.name)]
      stage.forEachText { text, path in
        for mention in Template.mentions(of: declared.map(\.name), in: text) { used.insert(mention) }
        let template = Template(text)
        for piece in template.pieces {
          guard case .parameter(let name) = piece.content else { continue }
          let place = Place.text(json.span(inStringAt: own + path, offset: piece.source.lowerBound, length: piece.source.count))
          guard let parameter = declared.first(where: { $0.name == name }) else {
            if areDeclarationsRead {
              mistakes.append(
                Diagnostic(
                  "unknown parameter \"\(name)\"", at: place,
                  hint: hint(forUnknown: name, among: declared.map(\.name)) ?? "declare it under \"parameters\""))
            }
            gaps.unvalued.insert(name)
            continue
          }
          used.insert(name)
          if template.pieces.count > 1, !parameter.type.fitsInText {
            mistakes.append(
              Diagnostic(
                "parameter \"\(name)\" cannot stand inside other text", at: place, expected: "a text, number, date, duration or path",
                found: "type \(parameter.type.name)", hint: "make it the whole value: \"${\(name)}\""))
          }
        }
        if let open = template.unfinished {
          // Whichever was meant.
          let rest = text.utf8.dropFirst(open + 2)
          used.formUnion(declared.map(\.name).filter { rest.starts(with: $0.utf8) })
          mistakes.append(
            Diagnostic(
              "\"${\" is not closed", at: .text(json.span(inStringAt: own + path, offset: open, length: 2)), expected: "\"}\"",
              hint: "a literal \"${\" is written \"$${\""))
        }
      }
    }
    if stages.isEmpty, !meant.contains("stages") { return }
    // What could not be read uses what it mentions, wherever that stands.
    if stages.isEmpty || !gaps.misread.isEmpty {
      json.root.value.forEachText(at: []) { text, _ in
        used.formUnion(Template.mentions(of: declared.map(\.name), in: text))
        used.formUnion(Template(text).pieces.compactMap(\.parameter))
      }
    }
    for parameter in declared where !isFull && !used.contains(parameter.name) {
      mistakes.append(
        Diagnostic(
          "parameter \"\(parameter.name)\" is never used", at: .text(json.span(ofKey: ["parameters", .key(parameter.name)])),
          hint: "write \"${\(parameter.name)}\" where it is meant, or remove it"))
    }
  }
}
