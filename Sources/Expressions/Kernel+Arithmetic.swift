import Columns
import Statistics

/// Checked arithmetic: whole numbers and decimals as scaled Int64, and float64.
extension Kernel {
  func arithmetic(_ operation: Operation) -> (Column, Failures) {
    type == .float64 ? floats(operation) : integers(operation)
  }

  private func integers(_ operation: Operation) -> (Column, Failures) {
    if operation == .multiply {
      // Factors of a decimal product come as they are, so that no int32 column is widened for it.
      switch (operands[0].column.type.width, operands[1].column.type.width) {
      case (4, 4): return integers(Int32.self, Int32.self, operation) { $0.multipliedReportingOverflow(by: $1) }
      case (4, _): return integers(Int32.self, Int64.self, operation) { $0.multipliedReportingOverflow(by: $1) }
      case (_, 4): return integers(Int64.self, Int32.self, operation) { $0.multipliedReportingOverflow(by: $1) }
      default: return integers(Int64.self, Int64.self, operation) { $0.multipliedReportingOverflow(by: $1) }
      }
    }
    switch operation {
    case .add: return integers(Int64.self, Int64.self, operation) { $0.addingReportingOverflow($1) }
    case .subtract: return integers(Int64.self, Int64.self, operation) { $0.subtractingReportingOverflow($1) }
    case .modulo:
      // Int64.min % -1 is 0, whatever the processor says to it.
      return integers(Int64.self, Int64.self, operation) { $1 == 0 ? (0, true) : $1 == -1 ? (0, false) : ($0 % $1, false) }
    default: preconditionFailure("\(operation) has no whole-number kernel")
    }
  }

  /// The least value with too many digits.
  private var bound: Int64 {
    guard case .decimal = type else { return .max }
    return 999_999_999_999_999_999
  }

  @inline(__always)
  private func integers<A: FixedWidthInteger & BitwiseCopyable, B: FixedWidthInteger & BitwiseCopyable>(
    _: A.Type, _: B.Type, _ operation: Operation, _ body: (Int64, Int64) -> (partialValue: Int64, overflow: Bool)
  ) -> (Column, Failures) {
    let present = validity()
    let a = Cells<A>(operands[0]), b = Cells<B>(operands[1])
    let isDecimal = type != .int64, bound = self.bound
    let made = UnfilledBuffer(rows * 8), to = made.base.assumingMemoryBound(to: Int64.self)
    var largest: UInt64 = 0, overflows: UInt8 = 0
    for row in 0..<rows {
      let (value, overflow) = body(Int64(truncatingIfNeeded: a[row]), Int64(truncatingIfNeeded: b[row]))
      to[row] = value
      overflows |= overflow ? 1 : 0
      largest = max(largest, value.magnitude)
    }
    let cells = made.filled()
    var failed: [Int32] = []
    if overflows != 0 || isDecimal && largest > bound.magnitude {
      for row in 0..<rows where present.map({ $0[row] }) ?? true {
        let (value, overflow) = body(Int64(truncatingIfNeeded: a[row]), Int64(truncatingIfNeeded: b[row]))
        if overflow || isDecimal && value.magnitude > bound.magnitude { failed.append(Int32(truncatingIfNeeded: row)) }
      }
    }
    return fixed(present, failed: failed, reason: { reason(operation, $0) }, cells, as: Int64.self)
  }

  private func floats(_ operation: Operation) -> (Column, Failures) {
    switch operation {
    case .add: floats(operation) { $0 + $1 }
    case .subtract: floats(operation) { $0 - $1 }
    case .multiply: floats(operation) { $0 * $1 }
    case .divide: floats(operation) { $0 / $1 }
    case .modulo: floats(operation) { $0.truncatingRemainder(dividingBy: $1) }
    default: preconditionFailure("\(operation) has no float64 kernel")
    }
  }

