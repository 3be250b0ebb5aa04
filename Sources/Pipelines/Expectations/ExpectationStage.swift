import Columns
import Diagnostics
import Expressions

/// The small stage that an expectation is in the plan: it reads the columns that it names, and what it gives are counts.
public struct ExpectationStage: Stage {
  public static let contract = Contract(
    "expectation", "Counts what of a table does not come up to an expectation", inputs: [.table("table")], outputs: [], version: 1,
    shares: ["expressions": "1", "arrow": "26", "kernels": "1"])

  private var expectation: Expectation?

  public init() {}
  public init(from decoder: any Decoder) throws {}
  public func encode(to encoder: any Encoder) throws {}
  init(_ expectation: Expectation) { self.expectation = expectation }

  public func bind(_ inputs: Inputs<ArtifactType>, _ context: BindContext) throws(Mistakes) -> Binding {
    Binding(outputs: [], reads: [.init("table", .named(expectation?.columns ?? []), .once)])
  }

  public func run(_ inputs: Inputs<Artifact>, _ context: any RunContext) throws -> Metrics {
    guard let expectation else { preconditionFailure("an expectation was run without saying what is expected") }
    let table = inputs.table()
    let tally = try ExpectationTally(
      expectation, schema: table.schema, bindings: context.parameters.bindings, width: { context.width })
    try RowStream(table).forEach(context, preparing: { $0 }, opening: { tally.open(partition: $0) }) { try tally.add($0) }
    return tally.counts
  }
}

/// That a stage of a plan is an expectation.
public struct BoundExpectation: Sendable {
  public let expectation: Expectation
  /// Of the stage whose document entry has it.
  public let subject: String
  /// Of the output that it is about.
  public let output: String
  /// The stage that reads it, where it is about an input.
  public let input: String?
  /// Where the document has it.
  public let span: TextSpan
  /// Its place among those of the stage.
  public let place: Int

  /// What is told when it does not hold.
  public func diagnostic(_ outcome: ExpectationOutcome) -> Diagnostic? {
    if outcome.holds { return nil }
    return Diagnostic(
      "expectation not met: \(expectation.words)", at: .text(span), found: outcome.found, severity: expectation.severity == .warn ? .warning : .error)
  }
}

/// A kind that puts rows aside which break a rule: expectations of severity `quarantine` become rules of it.
public protocol RuleKeepingStage: Stage {
  /// The setting that lists SQL conditions which must be true of the rows that come out.
  static var rulesSetting: String { get }
}
