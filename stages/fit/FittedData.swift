import Columns
import Pipelines

/// What a model was fitted to, so that one can tell later whether two documents speak of the same customers.
enum FittedData {
  /// Rows, and a digest of the names, types and cells of the columns that the fit reads, in the order of their names. It depends on
  /// nothing else: not on how the table lies on disk, nor on other columns. `observed` are the days that the customers were made from,
  /// where they say it.
  static func json(_ customers: Batch, _ names: [String], observed: ObservedDays? = nil) -> JSONValue {
    let stream = DigestStream()
    for name in names.unique.sorted() {
      let column = customers[name]
      let digester = ColumnDigester(type: column.type)
      digester.update(column)
      stream.update(name)
      stream.update("\n\(column.type)\n")
      stream.update(digester.finish())
    }
    return ["rows": .integer(customers.count), "digest": .string(stream.digest.description), "observed": observed?.json ?? .null]
  }
}
