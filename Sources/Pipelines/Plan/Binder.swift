import Columns
import Diagnostics

/// Finds the files of a source, or says why it may not or cannot.
public typealias FileFinder = (_ source: Source, _ stage: ResolvedStage) throws(Mistakes) -> [SourceFile]

extension ResolvedDocument {
  /// Settles names and types of the whole graph: every kind known, every setting of the right form, every input connected,
  /// every column there. Throws all mistakes at once, in the order of the text.
  ///
  /// `finding` looks for the files of sources; nil (for `check`) opens none and leaves open what only a file can tell.
  public func bound(to catalog: StageCatalog, finding find: FileFinder?) throws(Mistakes) -> BoundPlan {
    try bound(to: catalog, finding: find, DocumentGaps())
  }

  /// The same of a document with mistakes: it throws what else is wrong, and what it gives is not whole.
  func bound(to catalog: StageCatalog, finding find: FileFinder?, _ gaps: DocumentGaps) throws(Mistakes) -> BoundPlan {
    var binder = Binder(document: self, catalog: catalog, find: find, gaps: gaps)
    for index in stagesInOrder() where !gaps.misread.contains(stages[index].written.name) { binder.bind(stages[index]) }
    binder.refuseFilesOfOneName()
    guard binder.mistakes.isEmpty else { throw Mistakes(binder.mistakes.inOrderOfText) }
    return BoundPlan(
      pipeline: document.name, file: document.file, stages: binder.bound, resolved: json, warnings: binder.warnings)
  }

  /// Every stage after what it needs; else in the order of the document. The document has no cycles. No recursion: a chain
  /// may be thousands of stages long.
  private func stagesInOrder() -> [Int] {
    // Two of one name only where one of them cannot name a stage.
    let places = Dictionary(stages.indices.map { (stages[$0].name, $0) }, uniquingKeysWith: { first, _ in first })
    var order: [Int] = [], done = Set<Int>()
    for root in stages.indices where !done.contains(root) {
      var path = [(stage: root, next: 0)]
      while let (stage, next) = path.last {
        let inputs = stages[stage].inputs
        if next < inputs.count {
          path[path.count - 1].next += 1
          if case .output(let name, _) = inputs[next].reference, let needed = places[name], !done.contains(needed) {
            path.append((needed, 0))
          }
        } else {
          path.removeLast()
          if done.insert(stage).inserted { order.append(stage) }
        }
      }
    }
    return order
  }
}

private struct Binder {
  let document: ResolvedDocument
  let catalog: StageCatalog
  let find: FileFinder?
  private let gaps: DocumentGaps
  var bound: [BoundStage] = []
  var mistakes: [Diagnostic] = []
  /// Of variants, before the stage is named.
  private var ofVariants: [Diagnostic] = []
  var warnings: [Diagnostic] = []
  /// Indices into `bound`; a stage that did not bind is absent, and what needs it is not checked further.
  private var places: [String: Int] = [:]
  private struct OutputPlace: Hashable {
    let stage: Int
    let output: String
  }
  /// Expectations of severity `error`, by what they are about.
  private var guards: [OutputPlace: [Int]] = [:]

  init(document: ResolvedDocument, catalog: StageCatalog, find: FileFinder?, gaps: DocumentGaps) {
    self.document = document
    self.catalog = catalog
    self.find = find
    self.gaps = gaps
  }

  mutating func bind(_ stage: ResolvedStage) {
    if let gathering = stage.gathering {
      bindGathering(stage, gathering)
      return
    }
    guard let kind = catalog[stage.kind] else {
      tell(Diagnostic(
        "unknown kind \"\(stage.kind)\"", at: .text(document.document.span(ofKindOf: stage.name)),
        hint: hint(forUnknown: stage.kind, among: catalog.names)), of: stage, nil)
      return
    }
    bind(stage, as: kind)
  }

