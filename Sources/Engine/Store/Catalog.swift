import Columns
import Diagnostics
import GRDB
import Pipelines
import Synchronization

/// The index of a store, in SQLite: digests of source files, the last recipe of each stage, recipes by skeleton, runs.
///
/// The store is the truth. Without the catalog files are hashed again, reasons read "missing" in place of what changed,
/// and the rest is rebuilt: losing it costs time only. So a catalog that cannot be read is replaced, and one that cannot be
/// written is left as it is.
final class Catalog: Sendable {
  /// Raised when the tables change; a catalog of another version is replaced.
  private static let version = 1
  private let database: DatabaseQueue

  private init(_ database: DatabaseQueue) { self.database = database }

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
        let code = (error as? DatabaseError)?.resultCode
        guard error is OtherVersion || code == .SQLITE_CORRUPT || code == .SQLITE_NOTADB || Disk.isFolder(path) else { return nil }
        // Damaged, or of another version: the store can tell everything again.
        for suffix in ["", "-wal", "-shm"] { Disk.remove(path + suffix) }
      }
    }
    return nil
  }

  /// For runs that must leave the store as it was, and where no file can be written.
  static func inMemory() -> Catalog {
    guard let database = try? DatabaseQueue(), (try? prepare(database)) != nil else {
      preconditionFailure("SQLite could not make a database in memory")
    }
    return Catalog(database)
  }

  private struct OtherVersion: Error {}

  private static func connected(_ path: String) throws -> DatabaseQueue {
    var configuration = Configuration()
    configuration.busyMode = .timeout(10)
    configuration.journalMode = .wal
    // A transaction lost with the power costs time only, and never the shape of the file.
    configuration.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = NORMAL") }
    let database = try DatabaseQueue(path: path, configuration: configuration)
    try prepare(database)
    return database
  }

  private static func prepare(_ database: DatabaseQueue) throws {
    let found = try database.read { try Int.fetchOne($0, sql: "PRAGMA user_version") ?? 0 }
    if found == version { return }
    if found != 0 { throw OtherVersion() }
    try database.write { db in
      try db.execute(sql: """
        CREATE TABLE IF NOT EXISTS source (path TEXT PRIMARY KEY, stamp TEXT NOT NULL, digest TEXT NOT NULL) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS stage (
          pipeline TEXT NOT NULL, name TEXT NOT NULL, key TEXT NOT NULL, recipe TEXT NOT NULL, seconds REAL,
          PRIMARY KEY (pipeline, name)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS recipe (key TEXT PRIMARY KEY, skeleton TEXT NOT NULL) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS recipe_by_skeleton ON recipe (skeleton);
        CREATE TABLE IF NOT EXISTS run (id TEXT PRIMARY KEY, summary TEXT NOT NULL) WITHOUT ROWID;
        PRAGMA user_version = \(version);
        """)
    }
  }

  // MARK: Source files

  /// The digest recorded for a file that looked as `stamp` says.
  func digest(ofSource path: String, stamp: String) -> Digest? {
    let text = try? database.read {
      try String.fetchOne($0, sql: "SELECT digest FROM source WHERE path = ? AND stamp = ?", arguments: [path, stamp])
    }
    return text.flatMap { Digest($0) }
  }

  func record(source path: String, stamp: String, digest: Digest) {
    try? database.write {
      try $0.execute(
        sql: "INSERT OR REPLACE INTO source (path, stamp, digest) VALUES (?, ?, ?)", arguments: [path, stamp, digest.description])
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
    let rows = try? database.read {
      try Row.fetchAll($0, sql: "SELECT name, key, recipe, seconds FROM stage WHERE pipeline = ?", arguments: [pipeline])
    }
    var history: [String: StageHistory] = [:]
    for row in rows ?? [] {
      let text: String = row["recipe"]
      guard let recipe = JSONReader.readAll(Array(text.utf8), file: "catalog").document?.value else { continue }
      history[row["name"]] = StageHistory(key: row["key"], recipe: recipe, seconds: row["seconds"])
    }
    return history
  }

  /// Keys alone: all that a run with nothing to do needs.
  func keys(of pipeline: String) -> [String: String] {
    let rows = try? database.read { try Row.fetchAll($0, sql: "SELECT name, key FROM stage WHERE pipeline = ?", arguments: [pipeline]) }
    return Dictionary((rows ?? []).map { ($0["name"], $0["key"]) }, uniquingKeysWith: { first, _ in first })
  }

  /// What a run settled: one transaction.
  func record(
    pipeline: String, stages: [(name: String, recipe: Recipe, seconds: Double?)], run: (id: String, summary: JSONValue)?
  ) {
    try? database.write { db in
      for (name, recipe, seconds) in stages {
        try db.execute(
          sql: """
            INSERT INTO stage (pipeline, name, key, recipe, seconds) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET key = excluded.key, recipe = excluded.recipe, seconds = coalesce(excluded.seconds, seconds)
            """, arguments: [pipeline, name, recipe.key.description, recipe.json.canonical, seconds])
      }
      if let run {
        try db.execute(sql: "INSERT OR REPLACE INTO run (id, summary) VALUES (?, ?)", arguments: [run.id, run.summary.canonical])
      }
    }
  }

  // MARK: Recipes

  func record(recipe: Recipe) {
    try? database.write {
      try $0.execute(
        sql: "INSERT OR REPLACE INTO recipe (key, skeleton) VALUES (?, ?)",
        arguments: [recipe.key.description, recipe.skeleton.description])
    }
  }

  func recipes(withSkeleton skeleton: Digest) -> [Digest] {
    let keys = try? database.read {
      try String.fetchAll($0, sql: "SELECT key FROM recipe WHERE skeleton = ? ORDER BY key", arguments: [skeleton.description])
    }
    return (keys ?? []).compactMap { Digest($0) }
  }

  /// Makes the index of recipes agree with the folder of recipes.
  func refreshRecipes(from store: ArtifactStore) {
    let stored = Set(store.recipeKeys.map(\.description))
    let known = (try? database.read { try Set(String.fetchAll($0, sql: "SELECT key FROM recipe")) }) ?? []
    if stored == known { return }
    var added: [(String, String)] = []
    for key in stored.subtracting(known).sorted() {
      guard let digest = Digest(key), let record = store.recipe(digest), let skeleton = Recipe.skeleton(of: record.recipe) else { continue }
      added.append((key, skeleton.description))
    }
    try? database.write { db in
      for (key, skeleton) in added {
        try db.execute(sql: "INSERT OR REPLACE INTO recipe (key, skeleton) VALUES (?, ?)", arguments: [key, skeleton])
      }
      for key in known.subtracting(stored) { try db.execute(sql: "DELETE FROM recipe WHERE key = ?", arguments: [key]) }
    }
  }

  // MARK: Runs

  func runSummaries() -> [String: JSONValue] {
    let rows = (try? database.read { try Row.fetchAll($0, sql: "SELECT id, summary FROM run") }) ?? []
    var summaries: [String: JSONValue] = [:]
    for row in rows {
      let text: String = row["summary"]
      summaries[row["id"]] = JSONReader.readAll(Array(text.utf8), file: "catalog").document?.value
    }
    return summaries
  }

  func forget(runs: [String]) {
    if runs.isEmpty { return }
    try? database.write { db in for run in runs { try db.execute(sql: "DELETE FROM run WHERE id = ?", arguments: [run]) } }
  }

  func record(runs: [(id: String, summary: JSONValue)]) {
    if runs.isEmpty { return }
    try? database.write { db in
      for run in runs {
        try db.execute(sql: "INSERT OR REPLACE INTO run (id, summary) VALUES (?, ?)", arguments: [run.id, run.summary.canonical])
      }
    }
  }
}
