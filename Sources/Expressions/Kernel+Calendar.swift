import Columns

private let dayMicros: Int64 = 86_400_000_000

/// Dates count days, timestamps microseconds, both from 1970-01-01; weeks begin on Monday.
extension Kernel {
  func truncate(_ unit: CalendarUnit) -> (Column, Failures) {
    if type == .date {
      let a = Cells<Int32>(operands[0])
      let cells = Buffer(byteCount: rows * 4) { bytes in
        let to = bytes.bindMemory(to: Int32.self)
        for row in 0..<rows { to[row] = Int32(truncatingIfNeeded: unit.isOfClock ? Int64(a[row]) : startDay(Int64(a[row]), unit)) }
      }
      return fixed(validity(), cells, as: Int32.self)
    }
    let a = Cells<Int64>(operands[0])
    let cells = Buffer(byteCount: rows * 8) { bytes in
      let to = bytes.bindMemory(to: Int64.self)
      for row in 0..<rows {
        let micros = a[row]
        if unit.isOfClock, let length = unit.microseconds {
          to[row] = floorDivided(micros, length) &* length
        } else {
          to[row] = startDay(floorDivided(micros, dayMicros), unit) &* dayMicros
        }
      }
    }
    return fixed(validity(), cells, as: Int64.self)
  }

  /// Starts of the unit between two timestamps.
  func difference(_ unit: CalendarUnit) -> Column {
    let a = Cells<Int64>(operands[0]), b = Cells<Int64>(operands[1])
    let cells = Buffer(byteCount: rows * 8) { bytes in
      let to = bytes.bindMemory(to: Int64.self)
      for row in 0..<rows { to[row] = ordinal(b[row], unit) &- ordinal(a[row], unit) }
    }
    return fixed(validity(), cells, as: Int64.self).0
  }

  func advance(_ unit: CalendarUnit) -> (Column, Failures) {
    let counts = Cells<Int64>(operands[1])
    let present = validity()
    var failed: [Int32] = []
    func fails(_ row: Int) { if present.map({ $0[row] }) ?? true { failed.append(Int32(truncatingIfNeeded: row)) } }
    let reason = { (row: Int) in "\(operands[0].value(row)) and \(operands[1].value(row)) \(unit.rawValue)s more is out of range" }
    if type == .date {
      let a = Cells<Int32>(operands[0])
      let cells = Buffer(byteCount: rows * 4) { bytes in
        let to = bytes.bindMemory(to: Int32.self)
        for row in 0..<rows {
          if let day = advanced(day: Int64(a[row]), by: counts[row], unit), let narrow = Int32(exactly: day) { to[row] = narrow } else { fails(row) }
        }
      }
      return fixed(present, failed: failed, reason: reason, cells, as: Int32.self)
    }
    let a = Cells<Int64>(operands[0])
    let cells = Buffer(byteCount: rows * 8) { bytes in
      let to = bytes.bindMemory(to: Int64.self)
      for row in 0..<rows {
        if let length = unit.microseconds {
          let (step, over) = counts[row].multipliedReportingOverflow(by: length)
          let (sum, beyond) = a[row].addingReportingOverflow(step)
          to[row] = sum
          if over || beyond { fails(row) }
        } else {
          let day = floorDivided(a[row], dayMicros), time = a[row] &- day &* dayMicros
          if let moved = advanced(day: day, by: counts[row], unit), moved.magnitude < 100_000_000 { to[row] = moved &* dayMicros &+ time } else { fails(row) }
        }
      }
    }
    return fixed(present, failed: failed, reason: reason, cells, as: Int64.self)
  }

  func makeDate() -> (Column, Failures) {
    let parts = operands.map { Cells<Int64>($0) }
    let present = validity()
    var failed: [Int32] = []
    let cells = Buffer(byteCount: rows * 4) { bytes in
      let to = bytes.bindMemory(to: Int32.self)
      for row in 0..<rows where present.map({ $0[row] }) ?? true {
        let (year, month, day) = (parts[0][row], parts[1][row], parts[2][row])
        if (1...9999).contains(year), (1...12).contains(month), day >= 1, day <= Int64(CivilDate.daysInMonth(Int(month), of: Int(year))) {
          to[row] = Int32(truncatingIfNeeded: CivilDate(year: Int(year), month: Int(month), day: Int(day)).days)
        } else {
          failed.append(Int32(truncatingIfNeeded: row))
        }
      }
    }
    return fixed(
      present, failed: failed,
      reason: { row in "year \(parts[0][row]), month \(parts[1][row]), day \(parts[2][row]) is no date" }, cells, as: Int32.self)
  }

  func epoch() -> Column {
    let a = Cells<Int64>(operands[0])
    let cells = Buffer(byteCount: rows * 8) { bytes in
      let to = bytes.bindMemory(to: Double.self)
      for row in 0..<rows { to[row] = Double(a[row]) / 1e6 }
    }
    return fixed(validity(), cells, as: Double.self).0
  }

