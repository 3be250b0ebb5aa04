#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// One program, run to its end: bytes in, bytes out, no shell.
struct ChildProcess {
  struct Outcome {
    var output: [UInt8]
    var complaint: [UInt8]
    /// As `waitpid` gave it.
    var status: Int32
    var timedOut: Bool
    /// What the caller's check threw; the child was killed for it.
    var interruption: (any Error)?
  }

  /// How long a stop may go unseen, in milliseconds.
  private static let glance: Int64 = 50

  /// Fails with the error number when the program could not be started; a program that ended badly is an outcome.
  /// `check` is asked all the while; when it throws, the child is killed and is gone when this returns.
  static func run(
    _ program: String, _ arguments: [String], environment: [(String, String)], input: [UInt8], seconds: Int,
    check: () throws -> Void = {}
  ) -> Result<Outcome, StartFailure> {
    var feed: [Int32] = [-1, -1], output: [Int32] = [-1, -1], complaint: [Int32] = [-1, -1]
    defer { for end in feed + output + complaint where end >= 0 { close(end) } }
    // Sockets, not pipes: `send` can be told not to raise SIGPIPE, `write` cannot.
    guard socketPair(&feed), socketPair(&output), socketPair(&complaint) else { return .failure(StartFailure(code: errno)) }

    var actions = FileActions()
    for (source, target) in [(feed[1], Int32(0)), (output[1], 1), (complaint[1], 2)] { actions.copy(source, to: target) }
    defer { actions.destroy() }
    var attributes = Attributes()
    defer { attributes.destroy() }

    var argv: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
    var envp: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0.0 + "=" + $0.1) } + [nil]
    defer { for text in argv + envp { free(text) } }
    var child: pid_t = 0
    let failed = posix_spawnp(&child, program, &actions.value, &attributes.value, &argv, &envp)
    guard failed == 0 else { return .failure(StartFailure(code: failed)) }
    // The child has its own copies; with ours open, its end of output would never be seen.
    for end in [feed[1], output[1], complaint[1]] { close(end) }
    (feed[1], output[1], complaint[1]) = (-1, -1, -1)
    return .success(converse(child, &feed[0], output[0], complaint[0], input, seconds, check))
  }

  struct StartFailure: Error { var code: Int32 }

  // Writes and reads at once: a child that answers before it has read everything must not block.
  private static func converse(
    _ child: pid_t, _ feed: inout Int32, _ output: Int32, _ complaint: Int32, _ input: [UInt8], _ seconds: Int,
    _ check: () throws -> Void
  ) -> Outcome {
    var outcome = Outcome(output: [], complaint: [], status: 0, timedOut: false, interruption: nil)
    for end in [feed, output, complaint] { _ = fcntl(end, F_SETFL, fcntl(end, F_GETFL) | O_NONBLOCK) }
    let deadline = monotonicMilliseconds() + Int64(seconds) * 1000
    var sent = 0, isOutputOpen = true, isComplaintOpen = true
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while isOutputOpen || isComplaintOpen {
      let left = deadline - monotonicMilliseconds()
      guard left > 0 else {
        outcome.timedOut = true
        break
      }
      do { try check() } catch {
        outcome.interruption = error
        break
      }
      if feed >= 0, sent == input.count {
        close(feed)
        feed = -1
      }
      var waiting = [
        pollfd(fd: feed, events: Int16(POLLOUT), revents: 0),
        pollfd(fd: isOutputOpen ? output : -1, events: Int16(POLLIN), revents: 0),
        pollfd(fd: isComplaintOpen ? complaint : -1, events: Int16(POLLIN), revents: 0),
      ]
      if poll(&waiting, 3, Int32(min(left, glance))) < 0, errno != EINTR { break }
      if feed >= 0, waiting[0].revents != 0 {
        let count = input[sent...].withUnsafeBytes { send(feed, $0.baseAddress!, min($0.count, 1 << 18), noSignal) }
        if count > 0 {
          sent += count
        } else if count < 0, errno != EAGAIN, errno != EINTR {
          sent = input.count  // the child reads no more; its answer says why
        }
      }
      if waiting[1].revents != 0 { isOutputOpen = drain(output, &buffer, into: &outcome.output) }
      if waiting[2].revents != 0 { isComplaintOpen = drain(complaint, &buffer, into: &outcome.complaint) }
    }
    if outcome.timedOut || outcome.interruption != nil || isOutputOpen { kill(child, SIGKILL) }
    // A child that closed its output but does not end is given until the deadline.
    while true {
      let ended = waitpid(child, &outcome.status, WNOHANG)
      if ended == child || (ended < 0 && errno != EINTR) { break }
      if monotonicMilliseconds() > deadline { kill(child, SIGKILL) }
      if outcome.interruption == nil {
        do { try check() } catch {
          outcome.interruption = error
          kill(child, SIGKILL)
        }
      }
      poll(nil, 0, 2)
    }
    return outcome
  }

  /// Whether there may be more.
  private static func drain(_ end: Int32, _ buffer: inout [UInt8], into bytes: inout [UInt8]) -> Bool {
    let count = read(end, &buffer, buffer.count)
    if count > 0 { bytes += buffer[..<count] }
    return count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR))
  }

  private static func monotonicMilliseconds() -> Int64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
  }
}

// What differs between systems. Every descriptor closes on exec: another child started meanwhile must not hold it open.
#if canImport(Glibc)
  private let noSignal = Int32(MSG_NOSIGNAL)

  private func socketPair(_ ends: inout [Int32]) -> Bool {
    socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &ends) == 0
  }

  private typealias RawFileActions = posix_spawn_file_actions_t
  private typealias RawAttributes = posix_spawnattr_t
#else
  private let noSignal: Int32 = 0

  private func socketPair(_ ends: inout [Int32]) -> Bool {
    guard socketpair(AF_UNIX, SOCK_STREAM, 0, &ends) == 0 else { return false }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var on: Int32 = 1
    return setsockopt(ends[0], SOL_SOCKET, SO_NOSIGPIPE, &on, socklen_t(MemoryLayout<Int32>.size)) == 0
  }

  private typealias RawFileActions = posix_spawn_file_actions_t?
  private typealias RawAttributes = posix_spawnattr_t?
#endif

private struct FileActions {
  var value = RawFileActions()

  init() { posix_spawn_file_actions_init(&value) }
  mutating func copy(_ source: Int32, to target: Int32) { posix_spawn_file_actions_adddup2(&value, source, target) }
  mutating func destroy() { posix_spawn_file_actions_destroy(&value) }
}

private struct Attributes {
  var value = RawAttributes()

  /// No signal is blocked or ignored in the child, whatever the thread that starts it has blocked.
  init() {
    posix_spawnattr_init(&value)
    var none = sigset_t(), all = sigset_t()
    sigemptyset(&none)
    sigfillset(&all)
    posix_spawnattr_setsigmask(&value, &none)
    posix_spawnattr_setsigdefault(&value, &all)
    posix_spawnattr_setflags(&value, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
  }
  mutating func destroy() { posix_spawnattr_destroy(&value) }
}
