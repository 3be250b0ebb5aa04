import Columns

/// Several table outputs that keep the partitions of the input: files are opened in the order of the keys, for
/// partitions that got no row too.
public struct PartitionedOutput {
  private let outputs: [(name: String, schema: Schema)]
  private let context: any RunContext
  private var sinks: [any TableSink] = []
  private var isOpened = false
  public private(set) var rows: [Int]

  public init(_ outputs: [(name: String, schema: Schema)], _ context: any RunContext) {
    self.outputs = outputs
    self.context = context
    rows = outputs.map { _ in 0 }
  }

  /// Begins a partition; the one before it is complete.
  public mutating func open(_ partition: String) throws {
    for sink in sinks { try sink.close() }
    sinks = try outputs.map { try context.openTable($0.name, schema: $0.schema, partition: partition) }
    isOpened = true
  }

  /// One batch for each output, of the partition opened last.
  public mutating func append(_ batches: [Batch]) throws {
    precondition(isOpened, "rows were written before a partition was opened")
    for (at, batch) in batches.enumerated() where batch.count > 0 {
      rows[at] += batch.count
      try sinks[at].append(batch)
    }
  }

  public mutating func close() throws {
    // A table without any partition still is a table.
    if !isOpened { try open("") }
    for sink in sinks { try sink.close() }
    sinks = []
  }
}
