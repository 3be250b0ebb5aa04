/// Columns from Swift arrays: for results that are arrays already, and for tests.
extension Column {
  public static func int32s(_ values: [Int32?]) -> Column { fixed(.int32, values) }
  public static func int64s(_ values: [Int64?]) -> Column { fixed(.int64, values) }
  public static func float64s(_ values: [Double?]) -> Column { fixed(.float64, values) }
  public static func dates(_ days: [Int32?]) -> Column { fixed(.date, days) }
  public static func timestamps(_ micros: [Int64?], zone: String? = nil) -> Column { fixed(.timestamp(zone: zone), micros) }
  public static func decimals(_ scaled: [Int64?], precision: Int, scale: Int) -> Column {
    fixed(.decimal(precision: precision, scale: scale), scaled)
  }

  /// Values without nulls; `values` has the width of the type.
  public static func full<T: BitwiseCopyable>(_ type: ColumnType, _ values: [T]) -> Column {
    precondition(type.width == MemoryLayout<T>.stride, "\(T.self) values given for a \(type) column")
    return Column(type: type, count: values.count, validity: nil, storage: .fixed(Buffer(values)))
  }

  public static func bools(_ values: [Bool?]) -> Column {
    Column(
      type: .bool, count: values.count, validity: presence(of: values), storage: .bits(Bitmap(values.map { $0 ?? false })))
  }

  public static func strings(_ values: [String?]) -> Column {
    Column(
      type: .string, count: values.count, validity: presence(of: values),
      storage: .text(TextValues(values.lazy.map { $0 ?? "" })))
  }

  /// Dictionary text; `codes` point into `dictionary`.
  public static func dictionary(codes: [Int32?], values: [String]) -> Column {
    Column(
      type: .string, count: codes.count, validity: presence(of: codes),
      storage: .codes(Buffer(codes.map { $0 ?? 0 }), TextValues(values.isEmpty ? [""] : values)))
  }

  /// `count` nulls.
  public static func nulls(_ type: ColumnType, count: Int) -> Column {
    let zeros = { Buffer(byteCount: $0) { _ in } }
    let storage: Storage =
      switch type {
      case .bool: .bits(Bitmap(buffer: zeros((count + 7) / 8), count: count))
      case .string: .text(TextValues(count: count, offsets: zeros((count + 1) * 4), bytes: .empty))
      default: .fixed(zeros(count * (type.width ?? 0)))
      }
    return Column(
      type: type, count: count, validity: Bitmap(buffer: zeros((count + 7) / 8), count: count), storage: storage)
  }

  private static func fixed<T: BitwiseCopyable & ExpressibleByIntegerLiteral>(_ type: ColumnType, _ values: [T?]) -> Column {
    Column(
      type: type, count: values.count, validity: presence(of: values), storage: .fixed(Buffer(values.map { $0 ?? 0 })))
  }

  private static func presence<T>(of values: [T?]) -> Bitmap? {
    values.contains { $0 == nil } ? Bitmap(values.map { $0 != nil }) : nil
  }
}
