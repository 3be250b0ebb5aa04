import Columns
import Diagnostics
import Expressions
import Pipelines

/// Where a column of the store comes from, back to the files: from the record of a run, recipes and digests; no kind is asked.
///
/// Three things are known of a step, from the surest to the widest. A column of an input with the same digest *is* this column.
/// A setting under the column's name says what it is made of. And a stage reads the columns that its recipe names: no other can have changed it.
public struct ColumnLineage: Sendable {
  /// A column of a table.
  public struct Place: Hashable, Sendable {
    public let artifact: Digest
    public let column: String

    public init(artifact: Digest, column: String) {
      self.artifact = artifact
      self.column = column
    }
  }

  /// How a column came from those before it.
  public enum Way: String, Hashable, Sendable {
    /// Digest for digest the same.
    case same
    /// A setting under its name names them.
    case setting
    /// The input has a column of the name and type; rows or values differ.
    case name
    /// The stage made it of what it reads.
    case stage
    /// The stage reads no table: its files, or nothing.
    case origin
    /// The recipe is not in the store any more.
    case unknown
  }

  public struct Source: Hashable, Sendable {
    /// The name that the stage has for its input.
    public let alias: String
    public let column: String
    /// The stage and output that gave it, and the artifact; nil: the run's record does not say.
    public let stage: String?
    public let output: String?
    public let artifact: Digest?
  }

  public struct Step: Sendable {
    public let place: Place
    public let type: ColumnType
    public let stage: String
    public let kind: String
    public let output: String
    public let way: Way
    public let from: [Source]
    /// All that the stage reads.
    public let reads: [StageInput]
    /// Where the settings speak of the column, as a JSON pointer, and what they say.
    public let settings: [(path: String, value: JSONValue)]
    /// Names of the files that the stage reads.
    public let files: [String]
  }

  /// The run by whose record inputs were found.
  public let run: String
  /// The column itself first, then those before it, breadth first.
  public let steps: [Step]
  /// There were more steps than are told.
  public let isCut: Bool

  private static let limit = 500

  /// Nil: the artifact is no table of the store with such a column, or no run of the store gave it.
  public init?(of column: String, in artifact: Digest, _ view: StoreView) {
    guard view.artifact(artifact)?.table?.schema.index(of: column) != nil, let maker = view.makers(of: artifact).first,
      let run = view.run(exactly: maker.run), let record = view.record(of: run)
    else { return nil }
    let trace = RunTrace(record, view)
    var steps: [Step] = [], seen: Set<Place> = [Place(artifact: artifact, column: column)]
    var queue = [(place: Place(artifact: artifact, column: column), stage: maker.stage, output: maker.output)], at = 0
    while at < queue.count, steps.count < Self.limit {
      let next = queue[at]
      at += 1
      guard let step = trace.step(next.place, stage: next.stage, output: next.output) else { continue }
      steps.append(step)
      for source in step.from {
        guard let artifact = source.artifact, let stage = source.stage, let output = source.output else { continue }
        let place = Place(artifact: artifact, column: source.column)
        if seen.insert(place).inserted { queue.append((place, stage, output)) }
      }
    }
    guard !steps.isEmpty else { return nil }
    self.run = maker.run
    self.steps = steps
    isCut = at < queue.count
  }
}

/// An input of a stage, as its recipe has it.
public struct StageInput: Sendable {
  /// The name that the stage has for it.
  public let alias: String
  /// The columns that are read; nil: all of it.
  public let columns: [String]?
  /// What gave it; nil: the run's record does not say.
  public let stage: String?
  public let output: String?
  public let artifact: Digest?
}

extension StoreView {
  /// What went into an output; empty too where the recipe is not in the store any more.
  public func inputs(of maker: Maker) -> [StageInput] {
    guard let run = run(exactly: maker.run), let record = record(of: run) else { return [] }
    return RunTrace(record, self).inputs(of: maker.stage)
  }
}

/// What a run's record says of who gave what to whom.
private struct RunTrace {
  private let stages: [String: JSONValue]
  private let view: StoreView

  init(_ record: JSONValue, _ view: StoreView) {
    stages = Dictionary((record["stages"]?.array ?? []).map { ($0["name"]?.string ?? "", $0) }, uniquingKeysWith: { first, _ in first })
    self.view = view
  }

  private struct Input {
    let alias: String
    /// Those that the stage reads, with their digests where they are known.
    var columns: [(name: String, type: String, digest: String?)]
    let isWhole: Bool
    var giver: (stage: String, output: String, artifact: Digest)?
  }

  func step(_ place: ColumnLineage.Place, stage name: String, output: String) -> ColumnLineage.Step? {
    guard let stage = stages[name], let table = table(place.artifact, stage, output), let at = table.schema.index(of: place.column) else { return nil }
    let recipe = recipe(of: stage)?.recipe
    let inputs = inputs(of: stage, recipe)
    let spoken = settings(recipe?["settings"] ?? .null, of: place.column)
    let (way, from) = recipe == nil ? (.unknown, []) : origin(table, at, inputs, spoken.map { $0.value })
    return ColumnLineage.Step(
      place: place, type: table.schema.fields[at].type, stage: name, kind: stage["kind"]?.string ?? "", output: output, way: way, from: from,
      reads: self.inputs(of: name), settings: spoken,
      files: (stage["sources"]?.members ?? []).map(\.key))
  }

