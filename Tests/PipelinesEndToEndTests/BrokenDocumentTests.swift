import Diagnostics
import Engine
import Pipelines
import Stages
import Testing

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Documents of `Tests/BrokenDocuments`, each with all that is said of it in the file of the same name, letter for letter.
@Suite struct BrokenDocumentTests {
  private static let folder = Executable.packageRoot + "/Tests/BrokenDocuments"

  private static let names: [String] = {
    var names: [String] = []
    guard let stream = opendir(folder) else { return [] }
    defer { closedir(stream) }
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) } }
      if name.hasSuffix(".json") { names.append(String(name.dropLast(5))) }
    }
    return names.sorted()
  }()

  @Test func thereAreSixty() { #expect(Self.names.count >= 60) }

  /// The data that the documents name is not there, and is not looked for by `check`: what is said can only come from the document. Where files
  /// are looked for too, the one they all name is said to be at a place where nothing is; nobody notices.
  @Test(arguments: names) func saysAll(name: String) throws {
    let expected = text(ofFile: "\(Self.folder)/\(name).txt"), file = name + ".json"
    let bytes = bytes(ofFile: "\(Self.folder)/\(file)")
    #expect(access(Self.folder + "/sales.csv", F_OK) != 0)
    var looked: [String] = []
    let finder = SourceFinder(project: Project(document: "\(Self.folder)/\(file)"))
    var said = ""
    do throws(Mistakes) {
      let resolved = try PipelineDocument.resolved(bytes, file: file, kinds: stageCatalog)
      _ = try resolved.bound(to: stageCatalog) { source, stage throws(Mistakes) in
        guard case .files(let pattern) = source.version, pattern != "sales.csv" else {
          looked.append("sales.csv")
          return [SourceFile(name: "sales.csv", path: "/nowhere/sales.csv")]
        }
        looked.append(pattern)
        return try finder.files(of: source, origin: stage.pathOrigin(of: source.setting))
      }
    } catch { said = error.description + "\n" }
    #expect(said == expected)
    #expect(!said.isEmpty)
    // One source each: a name is asked about once, and no file is.
    #expect(looked.count <= 1)
    #expect(!said.contains("planted-secret"))
  }

  /// The command says the same, with exit code 2, and leaves nothing behind.
  @Test func theCommandSaysTheSame() {
    let folder = Folder()
    var names: [String] = [], expected = ""
    for name in Self.names where !name.hasPrefix("path-") {
      folder.write(text(ofFile: "\(Self.folder)/\(name).json"), to: name + ".json")
      names.append(name + ".json")
      expected += text(ofFile: "\(Self.folder)/\(name).txt")
    }
    let outcome = Executable.run(["check"] + names, in: folder.path)
    #expect(outcome.code == 2 && outcome.out == "")
    #expect(outcome.error == expected)
    #expect(folder.names(under: "").sorted() == names.sorted())
  }
}
