import Pipelines
import Testing

/// pipelines/segmentation-and-value.json: clusters, a tree and names of the same customers.
@Suite struct SegmentationTests {
  @Test func threeWaysToSegment() throws {
    let folder = Folder()
    // Pictures need the renderer, which RenderingTests cover.
    func run(_ more: [String] = []) throws -> JSONValue {
      let outcome = Executable.run(
        [
          "run", Executable.packageRoot + "/pipelines/segmentation-and-value.json", "--artifacts", folder.path + "/store", "--json", "--quiet",
          "--set", "customers=2000", "--to", "clusters", "--to", "tree", "--to", "names", "--to", "tiers", "--to", "explored",
        ] + more, in: folder.path)
      try #require(outcome.code == 0, "\(outcome.error)")
      return try JSONReader.read(Array(outcome.out.utf8), file: "run --json").value
    }
    let first = try run()
    func stage(_ name: String) throws -> JSONValue { try #require(first["stages"]?.array?.first { $0["name"]?.string == name }) }
    let clusters = try stage("clusters"), tree = try stage("tree")
    #expect(clusters["outputs"]?["table"]?["rows"]?.int == 2000)
    #expect(clusters["outputs"]?["choices"]?["rows"]?.int == 7)
    #expect((2...8).contains(clusters["metrics"]?["k"]?.int ?? 0))
    #expect(tree["outputs"]?["merges"]?["rows"]?.int == 1999)
    #expect(tree["metrics"]?["leaves"]?.int == 2000)
    let names = try #require(try stage("names")["metrics"]?["segments"]?.array)
    #expect(names.contains { $0["label"] == "potential_loyalists" } && names.contains { $0["label"] == "lost" })
    let again = try run(["--no-cache", "-j", "1"])
    for (a, b) in zip(first["stages"]!.array!, again["stages"]!.array!) {
      for (x, y) in zip(a["outputs"]!.members!, b["outputs"]!.members!) { #expect(x.value["digest"] == y.value["digest"], "\(a["name"]!) \(x.key)") }
    }
  }

  /// Every kind of picture that the document has, and its report, from two runs that share nothing.
  @Test func twoRunsDrawTheSame() throws {
    let folder = Folder()
    func outputs(_ store: String, _ more: [String]) throws -> [(name: String, digest: JSONValue?)]? {
      let outcome = Executable.run(
        [
          "run", Executable.packageRoot + "/pipelines/segmentation-and-value.json", "--artifacts", folder.path + "/" + store, "--json", "--quiet",
          "--set", "customers=500", "--to", "page",
        ] + more, in: folder.path)
      if outcome.code != 0, outcome.error.contains("renderer") {
        print("no chart renderer here: pictures are not compared")
        return nil
      }
      try #require(outcome.code == 0, "\(outcome.error)")
      let stages = try #require(try JSONReader.read(Array(outcome.out.utf8), file: "run --json").value["stages"]?.array)
      return stages.filter { ["pictures", "page"].contains($0["name"]?.string) }
        .flatMap { stage in (stage["outputs"]?.members ?? []).map { (name: $0.key, digest: $0.value["digest"]) } }
    }
    guard let first = try outputs("one", []), let second = try outputs("two", ["-j", "1"]) else { return }
    #expect(first.count == 28)
    for (a, b) in zip(first, second) { #expect(a.name == b.name && a.digest != nil && a.digest == b.digest, "\(a.name)") }
  }
}
