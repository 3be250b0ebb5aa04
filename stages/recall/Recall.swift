import Diagnostics
import Formats
import Pipelines

/// A fitted model from a file: a data engineer keeps it as small JSON, and other documents predict from it, or fit from it as `earlier`.
///
///     "purchases": { "stage": "recall", "with": { "path": "models/purchases.json" } }
public struct Recall: Stage {
  public static let contract = Contract(
    "recall", "a fitted model from a file, which a stage fit made in another pipeline, store or run",
    outputs: [.document("model", help: "as fit wrote it; predict takes it, and fit as earlier")], version: 1, shares: ["documents": "\(StoredModel.version)"])

  @Setting("the JSON file that `millrace export P.json STAGE --to FILE.json` writes of a stage fit") var path: PathText

  /// A forest of the largest size that fit keeps, in base64, and room for the rest.
  private static let largest = 128 << 20

  public init() {}

  public var sources: [Source] { [Source(.files(path.text), setting: ["path"])] }

  public func bind(_ inputs: Inputs<ArtifactType>, _ context: BindContext) throws(Mistakes) -> Binding {
    // `check` opens no file: which model it is stays open.
    let type = try context.files?.first.map { files throws(Mistakes) in ArtifactType.document(about: try read(files).about) }
    return Binding(outputs: [.init("model", type ?? .open)], reads: [])
  }

  public func run(_ inputs: Inputs<Artifact>, _ context: any RunContext) throws -> Metrics {
    let document = try read(context.files(ofSource: 0)).document
    try context.writeDocument("model", document)
    var metrics = Metrics()
    metrics["model"] = document["model"]
    for member in document["parameters"]?.members ?? [] { metrics[member.key] = member.value }
    metrics["made_by"] = document["made_by"]
    return metrics
  }

  private func read(_ files: [SourceFile]) throws(Mistakes) -> StoredModel {
    guard files.count == 1, let file = files.first else {
      throw Mistakes(Diagnostic("a model is one file", at: .setting(["path"]), expected: "the path of a file", found: "\(files.count) files"))
    }
    let bytes: [UInt8]
    do {
      if RemoteAddress.isAddress(file.path) {
        throw Diagnostic("a model is read from a file on this machine", at: .setting(["path"]), expected: "a path", found: "an address")
      }
      let source = try FileBytes(path: file.path, name: file.name)
      if source.size > Self.largest {
        throw Diagnostic(
          "the file is too large to be a model", at: .setting(["path"]), expected: "at most \(Self.largest >> 20) MiB", found: "\(source.size >> 20) MiB")
      }
      bytes = try source.head(source.size)
    } catch let mistake as Diagnostic { throw Mistakes(mistake) } catch { throw Mistakes(Diagnostic("\(error)", at: .setting(["path"]))) }
    return try StoredModel(bytes, file: file.name)
  }
}
