import Diagnostics
import Pipelines

/// Where a document is at home: what it may read, and where its store is.
public struct Project: Hashable, Sendable {
  /// Absolute, links resolved: the document's folder.
  public let documentFolder: String
  /// The nearest folder at or above it that holds `pipelines/` or `.millrace`; else itself.
  public let root: String

  /// `document` is a path as the person typed it.
  public init(document: String) {
    let folder = Disk.normalized(Disk.folder(of: document), from: Disk.currentFolder)
    let resolved = Disk.resolved(folder) ?? folder
    documentFolder = resolved
    var at = resolved
    while true {
      if Disk.isFolder(at + "/pipelines") || Disk.exists(at + "/.millrace") {
        root = at
        return
      }
      if at == "/" { break }
      at = Disk.folder(of: at)
    }
    root = resolved
  }

  /// `--artifacts`, else `MILLRACE_ARTIFACTS`, else `<project>/artifacts`.
  public func store(option: String?, environment: String?) -> ArtifactStore {
    if let option { return ArtifactStore(path: option) }
    if let environment, !environment.isEmpty { return ArtifactStore(path: environment) }
    return ArtifactStore(path: root + "/artifacts")
  }
}
