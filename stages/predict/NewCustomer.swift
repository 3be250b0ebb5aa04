import Models
import Pipelines

/// What a customer whose first purchase is today is expected to do within the horizon; the first purchase is not counted.
struct NewCustomer {
  let document: JSONValue

  init(_ model: FittedModel, _ spend: FittedModel?, unit: Duration.Unit, horizon: Double, discount: Discount?) {
    let kind = PurchaseModel(rawValue: model.kind.rawValue)!  // every kind of purchases is one
    let predictor = kind.predictor(model.parameters, stages: model.stages)
    let expected = predictor.expectedPurchases(by: horizon)
    var members: [JSONMember] = [
      JSONMember("model", .string(model.kind.rawValue)),
      JSONMember("horizon", .double(horizon)),
      JSONMember("unit", .string(unit.rawValue)),
      JSONMember("expected_purchases", .double(expected)),
      JSONMember("p_purchase", .double(max(0, 1 - predictor.probability(ofPurchases: 0, by: horizon)))),
    ]
    if let spend {
      let law = GammaGamma.Parameters(p: spend.parameters[0], q: spend.parameters[1], v: spend.parameters[2])
      let mean = spend.document["population_mean"]?.double ?? law.populationMean
      let counted = discount.map { predictor.discountedPurchases(x: 0, tx: 0, T: 0, $0) } ?? expected
      members += [JSONMember("expected_spend", .double(mean)), JSONMember("clv", .double(mean * counted))]
    }
    document = .object(members)
  }
}
