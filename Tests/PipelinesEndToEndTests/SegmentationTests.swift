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
}
