import Columns
import Synchronization

/// Memory of batches that were worked on, for the next ones.
final class BatchMemory: Sendable {
  struct Block: @unchecked Sendable {  // @unchecked: whoever took it has it alone
    let base: UnsafeMutableRawPointer
    let byteCount: Int
  }

  private let unused = Mutex<[Block]>([])

  deinit { unused.withLock { for block in $0 { LargeMemory.free(block.base) } } }

  func take(_ byteCount: Int) -> Block {
    let (fitting, small) = unused.withLock { unused -> (Block?, Block?) in
      if let at = unused.lastIndex(where: { $0.byteCount >= byteCount }) { return (unused.remove(at: at), nil) }
      return (nil, unused.popLast())
    }
    if let fitting { return fitting }
    if let small { LargeMemory.free(small.base) }
    return Block(base: LargeMemory.allocate(byteCount), byteCount: byteCount)
  }

  func give(_ block: Block) { unused.withLock { $0.append(block) } }
}
