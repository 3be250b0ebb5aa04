import Statistics

extension TransactionSimulator {
  /// The lines of some orders as CSV, dirt included.
  func text(of orders: [Order], _ range: Range<Int>, _ catalogue: Catalogue) -> ([UInt8], Counts) {
    var text = InvoiceText(capacity: range.count * 160)
    var counts = Counts()
    for index in range {
      var random = RandomStream(seed: seed ^ 0x6c69_6e65_7321, substream: UInt64(index))
      text.begin(orders[index], number: 489_434 + index, firstDay: firstDay)
      appendLines(of: orders[index], catalogue, &random, to: &text, &counts)
    }
    return (text.array, counts)
  }

  private func appendLines(
    of order: Order, _ catalogue: Catalogue, _ random: inout RandomStream, to text: inout InvoiceText, _ counts: inout Counts
  ) {
    var lines = 1
    switch order.kind {
    case .sale: while lines < 12, random.uniform() < 0.2 { lines += 1 }
    case .guest: while lines < 40, random.uniform() < 0.75 { lines += 1 }
    case .cancellation: break
    }
    if order.kind == .sale { counts.spend += Int64(order.pence) }
    var left = Int(order.pence)
    for line in 0..<lines {
      let product = catalogue.draw(&random)
      // The lines of an order add up to its spend to the penny: the last one takes what is left as a single piece.
      let share = line == lines - 1 ? left : min(left - (lines - 1 - line), max(1, left / (lines - line)))
      if share <= 0 { break }
      var quantity = max(1, (share + Int(product.pence) / 2) / Int(product.pence))
      if share % quantity != 0 { quantity = Self.divisor(of: share, near: quantity) }
      left -= share
      let start = text.count
      let described = random.uniform() >= 0.003
      text.appendLine(
        product, of: catalogue, described: described, quantity: order.kind == .cancellation ? -quantity : quantity, pence: share / quantity)
      counts.rows += 1
      let fate = random.uniform()
      if fate < 0.01 {
        text.repeatLine(from: start)
        counts.rows += 1
        counts.duplicates += 1
      } else if fate < 0.014 {
        text.appendLine(product, of: catalogue, described: described, quantity: 1, pence: 0)
        counts.rows += 1
        counts.zeroPrices += 1
      } else if fate < 0.016 {
        text.appendLine(product, of: catalogue, described: false, quantity: -quantity, pence: 0)
        counts.rows += 1
        counts.writeOffs += 1
      } else if fate < 0.0164 {
        // A line that somebody's export broke: the quantity is a word, or the rest of the line is missing.
        text.appendBrokenLine(
          product, of: catalogue, rest: fate < 0.0162 ? ",?,lots,2011-01-01 10:00:00,1.0,,United Kingdom\n" : ",broken off\n")
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
}
