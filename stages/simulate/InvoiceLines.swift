import Columns
import Statistics

/// The goods of the simulated shop.
struct Catalogue: Sendable {
  struct Product: Sendable {
    let code: [UInt8]
    /// As a CSV cell: quoted where it holds a comma or a quote.
    let cell: [UInt8]
    let pence: Int
  }

  let products: [Product]
  /// Sums of the products' weights: a few goods sell most (Zipf, exponent 0.8).
  private let cumulative: [Double]

  init(seed: UInt64, count: Int = 3000) {
    let colours = ["WHITE", "RED", "PINK", "BLUE", "VINTAGE", "RETRO", "JUMBO", "SMALL", "LARGE", "HANGING", "WOODEN", "ANTIQUE"]
    let motifs = ["HEART", "SPOTTY", "FLORAL", "STRAWBERRY", "CHRISTMAS", "STAR", "PAISLEY", "ROSE", "GARDEN", "KITCHEN", "PARTY"]
    let things = ["T-LIGHT HOLDER", "BAG", "BUNTING", "CAKESTAND 3 TIER", "NAPKINS", "LANTERN", "MUG", "SIGN", "CLOCK", "FRAME", "DOORMAT"]
    var random = RandomStream(seed: seed, substream: UInt64.max - 1)
    var total = 0.0
    var sums: [Double] = []
    var made: [Product] = []
    for index in 0..<count {
      var name =
        "\(colours[random.integer(below: colours.count)]) \(motifs[random.integer(below: motifs.count)]) "
        + things[random.integer(below: things.count)]
      let manner = random.uniform()
      if manner < 0.03 { name = "\"\(name), SET OF \(2 + index % 5)\"" } else if manner < 0.05 {
        name = "\"\(name) \(4 + index % 9)\"\" WIDE\""
      } else if manner < 0.2 { name = " " + name } else if manner < 0.21 { name = "CAFÉ " + name }
      let suffix = random.integer(below: 60)
      let code = String(10_002 + index * 7) + (suffix < 26 ? String(UnicodeScalar(UInt8(65 + suffix))) : "")
      let pence = max(19, Int((Portable.exp(random.normal() * 0.8 + 0.75) * 20).rounded()) * 5)
      made.append(Product(code: Array(code.utf8), cell: Array(name.utf8), pence: pence))
      total += 1 / Portable.pow(Double(index) + 12, 0.8)
      sums.append(total)
    }
    products = made
    cumulative = sums
  }

  func draw(_ random: inout RandomStream) -> Product {
    let wanted = random.uniform() * cumulative[cumulative.count - 1]
    var low = 0, high = cumulative.count - 1
    while low < high {
      let middle = (low + high) / 2
      if cumulative[middle] <= wanted { low = middle + 1 } else { high = middle }
    }
    return products[low]
  }
}

extension TransactionSimulator {
  private static let countries = [
    "EIRE", "Germany", "France", "Netherlands", "Spain", "Switzerland", "Belgium", "Portugal", "Australia", "Italy", "Norway",
    "Sweden", "Cyprus", "Finland", "Austria", "Denmark", "Japan", "Poland", "USA", "Unspecified", "Singapore", "Iceland",
  ].map { Array($0.utf8) }
  private static let home = Array("United Kingdom".utf8)

  /// The lines of some orders as CSV, dirt included.
  func text(of orders: [Order], _ range: Range<Int>, _ catalogue: Catalogue) -> ([UInt8], Counts) {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(range.count * 170)
    var counts = Counts()
    for index in range {
      var random = RandomStream(seed: seed ^ 0x6c69_6e65_7321, substream: UInt64(index))
      appendLines(of: orders[index], number: 489_434 + index, catalogue, &random, to: &bytes, &counts)
    }
    return (bytes, counts)
  }

