import ArgumentParser
import Columns
import Diagnostics
import Formats

/// What a table can be written as.
enum TableFormat: String, CaseIterable, ExpressibleByArgument {
  case csv, parquet, arrow, jsonl

  /// By a file's ending; nil when it says nothing.
  init?(fileName: String) {
    let name = fileName.lowercased()
    guard let format = Self.allCases.first(where: { name.hasSuffix("." + $0.rawValue) }) else {
      guard name.hasSuffix(".tsv") else { return nil }
      self = .csv
      return
    }
    self = format
  }

  static let words = allCases.map { "." + $0.rawValue }.joined(separator: ", ")
}

/// One file of a table, written from its first batch to its last.
enum TableFileWriter {
  case csv(CSVWriter)
  case parquet(ParquetFileWriter)
  case arrow(ArrowFileWriter)
  case jsonl(JSONLinesWriter)

  init(_ path: String, as format: TableFormat, schema: Schema, delimiter: Character = ",") throws {
    switch format {
    case .csv: self = .csv(try CSVWriter(path: path, schema: schema, delimiter: delimiter))
    case .parquet: self = .parquet(try ParquetFileWriter(path: path, schema: schema))
    case .arrow: self = .arrow(ArrowFileWriter(path: path, schema: schema))
    case .jsonl: self = .jsonl(try JSONLinesWriter(path: path, schema: schema))
    }
  }

  func append(_ batch: Batch) throws {
    switch self {
    case .csv(let writer): try writer.append(batch)
    case .parquet(let writer): try writer.append(batch)
    case .arrow(let writer): try writer.append(batch)
    case .jsonl(let writer): try writer.append(batch)
    }
  }

  func finish() throws {
    switch self {
    case .csv(let writer): try writer.finish()
    case .parquet(let writer): try writer.finish()
    case .arrow(let writer): try writer.finish()
    case .jsonl(let writer): try writer.finish()
    }
  }
}

/// `.tsv` is CSV with tabs.
func cellDelimiter(ofFile name: String) -> Character { name.lowercased().hasSuffix(".tsv") ? "\t" : "," }
