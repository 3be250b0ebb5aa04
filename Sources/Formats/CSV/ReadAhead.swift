import Dispatch

/// A window being read by another thread.
// @unchecked: the outcome is written before the group is left and read after waiting for it.
final class ReadAhead: @unchecked Sendable {
  private let group = DispatchGroup()
  private var failure: (any Error)?

  init(_ window: TextWindow, _ source: ByteSource) {
    DispatchQueue.global().async(group: group) {
      do { try window.fill(from: source) } catch { self.failure = error }
    }
  }

  func wait() { group.wait() }

  func result() throws {
    group.wait()
    if let failure { throw failure }
  }
}
