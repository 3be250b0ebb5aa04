import Columns
import Formats
import Pipelines

/// One entry of `columns`: where a column stands in the file and what its cells are; or its type alone.
public struct IngestColumn: ShortenedGroup {
  public static let shortName = "type"

  @Setting("the column's name in the file; default: its name here") var source: String?
  @Setting("its place in the file, from 1: for files without a header", in: 1...) var position: Int?
  @Setting("bool, int32, int64, float64, decimal(p,s), string, date, timestamp or timestamp[zone]") var type: ColumnTypeText
  @Setting("how dates and times are written: %d/%m/%Y or dd/MM/yyyy; default ISO 8601") var format: String?
  @Setting("texts that mean null, besides the empty cell") var nulls: [String] = []
  @Setting("take blanks off both ends") var trim = false
  @Setting("regular expressions and what stands for their matches, in order") var replace: Named<String> = [:]

  public init() {}

  func csvColumn(_ name: String) -> CSVColumn {
    CSVColumn(
      name, from: position.map(CSVColumn.Source.position) ?? .name(source ?? name), type.type, nulls: nulls, format: format,
      trim: trim, replace: replace.map { .init($0.name, with: $0.value) })
  }
}

/// A column type as a setting.
public struct ColumnTypeText: TextSetting, Hashable {
  public let type: ColumnType

  public static var formName: String { "column-type" }
  public static var formWords: String { "a type: " + ColumnType.spellings.joined(separator: ", ") }
  public init?(settingText: String) {
    guard let type = ColumnType(settingText) else { return nil }
    self.type = type
  }
  public var settingText: String { type.description }
}
