import Pipelines

/// How much a store holds: `cache stats`.
public struct StoreStatistics: Hashable, Sendable {
  public var objects = 0
  /// Of all files of all objects.
  public var bytes = 0
  public var recipes = 0
  public var runs = 0

  public init(of store: ArtifactStore) {
    for name in Disk.names(in: store.objects) {
      objects += 1
      for file in Disk.names(in: store.objects + "/" + name) { bytes += Disk.size(ofFile: "\(store.objects)/\(name)/\(file)") ?? 0 }
    }
    recipes = store.recipeKeys.count
    runs = Disk.names(in: store.runs).reduce(0) { $0 + ($1 == "latest" || $1.hasPrefix(".") ? 0 : 1) }
  }

  public var json: JSONValue {
    ["objects": .integer(objects), "bytes": .integer(bytes), "recipes": .integer(recipes), "runs": .integer(runs)]
  }
}
