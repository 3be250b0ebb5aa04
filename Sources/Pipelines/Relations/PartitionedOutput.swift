import Columns

/// Several table outputs that keep the partitions of the input: files are opened in the order of the keys, for
/// partitions that got no row too.
public struct PartitionedOutput {
  private let outputs: [(name: String, schema: Schema)]
  private let partitions: [String]
  private let context: any RunContext
  private var sinks: [any TableSink] = []
  private var opened = 0
  public private(set) var rows: [Int]

  public init(_ outputs: [(name: String, schema: Schema)], partitions: [String], _ context: any RunContext) {
    self.outputs = outputs
    // A table without any partition still is a table.
    self.partitions = partitions.isEmpty ? [""] : partitions
    self.context = context
    rows = outputs.map { _ in 0 }
  }

  /// One batch for each output, of a partition that is not before the last one named.
  public mutating func append(_ batches: [Batch], partition: String) throws {
    while opened == 0 || partitions[opened - 1] != partition {
      precondition(opened < partitions.count, "partition \"\(partition)\" was written out of order")
      try openNext()
    }
    for (at, batch) in batches.enumerated() where batch.count > 0 {
      rows[at] += batch.count
      try sinks[at].append(batch)
    }
  }

  public mutating func close() throws {
    while opened < partitions.count { try openNext() }
    for sink in sinks { try sink.close() }
    sinks = []
  }

  private mutating func openNext() throws {
    for sink in sinks { try sink.close() }
    let key = partitions[opened]
    sinks = try outputs.map { try context.openTable($0.name, schema: $0.schema, partition: key) }
    opened += 1
  }
}