  private mutating func bind<S: Stage>(_ stage: ResolvedStage, as kind: S.Type) {
    let contract = kind.contract
    let owner = "of stage \"\(stage.name)\" (\(contract.kind))"
    let expected = ports(of: stage, contract)
    let (rules, written) = rules(of: stage, kind, expected ?? [])
    let (settings, wrong) = canonicalSettings(of: kind, written: written)
    for mistake in wrong { tell(mistake, of: stage, contract) }
    let inputs = gaps.unconnected.contains(stage.written.name) ? nil : connected(stage, contract)
    guard wrong.isEmpty else { return }
    let instance: S
    do { instance = try decodeSettings(kind, from: settings) } catch {
      let diagnostic = error as? Diagnostic ?? Diagnostic("the settings do not read: \(error)")
      tell(diagnostic, of: stage, contract)
      return
    }
    guard let files = foundFiles(instance, stage, contract), let inputs else { return }
    let types = Inputs(inputs.map { Inputs<ArtifactType>.Entry(port: $0.port, alias: $0.alias, value: $0.type) })
    do throws(Mistakes) {
      let binding = try instance.bind(types, BindContext(parameters: parameters(stage, stage.mentioned), files: files.files))
      checkReads(binding, inputs, owner)
      if gaps.unsettled.contains(stage.written.name) { return }
      warnings += binding.warnings.map { document.located($0, stage: stage.name) }
      add(stage, instance, contract, settings, binding, inputs, files.files, expected ?? [])
    } catch {
      for mistake in error.all { tell(document.located(mistake, from: rules), of: stage, contract) }
    }
  }

  /// Puts a stage into the plan: before it what is expected of its inputs, behind it what is expected of its outputs.
  private mutating func add(
    _ stage: ResolvedStage, _ instance: any Stage, _ contract: Contract, _ settings: JSONValue, _ binding: Binding, _ inputs: [BoundInput],
    _ files: [[SourceFile]]?, _ expected: [PortExpectation]
  ) {
    var guards = inputs.flatMap { input in self.guards[OutputPlace(stage: input.stage, output: input.output)] ?? [] }
    for expectation in expected where expectation.severity != .quarantine {
      guard case .input(let alias) = expectation.port else { continue }
      guard let input = inputs.first(where: { alias == nil || $0.alias == alias }), alias != nil || inputs.count == 1 else {
        tell(Diagnostic(
          alias.map { "stage \"\(stage.name)\" has no input \"\($0)\"" } ?? "which input is meant?", at: place(expectation, ["input"], stage),
          hint: alias.flatMap { hint(forUnknown: $0, among: inputs.map(\.alias)) }), of: stage, contract)
        continue
      }
      if let at = add(expectation, of: stage, contract, about: input), expectation.severity == .error { guards.append(at) }
    }
    let index = bound.count
    places[stage.name] = index
    bound.append(BoundStage(
      name: stage.name, stage: instance, contract: contract, settings: settings, binding: binding, inputs: inputs, files: files,
      parameters: parameters(stage, stage.mentioned), span: document.document.span(of: stage.name), keep: stage.keep, variant: stage.variant,
      retries: stage.written.retries, timeout: stage.written.timeout, guards: Array(Set(guards)).sorted(),
      locate: { [document, name = stage.name] in document.located($0, stage: name) }))
    for expectation in expected where expectation.severity != .quarantine {
      guard case .output(let name) = expectation.port else { continue }
      guard let output = name == nil ? binding.outputs.first : binding.outputs.first(where: { $0.name == name }) else {
        tell(Diagnostic(
          "stage \"\(stage.name)\" (\(contract.kind)) has no output \"\(name ?? "")\"", at: place(expectation, ["of"], stage),
          hint: hint(forUnknown: name ?? "", among: binding.outputs.map(\.name))), of: stage, contract)
        continue
      }
      let input = BoundInput(port: "table", alias: "table", stage: index, output: output.name, type: output.type)
      guard let at = add(expectation, of: stage, contract, about: input), expectation.severity == .error else { continue }
      self.guards[OutputPlace(stage: index, output: output.name), default: []].append(at)
    }
  }

