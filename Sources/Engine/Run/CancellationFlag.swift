import Synchronization

/// Set by whoever wants a run to end early: a signal's handler, a window that closes.
public final class CancellationFlag: Sendable {
  private let flag = Atomic<Bool>(false)

  public init() {}
  public func cancel() { flag.store(true, ordering: .releasing) }
  public var isCancelled: Bool { flag.load(ordering: .acquiring) }
}

/// What `checkCancellation` throws.
public struct RunCancelled: Error {
  public init() {}
}
