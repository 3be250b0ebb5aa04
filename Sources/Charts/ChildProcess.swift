#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// One program without a shell: bytes in, bytes out. A `Conversation` moves them.
struct ChildProcess {
  struct StartFailure: Error { var code: Int32 }

  let id: pid_t
  /// What the program said and nobody has taken yet.
  var output: [UInt8] = []
  private(set) var complaint: [UInt8] = []
  /// As `waitpid` gave it, once the program has ended.
  private(set) var status: Int32?

  private var feed: Int32
  private var said: Int32
  private var complained: Int32
  private var input: [UInt8] = []
  private var sent = 0
  private var isInputComplete = false

  /// Fails when the program could not be started; one that ends badly has started.
  static func start(_ program: String, _ arguments: [String], environment: [(String, String)]) -> Result<ChildProcess, StartFailure> {
    var feed: [Int32] = [-1, -1], output: [Int32] = [-1, -1], complaint: [Int32] = [-1, -1]
    func fail(_ code: Int32) -> Result<ChildProcess, StartFailure> {
      for end in feed + output + complaint where end >= 0 { close(end) }
      return .failure(StartFailure(code: code))
    }
    // Sockets, not pipes: `send` can be told not to raise SIGPIPE, `write` cannot.
    guard socketPair(&feed), socketPair(&output), socketPair(&complaint) else { return fail(errno) }

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
    guard failed == 0 else { return fail(failed) }
    // The child has its own copies; with ours open, its end of output would never be seen.
    for end in [feed[1], output[1], complaint[1]] { close(end) }
    for end in [feed[0], output[0], complaint[0]] { _ = fcntl(end, F_SETFL, fcntl(end, F_GETFL) | O_NONBLOCK) }
    return .success(ChildProcess(id: child, feed: feed[0], said: output[0], complained: complaint[0]))
  }

  private init(id: pid_t, feed: Int32, said: Int32, complained: Int32) {
    (self.id, self.feed, self.said, self.complained) = (id, feed, said, complained)
  }

  /// More for it to read.
  mutating func tell(_ bytes: [UInt8]) {
    precondition(!isInputComplete, "a child process was told more after its end of input")
    if feed >= 0 { input += bytes }
  }

  /// There is no more to read for it.
  mutating func finishInput() { isInputComplete = true }

  /// Whether it may say more.
  var isTalking: Bool { said >= 0 || complained >= 0 }

  /// What to wait for, in the order that `exchange` takes back.
  mutating func waits() -> [pollfd] {
    if feed >= 0, sent == input.count {
      (input, sent) = ([], 0)
      if isInputComplete { Self.shut(&feed) }
    }
    return [
      pollfd(fd: sent < input.count ? feed : -1, events: Int16(POLLOUT), revents: 0),
      pollfd(fd: said, events: Int16(POLLIN), revents: 0), pollfd(fd: complained, events: Int16(POLLIN), revents: 0),
    ]
  }

  mutating func exchange(_ ready: ArraySlice<pollfd>, _ buffer: inout [UInt8]) {
    let first = ready.startIndex
    if feed >= 0, ready[first].revents != 0 {
      let count = input[sent...].withUnsafeBytes { send(feed, $0.baseAddress!, min($0.count, 1 << 18), noSignal) }
      if count > 0 {
        sent += count
      } else if count < 0, errno != EAGAIN, errno != EINTR {
        // The child reads no more; its answer says why.
        (input, sent) = ([], 0)
        Self.shut(&feed)
      }
    }
    if ready[first + 1].revents != 0, !Self.drain(said, &buffer, into: &output) { Self.shut(&said) }
    if ready[first + 2].revents != 0, !Self.drain(complained, &buffer, into: &complaint) { Self.shut(&complained) }
  }

  func stop() { if status == nil { kill(id, SIGKILL) } }

  /// Whether it has ended; its status is known then.
  mutating func hasEnded() -> Bool {
    if status != nil { return true }
    var code: Int32 = 0
    let ended = waitpid(id, &code, WNOHANG)
    if ended == id || (ended < 0 && errno != EINTR) { status = code }
    return status != nil
  }

  mutating func closeEnds() { for end in [\ChildProcess.feed, \.said, \.complained] { Self.shut(&self[keyPath: end]) } }

  private static func shut(_ end: inout Int32) {
    if end >= 0 { close(end) }
    end = -1
  }

  /// Whether there may be more.
  private static func drain(_ end: Int32, _ buffer: inout [UInt8], into bytes: inout [UInt8]) -> Bool {
    let count = read(end, &buffer, buffer.count)
    if count > 0 { bytes += buffer[..<count] }
    return count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR))
  }
}

// What differs between systems. Every descriptor closes on exec: another child started meanwhile must not hold it open.
#if canImport(Glibc)
  let noSignal = Int32(MSG_NOSIGNAL)

  func socketPair(_ ends: inout [Int32]) -> Bool {
    socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &ends) == 0
  }

  private typealias RawFileActions = posix_spawn_file_actions_t
  private typealias RawAttributes = posix_spawnattr_t
#else
  let noSignal: Int32 = 0

  func socketPair(_ ends: inout [Int32]) -> Bool {
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
