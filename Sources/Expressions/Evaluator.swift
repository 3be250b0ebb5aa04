import Columns

/// A column, or one value that stands for every row (a column of one row).
struct Operand {
  var column: Column
  var isScalar: Bool

  /// 0 for a scalar, so that `row * step` reads its only cell.
  var step: Int { isScalar ? 0 : 1 }
  func at(_ row: Int) -> Int { isScalar ? 0 : row }
  func isNull(_ row: Int) -> Bool { column.isNull(at(row)) }
  func value(_ row: Int) -> Value { column.value(at: at(row)) }

  func broadcast(to rows: Int) -> Column {
    isScalar ? column.gather([Int32](repeating: column.isNull(0) ? -1 : 0, count: rows)) : column
  }
}

/// Failed rows, ascending, each once.
struct Failures {
  var rows: [RowFailure] = []

  init(_ rows: [RowFailure] = []) { self.rows = rows }

  var isEmpty: Bool { rows.isEmpty }

  /// Both; where a row failed twice the earlier reason stays.
  mutating func merge(_ other: Failures) {
    if other.isEmpty { return }
    if isEmpty {
      rows = other.rows
      return
    }
    var merged: [RowFailure] = []
    var i = 0, j = 0
    while i < rows.count || j < other.rows.count {
      if j == other.rows.count || i < rows.count && rows[i].row <= other.rows[j].row {
        if j < other.rows.count, other.rows[j].row == rows[i].row { j += 1 }
        merged.append(rows[i])
        i += 1
      } else {
        merged.append(other.rows[j])
        j += 1
      }
    }
    rows = merged
  }

  func filtered(_ keep: (Int) -> Bool) -> Failures { Failures(rows.filter { keep(Int($0.row)) }) }

  func everyRow(_ count: Int) -> Failures {
    guard let first = rows.first else { return self }
    return Failures((0..<count).map { RowFailure(row: Int32(truncatingIfNeeded: $0), reason: first.reason) })
  }
}

struct Evaluated {
  var operand: Operand
  var failures = Failures()
}

/// Walks a checked tree bottom-up, a column at a time.
struct Evaluator {
  enum Path {
    /// Our own loops for arithmetic, comparison and logic.
    case fastest
    /// Arrow's kernels wherever it has one: the clear twin of our loops, for tests.
    case arrow
  }

  let batch: Batch
  let path: Path

  func evaluate(_ node: Node) throws(ArrowFailure) -> Evaluated {
    switch node {
    case .column(let name, _): return Evaluated(operand: Operand(column: batch[name], isScalar: false))
    case .constant(let value, let type): return Evaluated(operand: Operand(column: Column(values: [value], type: type ?? .string), isScalar: true))
    case .operation(let operation, let nodes, let type):
      var operands: [Operand] = [], failures = Failures()
      for node in nodes {
        let result = try evaluate(node)
        operands.append(result.operand)
        failures.merge(spread(result))
      }
      let own = try apply(operation, operands, type)
      // A scalar that failed fails every row.
      failures.merge(own.failures)
      return Evaluated(operand: own.operand, failures: failures.isEmpty || !own.operand.isScalar ? failures : Failures([failures.rows[0]]))
    case .and(let a, let b): return try logic(a, b, isAnd: true)
    case .or(let a, let b): return try logic(a, b, isAnd: false)
    case .choose(let whens, let otherwise, let type): return try choose(whens, otherwise, type)
    case .coalesce(let nodes, let type): return try coalesce(nodes, type)
    }
  }

  /// Failures of a scalar, for every row of the batch.
  private func spread(_ result: Evaluated) -> Failures {
    result.operand.isScalar && !result.failures.isEmpty ? result.failures.everyRow(batch.count) : result.failures
  }

  // MARK: Operations

  private func apply(_ operation: Operation, _ operands: [Operand], _ type: ColumnType) throws(ArrowFailure) -> Evaluated {
    let rows = operands.allSatisfy(\.isScalar) ? 1 : batch.count
    let isScalar = operands.allSatisfy(\.isScalar)
    // One text of a dictionary is worked on once, however many rows have it.
    if operation.isNullStrict, let at = operands.firstIndex(where: { !$0.isScalar }),
      operands.indices.allSatisfy({ $0 == at || operands[$0].isScalar }),
      case .codes(let codes, let values) = operands[at].column.storage, values.count <= rows
    {
      var inner = operands
      inner[at].column = Column(type: .string, count: values.count, validity: nil, storage: .text(values))
      let (column, failures) = try run(operation, inner, type, values.count)
      let column32 = operands[at].column
      let cells = codes.values(as: Int32.self)
      let gathered = column.gather((0..<rows).map { column32.isNull($0) ? -1 : cells[$0] })
      var mapped: [RowFailure] = []
      if !failures.isEmpty {
        let reasons = Dictionary(failures.rows.map { ($0.row, $0.reason) }, uniquingKeysWith: { first, _ in first })
        for row in 0..<rows where !column32.isNull(row) {
          if let reason = reasons[cells[row]] { mapped.append(RowFailure(row: Int32(truncatingIfNeeded: row), reason: reason)) }
        }
      }
      return Evaluated(operand: Operand(column: gathered, isScalar: false), failures: Failures(mapped))
    }
    let (column, failures) = try run(operation, operands, type, rows)
    return Evaluated(operand: Operand(column: column, isScalar: isScalar), failures: failures)
  }