  /// One expectation as a stage of its own; its place in the plan.
  private mutating func add(_ port: PortExpectation, of stage: ResolvedStage, _ contract: Contract, about input: BoundInput) -> Int? {
    let schema: Schema
    switch input.type {
    case .table(let type): schema = type.schema
    case .open: return nil
    case .document, .file:
      tell(Diagnostic(
        "only of tables something can be expected", at: place(port, [], stage), found: "\(bound[input.stage].name).\(input.output), a \(input.type.carries?.rawValue ?? "")"),
        of: stage, contract)
      return nil
    }
    var mentioned: [String] = []
    port.written.forEachText(at: []) { text, _ in mentioned += Template.mentions(of: stage.values.keys.sorted(), in: text) }
    let parameters = parameters(stage, mentioned)
    var reader = ExpectationReader()
    guard let expectation = reader.expectation(port, schema, bindings: parameters.bindings) else {
      for mistake in reader.mistakes { tell(document.located(mistake, stage: stage.name, in: "expect"), of: stage, contract) }
      return nil
    }
    var subject = input.output, consumer: String?
    if case .input = port.port { (subject, consumer) = ("\(bound[input.stage].name).\(input.output)", stage.name) }
    let own = BoundInput(port: "table", alias: "table", stage: input.stage, output: input.output, type: input.type)
    bound.append(BoundStage(
      name: "\(stage.name)#\(port.place)", stage: ExpectationStage(expectation), contract: ExpectationStage.contract, settings: expectation.counted,
      binding: Binding(outputs: [], reads: [.init("table", .named(expectation.columns), .once)]), inputs: [own], files: [],
      parameters: parameters, span: document.document.span(of: stage.name),
      expectation: BoundExpectation(
        expectation: expectation, subject: stage.name, output: subject, input: consumer,
        span: document.span(of: stage.name, setting: [.index(port.place)], in: "expect"), place: port.place)))
    return bound.count - 1
  }

  private func place(_ port: PortExpectation, _ path: [PathStep], _ stage: ResolvedStage) -> Place {
    .text(document.span(of: stage.name, setting: [.index(port.place)] + path, in: "expect"))
  }

  /// What is expected, as far as it can be known before types are; nil when something is wrong.
  private mutating func ports(of stage: ResolvedStage, _ contract: Contract) -> [PortExpectation]? {
    if stage.expect.isEmpty { return [] }
    var reader = ExpectationReader()
    let ports = stage.expect.enumerated().compactMap { reader.port($1, at: $0) }
    for mistake in reader.mistakes { tell(document.located(mistake, stage: stage.name, in: "expect"), of: stage, contract) }
    return reader.mistakes.isEmpty ? ports : nil
  }

  /// The settings with the expectations of severity `quarantine` among its rules, and where the document has those.
  private mutating func rules(of stage: ResolvedStage, _ kind: any Stage.Type, _ expected: [PortExpectation]) -> (RulePlaces?, JSONValue) {
    let own = expected.filter { $0.severity == .quarantine }
    if own.isEmpty { return (nil, stage.with) }
    guard let keeping = kind as? any RuleKeepingStage.Type else {
      for port in own {
        tell(Diagnostic(
          "kind \"\(stage.kind)\" cannot put rows aside", at: place(port, ["severity"], stage), expected: "\"error\" or \"warn\"",
          hint: "put a clean stage between"), of: stage, kind.contract)
      }
      return (nil, stage.with)
    }
    let setting = keeping.rulesSetting
    let before = stage.with[setting].map { $0.array ?? [$0] } ?? []
    var added: [JSONValue] = [], from: [TextSpan] = []
    for port in own {
      guard let rule = port.ruleWithoutTypes else {
        tell(Diagnostic(
          "rows cannot be put aside for this expectation", at: place(port, ["severity"], stage), expected: "\"error\" or \"warn\"",
          hint: "\"notNull\", \"column\" and \"sql\" are about single rows"), of: stage, kind.contract)
        continue
      }
      if port.port != .output(nil) {
        tell(Diagnostic("only rows of the main output are put aside", at: place(port, [], stage)), of: stage, kind.contract)
      }
      added.append(.string(rule))
      from.append(document.span(of: stage.name, setting: [.index(port.place)], in: "expect"))
    }
    let members = (stage.with.members ?? []).filter { $0.key != setting }
    return (
      RulePlaces(setting: setting, first: before.count, spans: from), .object(members + [JSONMember(setting, .array(before + added))])
    )
  }

