import Diagnostics
import Pipelines
import Testing

/// One `millrace run --json` of a document of the repository, and what it said.
struct PipelineRun {
  let json: JSONValue
  let outcome: Executable.Outcome

  /// Runs `pipelines/<name>.json` with the store in `folder`.
  init(_ name: String, in folder: Folder, _ more: String...) throws {
    outcome = Executable.run(
      ["run", "\(Executable.packageRoot)/pipelines/\(name).json", "--artifacts", folder.path + "/store", "--json", "--quiet"] + more,
      in: folder.path)
    try #require(outcome.code == 0, "\(outcome.error)")
    json = try JSONReader.read(Array(outcome.out.utf8), file: "run --json").value
  }

  func stage(_ name: String) throws -> JSONValue {
    try #require(json["stages"]?.array?.first { $0["name"]?.string == name }, "no stage \(name)")
  }

  func metric(_ stage: String, _ path: PathStep...) throws -> Double {
    try #require(try self.stage(stage)["metrics"]?[path]?.double, "\(stage) has no metric \(path.pointer)")
  }

  func rows(_ stage: String, _ output: String = "table") throws -> Int {
    try #require(try self.stage(stage)["outputs"]?[output]?["rows"]?.int)
  }

  var executed: [String] {
    (json["stages"]?.array ?? []).filter { $0["status"]?.string == "executed" }.compactMap { $0["name"]?.string }
  }

  /// stage.output → digest, in the order of the plan.
  var digests: [String] {
    (json["stages"]?.array ?? []).flatMap { stage in
      (stage["outputs"]?.members ?? []).map { "\(stage["name"]?.string ?? "").\($0.key) \($0.value["digest"]?.string ?? "")" }
    }
  }
}

/// Equal to so many parts of the expected value.
func close(_ value: Double, _ expected: Double, relative: Double) -> Bool {
  (value - expected).magnitude <= relative * max(expected.magnitude, 1e-300)
}

/// A table of a run, by `millrace export … csv`, cells as text; the header is the first row.
func exported(_ pipeline: String, _ output: String, in folder: Folder, _ more: String...) throws -> [[String: String]] {
  let file = folder.path + "/exported.csv"
  let outcome = Executable.run(
    ["export", "\(Executable.packageRoot)/pipelines/\(pipeline).json", output, "--to", file, "--artifacts", folder.path + "/store", "--quiet"]
      + more, in: folder.path)
  try #require(outcome.code == 0, "\(outcome.error)")
  let lines = folder.text("exported.csv").split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
  let names = try #require(lines.first)
  return lines.dropFirst().map { Dictionary(uniqueKeysWithValues: zip(names, $0)) }
}

/// A file of known answers; nil, and said, where it is absent.
func knownAnswers(_ name: String) throws -> JSONValue? {
  guard let shared = Executable.shared else {
    print("\(name): the known answers are not here, nothing checked")
    return nil
  }
  let text = text(ofFile: "\(shared)/data/expected/\(name)")
  return try JSONReader.read(Array(text.utf8), file: name).value
}
