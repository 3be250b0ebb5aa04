import Columns

extension RunContext {
  /// Writes the rows of `table` as they are, in its partitions and batches, with further columns of as many rows behind them.
  public func writeTable(_ output: String, carrying table: TableArtifact, adding columns: [(field: Field, column: Column)]) throws {
    let schema = Schema(table.schema.fields + columns.map(\.field))
    for (field, column) in columns {
      precondition(column.count == table.rows, "column \"\(field.name)\" has \(column.count) rows for a table of \(table.rows)")
    }
    if table.partitions.isEmpty { try openTable(output, schema: schema).close() }
    var row = 0
    for partition in table.partitions {
      let sink = try openTable(output, schema: schema, partition: partition.key)
      for at in partition.batchRows.indices {
        try checkCancellation()
        let batch = try partition.read(at, columns: table.schema.names)
        let rows = row..<row + batch.count
        row = rows.upperBound
        try sink.append(
          Batch(schema: schema, columns: batch.columns + columns.map { $0.column.slice(rows) }, count: batch.count))
      }
      try sink.close()
    }
  }
}
