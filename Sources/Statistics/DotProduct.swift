/// Σ aᵢbᵢ, added from the first to the last; both have the same length.
public func dotProduct(_ a: [Double], _ b: [Double]) -> Double {
  precondition(a.count == b.count, "a dot product of \(a.count) and \(b.count) numbers was asked for")
  return a.withUnsafeBufferPointer { a in
    b.withUnsafeBufferPointer { b in
      var sum = 0.0
      for i in 0..<a.count { sum += a[i] * b[i] }
      return sum
    }
  }
}
