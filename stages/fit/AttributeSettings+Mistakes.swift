import Columns
import Diagnostics
import Models
import Pipelines

extension AttributeSettings {
  /// What does not go together, whatever the table.
  func mistakes(_ kind: AttributeModel.Kind) -> [Diagnostic] {
    var mistakes: [Diagnostic] = []
    func only(_ path: [PathStep], _ isGiven: Bool, for models: String) {
      if !isGiven { return }
      mistakes.append(
        Diagnostic("\"\(path.last!)\" means nothing to \(kind.rawValue)", at: .setting(["attributes"] + path), expected: "\"model\": \(models)"))
    }
    let standard = AttributeSettings()
    let isGeneralized = kind == .poisson || kind == .tweedie
    only(["penalty"], penalty != nil && !kind.isPenalized && !isGeneralized, for: "\"ridge\", \"elastic-net\", \"poisson\" or \"tweedie\"")
    only(["l1Ratio"], l1Ratio != standard.l1Ratio && kind != .elasticNet, for: "\"elastic-net\"")
    only(["scale"], scale != standard.scale && !kind.isPenalized, for: "\"ridge\" or \"elastic-net\"")
    if power != standard.power, kind != .tweedie, !(kind.isTrees && trees.objective == .tweedie) {
      only(["power"], true, for: "\"tweedie\", or trees with \"objective\": \"tweedie\"")
    }
    only(["missing"], missing == .keep && !kind.isTrees, for: "\"random-forest\" or \"gradient-boosting\"")
    if !kind.isTrees, trees.setting != standard.trees.setting { only(["trees"], true, for: "\"random-forest\" or \"gradient-boosting\"") }
    if kind.isTrees {
      only(["trees", "patience"], trees.patience != nil && kind == .randomForest, for: "\"gradient-boosting\"")
      if trees.validation != standard.trees.validation, trees.patience == nil {
        mistakes.append(
          Diagnostic("\"validation\" means nothing without \"patience\"", at: .setting(["attributes", "trees", "validation"]), expected: "\"patience\" beside it"))
      }
      for entry in trees.monotone where !features.contains(entry.name) {
        mistakes.append(
          Diagnostic(
            "\"\(entry.name)\" is not one of the features", at: .settingKey(["attributes", "trees", "monotone", .key(entry.name)]),
            hint: hint(forUnknown: entry.name, among: features)))
      }
    }
    if case .first(let value) = penalty, value < 0 {
      mistakes.append(Diagnostic("a penalty is not negative", at: .setting(["attributes", "penalty"]), expected: "0 or more, or \"auto\"", found: "\(value)"))
    }
    if penalty == .second(.auto), isGeneralized {
      mistakes.append(
        Diagnostic("the penalty of \(kind.rawValue) is not chosen", at: .setting(["attributes", "penalty"]), expected: "a number of 0 or more"))
    }
    if case .first(let share) = test, !(share > 0 && share < 1) {
      mistakes.append(
        Diagnostic("the share that is held out is out of range", at: .setting(["attributes", "test"]), expected: "above 0 and below 1", found: "\(share)"))
    }
    if refit, test == nil {
      mistakes.append(Diagnostic("\"refit\" means nothing where no rows are held out", at: .setting(["attributes", "refit"]), expected: "\"test\""))
    }
    if features.isEmpty {
      mistakes.append(Diagnostic("there are no features", at: .setting(["attributes", "features"]), expected: "at least one column"))
    }
    for (at, name) in features.enumerated() where features[..<at].contains(name) {
      mistakes.append(Diagnostic("\"\(name)\" is named twice", at: .setting(["attributes", "features", .index(at)]), expected: "distinct columns"))
    }
    for (at, name) in features.enumerated() where name == target {
      mistakes.append(Diagnostic("\"\(name)\" is what is foretold", at: .setting(["attributes", "features", .index(at)]), hint: "leave it out"))
    }
    for entry in encodings {
      let place = ["attributes", "encodings", .key(entry.name)] as [PathStep]
      if !features.contains(entry.name) {
        mistakes.append(Diagnostic("\"\(entry.name)\" is not one of the features", at: .settingKey(place), hint: hint(forUnknown: entry.name, among: features)))
      }
      guard case .second(let more) = entry.value else { continue }
      func belongs(_ setting: String, _ isGiven: Bool, to encoding: Encoding) {
        if isGiven, more.encoding != encoding {
          mistakes.append(
            Diagnostic("\"\(setting)\" means nothing to \(more.encoding.rawValue)", at: .setting(place + [.key(setting)]), expected: "\"encoding\": \"\(encoding.rawValue)\""))
        }
      }
      belongs("baseline", more.baseline != nil, to: .oneHot)
      belongs("order", !more.order.isEmpty, to: .ordinal)
      belongs("smoothing", more.smoothing != nil, to: .target)
      if Set(more.order).count < more.order.count {
        mistakes.append(Diagnostic("\"order\" names a level twice", at: .setting(place + ["order"]), expected: "distinct levels"))
      }
    }
    return mistakes
  }

  /// What does not fit the table.
  func mistakes(in schema: Schema) -> [Diagnostic] {
    var mistakes: [Diagnostic?] = [schema.mistake(readingNumbers: target, of: "customers", at: .setting(["attributes", "target"]))]
    for (at, name) in features.enumerated() {
      mistakes.append(schema.mistake(takingFeature: name, of: "customers", at: .setting(["attributes", "features", .index(at)])))
    }
    for entry in encodings where features.contains(entry.name) {
      guard let type = schema.type(of: entry.name), type != .string else { continue }
      mistakes.append(
        Diagnostic(
          "column \"\(entry.name)\" of input \"customers\" has no levels to encode", at: .settingKey(["attributes", "encodings", .key(entry.name)]),
          expected: "string", found: "\(type)"))
    }
    for entry in trees.monotone where features.contains(entry.name) {
      guard let type = schema.type(of: entry.name), case .oneHot = encoding(of: entry.name, type) else { continue }
      mistakes.append(
        Diagnostic(
          "the levels of \"\(entry.name)\" have no order to rise in", at: .settingKey(["attributes", "trees", "monotone", .key(entry.name)]),
          expected: "a number or a date, or another encoding than one-hot", hint: "set \"encodings\": {\"\(entry.name)\": \"ordinal\"} or \"target\""))
    }
    if case .second(let column) = test {
      if let missing = schema.mistake(finding: column, of: "customers", at: .setting(["attributes", "test"])) {
        mistakes.append(missing)
      } else if let type = schema.type(of: column), type != .bool {
        mistakes.append(
          Diagnostic(
            "column \"\(column)\" of input \"customers\" does not say which rows are held out", at: .setting(["attributes", "test"]), expected: "bool",
            found: "\(type)", hint: "derive it with feature-engineer"))
      }
    }
    if let key { mistakes.append(schema.mistake(finding: key, of: "customers", at: .setting(["attributes", "key"]))) }
    return mistakes.compactMap(\.self)
  }
}
