import Columns
import Diagnostics
import Expressions
import Pipelines

/// What a run's record says of who gave what to whom.
struct RunTrace {
  private let stages: [String: JSONValue]
  private let view: StoreView

  init(_ record: JSONValue, _ view: StoreView) {
    self.init(stages: Dictionary((record["stages"]?.array ?? []).map { ($0["name"]?.string ?? "", $0) }, uniquingKeysWith: { first, _ in first }), view)
  }

  /// - Parameter stages: as a run's record has them, by name.
  init(stages: [String: JSONValue], _ view: StoreView) {
    self.stages = stages
    self.view = view
  }

  private struct Input {
    let alias: String
    /// Those that the stage reads, with their digests where they are known.
    var columns: [(name: String, type: String, digest: String?)]
    let isWhole: Bool
    var giver: (stage: String, output: String, artifact: Digest)?
  }

  func step(_ place: ColumnLineage.Place) -> ColumnLineage.Step? {
    guard let stage = stages[place.stage] else { return nil }
    let recipe = recipe(of: stage)?.recipe
    let inputs = inputs(of: stage, recipe)
    var field: (type: ColumnType, at: Int, table: ArtifactRecord.Table)?
    if let column = place.column {
      guard let table = table(place.artifact, stage, place.output), let at = table.schema.index(of: column) else { return nil }
      field = (table.schema.fields[at].type, at, table)
    }
    let spoken = place.column.map { settings(recipe?["settings"] ?? .null, of: $0) } ?? []
    var (way, from) = field.flatMap { origin($0.table, $0.at, inputs, spoken.map { $0.value }) } ?? (.stage, inputs.flatMap(all))
    if recipe == nil { way = .unknown } else if from.isEmpty { way = .origin }
    return ColumnLineage.Step(
      place: place, type: field?.type, kind: stage["kind"]?.string ?? "", way: way, from: from, reads: self.inputs(of: place.stage), settings: spoken, files: (stage["sources"]?.members ?? []).map(\.key))
  }

  /// What is read of an input: columns, or all of a document or file.
  private func all(_ input: Input) -> [ColumnLineage.Source] {
    input.columns.isEmpty && input.isWhole ? [source(input, nil)] : input.columns.map { source(input, $0.name) }
  }

  private func source(_ input: Input, _ column: String?) -> ColumnLineage.Source {
    ColumnLineage.Source(alias: input.alias, column: column, stage: input.giver?.stage, output: input.giver?.output, artifact: input.giver?.artifact)
  }

  /// From the surest to the widest; nil: nothing narrower is known than all that the stage reads.
  private func origin(
    _ table: ArtifactRecord.Table, _ at: Int, _ inputs: [Input], _ spoken: [JSONValue]
  ) -> (ColumnLineage.Way, [ColumnLineage.Source])? {
    let field = table.schema.fields[at], digest = table.recordedDigest(ofColumn: at)?.description
    let read = inputs.flatMap { input in input.columns.map { (input: input, column: $0) } }.map { pair in
      (pair: pair, source: source(pair.input, pair.column.name), isSame: digest != nil && pair.column.digest == digest)
    }
    let named = read.filter { $0.pair.column.name == field.name && $0.pair.column.type == field.type.description }
    let same = named.filter(\.isSame)
    if !same.isEmpty { return (.same, same.map { $0.source }) }
    var mentioned: [String] = []
    for text in spoken.flatMap(texts) { mentioned += (try? Expression.parse(text).columnNames) ?? [] }
    let told = read.filter { mentioned.contains($0.pair.column.name) || mentioned.contains("\($0.pair.input.alias).\($0.pair.column.name)") }
    if !told.isEmpty { return (.setting, told.map { $0.source }) }
    if !named.isEmpty { return (.name, named.map { $0.source }) }
    // Last: columns of few values are equal by chance.
    let equal = read.filter { $0.isSame && $0.pair.column.type == field.type.description }
    return equal.isEmpty ? nil : (.same, equal.map { $0.source })
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
