import Columns
import Pipelines

extension RunComparison.Output {
  /// A column on both sides; nil where a side has not got it.
  public struct ProfileChange: Sendable {
    public let name: String
    public let old: ColumnProfile?
    public let new: ColumnProfile?
  }

  /// Of the columns that differ. `cells`: so many are looked at on each side, then the profiles are of the first rows.
  public func profiles(in store: ArtifactStore, cells: Int = .max) throws -> [ProfileChange] {
    guard let columns else { return [] }
    let before = try Self.profiles(of: old, columns, store, cells), now = try Self.profiles(of: new, columns, store, cells)
    return columns.map { name in
      ProfileChange(name: name, old: before.first { $0.field.name == name }, new: now.first { $0.field.name == name })
    }
  }

  private static func profiles(of output: JSONValue?, _ columns: [String], _ store: ArtifactStore, _ cells: Int) throws -> [ColumnProfile] {
    guard let table = try output?["digest"]?.string.flatMap({ try store.table($0) }) else { return [] }
    return try table.profiles(columns.filter { table.schema.index(of: $0) != nil }, cells: cells)
  }
}

extension TableArtifact {
  /// In one pass. `cells`: after so many no further batch is read, and the profiles say by `rows` how far they went.
  public func profiles(_ names: [String], cells: Int = .max) throws -> [ColumnProfile] {
    var profiles = schema.selecting(names).fields.map { ColumnProfile($0) }
    var rest = names.isEmpty ? 0 : cells / names.count
    for partition in partitions {
      for at in partition.batchRows.indices where rest > 0 {
        let batch = try partition.read(at, columns: names)
        for place in profiles.indices { profiles[place].add(batch.columns[place]) }
        rest -= batch.count
      }
    }
    return profiles
  }
}

extension RunComparison {
  /// `runs compare --json`.
  public func json(in store: ArtifactStore, cells: Int = .max) throws -> JSONValue {
    let stages = try stages.map { stage -> JSONValue in
      let outputs = try stage.outputs.map { output -> JSONMember in
        var members = [JSONMember("same", .bool(output.isSame)), JSONMember("old", output.old ?? .null), JSONMember("new", output.new ?? .null)]
        if output.columns != nil {
          members.append(JSONMember("columns", .object(try output.profiles(in: store, cells: cells).map { change in
            JSONMember(change.name, ["old": change.old?.json ?? .null, "new": change.new?.json ?? .null])
          })))
        }
        return JSONMember(output.name, .object(members))
      }
      return [
        "name": .string(stage.name), "kind": .string(stage.kind), "same": .bool(stage.isSame),
        "status": ["old": stage.status.old.map { .string($0) } ?? .null, "new": stage.status.new.map { .string($0) } ?? .null],
        "outputs": .object(outputs), "metrics": .array(stage.metrics.map(\.json)),
        "expectations": .array(stage.expectations.map(\.json)),
      ]
    }
    return [
      "old": .string(ids.old), "new": .string(ids.new), "same": .bool(isSame),
      "document": .array(settings.map(\.json)), "files": .array(sources.map(\.json)),
      "surroundings": .array(surroundings.map(\.json)), "stages": .array(stages),
    ]
  }
}
