import Columns
import Diagnostics
import Pipelines

/// Where a column of the store comes from, back to the files: from the record of a run, recipes and digests; no kind is asked.
///
/// Three things are known of a step, from the surest to the widest. A column of an input with the same name and digest *is* this column.
/// A setting under the column's name says what it is made of. And a stage reads the columns that its recipe names: no other can have changed it.
public struct ColumnLineage: Sendable {
  /// A column of an output; nil: all of a document or file. Outputs of two stages may be one artifact.
  public struct Place: Hashable, Sendable {
    public let stage: String
    public let output: String
    public let artifact: Digest
    public let column: String?
  }

  /// How a column came from those before it.
  public enum Way: String, Hashable, Sendable {
    /// Digest for digest the same.
    case same
    /// A setting under its name names them.
    case setting
    /// The input has a column of the name and type; rows or values differ.
    case name
    /// The stage made it of what it reads.
    case stage
    /// The stage reads nothing but its files.
    case origin
    /// The recipe is not in the store any more.
    case unknown
  }

  public struct Source: Hashable, Sendable {
    /// The name that the stage has for its input.
    public let alias: String
    /// Nil: all of a document or file.
    public let column: String?
    /// The stage and output that gave it, and the artifact; nil: the run's record does not say.
    public let stage: String?
    public let output: String?
    public let artifact: Digest?

    public var place: Place? {
      guard let stage, let output, let artifact else { return nil }
      return Place(stage: stage, output: output, artifact: artifact, column: column)
    }
  }

  public struct Step: Sendable {
    public let place: Place
    /// Nil of a document or file.
    public let type: ColumnType?
    public let kind: String
    public let way: Way
    public let from: [Source]
    /// All that the stage reads.
    public let reads: [StageInput]
    /// Where the settings speak of the column, as a JSON pointer, and what they say.
    public let settings: [(path: String, value: JSONValue)]
    /// Names of the files that the stage reads.
    public let files: [String]
  }

  /// The run by whose record inputs were found.
  public let run: String
  /// The column itself first, then those before it, breadth first.
  public let steps: [Step]
  /// There were more steps than are told.
  public let isCut: Bool

  private static let limit = 500

  /// Nil: the artifact is no table of the store with such a column, or no run of the store gave it.
  public init?(of column: String, in artifact: Digest, _ view: StoreView) {
    guard view.artifact(artifact)?.table?.schema.index(of: column) != nil, let maker = view.makers(of: artifact).first,
      let run = view.run(exactly: maker.run), let record = view.record(of: run)
    else { return nil }
    let trace = RunTrace(record, view)
    let first = Place(stage: maker.stage, output: maker.output, artifact: artifact, column: column)
    var steps: [Step] = [], seen: Set = [first], queue = [first], at = 0
    while at < queue.count, steps.count < Self.limit {
      if let step = trace.step(queue[at]) {
        steps.append(step)
        for place in step.from.compactMap(\.place) where seen.insert(place).inserted { queue.append(place) }
      }
      at += 1
    }
    guard !steps.isEmpty else { return nil }
    self.run = maker.run
    self.steps = steps
    isCut = at < queue.count
  }
}

/// An input of a stage, as its recipe has it.
public struct StageInput: Sendable {
  /// The name that the stage has for it.
  public let alias: String
  /// The columns that are read; nil: all of it.
  public let columns: [String]?
  /// What gave it; nil: the run's record does not say.
  public let stage: String?
  public let output: String?
  public let artifact: Digest?
}

extension StoreView {
  /// What went into an output; empty too where the recipe is not in the store any more.
  public func inputs(of maker: Maker) -> [StageInput] {
    guard let run = run(exactly: maker.run), let record = record(of: run) else { return [] }
    return RunTrace(record, self).inputs(of: maker.stage)
  }
}
