/// What a pass over blocks has found out of each: who owns its points, and how far centers may move before that can change. Later
/// passes look again only at blocks that centers have come near to (the bounds of Hamerly 2010, for a block at a time).
struct BlockMemory {
  /// Blocks of more owners are looked at in every pass.
  static var limit: Int { 4 }

  /// By block: up to which drift of the centers its owners stay; how many there are.
  let until: UnsafeMutablePointer<Double>
  let owners: UnsafeMutablePointer<Int32>
  /// `limit` a block: the owner; one more a block: what its points add up to (d sums and the weight), the last one of a center that owns none.
  let labels: UnsafeMutablePointer<Int32>
  let rows: UnsafeMutablePointer<Double>

  /// The memory is valid inside `body`.
  static func with<Result>(blocks: Int, columns d: Int, _ body: (BlockMemory) -> Result) -> Result {
    let memory = BlockMemory(
      until: .allocate(capacity: blocks), owners: .allocate(capacity: blocks), labels: .allocate(capacity: blocks * limit),
      rows: .allocate(capacity: blocks * (limit + 1) * (d + 1)))
    memory.until.initialize(repeating: -.infinity, count: blocks)
    defer {
      memory.until.deallocate()
      memory.owners.deallocate()
      memory.labels.deallocate()
      memory.rows.deallocate()
    }
    return body(memory)
  }

  @inline(__always)
  func row(_ block: Int, _ owner: Int, _ d: Int) -> UnsafeMutablePointer<Double> {
    rows + (block &* (Self.limit &+ 1) &+ min(owner, Self.limit)) &* (d &+ 1)
  }
}
