import Pipelines

/// How much a store holds: `cache stats`.
public struct StoreStatistics: Hashable, Sendable {
  public var objects = 0
  /// Of all files of all objects, and of packs; a file that has several names counts once.
  public var bytes = 0
  public var recipes = 0
  public var runs = 0

  public init(of store: ArtifactStore) {
    var seen: Set<String> = []
    for name in Disk.names(in: store.objects) {
      objects += 1
      for file in Disk.names(in: store.objects + "/" + name) {
        let path = "\(store.objects)/\(name)/\(file)"
        // The parts of a table are further names of those of its pieces.
        if let size = Disk.size(ofFile: path), let identity = Disk.identity(path), seen.insert(identity).inserted { bytes += size }
      }
    }
    let loose = Set(Disk.names(in: store.objects).map { "objects/\($0)" })
    let packed = Set(store.packs.all.flatMap(\.entries).compactMap { $0.name.hasSuffix("/artifact.json") ? String($0.name.dropLast(14)) : nil })
    objects += packed.subtracting(loose).count
    bytes += store.packs.all.reduce(0) { $0 + $1.byteCount }
    recipes = store.recipeKeys.count
    runs = Disk.names(in: store.runs).reduce(0) { $0 + ($1 == "latest" || $1.hasPrefix(".") ? 0 : 1) }
  }

  public var json: JSONValue {
    ["objects": .integer(objects), "bytes": .integer(bytes), "recipes": .integer(recipes), "runs": .integer(runs)]
  }
}
