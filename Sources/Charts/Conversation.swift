#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Talks with child processes at once, until none of them says more. They are gone when it returns.
enum Conversation {
  enum Ending {
    /// All ended by themselves.
    case ended
    case timedOut
    /// What `check` or `react` threw; the children were killed for it.
    case interrupted(any Error)
  }

  /// How long a stop may go unseen, in milliseconds.
  private static let glance: Int64 = 50

  /// `check` is asked all the while; `react` is called whenever something may have come: from a child, or at the descriptor `wake`.
  /// The time is counted while it says true.
  static func hold(
    _ children: inout [ChildProcess], seconds: Int, wake: Int32 = -1, check: () throws -> Void = {},
    react: (inout [ChildProcess]) throws -> Bool = { _ in true }
  ) -> Ending {
    var deadline = monotonicMilliseconds() + Int64(seconds) * 1000
    var ending = Ending.ended
    do {
      if try !talk(&children, &deadline, seconds, wake, check, react) { ending = .timedOut }
    } catch { ending = .interrupted(error) }
    if case .ended = ending {} else { for child in children { child.stop() } }
    for at in children.indices { children[at].closeEnds() }
    // A child that closed its output but does not end is given until the deadline.
    while true {
      var isOver = true
      for at in children.indices where !children[at].hasEnded() { isOver = false }
      if isOver { return ending }
      if monotonicMilliseconds() > deadline { for child in children { child.stop() } }
      if case .interrupted = ending {} else {
        do { try check() } catch {
          ending = .interrupted(error)
          for child in children { child.stop() }
        }
      }
      poll(nil, 0, 2)
    }
  }

  // Writes and reads at once: a child that answers before it has read everything must not block. False: not in time.
  private static func talk(
    _ children: inout [ChildProcess], _ deadline: inout Int64, _ seconds: Int, _ wake: Int32, _ check: () throws -> Void,
    _ react: (inout [ChildProcess]) throws -> Bool
  ) throws -> Bool {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      if try !react(&children) { deadline = monotonicMilliseconds() + Int64(seconds) * 1000 }
      guard children.contains(where: \.isTalking) else { return true }
      let left = deadline - monotonicMilliseconds()
      guard left > 0 else { return false }
      try check()
      var waiting = [pollfd(fd: wake, events: Int16(POLLIN), revents: 0)]
      for at in children.indices { waiting += children[at].waits() }
      // Where it fails nothing has come.
      poll(&waiting, nfds_t(waiting.count), Int32(min(left, glance)))
      if waiting[0].revents != 0 { _ = read(wake, &buffer, buffer.count) }
      for at in children.indices { children[at].exchange(waiting[(1 + 3 * at)..<(4 + 3 * at)], &buffer) }
    }
  }

  private static func monotonicMilliseconds() -> Int64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
  }
}