  private func run(_ operation: Operation, _ operands: [Operand], _ type: ColumnType, _ rows: Int) throws(ArrowFailure) -> (Column, Failures) {
    if path == .arrow, let twin = operation.arrowTwin(operands, type) {
      return try arrow(twin.function, twin.options, twin.operands, twin.type, rows, as: type)
    }
    switch operation {
    case .arrow(let function, let options): return try arrow(function, options, operands, type, rows, as: type)
    case .cast(let orNull): return try cast(operands[0], type, orNull, rows)
    default: return Kernel(operands: operands, type: type, rows: rows).run(operation)
    }
  }

  /// A call of Arrow; `made` is what it gives, `type` what we call it.
  private func arrow(
    _ function: String, _ options: ArrowOptions?, _ operands: [Operand], _ made: ColumnType, _ rows: Int, as type: ColumnType
  ) throws(ArrowFailure) -> (Column, Failures) {
    let (column, failures) = try ArrowCall(function: function, options: options, operands: operands).rowByRow(rows)
    if column.type == type { return (column, failures) }
    if column.type.width == type.width, made == column.type || { if case .decimal = type { true } else { false } }() {
      return (column.relabelled(type), failures)
    }
    var (cast, more) = try cast(Operand(column: column, isScalar: false), type, false, rows)
    more.merge(failures)
    if column.type == type { cast = column }
    return (cast, more)
  }

  private func cast(_ operand: Operand, _ type: ColumnType, _ orNull: Bool, _ rows: Int) throws(ArrowFailure) -> (Column, Failures) {
    var (column, failures): (Column, Failures)
    switch (operand.column.type, type) {
    case (.timestamp(.some), .timestamp(.some)): return (operand.column.relabelled(type), Failures())
    case (.timestamp(.some), .timestamp(nil)):
      (column, failures) = try ArrowCall(function: "local_timestamp", options: nil, operands: [operand]).rowByRow(rows)
    case (.timestamp(.some), _):
      let (local, _) = try cast(operand, .timestamp(), false, rows)
      (column, failures) = Kernel(operands: [Operand(column: local, isScalar: operand.isScalar)], type: type, rows: rows).cast()
    case (.timestamp(nil), .timestamp(let zone?)):
      let options = ArrowOptions("assume_timezone", [zone])
      (column, failures) = try ArrowCall(function: "assume_timezone", options: options, operands: [operand]).rowByRow(rows)
    case (_, .timestamp(.some)):
      let (local, first) = Kernel(operands: [operand], type: .timestamp(), rows: rows).cast()
      (column, failures) = try cast(Operand(column: local, isScalar: operand.isScalar), type, false, rows)
      failures.merge(first)
    default: (column, failures) = Kernel(operands: [operand], type: type, rows: rows).cast()
    }
    return (column, orNull ? Failures() : failures)
  }

  // MARK: Logic, and branches not taken

  /// Kleene's three-valued logic. A right side that does not matter cannot fail the row.
  private func logic(_ a: Node, _ b: Node, isAnd: Bool) throws(ArrowFailure) -> Evaluated {
    let left = try evaluate(a), right = try evaluate(b)
    let isScalar = left.operand.isScalar && right.operand.isScalar
    let rows = isScalar ? 1 : batch.count
    var column: Column
    if path == .arrow {
      (column, _) = try ArrowCall(function: isAnd ? "and_kleene" : "or_kleene", options: nil, operands: [left.operand, right.operand]).rowByRow(rows)
    } else {
      column = kleene(left.operand, right.operand, isAnd: isAnd, rows: rows)
    }
    var failures = spread(left)
    let decides = left.operand.column
    failures.merge(spread(right).filtered { row in
      let at = left.operand.at(row)
      return decides.isNull(at) || decides.bits[at] == isAnd
    })
    if !failures.isEmpty, !isScalar { column = column.withNulls(at: failures) }
    return Evaluated(operand: Operand(column: column, isScalar: isScalar), failures: failures)
  }

