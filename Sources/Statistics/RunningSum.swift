/// A sum of numbers that come one after the other, with Neumaier's compensation (1974): the error does not grow with their number.
@frozen public struct RunningSum: Sendable {
  @usableFromInline var total = 0.0
  @usableFromInline var lost = 0.0

  @inlinable public init() {}

  @inlinable @inline(__always)
  public mutating func add(_ value: Double) {
    let next = total + value
    lost += total.magnitude >= value.magnitude ? (total - next) + value : (value - next) + total
    total = next
  }

  @inlinable public var value: Double { lost.isFinite ? total + lost : total }
}
