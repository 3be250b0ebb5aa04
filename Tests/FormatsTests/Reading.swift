import Columns
import Diagnostics

@testable import Formats

/// All that a reading gave, small.
struct Reading {
  var rows: [[Value]] = []
  var rejects: [[Value]] = []
  var report = CSVReport()
  var batches: [Batch] = []

  init(
    _ text: String, _ columns: [CSVColumn]? = nil, dialect: CSVDialect = CSVDialect(), sourceRow: String? = nil, piece: Int = .max,
    window: Int = 4 << 20, unit: Int = 256 << 10, windows: Int = 4, header: Int = 1 << 16, width: Int? = nil
  ) throws {
    try self.init(MemoryBytes(text, name: "t.csv", piece: piece), columns, dialect: dialect, sourceRow: sourceRow, window: window, unit: unit, windows: windows, header: header, width: width)
  }

  init(
    _ source: ByteSource, _ columns: [CSVColumn]? = nil, dialect: CSVDialect = CSVDialect(), sourceRow: String? = nil,
    window: Int = 4 << 20, unit: Int = 256 << 10, windows: Int = 4, header: Int = 1 << 16, width: Int? = nil
  ) throws {
    var reader = try CSVReader(dialect: dialect, columns: columns, sourceRow: sourceRow)
    reader.windowBytes = window
    reader.unitBytes = unit
    reader.batchWindows = windows
    reader.headerBytes = header
    reader.width = width
    var rows: [[Value]] = [], rejects: [[Value]] = [], batches: [Batch] = []
    report = try reader.read(source) { batch in
      batches.append(batch)
      for row in 0..<batch.count { rows.append(batch.columns.map { $0.value(at: row) }) }
    } quarantine: { batch in
      for row in 0..<batch.count { rejects.append(batch.columns.map { $0.value(at: row) }) }
    }
    (self.rows, self.rejects, self.batches) = (rows, rejects, batches)
  }

  /// line: reason
  var reasons: [String] { rejects.map { "\($0[1]): \($0[5])" } }
  var lines: [String] { rows.map { $0.map { $0 == .null ? "∅" : $0.description }.joined(separator: "|") } }
}

func message(_ body: () throws -> some Any) -> String {
  do {
    _ = try body()
    return "no error"
  } catch let error as Mistakes { return error.description } catch let error as Diagnostic { return error.description } catch {
    return "\(error)"
  }
}
