/// Bytes made of others, which are given out as there is room for them.
struct ConvertedBytes {
  var bytes: [UInt8] = []
  private var given = 0

  var areAllGiven: Bool { given == bytes.count }

  mutating func removeAll() {
    bytes.removeAll(keepingCapacity: true)
    given = 0
  }

  /// - Returns: how many bytes went into `room`.
  mutating func give(_ room: UnsafeMutableRawBufferPointer) -> Int {
    let n = min(room.count, bytes.count - given)
    bytes.withUnsafeBytes { room.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[given..<given + n])) }
    given += n
    return n
  }
}
