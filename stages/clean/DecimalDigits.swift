/// A decimal of any number of digits, all of them told: `-0.07`, `123456789012345678901.50`.
func decimalDigits(_ units: Int128, scale: Int) -> String {
  let digits = String(units.magnitude)
  let padded = String(repeating: "0", count: max(0, scale + 1 - digits.count)) + digits
  return (units < 0 ? "-" : "") + padded.dropLast(scale) + (scale == 0 ? "" : "." + padded.suffix(scale))
}
