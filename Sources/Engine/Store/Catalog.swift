import Columns
import Diagnostics
import Pipelines
import Synchronization

/// The index of a store, in SQLite: digests of source files, the last recipe of each stage, recipes by skeleton, runs.
///
/// The store is the truth. Without the catalog files are hashed again, reasons read "missing" in place of what changed,
/// and the rest is rebuilt: losing it costs time only. So a catalog that cannot be read is replaced, and one that cannot be
/// written is left as it is.
final class Catalog: Sendable {
  /// Raised when the tables change; a catalog of another version is replaced.
  private static let version = 2
  let database: CatalogDatabase

  private init(_ database: CatalogDatabase) { self.database = database }

  /// Catalogs stay open until the process ends: closing the last connection would flush the file, which a run with
  /// nothing to do need not wait for.
  private static let opened = Mutex<[String: (identity: String, catalog: Catalog)]>([:])

  static func open(_ store: ArtifactStore) -> Catalog {
    guard Disk.isFolder(store.path) else { return inMemory() }
    let path = Disk.normalized(store.path, from: Disk.currentFolder) + "/catalog.sqlite"
    return opened.withLock { opened in
      if let known = opened[path], Disk.identity(path) == known.identity { return known.catalog }
      opened[path] = nil
      guard let catalog = attempt(path) else { return inMemory() }
      if let identity = Disk.identity(path) { opened[path] = (identity, catalog) }
      return catalog
    }
  }

  private static func attempt(_ path: String) -> Catalog? {
    for _ in 0..<2 {
      do { return Catalog(try connected(path)) } catch {
        guard error is OtherVersion || (error as? CatalogDatabase.Failure)?.isDamage ?? false || Disk.isFolder(path) else { return nil }
        // Damaged, or of another version: the store can tell everything again.
        for suffix in ["", "-wal", "-shm"] { Disk.remove(path + suffix) }
      }
    }
    return nil
  }

  /// For runs that must leave the store as it was, and where no file can be written.
  static func inMemory() -> Catalog {
    guard let database = try? CatalogDatabase(path: nil), (try? prepare(database)) != nil else {
      preconditionFailure("SQLite could not make a database in memory")
    }
    return Catalog(database)
  }

  private struct OtherVersion: Error {}