  private func origin(
    _ table: ArtifactRecord.Table, _ at: Int, _ inputs: [Input], _ spoken: [JSONValue]
  ) -> (ColumnLineage.Way, [ColumnLineage.Source]) {
    let field = table.schema.fields[at]
    let read = inputs.flatMap { input in input.columns.map { (input: input, column: $0) } }
    let sources = { (chosen: [(input: Input, column: (name: String, type: String, digest: String?))]) in
      chosen.map { pair in
        ColumnLineage.Source(
          alias: pair.input.alias, column: pair.column.name, stage: pair.input.giver?.stage, output: pair.input.giver?.output,
          artifact: pair.input.giver?.artifact)
      }
    }
    if let digest = table.recordedDigest(ofColumn: at)?.description {
      // Columns of equal content, such as two without a value, are told apart by their names.
      let same = read.filter { $0.column.digest == digest && $0.column.type == field.type.description }
      let named = same.filter { $0.column.name == field.name }
      if !same.isEmpty { return (.same, sources(named.isEmpty ? same : named)) }
    }
    var mentioned: [String] = []
    for text in spoken.flatMap(texts) { mentioned += (try? Expression.parse(text).columnNames) ?? [] }
    let told = read.filter { pair in mentioned.contains(pair.column.name) || mentioned.contains("\(pair.input.alias).\(pair.column.name)") }
    if !told.isEmpty { return (.setting, sources(told)) }
    let named = read.filter { $0.column.name == field.name && $0.column.type == field.type.description }
    if !named.isEmpty { return (.name, sources(named)) }
    return read.isEmpty ? (.origin, []) : (.stage, sources(read))
  }

  // MARK: Inputs

  func inputs(of name: String) -> [StageInput] {
    guard let stage = stages[name] else { return [] }
    return inputs(of: stage, recipe(of: stage)?.recipe).map { input in
      StageInput(
        alias: input.alias, columns: input.isWhole ? nil : input.columns.map(\.name), stage: input.giver?.stage, output: input.giver?.output,
        artifact: input.giver?.artifact)
    }
  }

  private func inputs(of stage: JSONValue, _ recipe: JSONValue?) -> [Input] {
    (recipe?["inputs"]?.array ?? []).map { input($0, needs: (stage["needs"]?.array ?? []).compactMap(\.string)) }
  }

  private func input(_ entry: JSONValue, needs: [String]) -> Input {
    let whole = entry["whole"]?.string
    var input = Input(
      alias: entry["alias"]?.string ?? "",
      columns: (entry["columns"]?.array ?? entry["schema"]?.array ?? []).compactMap { column in
        guard let cells = column.array, cells.count >= 2, let name = cells[0].string, let type = cells[1].string else { return nil }
        return (name, type, cells.count > 2 ? cells[2].string : nil)
      }, isWhole: whole != nil)
    input.giver = giver(of: input, whole: whole, needs: needs)
    // Of a table that is read whole the recipe has one digest; its record has those of its columns.
    if whole != nil, let giver = input.giver, let stage = stages[giver.stage], let table = table(giver.artifact, stage, giver.output) {
      for at in input.columns.indices {
        input.columns[at].digest = table.schema.index(of: input.columns[at].name).flatMap { table.recordedDigest(ofColumn: $0)?.description }
      }
    }
    return input
  }

  /// The stage before it whose output has what was read: by digests, since names of inputs are the document's affair.
  private func giver(of input: Input, whole: String?, needs: [String]) -> (stage: String, output: String, artifact: Digest)? {
    // Of several that have it the one of the input's name.
    for need in needs.filter({ $0 == input.alias }) + needs.filter({ $0 != input.alias }) {
      guard let stage = stages[need] else { continue }
      for output in stage["outputs"]?.members ?? [] {
        guard let word = output.value["digest"]?.string, let digest = Digest(word) else { continue }
        if let whole {
          if word == whole { return (need, output.key, digest) }
          continue
        }
        guard !input.columns.isEmpty, let table = table(digest, stage, output.key) else { continue }
        let hasAll = input.columns.allSatisfy { column in
          table.schema.index(of: column.name).map { table.recordedDigest(ofColumn: $0)?.description == column.digest } ?? false
        }
        if hasAll { return (need, output.key, digest) }
      }
    }
    return nil
  }

  private func recipe(of stage: JSONValue) -> RecipeRecord? { stage["recipe"]?.string.flatMap { Digest($0) }.flatMap(view.recipe) }

  /// As the store has it; of rows that were not kept as the recipe remembers them.
  private func table(_ digest: Digest, _ stage: JSONValue, _ output: String) -> ArtifactRecord.Table? {
    if let record = view.artifact(digest) { return record.table }
    return recipe(of: stage)?.outputs.first { $0.name == output && $0.digest == digest }?.unkept?.table
  }

  // MARK: Settings

  /// Members under the column's name, wherever they stand.
  private func settings(_ value: JSONValue, of column: String, at path: [PathStep] = []) -> [(path: String, value: JSONValue)] {
    if path.count > 6 { return [] }
    if let members = value.members {
      return members.flatMap { member -> [(path: String, value: JSONValue)] in
        let place = path + [.key(member.key)]
        if member.key == column, !texts(member.value).isEmpty { return [(place.pointer, said(member.value))] }
        return settings(member.value, of: column, at: place)
      }
    }
    return (value.array ?? []).enumerated().flatMap { settings($1, of: column, at: path + [.index($0)]) }
  }

  private func texts(_ value: JSONValue) -> [String] {
    if let text = value.string { return [text] }
    return (value.members ?? []).compactMap(\.value.string)
  }

  /// Without what is not set.
  private func said(_ value: JSONValue) -> JSONValue {
    guard let members = value.members else { return value }
    return .object(members.filter { member in
      member.value != .null && member.value.array?.isEmpty != true && member.value.members?.isEmpty != true && member.value != false
    })
  }
}
