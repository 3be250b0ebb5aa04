import Columns
import Diagnostics
import Pipelines

@testable import Stages

/// What is connected to a port of a room that reads customers.
enum RoomInput {
  case table(Batch, timeUnit: Duration.Unit? = nil)
  case document(JSONValue, about: String)

  /// A table comes in three batches, so that nothing relies on one.
  fileprivate func input(_ port: String) -> BenchInput {
    switch self {
    case .document(let document, let about): return .document(port, document, about: about)
    case .table(let batch, let unit):
      let step = max(1, (batch.count + 2) / 3)
      let pieces = stride(from: 0, to: batch.count, by: step).map { batch.slice($0..<min($0 + step, batch.count)) }
      return .table(port, partitions: [("", pieces.isEmpty ? [batch] : pieces)], timeUnit: unit)
    }
  }
}

/// Settings as an argument of a test. Swift Testing would encode a bare JSONValue with an encoder that loses its order.
struct Written: Sendable {
  let json: JSONValue
  init(_ json: JSONValue) { self.json = json }
}

/// Everything one run of a room gave.
struct RoomRun {
  var binding: Binding
  var tables: [String: Batch] = [:]
  var documents: [String: JSONValue] = [:]
  var warnings: [String] = []
  var metrics: Metrics
}

func runRoom<S: Stage>(_ kind: S.Type, _ written: JSONValue, _ inputs: KeyValuePairs<String, RoomInput>, width: Int = 2) throws -> RoomRun {
  let result = try runStage(kind, written, inputs.map { $0.value.input($0.key) }, width: width)
  var run = RoomRun(binding: result.binding, warnings: result.warnings.map(\.message), metrics: result.metrics)
  for output in result.binding.outputs {
    if case .table = output.type { run.tables[output.name] = result.table(output.name) }
    run.documents[output.name] = result.document(output.name)
  }
  return run
}

/// The messages of what a call throws, with what was expected, found and advised.
func complaints(_ body: () throws -> some Any) -> [String] {
  func words(_ d: Diagnostic) -> String {
    ([d.message] + [d.expected.map { "expected \($0)" }, d.found.map { "found \($0)" }, d.hint.map { "hint: \($0)" }].compactMap(\.self))
      .joined(separator: "; ")
  }
  do {
    _ = try body()
    return []
  } catch let mistakes as Mistakes {
    return mistakes.all.map(words)
  } catch let diagnostic as Diagnostic {
    return [words(diagnostic)]
  } catch {
    return ["another error: \(error)"]
  }
}