  private func appendLines(
    of order: Order, number: Int, _ catalogue: Catalogue, _ random: inout RandomStream, to bytes: inout [UInt8],
    _ counts: inout Counts
  ) {
    var lines = 1
    switch order.kind {
    case .sale: while lines < 12, random.uniform() < 0.34 { lines += 1 }
    case .guest: while lines < 40, random.uniform() < 0.75 { lines += 1 }
    case .cancellation: break
    }
    if order.kind == .sale { counts.spend += Int64(order.pence) }
    let invoice = Array((order.kind == .cancellation ? "C" : "").utf8) + Array(String(number).utf8)
    var left = Int(order.pence)
    for line in 0..<lines {
      let product = catalogue.draw(&random)
      // The lines of an order add up to its spend to the penny: the last one takes what is left as a single piece.
      let share = line == lines - 1 ? left : min(left - (lines - 1 - line), max(1, left / (lines - line)))
      if share <= 0 { break }
      var quantity = max(1, (share + product.pence / 2) / product.pence)
      if share % quantity != 0 { quantity = Self.divisor(of: share, near: quantity) }
      left -= share
      let start = bytes.count
      let described = random.uniform() >= 0.003
      append(invoice, product, described, order.kind == .cancellation ? -quantity : quantity, order, share / quantity, to: &bytes)
      counts.rows += 1
      let fate = random.uniform()
      if fate < 0.01 {
        bytes.append(contentsOf: Array(bytes[start...]))
        counts.rows += 1
        counts.duplicates += 1
      } else if fate < 0.014 {
        append(invoice, product, described, 1, order, 0, to: &bytes)
        counts.rows += 1
        counts.zeroPrices += 1
      } else if fate < 0.016 {
        append(invoice, product, false, -quantity, order, 0, to: &bytes)
        counts.rows += 1
        counts.writeOffs += 1
      } else if fate < 0.0164 {
        // A line that somebody's export broke: the quantity is a word, or the rest of the line is missing.
        bytes.append(contentsOf: invoice)
        bytes.append(UInt8(ascii: ","))
        bytes.append(contentsOf: product.code)
        bytes.append(contentsOf: Array((fate < 0.0162 ? ",?,lots,2011-01-01 10:00:00,1.0,,United Kingdom\n" : ",broken off\n").utf8))
        counts.rows += 1
        counts.unreadable += 1
      }
    }
  }

  /// The divisor of `share` nearest below `wanted`, so that quantity × price is exact.
  private static func divisor(of share: Int, near wanted: Int) -> Int {
    var quantity = min(wanted, 400)
    while quantity > 1, share % quantity != 0 { quantity -= 1 }
    return quantity
  }

  private func append(
    _ invoice: [UInt8], _ product: Catalogue.Product, _ described: Bool, _ quantity: Int, _ order: Order, _ pence: Int,
    to bytes: inout [UInt8]
  ) {
    let comma = UInt8(ascii: ",")
    bytes.append(contentsOf: invoice)
    bytes.append(comma)
    bytes.append(contentsOf: product.code)
    bytes.append(comma)
    if described { bytes.append(contentsOf: product.cell) }
    bytes.append(comma)
    bytes.append(contentsOf: String(quantity).utf8)
    bytes.append(comma)
    appendTime(order.second, to: &bytes)
    bytes.append(comma)
    appendPrice(pence, to: &bytes)
    bytes.append(comma)
    if order.customer >= 0 {
      bytes.append(contentsOf: String(12_346 + order.customer).utf8)
      bytes.append(contentsOf: [UInt8(ascii: "."), UInt8(ascii: "0")])
    }
    bytes.append(comma)
    // The country is the customer's, drawn from a stream of the customer's own.
    if order.customer >= 0, order.customer % 11 == 3 {
      bytes.append(contentsOf: Self.countries[Int(order.customer / 11) % Self.countries.count])
    } else {
      bytes.append(contentsOf: Self.home)
    }
    bytes.append(UInt8(ascii: "\n"))
  }

  private func appendTime(_ second: Int32, to bytes: inout [UInt8]) {
    let date = CivilDate(days: firstDay + Int(second) / 86_400)
    let rest = Int(second) % 86_400
    func two(_ value: Int, _ separator: UInt8?) {
      bytes.append(UInt8(48 + value / 10))
      bytes.append(UInt8(48 + value % 10))
      if let separator { bytes.append(separator) }
    }
    two(date.year / 100, nil)
    two(date.year % 100, UInt8(ascii: "-"))
    two(date.month, UInt8(ascii: "-"))
    two(date.day, UInt8(ascii: " "))
    two(rest / 3600, UInt8(ascii: ":"))
    two(rest / 60 % 60, UInt8(ascii: ":"))
    two(rest % 60, nil)
  }

  /// In the shortest form, as the original has it: `6.95`, `2.1`, `3.0`.
  private func appendPrice(_ pence: Int, to bytes: inout [UInt8]) {
    bytes.append(contentsOf: String(pence / 100).utf8)
    bytes.append(UInt8(ascii: "."))
    bytes.append(UInt8(48 + pence / 10 % 10))
    if pence % 10 != 0 { bytes.append(UInt8(48 + pence % 10)) }
  }
}