  func format() -> Column {
    guard case .string(let pattern) = operands[1].value(0) else { return .nulls(.string, count: rows) }
    return texts { row in
      switch operands[0].value(row) {
      case .date(let days): formatted(Int64(days) &* dayMicros, pattern)
      case .timestamp(let micros): formatted(micros, pattern)
      default: nil
      }
    }
  }
}

func floorDivided(_ a: Int64, _ b: Int64) -> Int64 { a >= 0 ? a / b : (a &+ 1) / b &- 1 }

/// The first day of the unit that holds a day.
private func startDay(_ day: Int64, _ unit: CalendarUnit) -> Int64 {
  switch unit {
  case .day, .hour, .minute, .second: return day
  // Day 0 was a Thursday: day -3 a Monday.
  case .week: return floorDivided(day &+ 3, 7) &* 7 &- 3
  case .month, .quarter, .year:
    let date = CivilDate(days: Int(day))
    let month = unit == .month ? date.month : unit == .quarter ? (date.month - 1) / 3 * 3 + 1 : 1
    return Int64(CivilDate(year: date.year, month: month, day: 1).days)
  }
}

/// Units counted from a fixed start, so that differences count borders.
private func ordinal(_ micros: Int64, _ unit: CalendarUnit) -> Int64 {
  let day = floorDivided(micros, dayMicros)
  switch unit {
  case .hour, .minute, .second: return floorDivided(micros, unit.microseconds ?? 1)
  case .day: return day
  case .week: return floorDivided(day &+ 3, 7)
  case .month, .quarter, .year:
    let date = CivilDate(days: Int(day))
    return unit == .year ? Int64(date.year) : unit == .quarter ? Int64(date.year * 4 + (date.month - 1) / 3) : Int64(date.year * 12 + date.month)
  }
}

/// nil: beyond the calendar. 2011-01-31 and one month more is 2011-02-28.
private func advanced(day: Int64, by count: Int64, _ unit: CalendarUnit) -> Int64? {
  let (step, over) = count.multipliedReportingOverflow(by: unit == .week ? 7 : unit.months ?? 1)
  guard !over, step.magnitude < 1 << 40 else { return nil }
  guard unit.months != nil else { return day &+ step }
  let date = CivilDate(days: Int(day))
  let months = Int64(date.year) * 12 + Int64(date.month - 1) + step
  let year = floorDivided(months, 12), month = Int(months - year * 12) + 1
  guard year.magnitude < 200_000 else { return nil }
  let last = CivilDate.daysInMonth(month, of: Int(year))
  return Int64(CivilDate(year: Int(year), month: month, day: min(date.day, last)).days)
}

private let monthNames = [
  "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
]
private let dayNames = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]

private func formatted(_ micros: Int64, _ pattern: String) -> String {
  let day = floorDivided(micros, dayMicros)
  let seconds = (micros - day * dayMicros) / 1_000_000, fraction = (micros - day * dayMicros) % 1_000_000
  let date = CivilDate(days: Int(day))
  let weekday = Int(day + 3 - floorDivided(day + 3, 7) * 7)  // Monday is 0
  let dayOfYear = Int(day) - CivilDate(year: date.year, month: 1, day: 1).days + 1
  // The ISO week is that of its Thursday.
  let thursday = CivilDate(days: Int(day) - weekday + 3)
  let isoWeek = (thursday.days - CivilDate(year: thursday.year, month: 1, day: 1).days) / 7 + 1
  func two(_ n: Int) -> String { n < 10 ? "0\(n)" : "\(n)" }
  let hour = Int(seconds / 3600), minute = Int(seconds / 60 % 60), second = Int(seconds % 60)
  var out = "", isCode = false
  for scalar in pattern.unicodeScalars {
    guard isCode else {
      if scalar == "%" { isCode = true } else { out.unicodeScalars.append(scalar) }
      continue
    }
    isCode = false
    switch scalar {
    case "Y": out += String(date.description.dropLast(6))
    case "y": out += two(date.year % 100)
    case "m": out += two(date.month)
    case "d": out += two(date.day)
    case "F": out += date.description
    case "H": out += two(hour)
    case "I": out += two((hour + 11) % 12 + 1)
    case "p": out += hour < 12 ? "AM" : "PM"
    case "M": out += two(minute)
    case "S": out += two(second)
    case "T": out += "\(two(hour)):\(two(minute)):\(two(second))"
    case "f":
      let digits = String(fraction)
      out += String(repeating: "0", count: 6 - digits.utf8.count) + digits
    case "j": out += (dayOfYear < 100 ? "0" : "") + two(dayOfYear)
    case "u": out += "\(weekday + 1)"
    case "V": out += two(isoWeek)
    case "G": out += "\(thursday.year)"
    case "B": out += monthNames[date.month - 1]
    case "b": out += String(monthNames[date.month - 1].prefix(3))
    case "A": out += dayNames[weekday]
    case "a": out += String(dayNames[weekday].prefix(3))
    case "%": out += "%"
    default:
      out += "%"
      out.unicodeScalars.append(scalar)
    }
  }
  return out
}
