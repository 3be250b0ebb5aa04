import Models
import Statistics
import Testing

struct ModelChoiceTests {
  /// What a customer knew at `origin` and did within `horizon` after it, from the moments of all purchases.
  static func origin(_ customers: [[Double]], _ origin: Double, _ horizon: Double) -> ModelChoice.Origin {
    var (s, actual) = (PurchaseSummary(x: [], tx: [], T: []), [Double]())
    for moments in customers where moments[0] <= origin {
      let before = moments.filter { $0 <= origin }
      s.x.append(Double(before.count - 1))
      s.tx.append(before.last! - before[0])
      s.T.append(origin - before[0])
      actual.append(Double(moments.filter { $0 > origin && $0 <= origin + horizon }.count))
    }
    return ModelChoice.Origin(summary: s, actual: actual, horizon: horizon)
  }

  /// Customers who leave after a share of their purchases are not taken for ones who never do; and the other way round.
  @Test(arguments: [(0.35, [PurchaseModel.bgNBD, .mbgNBD, .paretoNBD]), (0.0, [.nbd])])
  func theRightKindWins(dropout: Double, expected: [PurchaseModel]) throws {
    var random = RandomStream(seed: 3)
    var customers: [[Double]] = []
    for _ in 0..<3000 {
      let rate = random.gamma(shape: 0.9, rate: 9)
      var moments = [(random.uniform() * 40).rounded(.down)]
      while random.uniform() >= dropout {
        moments.append(moments.last! + random.exponential(rate: rate))
        if moments.last! > 120 { break }
      }
      customers.append(moments)
    }
    let choice = ModelChoice([60, 75, 90].map { Self.origin(customers, $0, 25) })
    let chosen = try #require(choice.chosen)
    if dropout > 0 {
      #expect(expected.contains(chosen))
      let nbd = try #require(choice.board.first { $0.model == .nbd })
      #expect(nbd.failure != nil || nbd.logScore < choice.board[0].logScore - 0.005)
      #expect(choice.board[0].bias.magnitude < 0.15)
    } else {
      // Without dropout the others learn that there is none: nearly the same scores, so only the difference is small.
      let nbd = try #require(choice.board.first { $0.model == .nbd })
      #expect(choice.board[0].logScore - nbd.logScore < 1e-3)
    }
    let reason = try #require(choice.reason)
    #expect(reason.hasPrefix("\(chosen.words) gave what happened after 3 origins the highest probability (mean log score "))
    #expect(choice.board.allSatisfy { $0.failure != nil || $0.logScore <= choice.board[0].logScore })
  }

  @Test func nobodyBoughtAgain() {
    let nobody = PurchaseSummary(x: [Double](repeating: 0, count: 30), tx: [Double](repeating: 0, count: 30), T: [Double](repeating: 9, count: 30))
    let choice = ModelChoice([.init(summary: nobody, actual: [Double](repeating: 0, count: 30), horizon: 5)], among: [.bgNBD, .nbd])
    #expect(choice.chosen == nil && choice.reason == nil)
    #expect(choice.board.map(\.failure) == [
      "BG/NBD cannot be fitted: none of the 30 customers bought again, so nothing is known of rates or dropout; take a longer observation period",
      "NBD cannot be fitted: none of the 30 customers bought again, so nothing is known of rates or dropout; take a longer observation period",
    ])
  }
}
