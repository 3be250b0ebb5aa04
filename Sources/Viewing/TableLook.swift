import Columns
import Engine
import Pipelines

/// What a page shows of a table: profiles of its columns, and its first rows.
struct TableLook: Sendable {
  /// So many cells are profiled, about a second of work; of longer tables the first ones.
  static let cells = 20_000_000
  /// Columns and rows on a page, and characters of a cell.
  static let columnLimit = 200, rowLimit = 100, cellLimit = 200

  let profiles: [ColumnProfile]
  /// How many columns there are beyond the profiles.
  let isCut: Bool
  let first: [[Value]]

  init(_ table: TableArtifact, _ record: ArtifactRecord.Table) throws {
    let names = Array(record.schema.names.prefix(Self.columnLimit))
    isCut = names.count < record.schema.count
    profiles = try table.profiles(names, cells: Self.cells)
    var first: [[Value]] = []
    for partition in table.partitions {
      for at in partition.batchRows.indices where first.count < Self.rowLimit {
        let batch = try partition.read(at, columns: names)
        let columns = batch.columns
        for row in 0..<min(batch.count, Self.rowLimit - first.count) { first.append(columns.map { $0.value(at: row) }) }
      }
    }
    self.first = first
  }

  /// How many rows the profiles are of.
  var profiledRows: Int { profiles.first?.rows ?? 0 }
}
