import Columns
import Diagnostics

/// What `bind` settles about one stage before any data moves.
public struct Binding: Sendable {
  /// Outputs by name, in order; the first is the main one.
  public var outputs: [Output]
  /// Columns read of each input, by alias. *Read* means: a change in it could change any byte of any output. Every
  /// table input has an entry; `nil` columns of an input that is a document or file mean all of it.
  public var reads: [Read]
  public var work: Work
  /// Bytes, a rough upper estimate; nil is unknown.
  public var memory: Int?
  /// Told, and the run goes on.
  public var warnings: [Diagnostic]
  /// The stage's relational description, where it has one: what the local kernels run and a cluster prints as SQL.
  public var relation: Relation?

  public struct Output: Hashable, Sendable {
    public let name: String
    public let type: ArtifactType
    /// Of a file output, the name people get it under, where it is known already: two of one name are a mistake.
    public let fileName: String?

    public init(_ name: String, _ type: ArtifactType, fileName: String? = nil) {
      self.name = name
      self.type = type
      self.fileName = fileName
    }
  }

  public struct Read: Hashable, Sendable {
    public let alias: String
    public let columns: Columns
    public let passes: Passes

    /// The columns of one input that matter.
    public enum Columns: Hashable, Sendable {
      /// These, sorted by name; the empty list is the pseudo-column `#rows`.
      case named([String])
      /// The whole artifact: every column in its order, or all of a document or file.
      case all
    }

    /// How the rows are read. It decides how they are handed over and never what is made of them.
    public enum Passes: Hashable, Sendable {
      /// As often as the stage likes, in any order.
      case many
      /// From the first batch to the last, a single time: they may be handed over while they are made.
      case once
    }

    public init(_ alias: String, _ columns: Columns, _ passes: Passes = .many) {
      self.alias = alias
      self.passes = passes
      if case .named(let names) = columns { self.columns = .named(Set(names).sorted()) } else { self.columns = columns }
    }
  }

  public enum Work: Hashable, Sendable {
    /// One piece, and the setting that made it so (told by `plan`).
    case whole(because: String?)
    /// Each partition by itself: rows come out in the partition they came in, and no row is changed by another partition's.
    /// The engine runs the stage once for each, so that a new file costs a file.
    case eachPartition
    /// A state of each partition, kept as an artifact of its own, and one merge of them; the kind is a `MergeableStage`.
    case mergeable(state: TableType)
  }

  public init(
    outputs: [Output], reads: [Read], work: Work = .whole(because: nil), memory: Int? = nil, warnings: [Diagnostic] = [],
    relation: Relation? = nil
  ) {
    self.outputs = outputs
    self.reads = reads
    self.work = work
    self.memory = memory
    self.warnings = warnings
    self.relation = relation
  }
}

/// What `bind` may know beyond the types of its inputs.
public struct BindContext: Sendable {
  /// Typed literals for `$name` inside expressions.
  public let parameters: [String: ParameterValue]
  /// The files of each source, in the stage's order; nil while `check` opens no file.
  public let files: [[SourceFile]]?

  public init(parameters: [String: ParameterValue] = [:], files: [[SourceFile]]? = nil) {
    self.parameters = parameters
    self.files = files
  }
}

/// Something outside the store that a stage reads.
public struct Source: Hashable, Sendable {
  public enum Version: Hashable, Sendable {
    /// A path or glob, relative to the document: its files' bytes are its version.
    case files(String)
    /// A query to a database that the person named. What `version`, a query too, gives is its version; nil: it has none, and is asked
    /// again in every run.
    case query(connection: String, version: String?)
  }

  public let version: Version
  /// Where the document names it, under `with`.
  public let setting: [PathStep]

  public init(_ version: Version, setting: [PathStep]) {
    self.version = version
    self.setting = setting
  }
}

/// One file of a source.
public struct SourceFile: Hashable, Sendable {
  /// The part below a glob's fixed part, or a single file's own name; never a folder of a machine.
  public let name: String
  /// Where it is on this machine; never in an artifact, a recipe or a message.
  public let path: String

  public init(name: String, path: String) {
    self.name = name
    self.path = path
  }
}
