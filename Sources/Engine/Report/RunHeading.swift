import Pipelines

/// What can be said of a run without its stages: `runs list`, the head of its page, the last line of its summary.
public struct RunHeading: Sendable {
  /// Sortable by time: `20261121T024512Z-3f2a`.
  public let id: String
  public let pipeline: String
  /// The document, as the person named it.
  public let file: String
  public let status: RunReport.Status
  /// ISO 8601, UTC.
  public let started: String
  public let seconds: Double
  /// Stages.
  public let executed: Int, cached: Int, failed: Int, skipped: Int
  public let width: Int
  public let toolVersion: String

  /// The run's folder, below the store's.
  public var folder: String { "runs/" + id }

  static let keys: Set = ["run", "pipeline", "file", "status", "started", "seconds", "executed", "cached", "failed", "skipped", "width", "millrace"]

  public var json: JSONValue {
    [
      "run": .string(id), "pipeline": .string(pipeline), "file": .string(file), "status": .string(status.rawValue), "started": .string(started),
      "seconds": .double(rounded(seconds)), "executed": .integer(executed), "cached": .integer(cached), "failed": .integer(failed),
      "skipped": .integer(skipped), "width": .integer(width), "millrace": .string(toolVersion),
    ]
  }

  /// Of a record's members those that stand here.
  static func json(of record: [JSONMember]) -> JSONValue { .object(record.filter { keys.contains($0.key) }) }

  /// Executed and cached ones always, the others where there are any.
  public var counts: [(status: RunReport.Stage.Status, count: Int)] {
    [(.executed, executed), (.cached, cached)] + [(.failed, failed), (.skipped, skipped)].filter { $0.1 > 0 }
  }
}

/// A file that a run gave, which stands under its own name in the run's folder.
public struct RunFile: Sendable {
  public let name: String
  public let mediaType: String
  /// Below the store's folder.
  let place: String
}