  /// `segments[*]`: a stage that the document asks for without having it.
  private mutating func bindGathering(_ stage: ResolvedStage, _ gathering: Gathering) {
    let contract = GatheringStage.contract
    var inputs: [BoundInput] = [], outputs: [String] = [], variants: [Variant] = []
    for (at, input) in stage.inputs.enumerated() {
      guard case .output(let name, let output) = input.reference, let place = places[name] else { return }
      let made = bound[place].binding.outputs
      guard let output = output == nil ? made.first : made.first(where: { $0.name == output }) else {
        tell(Diagnostic("stage \"\(gathering.stage)\" (\(bound[place].contract.kind)) has no output \"\(output ?? "")\"", hint: hint(forUnknown: output ?? "", among: made.map(\.name))), of: stage, contract)
        return
      }
      inputs.append(BoundInput(port: "table", alias: input.alias ?? name, stage: place, output: output.name, type: output.type))
      outputs.append(output.name)
      variants.append(gathering.variants[at % gathering.variants.count])
    }
    let names = gathering.variants.first?.entries.map(\.name) ?? []
    let instance = GatheringStage(
      axes: names.compactMap { name in document.parameters.first { $0.name == name } }, outputs: outputs, variants: variants)
    do throws(Mistakes) {
      let types = Inputs(inputs.map { Inputs<ArtifactType>.Entry(port: $0.port, alias: $0.alias, value: $0.type) })
      add(stage, instance, contract, instance.settings, try instance.bind(types, BindContext()), inputs, [], [])
    } catch {
      for mistake in error.all { tell(mistake, of: stage, contract) }
    }
  }

  private func parameters(_ stage: ResolvedStage, _ names: [String]) -> [String: ParameterValue] {
    Dictionary(names.compactMap { name in stage.values[name].map { (name, $0) } }, uniquingKeysWith: { first, _ in first })
  }

  private var pipeline: String { document.document.name.isEmpty ? "" : "pipeline \"\(document.document.name)\", " }

  /// With pipeline and stage in front, at its place in the document.
  private mutating func tell(_ mistake: Diagnostic, of stage: ResolvedStage, _ contract: Contract?) {
    if mistakes.count > document.document.source.text.mistakeLimit { return }
    let owner = pipeline + "stage \"\(stage.name)\"" + (contract.map { " (\($0.kind))" } ?? "")
    var located = document.located(mistake, stage: stage.name)
    if gaps.hides(located) { return }
    if located.hint == nil { located.hint = parameterHint(mistake, stage) }
    // The variants of a stage are one entry of the document: what several of them get wrong in the same words is told of the first.
    if !stage.variant.entries.isEmpty {
      if ofVariants.contains(located) { return }
      ofVariants.append(located)
    }
    mistakes.append(located.told(of: owner, at: document.document.span(of: stage.name)))
  }

  /// For a setting that reads `$p`, as SQL names a parameter, where `${p}` is its value.
  private func parameterHint(_ mistake: Diagnostic, _ stage: ResolvedStage) -> String? {
    guard case .setting(let path, _, _) = mistake.place, let text = stage.with[path]?.string, text.hasPrefix("$"), stage.values[String(text.dropFirst())] != nil
    else { return nil }
    return "write \"${\(text.dropFirst())}\" for the value of parameter \"\(text.dropFirst())\""
  }

  /// Our own mistake, not the user's, so it traps: recipes are made from these names.
  private func checkReads(_ binding: Binding, _ inputs: [BoundInput], _ owner: String) {
    for read in binding.reads {
      guard let input = inputs.first(where: { $0.alias == read.alias }) else {
        preconditionFailure("the binding \(owner) reads \"\(read.alias)\", which is not connected")
      }
      guard case .named(let names) = read.columns, let schema = input.type.table?.schema else { continue }
      for name in names where schema.index(of: name) == nil {
        preconditionFailure("the binding \(owner) reads column \"\(name)\" of \"\(read.alias)\", which has no such column")
      }
    }
  }

