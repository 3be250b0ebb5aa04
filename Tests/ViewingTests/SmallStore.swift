import Columns
import Diagnostics
import Engine
import Pipelines
import Stages

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A folder with data that means no good, a small document over it, and a store of real runs. Gone after the test.
final class SmallStore {
  static let hostile = "<script>alert(1)</script>"
  /// As a column is called.
  static let column = "a<b>/\"x\" & 'y'.json"

  let folder: String
  var store: ArtifactStore { ArtifactStore(path: folder + "/store") }

  init() {
    var template = Array("/tmp/millrace-view-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { preconditionFailure("no folder for a test") }
    folder = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    write("""
      invoice,customer,quantity,price,note
      1,ann,2,10.50,\(Self.hostile)
      2,bob,1,3.00,
      3,ann,4,0.25,"A & ""B"" 'C'"
      4,cid,0,9.99,none
      5,,1,1.00,lost

      """, to: "shop.csv")
  }

  deinit {
    for name in names(folder).sorted(by: >) { remove(folder + "/" + name) }
    rmdir(folder)
  }

  /// Runs the document; gives the id of the run.
  @discardableResult func run(least: Int = 0, matrix: String = "") throws -> String {
    // Two variants cannot both be the file of a name.
    let export = matrix.isEmpty ? ", \"csv\": { \"stage\": \"export\", \"from\": \"spent\", \"with\": { \"file\": \"spent.csv\" } }" : ""
    let text = """
      { "pipeline": "shop",\(matrix)
        "parameters": { "least": { "type": "int", "default": \(least) } },
        "stages": {
          "sales": { "stage": "ingest", "with": { "path": "shop.csv", "columns": {
            "invoice": { "source": "invoice", "type": "int64" }, "customer": { "source": "customer", "type": "string" },
            "quantity": { "source": "quantity", "type": "int32" }, "price": { "source": "price", "type": "decimal(12,2)" },
            "a<b>/\\"x\\" & 'y'.json": { "source": "note", "type": "string" } } } },
          "good": { "stage": "clean", "from": "sales", "with": { "keep": ["quantity > $least"] } },
          "valued": { "stage": "feature-engineer", "from": "good", "with": { "derive": { "revenue": "quantity * price" } } },
          "spent": { "stage": "aggregate", "from": "valued", "with": { "by": { "customer": "customer" }, "aggregates": { "total": "sum(revenue)" } } }\(export)
        } }
      """
    write(text, to: "shop.json")
    let document = try PipelineDocument(Array(text.utf8), file: folder + "/shop.json").resolve()
    let project = Project(document: folder + "/shop.json")
    let finder = SourceFinder(project: project)
    let plan = try document.bound(to: stageCatalog) { source, stage throws(Mistakes) in
      try finder.files(of: source, origin: stage.pathOrigin(of: source.setting))
    }
    var options = RunOptions(width: 2)
    options.provenance = Provenance(text: text, values: [], allowPath: [], origins: document.origins(of: plan), project: project.root)
    let report = try Executor(store: store).run(plan, options)
    if report.status != .succeeded { throw Diagnostic("the run of a test failed", found: report.stages.flatMap(\.mistakes).map(\.description).joined(separator: "; ")) }
    return report.id
  }

  /// The digest of an output of the newest run.
  func digest(_ stage: String, _ output: String = "table") throws -> String {
    let record = try RunRegistry(store: store).record("last")
    guard let digest = record["stages"]?.array?.first(where: { $0["name"]?.string == stage })?["outputs"]?[output]?["digest"]?.string else {
      throw Diagnostic("the run of a test has no output \(stage).\(output)")
    }
    return digest
  }

  func write(_ text: String, to name: String) {
    guard let file = fopen(folder + "/" + name, "wb") else { preconditionFailure("a test could not write \(name)") }
    fputs(text, file)
    fclose(file)
  }

  func makeFolder(_ name: String) { mkdir(folder + "/" + name, 0o700) }

  /// Every name below, with size and time of change.
  var state: [String] {
    names(folder).map { name in
      var status = stat()
      lstat(folder + "/" + name, &status)
      #if canImport(Glibc)
        let changed = status.st_mtim
      #else
        let changed = status.st_mtimespec
      #endif
      return "\(name) \(status.st_size) \(changed.tv_sec).\(changed.tv_nsec) \(status.st_mode)"
    }.sorted()
  }

  private func names(_ path: String, _ below: String = "") -> [String] {
    guard let stream = opendir(path) else { return [] }
    defer { closedir(stream) }
    var found: [String] = []
    while let entry = readdir(stream) {
      let isFolder = entry.pointee.d_type == UInt8(DT_DIR)
      let name = withUnsafePointer(to: &entry.pointee.d_name) { $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) } }
      if name == "." || name == ".." { continue }
      found.append(below + name)
      if isFolder { found += names(path + "/" + name, below + name + "/") }
    }
    return found
  }
}
