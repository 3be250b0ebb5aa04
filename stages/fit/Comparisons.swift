import Models
import Pipelines
import Statistics

/// A fit tested against other models of the same customers' purchases.
struct Comparisons {
  /// The models of which single histories have a likelihood.
  enum Rival: String, SettingChoice { case bgNBD = "bg-nbd", mbgNBD = "mbg-nbd", paretoNBD = "pareto-nbd", nbd }

  /// Below this the data speak for one of two.
  private static let significance = 0.05

  let model: PurchaseModel
  let parameters: [Double]
  let logLikelihood: Double

  /// In the order of the rivals; the model itself is passed over.
  func json(_ rivals: [Rival], on summary: PurchaseSummary) -> JSONValue {
    .array(rivals.map { PurchaseModel(rawValue: $0.rawValue)! }.filter { $0 != model }.map { compare($0, summary) })
  }

  private func compare(_ rival: PurchaseModel, _ summary: PurchaseSummary) -> JSONValue {
    func refused(_ why: String) -> JSONValue { ["model": .string(rival.rawValue), "failure": .string(why)] }
    let other: (parameters: [Double], logLikelihood: Double, converged: Bool)
    do {
      other = try rival.fitted(to: summary)
    } catch {
      return refused("\(error)")
    }
    if !other.converged { return refused("its fit did not converge") }
    var told = [JSONMember("model", .string(rival.rawValue)), JSONMember("log_likelihood", .double(other.logLikelihood))]
    let favours: PurchaseModel?
    if model == .nbd || rival == .nbd {
      // NBD is each of the others where nobody leaves.
      let (larger, smaller) = rival == .nbd ? (logLikelihood, other.logLikelihood) : (other.logLikelihood, logLikelihood)
      let test = ModelComparison.likelihoodRatio(larger, over: smaller, fewer: 2)
      favours = test.pValue < Self.significance ? (rival == .nbd ? model : rival) : nil
      told += [
        JSONMember("test", "likelihood-ratio"), JSONMember("statistic", .double(test.statistic)), JSONMember("degrees", 2),
        JSONMember("p", .double(test.pValue)),
      ]
    } else {
      let test = ModelComparison.vuong(model.histories(parameters)!, rival.histories(other.parameters)!, on: summary)
      favours = test.pValue < Self.significance ? (test.z > 0 ? model : rival) : nil
      told += [JSONMember("test", "vuong"), JSONMember("z", .double(test.z)), JSONMember("p", .double(test.pValue))]
    }
    told.append(JSONMember("favours", .string(favours?.rawValue ?? "neither")))
    return .object(told)
  }
}
