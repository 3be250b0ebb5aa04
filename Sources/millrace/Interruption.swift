import Engine
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Ctrl-C, the polite kill and a terminal that went away: the first asks the work to stop, so that the store stays whole; the second ends at once.
///
/// A plain handler and not a signal source of Dispatch: it must work while every thread of Dispatch is busy, and
/// children must not inherit a blocked or ignored signal.
enum Interruption {
  static let flag = CancellationFlag()
  private static let received = Atomic<Int32>(0)

  /// The signal that asked to stop.
  static var signal: Int32? {
    let number = received.load(ordering: .acquiring)
    return number == 0 ? nil : number
  }

  /// From here on the work looks at `flag`.
  static func begin() {
    // Made now: a handler must not be the first to need them.
    _ = flag.isCancelled
    _ = signal
    for number in [SIGINT, SIGTERM, SIGHUP] {
      // `nohup` means it: the work goes on without a terminal.
      if number == SIGHUP, isIgnored(number) { continue }
      setHandler(number) { number in
        if Interruption.received.exchange(number, ordering: .acquiringAndReleasing) != 0 { _exit(128 + number) }
        Interruption.flag.cancel()
      }
    }
  }

  static func check() throws { if flag.isCancelled { throw RunCancelled() } }
}

private func isIgnored(_ number: Int32) -> Bool {
  var action = sigaction()
  guard sigaction(number, nil, &action) == 0 else { return false }
  #if canImport(Glibc)
    let handler = action.__sigaction_handler.sa_handler
  #else
    let handler = action.__sigaction_u.__sa_handler
  #endif
  return unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
}

/// The C function, which a member of the same name hides.
private func setHandler(_ number: Int32, _ handler: @escaping @convention(c) (Int32) -> Void) { signal(number, handler) }
