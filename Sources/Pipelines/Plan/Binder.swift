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
    var binder = Binder(document: self, catalog: catalog, find: find)
    for index in stagesInOrder() { binder.bind(stages[index]) }
    binder.refuseFilesOfOneName()
    guard binder.mistakes.isEmpty else { throw Mistakes(binder.mistakes.inOrderOfText) }
    return BoundPlan(
      pipeline: document.name, file: document.file, stages: binder.bound, resolved: json, warnings: binder.warnings)
  }

  /// Every stage after what it needs; else in the order of the document. The document has no cycles. No recursion: a chain
  /// may be thousands of stages long.
  private func stagesInOrder() -> [Int] {
    let places = Dictionary(uniqueKeysWithValues: stages.indices.map { (stages[$0].name, $0) })
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
  var bound: [BoundStage] = []
  var mistakes: [Diagnostic] = []
  var warnings: [Diagnostic] = []
  /// Indices into `bound`; a stage that did not bind is absent, and what needs it is not checked further.
  private var places: [String: Int] = [:]

  init(document: ResolvedDocument, catalog: StageCatalog, find: FileFinder?) {
    self.document = document
    self.catalog = catalog
    self.find = find
  }

  mutating func bind(_ stage: ResolvedStage) {
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
    let (settings, wrong) = canonicalSettings(of: kind, written: stage.with)
    for mistake in wrong { tell(mistake, of: stage, contract) }
    let inputs = connected(stage, contract)
    guard wrong.isEmpty else { return }
    let instance: S
    do { instance = try decodeSettings(kind, from: settings) } catch {
      let diagnostic = error as? Diagnostic ?? Diagnostic("the settings do not read: \(error)")
      tell(diagnostic, of: stage, contract)
      return
    }
    guard let files = foundFiles(instance, stage, contract), let inputs else { return }
    let parameters = Dictionary(uniqueKeysWithValues: stage.mentioned.compactMap { name in document.values[name].map { (name, $0) } })
    let types = Inputs(inputs.map { Inputs<ArtifactType>.Entry(port: $0.port, alias: $0.alias, value: $0.type) })
    do throws(Mistakes) {
      let binding = try instance.bind(types, BindContext(parameters: parameters, files: files.files))
      checkReads(binding, inputs, owner)
      warnings += binding.warnings.map { document.located($0, stage: stage.name) }
      places[stage.name] = bound.count
      bound.append(BoundStage(
        name: stage.name, stage: instance, contract: contract, settings: settings, binding: binding, inputs: inputs,
        files: files.files, parameters: parameters, span: document.document.span(of: stage.name), keep: stage.keep,
        locate: { [document, name = stage.name] in document.located($0, stage: name) }))
    } catch {
      for mistake in error.all { tell(mistake, of: stage, contract) }
    }
  }

  /// With pipeline and stage in front, at its place in the document.
  private mutating func tell(_ mistake: Diagnostic, of stage: ResolvedStage, _ contract: Contract?) {
    if mistakes.count > document.document.source.text.mistakeLimit { return }
    let owner = "pipeline \"\(document.document.name)\", stage \"\(stage.name)\"" + (contract.map { " (\($0.kind))" } ?? "")
    mistakes.append(document.located(mistake, stage: stage.name).told(of: owner, at: document.document.span(of: stage.name)))
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
            "pipeline \"\(document.document.name)\", stage \"\(stage.name)\" (\(stage.contract.kind)): stage \"\(other)\" makes a file \"\(name)\"",
            at: .text(document.document.span(of: stage.name)), hint: "give one of them another name"))
        } else {
          owners[name] = stage.name
        }
      }
    }
  }
}
