import Columns
import Diagnostics
import Models
import Pipelines
import Statistics

/// Whether customers, models and errors are still what they were: one row a question, and an alarm with its reason.
///
/// Three kinds of questions, each asked where its inputs are connected: are the features distributed as before (population stability
/// index), have the parameters of two fits moved by more than their errors, and does what happened still agree with what was
/// predicted (the metrics of `evaluate`).
public struct Drift: Stage {
  public static let contract = Contract(
    "drift", "whether customers, parameters and errors have changed, with an alarm and its reason",
    inputs: [
      .table("before", .optional, help: "customers as they were; needs now"),
      .table("now", .optional, help: "customers as they are"),
      .document("earlier", .optional, help: "a model fitted before; needs later"),
      .document("later", .optional, help: "the same kind of model, fitted to other or newer customers"),
      .document("metrics", .optional, help: "the metrics of evaluate"),
    ],
    outputs: [
      .table("table", help: "one row a question: what was found, from which value on it is an alarm, and why"),
      .document("report", help: "whether there is an alarm, and the reasons"),
    ],
    version: 2, shares: ["statistics": "1"])

  @Setting("columns that are compared; default those of frequency, recency, age, monetary, orders, revenue and since_last that both tables have")
  var features: [String] = []
  @Setting("how many classes of equal size a feature is cut into", in: 2...100) var bins = 10
  @Setting("population stability from which on it is an alarm; 0.1 is usually watched, 0.25 acted upon", in: 0...100) var stability = 0.25
  @Setting("a parameter that moved by more than so many standard errors of the difference is an alarm", in: 0...1000) var shift = 3.0
  @Setting("predicted less actual purchases as a share of the actual: beyond this, on either side, is an alarm", in: 0...1000) var bias = 0.2
  @Setting("the share of actual numbers inside their intervals: below this is an alarm", in: 0...1) var coverage = 0.8
  @Setting("an alarm fails the stage") var fail = false

  public init() {}

  static let usual = ["frequency", "recency", "age", "monetary", "orders", "revenue", "since_last"]
  private static let pairs = [("before", "now"), ("earlier", "later")]

  private func compared(_ before: Schema, _ now: Schema) -> [String] {
    features.isEmpty ? Self.usual.filter { before.type(of: $0)?.isNumeric == true && now.type(of: $0)?.isNumeric == true } : features
  }

  public func bind(_ inputs: Inputs<ArtifactType>, _ context: BindContext) throws(Mistakes) -> Binding {
    var mistakes: [Diagnostic] = []
    for (first, second) in Self.pairs where (inputs[first] == nil) != (inputs[second] == nil) {
      let (there, missing) = inputs[first] == nil ? (second, first) : (first, second)
      mistakes.append(Diagnostic("\"\(there)\" means nothing alone", at: .input(port: there), expected: "input \"\(missing)\""))
    }
    if inputs.entries.isEmpty {
      mistakes.append(
        Diagnostic(
          "nothing is compared", at: .setting([]), expected: "\"before\" and \"now\", \"earlier\" and \"later\", or \"metrics\" connected"))
    }
    if let earlier = inputs["earlier"], let later = inputs["later"], case .document(let a) = earlier, case .document(let b) = later, a != b,
      a != FittedModel.Kind.aboutChosen, b != FittedModel.Kind.aboutChosen
    {
      mistakes.append(
        Diagnostic("two kinds of models have no parameters in common", at: .input(port: "later"), expected: words(a), found: words(b)))
    }
    if case .document(let about)? = inputs["metrics"], about != "evaluation" {
      mistakes.append(Diagnostic("input \"metrics\" is no evaluation", at: .input(port: "metrics"), expected: "the metrics of evaluate", found: words(about)))
    }
    var reads: [Binding.Read] = []
    if let before = inputs.schema("before"), let now = inputs.schema("now") {
      let names = compared(before, now)
      for (at, name) in names.enumerated() {
        for (schema, port) in [(before, "before"), (now, "now")] {
          if let mistake = schema.mistake(readingNumbers: name, of: port, at: .setting(["features", .index(at)])) { mistakes.append(mistake) }
        }
      }
      if names.isEmpty {
        mistakes.append(
          Diagnostic("the tables have no feature in common that is usually compared", at: .setting(["features"]), expected: "names of numeric columns"))
      }
      reads += [.init("before", .named(names)), .init("now", .named(names))]
    } else {
      reads += ["before", "now"].filter { inputs[$0] != nil }.map { .init($0, .all) }
    }
    if !mistakes.isEmpty { throw Mistakes(mistakes) }
    reads += ["earlier", "later", "metrics"].filter { inputs[$0] != nil }.map { .init($0, .all) }
    return Binding(
      outputs: [.init("table", .table(TableType(DriftFinding.schema))), .init("report", .document(about: "drift"))], reads: reads)
  }

  private func words(_ about: String) -> String {
    about.hasPrefix("model:") ? "a fitted \(about.dropFirst("model:".count))" : "a document about \"\(about)\""
  }

  public func run(_ inputs: Inputs<Artifact>, _ context: any RunContext) throws -> Metrics {
    var findings: [DriftFinding] = []
    if inputs["before"] != nil {
      let (before, now) = (inputs.table("before"), inputs.table("now"))
      for (table, port) in [(before, "before"), (now, "now")] where table.rows == 0 {
        throw Diagnostic("nothing can be compared: there are no customers", at: .input(port: port))
      }
      for name in compared(before.schema, now.schema) {
        try context.checkCancellation()
        findings.append(.stability(of: name, try before.wholeBatch([name])[name].doubles(), try now.wholeBatch([name])[name].doubles(), bins, alarm: stability))
      }
    }
    if inputs["earlier"] != nil {
      let kinds = FittedModel.Kind.allCases
      let earlier = try FittedModel(inputs.document("earlier"), port: "earlier", among: kinds)
      let later = try FittedModel(inputs.document("later"), port: "later", among: kinds)
      if earlier.kind != later.kind || earlier.timeUnit != later.timeUnit {
        throw Diagnostic(
          "two fits can be compared that are of one model and one unit of time", at: .input(port: "later"),
          expected: "a \(earlier.kind.rawValue) in \(earlier.timeUnit?.rawValue ?? "no unit")",
          found: "a \(later.kind.rawValue) in \(later.timeUnit?.rawValue ?? "no unit")")
      }
      findings += DriftFinding.shifts(earlier, later, alarm: shift)
    }
    if inputs["metrics"] != nil { findings += DriftFinding.errors(inputs.document("metrics"), bias: bias, coverage: coverage) }
    let alarms = findings.filter(\.isAlarm)
    for finding in alarms { context.warn(Diagnostic(finding.reason, severity: .warning)) }
    if fail, !alarms.isEmpty {
      throw Mistakes(alarms.map { Diagnostic($0.reason, at: .setting(["fail"])) })
    }
    try context.writeTable("table", DriftFinding.table(findings))
    try context.writeDocument(
      "report",
      [
        "alarm": .bool(!alarms.isEmpty), "reasons": .array(alarms.map { .string($0.reason) }), "questions": .integer(findings.count),
        "alarms": .integer(alarms.count),
      ])
    var metrics = Metrics()
    metrics["alarm"] = .bool(!alarms.isEmpty)
    metrics["questions"] = .integer(findings.count)
    metrics["alarms"] = .integer(alarms.count)
    return metrics
  }
}