  private func choose(_ whens: [(condition: Node, result: Node)], _ otherwise: Node?, _ type: ColumnType) throws(ArrowFailure) -> Evaluated {
    let rows = batch.count
    var chosen = [Int32](repeating: -1, count: rows)
    var isOpen = [Bool](repeating: true, count: rows)
    var failures = Failures()
    var branches: [Evaluated] = []
    for (at, when) in whens.enumerated() {
      let condition = try evaluate(when.condition)
      failures.merge(spread(condition).filtered { isOpen[$0] })
      let (column, bits) = (condition.operand.column, condition.operand.column.bits)
      for row in 0..<rows where isOpen[row] {
        let from = condition.operand.at(row)
        if bits[from], !column.isNull(from) {
          chosen[row] = Int32(truncatingIfNeeded: at)
          isOpen[row] = false
        }
      }
      branches.append(try evaluate(when.result))
    }
    if let otherwise {
      for row in 0..<rows where isOpen[row] { chosen[row] = Int32(truncatingIfNeeded: branches.count) }
      branches.append(try evaluate(otherwise))
    }
    for (at, branch) in branches.enumerated() { failures.merge(spread(branch).filtered { chosen[$0] == Int32(truncatingIfNeeded: at) }) }
    return picked(branches, chosen, failures, type)
  }

  private func coalesce(_ nodes: [Node], _ type: ColumnType) throws(ArrowFailure) -> Evaluated {
    let rows = batch.count
    var chosen = [Int32](repeating: -1, count: rows)
    var failures = Failures()
    var branches: [Evaluated] = []
    for (at, node) in nodes.enumerated() {
      let branch = try evaluate(node)
      failures.merge(spread(branch).filtered { chosen[$0] < 0 })
      for row in 0..<rows where chosen[row] < 0 && !branch.operand.isNull(row) { chosen[row] = Int32(truncatingIfNeeded: at) }
      branches.append(branch)
    }
    return picked(branches, chosen, failures, type)
  }

  /// Row by row from the branch chosen; -1 is null.
  private func picked(_ branches: [Evaluated], _ chosen: [Int32], _ failures: Failures, _ type: ColumnType) -> Evaluated {
    var column = pick(branches.map(\.operand), chosen, type)
    if !failures.isEmpty { column = column.withNulls(at: failures) }
    return Evaluated(operand: Operand(column: column, isScalar: false), failures: failures)
  }
}

/// Cells of several operands, one for each row: lengths [3, scalar] and choices [0, 1, -1] → rows [0, 3, null].
func pick(_ operands: [Operand], _ chosen: [Int32], _ type: ColumnType) -> Column {
  var starts: [Int] = [], total = 0
  for operand in operands {
    starts.append(total)
    total += operand.column.count
  }
  precondition(total <= Int(Int32.max), "a batch is too large for so many branches; make batches smaller")
  var rows = chosen
  for row in rows.indices where chosen[row] >= 0 {
    let branch = Int(chosen[row])
    rows[row] = Int32(truncatingIfNeeded: starts[branch] + operands[branch].at(row))
  }
  return Column.concatenate(operands.map { $0.column.relabelled(type) }, type: type).gather(rows)
}

extension Operation {
  /// Null whenever an operand is.
  var isNullStrict: Bool {
    switch self {
    case .test, .greatest, .least, .nullIf, .concatenate(skippingNulls: true), .isIn: false
    default: true
    }
  }
}

extension Column {
  /// The same cells under another type of the same layout.
  func relabelled(_ type: ColumnType) -> Column {
    self.type == type ? self : Column(type: type, count: count, validity: validity, storage: storage)
  }

  /// The same with nulls, and zeros under them, in the rows that failed.
  func withNulls(at failures: Failures) -> Column {
    var rows = [Int32](unsafeUninitializedCapacity: count) { to, n in
      for row in 0..<count { to[row] = Int32(truncatingIfNeeded: row) }
      n = count
    }
    for failure in failures.rows { rows[Int(failure.row)] = -1 }
    for row in 0..<count where isNull(row) { rows[row] = -1 }
    return gather(rows)
  }

  init(values: [Value], type: ColumnType) {
    switch type {
    case .bool: self = .bools(values.map { if case .bool(let value) = $0 { value } else { nil } })
    case .int32: self = .int32s(values.map { if case .int(let value) = $0 { Int32(truncatingIfNeeded: value) } else { nil } })
    case .int64: self = .int64s(values.map { if case .int(let value) = $0 { value } else { nil } })
    case .float64: self = .float64s(values.map { if case .float(let value) = $0 { value } else { nil } })
    case .decimal(let precision, let scale):
      self = .decimals(values.map { if case .decimal(let value, _) = $0 { value } else { nil } }, precision: precision, scale: scale)
    case .string: self = .strings(values.map { if case .string(let value) = $0 { value } else { nil } })
    case .date: self = .dates(values.map { if case .date(let value) = $0 { value } else { nil } })
    case .timestamp(let zone): self = .timestamps(values.map { if case .timestamp(let value) = $0 { value } else { nil } }, zone: zone)
    }
  }
}
