import Pipelines

/// Of outputs that are not kept: the columns that a stage of the document reads. What nobody reads is neither digested nor, where
/// its stage can help it, made; a stage that reads it later makes its producer run again.
struct AskedColumns: Sendable {
  private struct Port: Hashable {
    let stage: String
    let output: String
  }

  /// By column the first stage that reads it. Ports of stages that are kept are not among them: all of theirs count.
  private var readers: [Port: [String: String]] = [:]

  init(_ plan: BoundPlan) {
    for stage in plan.stages where !stage.keep {
      for output in stage.binding.outputs where output.type.table != nil { readers[Port(stage: stage.name, output: output.name)] = [:] }
    }
    for consumer in plan.stages {
      for input in consumer.inputs {
        let port = Port(stage: plan.stages[input.stage].name, output: input.output)
        guard readers[port] != nil, let table = input.type.table else { continue }
        let names: [String]
        switch consumer.binding.reads.first(where: { $0.alias == input.alias })?.columns ?? .all {
        case .all: names = table.schema.names
        case .named(let read): names = read
        }
        for name in names where readers[port]?[name] == nil { readers[port]?[name] = consumer.name }
      }
    }
  }

  /// Nil: all.
  func columns(of output: String, of stage: BoundStage) -> Set<String>? {
    readers[Port(stage: stage.name, output: output)].map { Set($0.keys) }
  }

  /// A stage that reads a column of which a record knows nothing.
  func reader(of output: String, of stage: BoundStage, missedBy record: ArtifactRecord) -> String? {
    guard let table = record.table else { return nil }
    let readers = readers[Port(stage: stage.name, output: output)]
    let missed = table.schema.fields.indices.filter { at in table.partitions.contains { $0.columns[at] == nil } }.map { table.schema.fields[$0].name }
    // Of a port that nobody's reads were counted of, all columns are read.
    guard let readers else { return missed.isEmpty ? nil : stage.name }
    return missed.lazy.compactMap { readers[$0] }.first
  }
}