  @inline(__always)
  private func floats(_ operation: Operation, _ body: (Double, Double) -> Double) -> (Column, Failures) {
    let present = validity()
    let a = Cells<Double>(operands[0]), b = Cells<Double>(operands[1])
    let divides = operation == .divide || operation == .modulo
    let made = UnfilledBuffer(rows * 8), to = made.base.assumingMemoryBound(to: Double.self)
    var odd: UInt8 = 0
    for row in 0..<rows {
      let value = body(a[row], b[row])
      to[row] = value
      odd |= !value.isFinite || divides && b[row] == 0 ? 1 : 0
    }
    let cells = made.filled()
    var failed: [Int32] = []
    if odd != 0 {
      for row in 0..<rows where present.map({ $0[row] }) ?? true {
        let overflows = !body(a[row], b[row]).isFinite && a[row].isFinite && b[row].isFinite
        if overflows || divides && b[row] == 0 { failed.append(Int32(truncatingIfNeeded: row)) }
      }
    }
    return fixed(present, failed: failed, reason: { reason(operation, $0) }, cells, as: Double.self)
  }

  private func reason(_ operation: Operation, _ row: Int) -> String {
    let b = operands[1].value(row)
    if operation == .divide || operation == .modulo, b == .int(0) || b == .float(0) { return "division by zero" }
    if case .decimal(0, _) = b, operation == .modulo { return "division by zero" }
    let sign =
      switch operation {
      case .add: "+"
      case .subtract: "-"
      case .multiply: "*"
      case .modulo: "%"
      default: "/"
      }
    return "\(operands[0].value(row)) \(sign) \(b) is beyond \(type)"
  }

  // MARK: One operand

  func unary(_ operation: Operation) -> (Column, Failures) {
    let operand = operands[0].column.type
    if operand == .float64, type == .float64 {
      switch operation {
      case .negate: return float { -$0 }
      case .absolute: return float { $0.magnitude }
      case .roundDown: return float { $0.rounded(.down) }
      case .roundUp: return float { $0.rounded(.up) }
      case .round(let digits):
        let power = powerOfTen(abs(digits))
        // Beyond 2^52 every float64 is whole; a product out of range has no digits to lose either.
        return float { x in
          let scaled = digits < 0 ? x / power : x * power
          guard scaled.magnitude < 0x1p52 else { return digits < 0 && scaled.isFinite ? scaled * power : x }
          let whole = scaled.rounded(.toNearestOrAwayFromZero)
          return digits < 0 ? whole * power : whole / power
        }
      default: break
      }
    }
    if operand == .float64 { return whole { (x: Double) in (x > 0 ? 1 : x < 0 ? -1 : 0, false) } }
    let scale = decimalShape(operand).scale
    switch operation {
    case .negate: return whole64 { (0 as Int64).subtractingReportingOverflow($0) }
    case .absolute: return whole64 { $0 == .min ? (0, true) : (Swift.abs($0), false) }
    case .sign: return whole64 { ($0.signum(), false) }
    case .roundDown, .roundUp:
      if case .decimal = operand {
        let power = integerPowerOfTen(scale), up: Int64 = operation == .roundUp ? 1 : 0
        return whole64 { value in
          let quotient = value / power, rest = value % power
          return (rest == 0 ? quotient : rest > 0 ? quotient + up : quotient - 1 + up, false)
        }
      }
      return (operands[0].broadcast(to: rows).relabelled(type), Failures())
    case .round(let digits):
      let drop = scale - digits
      if drop <= 0 { return (operands[0].broadcast(to: rows).relabelled(type), Failures()) }
      if drop > 18 { return whole64 { _ in (0, false) } }
      let power = integerPowerOfTen(drop)
      return whole64 { value in
        let quotient = value / power, rest = value % power
        let away = rest.magnitude >= power.magnitude - rest.magnitude ? quotient + value.signum() : quotient
        return away.multipliedReportingOverflow(by: power)
      }
    default: preconditionFailure("\(operation) has no kernel for one \(operand)")
    }
  }

  private func whole64(_ body: (Int64) -> (Int64, Bool)) -> (Column, Failures) {
    if operands[0].column.type.width == 4 { return whole { (x: Int32) in body(Int64(x)) } }
    return whole(body)
  }

