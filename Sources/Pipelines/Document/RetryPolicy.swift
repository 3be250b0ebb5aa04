/// How often a stage is tried again when something outside of the document failed for the moment, and how long is waited before.
///
/// The wait doubles from one attempt to the next, without chance: 1, 2, 4 … seconds.
public struct RetryPolicy: Hashable, Sendable {
  static let limit = 100

  public var times: Int
  public var wait = Duration(1, .second)
  public var most = Duration(1, .minute)

  public static let never = RetryPolicy(times: 0)

  public init(times: Int) { self.times = times }

  /// Seconds before the attempt that follows on so many failed ones; nil when there is none.
  public func delay(after attempts: Int) -> Double? {
    guard attempts <= times else { return nil }
    var delay = wait.count(of: .second)
    let most = most.count(of: .second)
    for _ in 1..<max(1, attempts) where delay < most { delay *= 2 }
    return min(delay, most)
  }
}