  private static func connected(_ path: String) throws -> CatalogDatabase {
    let database = try CatalogDatabase(path: path)
    // A transaction lost with the power costs time only, and never the shape of the file.
    try database.read { try $0.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL") }
    try prepare(database)
    return database
  }

  private static func prepare(_ database: CatalogDatabase) throws {
    let found = try database.read { try $0.rows("PRAGMA user_version").first?.first?.integer ?? 0 }
    if found == version { return }
    if found != 0 { throw OtherVersion() }
    try database.write { turn in
      try turn.execute("""
        CREATE TABLE IF NOT EXISTS source (path TEXT PRIMARY KEY, stamp TEXT NOT NULL, digest TEXT NOT NULL) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS stage (
          pipeline TEXT NOT NULL, name TEXT NOT NULL, key TEXT NOT NULL, recipe TEXT NOT NULL, seconds REAL,
          PRIMARY KEY (pipeline, name)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS recipe (key TEXT PRIMARY KEY, skeleton TEXT NOT NULL) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS recipe_by_skeleton ON recipe (skeleton);
        CREATE TABLE IF NOT EXISTS settled (
          pipeline TEXT PRIMARY KEY, key TEXT NOT NULL, stages INTEGER NOT NULL, sources TEXT NOT NULL, places TEXT NOT NULL, stamp TEXT NOT NULL,
          files TEXT NOT NULL, page TEXT NOT NULL, members TEXT NOT NULL, told TEXT NOT NULL);
        CREATE TABLE IF NOT EXISTS run (id TEXT PRIMARY KEY, summary TEXT NOT NULL) WITHOUT ROWID;
        PRAGMA user_version = \(version);
        """)
    }
  }

  // MARK: Source files

  /// The digest recorded for a file that looked as `stamp` says.
  func digest(ofSource path: String, stamp: String) -> Digest? {
    let rows = try? database.read { try $0.rows("SELECT digest FROM source WHERE path = ? AND stamp = ?", .text(path), .text(stamp)) }
    return rows?.first?.first?.text.flatMap { Digest($0) }
  }

  func record(source path: String, stamp: String, digest: Digest) {
    try? database.write {
      try $0.run(
        "INSERT OR REPLACE INTO source (path, stamp, digest) VALUES (?, ?, ?)", .text(path), .text(stamp), .text(digest.description))
    }
  }

  // MARK: Stages

  struct StageHistory: Sendable {
    let key: String
    /// The recipe with which the stage was last executed or found.
    let recipe: JSONValue
    /// Of the last execution.
    let seconds: Double?
  }

  func history(of pipeline: String) -> [String: StageHistory] {
    let rows = try? database.read { try $0.rows("SELECT name, key, recipe, seconds FROM stage WHERE pipeline = ?", .text(pipeline)) }
    var history: [String: StageHistory] = [:]
    for row in rows ?? [] {
      guard let name = row[0].text, let key = row[1].text, let text = row[2].text,
        let recipe = JSONReader.readAll(Array(text.utf8), file: "catalog").document?.value
      else { continue }
      history[name] = StageHistory(key: key, recipe: recipe, seconds: row[3].real)
    }
    return history
  }

  /// Keys alone: all that a run with nothing to do needs.
  func keys(of pipeline: String) -> [String: String] {
    let rows = try? database.read { try $0.rows("SELECT name, key FROM stage WHERE pipeline = ?", .text(pipeline)) }
    return Dictionary((rows ?? []).map { ($0[0].text ?? "", $0[1].text ?? "") }, uniquingKeysWith: { first, _ in first })
  }

  /// What a run settled, and what the next one will find: one transaction.
  func record(
    pipeline: String, stages: [(name: String, recipe: Recipe, seconds: Double?)], recipes: [(key: Digest, skeleton: Digest)],
    run: (id: String, summary: JSONValue), next: SettledRun?
  ) {
    try? database.write { turn in
      try turn.run(
        """
        INSERT INTO stage (pipeline, name, key, recipe, seconds) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET key = excluded.key, recipe = excluded.recipe, seconds = coalesce(excluded.seconds, seconds)
        """, ofEach: stages.lazy.map { name, recipe, seconds in
          [.text(pipeline), .text(name), .text(recipe.key.description), .text(recipe.json.canonical), seconds.map { .real($0) } ?? .null]
        })
      try turn.run(Self.addRecipe, ofEach: recipes.lazy.map { [.text($0.key.description), .text($0.skeleton.description)] })
      try turn.run("INSERT OR REPLACE INTO run (id, summary) VALUES (?, ?)", .text(run.id), .text(run.summary.canonical))
      try replaceSettledRun(of: pipeline, by: next, turn)
    }
  }

  // MARK: Recipes

  private static let addRecipe = "INSERT OR REPLACE INTO recipe (key, skeleton) VALUES (?, ?)"

  func recipes(withSkeleton skeleton: Digest) -> [Digest] {
    let rows = try? database.read { try $0.rows("SELECT key FROM recipe WHERE skeleton = ? ORDER BY key", .text(skeleton.description)) }
    return (rows ?? []).compactMap { $0[0].text.flatMap { Digest($0) } }
  }

  /// Makes the index of recipes agree with the folder of recipes.
  func refreshRecipes(from store: ArtifactStore) {
    let stored = Set(store.recipeKeys.map(\.description))
    let known = Set(((try? database.read { try $0.rows("SELECT key FROM recipe") }) ?? []).compactMap { $0[0].text })
    if stored == known { return }
    var added: [(String, String)] = []
    for key in stored.subtracting(known).sorted() {
      guard let digest = Digest(key), let record = store.recipe(digest), let skeleton = Recipe.skeleton(of: record.recipe) else { continue }
      added.append((key, skeleton.description))
    }
    try? database.write { turn in
      try turn.run(Self.addRecipe, ofEach: added.lazy.map { [.text($0), .text($1)] })
      try turn.run("DELETE FROM recipe WHERE key = ?", ofEach: known.subtracting(stored).sorted().lazy.map { [.text($0)] })
    }
  }

  // MARK: Runs

  func runSummaries() -> [String: JSONValue] {
    let rows = (try? database.read { try $0.rows("SELECT id, summary FROM run") }) ?? []
    var summaries: [String: JSONValue] = [:]
    for row in rows {
      guard let id = row[0].text, let text = row[1].text else { continue }
      summaries[id] = JSONReader.readAll(Array(text.utf8), file: "catalog").document?.value
    }
    return summaries
  }

  func forget(runs: [String]) {
    if runs.isEmpty { return }
    try? database.write { turn in for run in runs { try turn.run("DELETE FROM run WHERE id = ?", .text(run)) } }
  }

  func record(runs: [(id: String, summary: JSONValue)]) {
    if runs.isEmpty { return }
    try? database.write { turn in
      for run in runs { try turn.run("INSERT OR REPLACE INTO run (id, summary) VALUES (?, ?)", .text(run.id), .text(run.summary.canonical)) }
    }
  }
}