  private mutating func foundFiles(_ instance: some Stage, _ stage: ResolvedStage, _ contract: Contract) -> (files: [[SourceFile]]?, Void)? {
    guard let find else { return (nil, ()) }
    var files: [[SourceFile]] = [], failed = false
    for source in instance.sources {
      do throws(Mistakes) { files.append(try find(source, stage)) } catch {
        for mistake in error.all { tell(mistake, of: stage, contract) }
        failed = true
      }
    }
    return failed ? nil : (files, ())
  }

  // MARK: Wiring

  /// What is connected to each port, in the order of the contract; nil when something does not fit.
  private mutating func connected(_ stage: ResolvedStage, _ contract: Contract) -> [BoundInput]? {
    var found: [BoundInput] = [], fits = true
    func refuse(_ message: String, _ alias: String?, expected: String? = nil, found: String? = nil, hint: String? = nil) {
      tell(Diagnostic(
        message, at: .text(stage.inputs.isEmpty ? document.document.span(of: stage.name) : document.document.span(ofInput: alias, stage: stage.name)),
        expected: expected, found: found, hint: hint), of: stage, contract)
      fits = false
    }
    for input in stage.inputs {
      guard case .output(let name, let output) = input.reference else {
        refuse("inputs from earlier runs cannot be read by this version", input.alias, found: input.reference.json.canonical)
        continue
      }
      guard let port = port(for: input, contract) else {
        refuse(
          contract.inputs.isEmpty
            ? "this kind has no inputs" : "unknown input \"\(input.alias ?? name)\"", input.alias,
          hint: contract.inputs.isEmpty ? "remove \"from\"" : hint(forUnknown: input.alias ?? name, among: contract.inputs.map(\.name)))
        continue
      }
      // What did not bind has been told already.
      guard let place = places[name] else {
        fits = false
        continue
      }
      let outputs = bound[place].binding.outputs
      guard let made = output == nil ? outputs.first : outputs.first(where: { $0.name == output }) else {
        refuse(
          "stage \"\(name)\" (\(bound[place].contract.kind)) has no output \"\(output ?? "")\"", input.alias,
          hint: hint(forUnknown: output ?? "", among: outputs.map(\.name)))
        continue
      }
      if port.carries != .any, let carries = made.type.carries, carries != port.carries {
        refuse(
          "input \"\(port.name)\" does not fit", input.alias, expected: "a \(port.carries.rawValue)",
          found: "\(name).\(made.name), a \(carries.rawValue)")
        continue
      }
      let alias = port.arity == .many ? input.alias ?? name : port.name
      if found.contains(where: { $0.alias == alias }) {
        refuse("input \"\(alias)\" is connected twice", input.alias)
        continue
      }
      found.append(BoundInput(port: port.name, alias: alias, stage: place, output: made.name, type: made.type))
    }
    if fits {
      for port in contract.inputs where port.arity == .one && !found.contains(where: { $0.port == port.name }) {
        refuse(
          "input \"\(port.name)\" is not connected", nil,
          hint: contract.inputs.count == 1 ? "write \"from\": \"<stage>\"" : "write \"from\": { \"\(port.name)\": \"<stage>\" }")
      }
    }
    guard fits else { return nil }
    return contract.inputs.flatMap { port in found.filter { $0.port == port.name } }
  }

  /// A single `from` means the main port; a key means the port of that name, else an alias of the many-port.
  private func port(for input: DocumentInput, _ contract: Contract) -> Port? {
    guard let alias = input.alias else { return contract.inputs.first }
    return contract.inputs.first { $0.name == alias && $0.arity != .many } ?? contract.inputs.first { $0.arity == .many }
  }

  mutating func refuseFilesOfOneName() {
    var owners: [String: String] = [:]
    for stage in bound {
      for output in stage.binding.outputs {
        guard let name = output.fileName else { continue }
        if let other = owners[name] {
          mistakes.append(Diagnostic(
            pipeline + "stage \"\(stage.name)\" (\(stage.contract.kind)): stage \"\(other)\" makes a file \"\(name)\"",
            at: .text(document.document.span(of: stage.name)), hint: "give one of them another name"))
        } else {
          owners[name] = stage.name
        }
      }
    }
  }
}
