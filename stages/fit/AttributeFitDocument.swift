import Diagnostics
import Models
import Pipelines
import Statistics

/// A model of value from attributes as the document people and `predict` read: the model, how well it does, what it leans on.
struct AttributeFitDocument {
  struct Weight {
    let feature: String
    /// Of the root mean squared error, where the feature's cells are dealt out anew.
    let rise: Double, deviation: Double
    /// Mean size of what the feature adds to a prediction.
    let contribution: Double?
  }

  let outcome: AttributeFit.Outcome
  let settings: AttributeSettings
  let fit: AttributeFit
  let train: RegressionErrors?, test: RegressionErrors?
  let folds: [RegressionErrors]?
  let weights: [Weight]
  let leftOut: Int
  let library: String?
  /// `FittedData`.
  let data: JSONValue

  /// Larger trees than this make no document: 64 MiB.
  static let largest = 64 << 20

  var isUsable: Bool {
    func sound(_ form: LinearForm) -> Bool { form.intercept.isFinite && form.coefficients.allSatisfy(\.isFinite) }
    switch outcome.model.law {
    case .linear(let form), .logLinear(let form): return sound(form)
    case .zeroInflatedLognormal(let law): return sound(law.logValue) && law.chance.map(sound) ?? true && law.sigma.isFinite
    case .trees: return true
    }
  }

  func json() throws -> JSONValue {
    let all = AttributeModelDocument(outcome.model, target: settings.target).members(library: library)
    if case .trees(let trees) = outcome.model.law, trees.bytes.count > Self.largest {
      throw Diagnostic(
        "the trees are too many and too deep for a document", at: .setting(["attributes", "trees"]), expected: "at most \(Self.largest >> 20) MiB",
        found: "\(trees.bytes.count >> 20) MiB", hint: "take fewer trees or a smaller depth")
    }
    var members = all.filter { $0.key != "trees" }
    members += outcome.numbers.map { JSONMember($0.name, .double($0.value)) }
    members.append(JSONMember("settings", grown))
    members += [
      JSONMember("observations", .integer(outcome.rows)), JSONMember("left_out", .integer(leftOut)),
      JSONMember("train", Self.json(train)),
    ]
    if settings.test != nil { members.append(JSONMember("test", Self.json(test))) }
    if let folds {
      members.append(
        JSONMember(
          "cross_validation",
          ["folds": .integer(folds.count), "mean": Self.mean(folds), "by_fold": .array(folds.map { Self.json($0) })]))
    }
    if !weights.isEmpty {
      // The weightiest first, equal ones in the order of the features.
      let order = weights.indices.sorted { weights[$0].rise != weights[$1].rise ? weights[$0].rise > weights[$1].rise : $0 < $1 }
      members.append(
        JSONMember(
          "importance",
          .array(
            order.map { at in
              let weight = weights[at]
              var told = [
                JSONMember("feature", .string(weight.feature)), JSONMember("rise_of_rmse", .double(weight.rise)),
                JSONMember("deviation", .double(weight.deviation)),
              ]
              if let size = weight.contribution { told.append(JSONMember("mean_contribution", .double(size))) }
              return .object(told)
            })))
    }
    members += [
      JSONMember("converged", .bool(outcome.converged)), JSONMember("iterations", .integer(outcome.iterations)),
      // The unit of a value is that of its column.
      JSONMember("units", ["value": .string(settings.target)]),
      JSONMember("diagnoses", .array(outcome.diagnoses.map(JSONValue.string))),
      JSONMember("made_by", .string("millrace fit \(Fit.contract.version)")), JSONMember("data", data),
    ]
    return .object(members + all.filter { $0.key == "trees" })
  }

  /// What decided beside the data.
  private var grown: JSONValue {
    var told = [JSONMember("seed", .integer(settings.seed))]
    // Where the rows were cut: the share, or the column of truth values.
    switch settings.test {
    case .first(let share)?: told += [JSONMember("test", .double(share)), JSONMember("refit", .bool(settings.refit))]
    case .second(let column)?: told += [JSONMember("test", .string(column)), JSONMember("refit", .bool(settings.refit))]
    case nil: break
    }
    switch outcome.model.kind {
    case .elasticNet: told += [JSONMember("l1Ratio", .double(settings.l1Ratio)), JSONMember("scale", .string(settings.scale.rawValue))]
    case .ridge: told.append(JSONMember("scale", .string(settings.scale.rawValue)))
    case .tweedie: told += [JSONMember("power", .double(settings.power)), JSONMember("penalty", .double(fit.penalty ?? 0))]
    case .poisson: told.append(JSONMember("penalty", .double(fit.penalty ?? 0)))
    case .randomForest, .gradientBoosting:
      let growth = fit.growth
      told += [
        JSONMember("objective", .string(settings.trees.objective.rawValue)), JSONMember("count", .integer(growth.trees)),
        JSONMember("depth", .integer(growth.maxDepth)), JSONMember("learningRate", .double(growth.learningRate)),
        JSONMember("minChildWeight", .double(growth.minChildWeight)), JSONMember("minSplitLoss", .double(growth.minSplitLoss)),
        JSONMember("l2", .double(growth.l2)), JSONMember("l1", .double(growth.l1)), JSONMember("subsample", .double(growth.subsample)),
        JSONMember("columnSample", .double(growth.columnSample)), JSONMember("bins", .integer(growth.maxBins)),
      ]
      if let patience = fit.patience { told += [JSONMember("patience", .integer(patience)), JSONMember("validation", .double(fit.validation))] }
      if !settings.trees.monotone.isEmpty { told.append(JSONMember("monotone", settings.trees.monotone.setting)) }
    default: break
    }
    return .object(told)
  }

  static func json(_ errors: RegressionErrors?) -> JSONValue {
    guard let errors else { return .null }
    return .object(
      [JSONMember("rows", .integer(errors.metrics.observations))] + errors.named.map { JSONMember($0.name, .double($0.value)) })
  }

  private static func mean(_ folds: [RegressionErrors]) -> JSONValue {
    guard let first = folds.first else { return .null }
    return .object(
      first.named.indices.map { at in
        JSONMember(first.named[at].name, .double(Summaries.sum(folds.lazy.map { $0.named[at].value }) / Double(folds.count)))
      })
  }

  var metrics: Metrics {
    var metrics = Metrics()
    metrics["model"] = .string(outcome.model.kind.rawValue)
    metrics["observations"] = .integer(outcome.rows)
    metrics["left_out"] = .integer(leftOut)
    metrics["columns"] = .integer(outcome.model.encoder.names.count)
    for (name, value) in outcome.numbers { metrics[name] = .double(value) }
    for (part, errors) in [("train", train), ("test", test)] {
      for (name, value) in errors?.named ?? [] { metrics["\(part)_\(name)"] = .double(value) }
    }
    if let folds, let mean = Self.mean(folds).members { for member in mean { metrics["cross_validated_\(member.key)"] = member.value } }
    metrics["converged"] = .bool(outcome.converged)
    return metrics
  }
}
