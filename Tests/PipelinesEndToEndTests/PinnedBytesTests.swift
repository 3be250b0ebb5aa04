import Diagnostics
import Engine
import Pipelines
import Stages
import Testing

@testable import millrace

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// What every kind makes of fixed input, pinned: a kind whose bytes change must raise its version, or that of the shared code which
/// changed, or stores would give people what the earlier code made.
///
/// `MILLRACE_PIN=1 swift test --filter PinnedBytesTests` writes the pins anew.
@Suite struct PinnedBytesTests {
  private static let path = Executable.packageRoot + "/Tests/ReferenceValues/pinned_bytes.json"

  /// Models of value from attributes: features, encodings and what else is theirs.
  private static let ofValue: [(model: String, more: String)] = [
    ("ols", ""), ("ridge", #", "encodings": { "country": "target" }"#), ("elastic-net", #", "penalty": 0.5"#), ("poisson", ""), ("tweedie", ""),
    ("zero-inflated-lognormal", #", "encoding": "target""#),
  ]
  private static let ofTrees: [(model: String, more: String)] = [
    ("gradient-boosting", #", "encoding": "ordinal", "trees": { "count": 40, "depth": 3, "subsample": 0.8, "patience": 5, "monotone": { "quantity": "increasing" } }"#),
    ("random-forest", #", "trees": { "count": 20, "depth": 4 }"#),
  ]

  /// Fits that hold rows out and are refitted, their weights, and what they then say of all rows.
  private static func values(_ models: [(model: String, more: String)]) -> String {
    models.map { model, more in
      """
      "\(fitted(model))": { "stage": "fit", "from": "valued", "with": { "model": "\(model)", "attributes": {
          "target": "revenue", "features": ["quantity", "log_price", "at", "country"], "test": 0.2, "folds": 3, "importance": 2, "key": "invoice",
          "refit": true\(more) } } },
      "foretold_by_\(fitted(model))": { "stage": "predict", "from": { "customers": "valued", "value": "\(fitted(model))" } },

      """
    }.joined()
  }

  private static func fitted(_ model: String) -> String { String(model.map { $0 == "-" ? "_" : $0 }) }

  /// Every kind, each once or more, over files of `EditTableTests` and a simulated shop.
  private static func document(trees: Bool) -> String { """
    {
      "pipeline": "pins",
      "stages": {
        "shop": { "stage": "simulate", "with": { "customers": 40, "weeks": 20, "seed": 3 } },
        "sales": { "stage": "ingest", "with": { "path": "sales.csv", "columns": {
            "invoice": { "source": "invoice", "type": "string" },
            "customer": { "source": "customer", "type": "string" },
            "at": { "source": "at", "type": "date" },
            "quantity": { "source": "quantity", "type": "int32" },
            "price": { "source": "price", "type": "decimal(12,2)" },
            "country": { "source": "country", "type": "string" } } } },
        "good": { "stage": "clean", "from": "sales", "with": { "require": ["customer"], "keep": ["quantity > 1"], "distinct": true } },
        "valued": { "stage": "feature-engineer", "from": "good", "with": { "derive": {
            "revenue": "quantity * price", "log_price": "ln(price)", "month": "date_trunc('month', at)" } } },
        "customers": { "stage": "rfm", "from": "valued", "with": {
            "customer": "customer", "at": "at", "amount": "revenue", "order": "invoice", "until": "2011-09-30", "holdout": "2011-12-31", "scores": true } },
        "purchases": { "stage": "fit", "from": "customers", "with": { "model": "bg-nbd" } },
        "noted": { "stage": "recall", "with": { "path": "noted.json" } },
        "others": { "stage": "fit", "from": "customers", "with": { "model": "mbg-nbd" } },
        "spend": { "stage": "fit", "from": "customers", "with": { "model": "gamma-gamma" } },
        "value": { "stage": "predict", "from": { "customers": "customers", "purchases": "purchases", "spend": "spend" },
            "with": { "horizon": "13 weeks", "discount": "10%/year" } },
    \(values(ofValue + (trees ? ofTrees : [])))\
            "score": { "stage": "evaluate", "from": { "predicted": "value", "holdout": "customers.holdout" } },
        "months": { "stage": "forecast", "from": { "sales": "valued", "customers": "value" }, "with": { "horizon": "3 months" } },
        "changes": { "stage": "drift", "from": {
            "before": "customers", "now": "value", "earlier": "purchases", "later": "purchases", "metrics": "score" } },
        "groups": { "stage": "segment", "from": "value", "with": { "method": "k-means", "k": 3, "on": ["orders", "revenue"] } },
        "tiers": { "stage": "segment", "from": "value", "with": { "method": "tiers", "on": "clv", "labels": ["high", "low"] } },
        "countries": { "stage": "aggregate", "from": "valued", "with": { "by": { "country": "country" }, "aggregates": {
            "total": "sum(revenue)", "mean": "avg(log_price)", "spread": "stddev(log_price)", "buyers": "count(DISTINCT customer)" } } },
        "joined": { "stage": "join", "from": { "left": "valued", "right": "countries" }, "with": { "on": { "country": "country" }, "how": "left", "cardinality": "many-to-one" } },
        "both": { "stage": "union", "from": { "good": "good", "bad": "good.quarantine" }, "with": { "missing": "null", "source": "which" } },
        "picture": { "stage": "visualize", "from": "countries", "with": { "formats": "svg", "charts": {
            "revenue": { "chart": "bar", "x": "country", "y": "total", "width": 300, "height": 200 } } } },
        "csv": { "stage": "export", "from": "tiers", "with": { "file": "tiers.csv" } },
        "lines": { "stage": "export", "from": "groups.profile", "with": { "file": "groups.jsonl" } },
        "page": { "stage": "report", "from": { "countries": "countries", "spend": "spend" } }
      }
    }
    """ }

  @Test func noKindChangesItsBytesUnderItsVersion() throws {
    let folder = Folder()
    // XGBoost says with its version what its trees are; which bytes they have is a matter of the processor too.
    #if arch(x86_64)
      let trees = ValuePipelinesTests.isSetUp("xgboost")
    #else
      let trees = false
    #endif
    folder.write(EditTableTests.sales, to: "sales.csv")
    folder.write(#"{ "model": "nbd", "parameters": { "r": 0.385, "alpha": 12.072 }, "units": { "time": "week" } }"#, to: "noted.json")
    folder.write(Self.document(trees: trees), to: "pins.json")
    let plan = try PipelineSource(document: folder.path + "/pins.json", values: [], allowPath: []).plan()
    let report = try Executor(store: ArtifactStore(path: folder.path + "/store")).run(plan, RunOptions(width: 2))
    try #require(report.status == .succeeded, "\(failures(of: report).map(\.description))")

    let kinds = stageCatalog.names.sorted()
    #expect(Set(plan.stages.map(\.contract.kind)).sorted() == kinds, "every kind has to be pinned")
    let found = JSONValue.object(kinds.map { kind in
      let stages = zip(plan.stages, report.stages).filter { $0.0.contract.kind == kind }
      let outputs = stages.flatMap { stage in stage.1.outputs.map { JSONMember("\(stage.0.name).\($0.name)", .string($0.record.digest.description)) } }
      guard let contract = stages.first?.0.contract else { return JSONMember(kind, .null) }
      let versions = JSONValue.object([JSONMember("version", .integer(contract.version))] + contract.shares.map { JSONMember($0.key, .string($0.value)) })
      return JSONMember(kind, ["versions": versions, "outputs": .object(outputs)])
    })
    if getenv("MILLRACE_PIN") != nil { writeFile(Array(found.pretty().utf8), to: Self.path) }
    let pinned = try JSONReader.read(bytes(ofFile: Self.path), file: "pinned_bytes.json").value
    for kind in kinds {
      guard let now = found[kind], let before = pinned[kind] else {
        Issue.record("kind \(kind) is not pinned: MILLRACE_PIN=1")
        continue
      }
      if now == before { continue }
      if now["versions"] != before["versions"] {
        Issue.record("kind \(kind) has other versions than were pinned: MILLRACE_PIN=1 pins it anew")
        continue
      }
      let known = before["outputs"]?.members?.map(\.key) ?? [], there = now["outputs"]?.members?.map(\.key) ?? []
      let changed = there.filter { before["outputs"]?[$0] != now["outputs"]?[$0] }
        + known.filter { name in !there.contains(name) && (trees || !Self.ofTrees.contains { name.contains(Self.fitted($0.model)) }) }
      if changed.isEmpty { continue }
      Issue.record("""
        the bytes of \(changed.joined(separator: ", ")) changed, and the versions of kind \(kind) did not. Raise the version of the kind, or of the \
        shared code that changed (`shares` of its contract), so that stores make these artifacts again; then MILLRACE_PIN=1 pins the new bytes.
        """)
    }
  }
}
