import Columns
import Diagnostics

/// `{"all": "segments"}` in the plan: the rows of all variants as one table, with the values of the matrix as its first columns.
public struct GatheringStage: Stage {
  public static let contract = Contract(
    "all-variants", "The rows of all variants of a stage, with the values of the matrix as columns", inputs: [.table("table", .many)],
    outputs: [.table("table", .many)], version: 1)

  /// By input: the output that its rows go to.
  private var outputs: [String] = []
  /// By input.
  private var variants: [Variant] = []
  private var fields: [Field] = []

  public init() {}
  public init(from decoder: any Decoder) throws {}
  public func encode(to encoder: any Encoder) throws {}

  /// `axes`: of the matrix, those that reach the stage; `outputs` and `variants` by input.
  init(axes: [ResolvedParameter], outputs: [String], variants: [Variant]) {
    self.outputs = outputs
    self.variants = variants
    fields = axes.map { Field($0.name, Self.type(of: $0.type)) }
  }

  private static func type(of type: ParameterType) -> ColumnType {
    switch type {
    case .int: .int64
    case .float: .float64
    case .bool: .bool
    case .date: .date
    case .oneOf(let values):
      values.allSatisfy { if case .int = $0 { true } else { false } } ? .int64
        : values.allSatisfy { if case .float = $0 { true } else { false } } ? .float64
        : values.allSatisfy { if case .bool = $0 { true } else { false } } ? .bool : .string
    case .string, .duration, .path, .list: .string
    }
  }

  /// What the recipe hashes beside the inputs.
  var settings: JSONValue {
    [
      "columns": .array(fields.map { .array([.string($0.name), .string($0.type.description)]) }), "outputs": .array(outputs.map { .string($0) }),
      "variants": .array(variants.map { .array($0.entries.map(\.value.json)) }),
    ]
  }

  public func bind(_ inputs: Inputs<ArtifactType>, _ context: BindContext) throws(Mistakes) -> Binding {
    var made: [Binding.Output] = [], mistakes: [Diagnostic] = []
    for (at, entry) in inputs.entries.enumerated() {
      let name = outputs[at]
      if made.contains(where: { $0.name == name }) {
        guard let first = inputs.entries.indices.first(where: { outputs[$0] == name }), entry.value.table?.schema != inputs.entries[first].value.table?.schema else {
          continue
        }
        mistakes.append(Diagnostic("variant \(variants[at].suffix) does not have the columns of variant \(variants[first].suffix)", hint: "all variants are put into one table"))
        continue
      }
      switch entry.value {
      case .table(let type):
        for field in fields where type.schema.index(of: field.name) != nil {
          mistakes.append(Diagnostic("the rows have a column \"\(field.name)\", and so has the matrix", hint: "give one of them another name"))
        }
        made.append(.init(name, .table(TableType(Schema(fields + type.schema.fields), timeUnit: type.timeUnit))))
      case .open: made.append(.init(name, .open))
      case .document, .file: mistakes.append(Diagnostic("only tables of variants are put together", found: "a \(entry.value.carries?.rawValue ?? "")"))
      }
    }
    guard mistakes.isEmpty else { throw Mistakes(mistakes) }
    return Binding(outputs: made, reads: inputs.entries.map { .init($0.alias, .all, .once) })
  }

  public func run(_ inputs: Inputs<Artifact>, _ context: any RunContext) throws -> Metrics {
    var metrics = Metrics()
    var done: Set<String> = []
    for name in outputs where done.insert(name).inserted {
      var sink: (any TableSink)?, rows = 0
      for (at, entry) in inputs.entries.enumerated() where outputs[at] == name {
        guard case .table(let table) = entry.value else { preconditionFailure("a variant was put together with others and is no table") }
        let schema = Schema(fields + table.schema.fields)
        if sink == nil { sink = try context.openTable(name, schema: schema) }
        let stream = RowStream(table).mapping(schema) { batch in
          let own = variants[at].entries.indices.map { column($0, at, count: batch.count) }
          return Batch(schema: schema, columns: own + batch.columns, count: batch.count)
        }
        try stream.forEach(context) { batch in
          rows += batch.count
          try sink?.append(batch)
        }
      }
      try sink?.close()
      metrics[name] = ["variants": .integer(inputs.entries.indices.filter { outputs[$0] == name }.count), "rows": .integer(rows)]
    }
    return metrics
  }

  /// One value of a variant, as often as there are rows.
  private func column(_ axis: Int, _ input: Int, count: Int) -> Column {
    let value = variants[input].entries[axis].value
    switch (value, fields[axis].type) {
    case (.int(let number), .int64): return .full(.int64, [Int64](repeating: number, count: count))
    case (.int(let number), _): return .full(.float64, [Double](repeating: Double(number), count: count))
    case (.float(let number), .float64): return .full(.float64, [Double](repeating: number, count: count))
    case (.bool(let value), .bool): return .bools([Bool?](repeating: value, count: count))
    case (.date(let day), .date): return .full(.date, [Int32](repeating: Int32(clamping: day.days), count: count))
    default:
      // One dictionary for all variants: it may only grow from batch to batch.
      var texts: [String] = []
      for variant in variants where !texts.contains(variant.entries[axis].value.text) { texts.append(variant.entries[axis].value.text) }
      let code = Int32(clamping: texts.firstIndex(of: value.text) ?? 0)
      return .dictionary(codes: [Int32?](repeating: code, count: count), values: texts)
    }
  }
}
