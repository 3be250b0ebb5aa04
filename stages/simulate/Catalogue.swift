import Statistics

/// The goods of the simulated shop.
struct Catalogue: Sendable {
  struct Product: Sendable {
    /// Where its code is in `text`; its description follows, as a CSV cell: quoted where it holds a comma or a quote.
    let start: Int32, codeEnd: Int32, end: Int32
    let pence: Int32
  }

  let products: [Product]
  /// Codes and descriptions, one after the other.
  let text: [UInt8]
  /// Sums of the products' weights: a few goods sell most (Zipf, exponent 0.8).
  private let cumulative: [Double]
  /// The first product that a share of k / 4096 of all weight can draw.
  private let firsts: [Int32]

  init(seed: UInt64, count: Int = 3000) {
    let colours = ["WHITE", "RED", "PINK", "BLUE", "VINTAGE", "RETRO", "JUMBO", "SMALL", "LARGE", "HANGING", "WOODEN", "ANTIQUE"]
    let motifs = ["HEART", "SPOTTY", "FLORAL", "STRAWBERRY", "CHRISTMAS", "STAR", "PAISLEY", "ROSE", "GARDEN", "KITCHEN", "PARTY"]
    let things = ["T-LIGHT HOLDER", "BAG", "BUNTING", "CAKESTAND 3 TIER", "NAPKINS", "LANTERN", "MUG", "SIGN", "CLOCK", "FRAME", "DOORMAT"]
    var random = RandomStream(seed: seed, substream: UInt64.max - 1)
    var total = 0.0
    var sums: [Double] = []
    var made: [Product] = []
    var text: [UInt8] = []
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
      let start = text.count
      text.append(contentsOf: code.utf8)
      let codeEnd = text.count
      text.append(contentsOf: name.utf8)
      made.append(Product(start: Int32(start), codeEnd: Int32(codeEnd), end: Int32(text.count), pence: Int32(pence)))
      total += 1 / Portable.pow(Double(index) + 12, 0.8)
      sums.append(total)
    }
    products = made
    self.text = text
    cumulative = sums
    var firsts: [Int32] = []
    var first = 0
    for step in 0..<4096 {
      while sums[first] <= Double(step) / 4096 * total { first += 1 }
      firsts.append(Int32(first))
    }
    self.firsts = firsts
  }

  func draw(_ random: inout RandomStream) -> Product {
    let share = random.uniform()
    let wanted = share * cumulative[cumulative.count - 1]
    // A uniform draw times a power of two is exact, and rounding keeps order: no product before this one can be meant.
    var at = Int(firsts[Int(share * 4096)])
    while at < cumulative.count - 1, cumulative[at] <= wanted { at += 1 }
    return products[at]
  }
}
