import Columns
import Diagnostics
import Formats
import Pipelines

/// A table as a file for others: CSV, JSON lines, Parquet or Arrow.
///
///     "csv": { "stage": "export", "from": "value", "with": { "file": "customers.csv" } }
public struct Export: Stage {
  public static let contract = Contract(
    "export", "a table as a file: csv, jsonl, parquet or arrow", inputs: [.table("table")],
    outputs: [.file("file", help: "lies in the run's folder under its own name")], version: 1,
    shares: ["writers": "1", "arrow": "26"])

  enum FileFormat: String, SettingChoice, Hashable {
    case csv, jsonl, parquet, arrow

    var mediaType: String {
      switch self {
      case .csv: "text/csv"
      case .jsonl: "application/jsonl"
      case .parquet: "application/vnd.apache.parquet"
      case .arrow: "application/vnd.apache.arrow.file"
      }
    }
  }

  @Setting("name of the file; its ending says the format") var file: String
  @Setting("format, where the ending of the name does not say it") var format: FileFormat?
  @Setting("columns of the file, in this order; default all") var columns: [String] = []
  @Setting("between the cells of a csv: one character, or \"tab\"") var delimiter = ","

  public init() {}

  public func bind(_ inputs: Inputs<ArtifactType>, _ context: BindContext) throws(Mistakes) -> Binding {
    var mistakes = SettingMistakes()
    if let mistake = Self.mistake(inFileName: file) { mistakes.all.append(mistake) }
    if fileFormat == nil {
      mistakes.all.append(
        Diagnostic(
          "the ending of \"\(file)\" names no format", at: .setting(["file"]), expected: "a name that ends in .csv, .jsonl, .parquet or .arrow",
          hint: "or say it: \"format\": \"csv\""))
    }
    if cellDelimiter == nil {
      mistakes.all.append(
        Diagnostic(
          "\"\(delimiter)\" cannot stand between cells", at: .setting(["delimiter"]),
          expected: "one ASCII character other than quote and line end, or \"tab\""))
    } else if delimiter != ",", let fileFormat, fileFormat != .csv {
      mistakes.all.append(Diagnostic("a \(fileFormat.rawValue) file has no delimiter", at: .settingKey(["delimiter"])))
    }
    for (at, name) in columns.enumerated() {
      if let schema = inputs.schema() { _ = mistakes.type(of: name, in: schema, at: ["columns", .index(at)]) }
      if columns[..<at].contains(name) {
        mistakes.all.append(Diagnostic("column \"\(name)\" is named twice", at: .setting(["columns", .index(at)])))
      }
    }
    try mistakes.throwing()
    return Binding(
      outputs: [.init("file", .file(mediaType: fileFormat!.mediaType))],
      reads: [.init("table", columns.isEmpty ? .all : .named(columns), .once)])
  }

  private var fileFormat: FileFormat? {
    format ?? file.lastIndex(of: ".").flatMap { FileFormat(rawValue: file[file.index(after: $0)...].lowercased()) }
  }

  private var cellDelimiter: Character? {
    if delimiter == "tab" { return "\t" }
    guard delimiter.count == 1, let byte = delimiter.first?.asciiValue, byte == 9 || (32...126).contains(byte), byte != UInt8(ascii: "\"")
    else { return nil }
    return delimiter.first
  }

  /// The name becomes a file in the run's folder, on whatever machine.
  private static func mistake(inFileName name: String) -> Diagnostic? {
    let hasOddity = name.unicodeScalars.contains { "/\\:*?\"<>|".unicodeScalars.contains($0) || $0.value < 32 || $0.value == 127 }
    guard hasOddity || name.isEmpty || name.hasPrefix(".") || name.hasSuffix(".") || name.utf8.count > 200 else { return nil }
    return Diagnostic(
      "\"\(name)\" cannot name a file", at: .setting(["file"]), expected: "a plain name such as \"customers.csv\"",
      hint: name.contains("/") ? "files are put into the run's folder; no other can be named" : nil)
  }

  public func run(_ inputs: Inputs<Artifact>, _ context: any RunContext) throws -> Metrics {
    guard let fileFormat, let cellDelimiter else { preconditionFailure("an export was run with settings that do not bind") }
    let stream = RowStream(inputs.table(), columns: columns.isEmpty ? nil : columns)
    let path = try context.openFile("file", name: file, mediaType: fileFormat.mediaType)
    var rows = 0
    switch fileFormat {
    case .csv:
      let writer = try CSVWriter(path: path, schema: stream.schema, delimiter: cellDelimiter)
      try stream.forEach(context) { batch in
        rows += batch.count
        try writer.append(batch)
      }
      try writer.finish()
    case .jsonl:
      let writer = try JSONLinesWriter(path: path, schema: stream.schema)
      try stream.forEach(context) { batch in
        rows += batch.count
        try writer.append(batch)
      }
      try writer.finish()
    case .parquet:
      let writer = try ParquetFileWriter(path: path, schema: stream.schema)
      try stream.forEachEvenBatch(context) { batch in
        rows += batch.count
        try writer.append(batch)
      }
      try writer.finish()
    case .arrow:
      let writer = ArrowFileWriter(path: path, schema: stream.schema)
      try stream.forEachEvenBatch(context) { batch in
        rows += batch.count
        try writer.append(batch)
      }
      try writer.finish()
    }
    var metrics = Metrics()
    metrics["rows"] = .integer(rows)
    return metrics
  }
}

extension RowStream {
  /// Rows of a batch in files that show their batches.
  private static var evenRows: Int { 65_536 }

  /// All rows in batches of one size and plain text: how the input was cut and whether its texts had a dictionary are no
  /// part of its content, and must not show in the file.
  fileprivate func forEachEvenBatch(_ context: any RunContext, _ body: (Batch) throws -> Void) throws {
    var waiting: [Batch] = [], count = 0
    func flush() throws {
      if count > 0 { try body(Batch.concatenate(waiting, schema: schema)) }
      (waiting, count) = ([], 0)
    }
    try forEach(context, preparing: { batch in
      Batch(schema: batch.schema, columns: batch.columns.map { $0.type == .string ? $0.decoded() : $0 }, count: batch.count)
    }) { batch in
      var from = 0
      while from < batch.count {
        let to = min(batch.count, from + Self.evenRows - count)
        waiting.append(batch.slice(from..<to))
        count += to - from
        from = to
        if count == Self.evenRows { try flush() }
      }
    }
    try flush()
  }
}
