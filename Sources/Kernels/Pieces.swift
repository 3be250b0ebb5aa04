import Dispatch
import Synchronization

/// Runs `work(0)…work(count − 1)`, at most `width` at once. How work is cut into pieces never depends on the width.
func inPieces(_ count: Int, width: Int, _ work: @Sendable (Int) -> Void) {
  if width <= 1 || count <= 1 {
    for piece in 0..<count { work(piece) }
    return
  }
  let lanes = min(width, count)
  if lanes == count {
    DispatchQueue.concurrentPerform(iterations: count, execute: work)
    return
  }
  let turn = Turn()
  DispatchQueue.concurrentPerform(iterations: lanes) { _ in
    while let piece = turn.next(below: count) { work(piece) }
  }
}

/// Hands out the numbers 0, 1, 2, … to whoever asks.
private final class Turn: Sendable {
  private let taken = Atomic<Int>(0)

  func next(below count: Int) -> Int? {
    let piece = taken.wrappingAdd(1, ordering: .relaxed).oldValue
    return piece < count ? piece : nil
  }
}

/// Rows are cut by the top bits of their hash into 64 partitions: more scatter streams fall off a cliff (2 to 4 times
/// slower), fewer make tables that leave the cache. Outputs have an order of their own, so that this number never shows.
enum Radix {
  static let bits = 6
  static let count = 1 << bits

  @inline(__always) static func piece(of hash: UInt64) -> Int { Int(truncatingIfNeeded: hash >> UInt64(64 - bits)) }
}

/// Growing memory of trivial values, freed by its owner: for the inner loops, where an array's checks would show.
struct Pile<T: BitwiseCopyable> {
  private(set) var base: UnsafeMutablePointer<T>
  private(set) var count = 0
  private var room: Int

  init(reserving room: Int = 0) {
    self.room = max(room, 16)
    base = .allocate(capacity: self.room)
  }

  @inline(__always) mutating func append(_ value: T) {
    if count == room { grow(1) }
    (base + count).initialize(to: value)
    count &+= 1
  }

  /// Makes place for `more` values and counts them; the caller fills them.
  mutating func extend(by more: Int) -> UnsafeMutablePointer<T> {
    if count + more > room { grow(more) }
    let place = base + count
    count += more
    return place
  }

  @inline(__always) subscript(at: Int) -> T {
    get { base[at] }
    nonmutating set { base[at] = newValue }
  }

  private mutating func grow(_ more: Int) {
    room = max(room * 2, count + more)
    let larger = UnsafeMutablePointer<T>.allocate(capacity: room)
    larger.update(from: base, count: count)
    base.deallocate()
    base = larger
  }

  func free() { base.deallocate() }
}
