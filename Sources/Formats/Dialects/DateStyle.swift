/// One way to write dates, tried on every cell of a column.
struct DateStyle {
  enum Order { case yearFirst, dayFirst, monthFirst }

  let format: String
  let order: Order
  let hasTime: Bool
  private let reader: DateFormat
  /// Cells that are written otherwise.
  private(set) var misfits = 0

  mutating func add(_ cell: UnsafeBufferPointer<UInt8>) { if reader.read(cell) == nil { misfits += 1 } }

  static let all: [DateStyle] = {
    let days: [(String, Order)] = [
      ("%Y/%m/%d", .yearFirst), ("%Y.%m.%d", .yearFirst), ("%d/%m/%Y", .dayFirst), ("%m/%d/%Y", .monthFirst), ("%d.%m.%Y", .dayFirst),
      ("%d-%m-%Y", .dayFirst), ("%m-%d-%Y", .monthFirst), ("%d/%m/%y", .dayFirst), ("%m/%d/%y", .monthFirst), ("%d.%m.%y", .dayFirst),
      ("%d-%m-%y", .dayFirst), ("%m-%d-%y", .monthFirst), ("%d %b %Y", .dayFirst), ("%d-%b-%Y", .dayFirst), ("%d-%b-%y", .dayFirst),
      ("%b %d, %Y", .monthFirst), ("%b %d %Y", .monthFirst), ("%Y-%m-%d", .yearFirst),
    ]
    return days.flatMap { day, order in
      ["", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p", "T%H:%M"].compactMap { time -> DateStyle? in
        guard let reader = try? DateFormat.parse(day + time, withTime: !time.isEmpty).get() else { return nil }
        return DateStyle(format: day + time, order: order, hasTime: !time.isEmpty, reader: reader)
      }
    }
  }()
}
