import Columns

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A point in time, for what tells of a run: its id, its log, its events. The clock of the day is read here and nowhere else; nothing of it gets into an artifact.
public struct Instant: Sendable, CustomStringConvertible {
  /// Since 1970-01-01T00:00:00Z.
  let seconds: Int
  let nanoseconds: Int

  public static var now: Instant {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    return Instant(seconds: now.tv_sec, nanoseconds: now.tv_nsec)
  }

  /// ISO 8601 to the millisecond, UTC: `2026-11-21T02:45:12.051Z`.
  public var description: String {
    let digits = String(nanoseconds / 1_000_000)
    return String(whole.dropLast()) + "." + String(repeating: "0", count: 3 - digits.utf8.count) + digits + "Z"
  }

  /// To the second: `2026-11-21T02:45:12Z`.
  var whole: String { String(timestampText(Int64(seconds) * 1_000_000).map { $0 == " " ? "T" : $0 }) + "Z" }
}