  private func whole<T: BitwiseCopyable>(_ body: (T) -> (Int64, Bool)) -> (Column, Failures) {
    let present = validity()
    let a = Cells<T>(operands[0])
    // int32 stays int32 where whole numbers are only passed on.
    var failed: [Int32] = []
    let cells = Buffer(unzeroed: rows * 8, filling: { bytes in
      let to = bytes.assumingMemoryBound(to: Int64.self)
      for row in 0..<rows {
        let (value, overflow) = body(a[row])
        to[row] = value
        if overflow, present.map({ $0[row] }) ?? true { failed.append(Int32(truncatingIfNeeded: row)) }
      }
    })
    return fixed(present, failed: failed, reason: { "overflow at \(operands[0].value($0))" }, cells, as: Int64.self)
  }

  @inline(__always) private func float(_ body: (Double) -> Double) -> (Column, Failures) {
    let a = Cells<Double>(operands[0])
    let cells = Buffer(byteCount: rows * 8) { bytes in
      let to = bytes.bindMemory(to: Double.self)
      for row in 0..<rows { to[row] = body(a[row]) }
    }
    return fixed(validity(), cells, as: Double.self)
  }

  func floatTest(_ holds: (Double) -> Bool) -> Column {
    let a = Cells<Double>(operands[0])
    return bools(validity()) { holds(a[$0]) }
  }

  // MARK: Elementary functions

  func elementary(_ function: Elementary) -> (Column, Failures) {
    let present = validity()
    let a = Cells<Double>(operands[0]), b = Cells<Double>(operands[operands.count - 1])
    var failed: [Int32] = []
    let cells = Buffer(byteCount: rows * 8) { bytes in
      let to = bytes.bindMemory(to: Double.self)
      for row in 0..<rows where present.map({ $0[row] }) ?? true {
        let x = a[row], y = b[row]
        let value: Double? =
          switch function {
          case .sqrt: x < 0 ? nil : x.squareRoot()
          case .ln: x <= 0 ? nil : Portable.log(x)
          case .log10: x <= 0 ? nil : exactLog10(x)
          case .log2: x <= 0 ? nil : exactLog2(x)
          case .log1p: x <= -1 ? nil : Portable.log1p(x)
          case .exp: Portable.exp(x)
          case .power: Portable.pow(x, y)
          }
        if let value, value.isFinite || !x.isFinite || !y.isFinite { to[row] = value } else { failed.append(Int32(truncatingIfNeeded: row)) }
      }
    }
    let name = "\(function)"
    return fixed(
      present, failed: failed,
      reason: { row in "\(name)(\(operands.map { $0.value(row).description }.joined(separator: ", "))) is not defined in float64" }, cells,
      as: Double.self)
  }
}

/// ln x / ln 10, exact at powers of ten, where the quotient alone is off by one place.
private func exactLog10(_ x: Double) -> Double {
  let quotient = Portable.log(x) / 2.302585092994045684
  let k = quotient.rounded()
  guard k.magnitude <= 22 else { return quotient }
  let power = powerOfTen(Int(k.magnitude))
  return k >= 0 && power == x || k < 0 && 1 / power == x ? k : quotient
}

/// The exponent and the logarithm of the significand, so that powers of two are exact.
private func exactLog2(_ x: Double) -> Double {
  guard x.isFinite else { return x }
  let significand = x.significand
  return Double(x.exponent) + (significand == 1 ? 0 : Portable.log(significand) / 0.693147180559945309)
}

/// 10ⁿ, exact to n = 22.
func powerOfTen(_ n: Int) -> Double {
  var power = 1.0
  for _ in 0..<n { power *= 10 }
  return power
}

/// 10ⁿ for n ≤ 18.
func integerPowerOfTen(_ n: Int) -> Int64 {
  precondition((0...18).contains(n), "10^\(n) was asked for as Int64")
  var power: Int64 = 1
  for _ in 0..<n { power &*= 10 }
  return power
}
