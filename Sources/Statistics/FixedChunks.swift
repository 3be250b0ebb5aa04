import Dispatch

/// Work cut into chunks whose borders depend on the amount of work only, so that sums come out equal at any width.
public enum FixedChunks {
  /// Runs `body` on every chunk of 0 ..< count, on all cores, and gives the results in chunk order.
  public static func map<Result>(count: Int, chunk: Int, _ body: (Range<Int>) -> Result) -> [Result] {
    guard count > 0 else { return [] }
    let chunks = (count - 1) / chunk + 1
    if chunks == 1 { return [body(0..<count)] }
    return [Result](unsafeUninitializedCapacity: chunks) { buffer, initialized in
      // Every iteration writes its own slot, and concurrentPerform returns after the last one.
      nonisolated(unsafe) let slots = buffer.baseAddress!
      nonisolated(unsafe) let body = body
      DispatchQueue.concurrentPerform(iterations: chunks) { i in
        (slots + i).initialize(to: body(i * chunk..<min(count, (i + 1) * chunk)))
      }
      initialized = chunks
    }
  }

  /// An array whose elements are computed chunk by chunk: `body` fills the elements of its range.
  public static func fill(
    count: Int, chunk: Int, _ body: (Range<Int>, UnsafeMutablePointer<Double>) -> Void
  ) -> [Double] {
    [Double](unsafeUninitializedCapacity: count) { buffer, initialized in
      if let start = buffer.baseAddress { _ = map(count: count, chunk: chunk) { body($0, start) } }
      initialized = count
    }
  }
}
