import Columns
import Pipelines
import Testing

@testable import Stages

/// What people get wrong about value from attributes, message for message.
@Suite struct AttributeMistakesTests {
  @Test(arguments: [
    (
      "nothing said", Written(["model": "ols"]),
      ["what ols is to foretell, and from what, is not known; expected \"attributes\": {\"target\": column, \"features\": [columns]}"]
    ),
    (
      "of another model", Written(["model": "bg-nbd", "unit": "week", "attributes": ["target": "value", "features": ["income"]]]),
      [
        "input \"customers\" has no column \"frequency\"; hint: known: customer, income, policies, claims, coverage, region, value, held_out",
        "input \"customers\" has no column \"recency\"; hint: known: customer, income, policies, claims, coverage, region, value, held_out",
        "input \"customers\" has no column \"age\"; hint: known: customer, income, policies, claims, coverage, region, value, held_out",
        "\"attributes\" means nothing to bg-nbd; expected a model of value from attributes, such as \"ols\"",
      ]
    ),
    (
      "columns", Written(["model": "ols", "attributes": ["target": "region", "features": ["incom", "coverage"], "test": "income", "key": "id"]]),
      [
        "column \"region\" of input \"customers\" is not numeric; expected a number type; found string",
        "input \"customers\" has no column \"incom\"; hint: did you mean \"income\"?",
        "column \"income\" of input \"customers\" does not say which rows are held out; expected bool; found float64; hint: derive it with feature-engineer",
        "input \"customers\" has no column \"id\"; hint: known: customer, income, policies, claims, coverage, region, value, held_out",
      ]
    ),
    (
      "settings", Written([
        "model": "ols", "k": 2,
        "attributes": [
          "target": "value", "features": ["value", "income", "income"], "penalty": 1, "l1Ratio": 0.2, "missing": "keep", "refit": true, "test": 2,
          "trees": ["depth": 3], "encodings": ["regio": "target", "income": ["encoding": "target", "order": ["a"]]],
        ],
      ]),
      [
        "\"k\" means nothing to ols; expected a model of purchases or contracts",
        "\"penalty\" means nothing to ols; expected \"model\": \"ridge\", \"elastic-net\", \"poisson\" or \"tweedie\"",
        "\"l1Ratio\" means nothing to ols; expected \"model\": \"elastic-net\"",
        "\"missing\" means nothing to ols; expected \"model\": \"random-forest\" or \"gradient-boosting\"",
        "\"trees\" means nothing to ols; expected \"model\": \"random-forest\" or \"gradient-boosting\"",
        "the share that is held out is out of range; expected above 0 and below 1; found 2.0",
        "\"income\" is named twice; expected distinct columns",
        "\"value\" is what is foretold; hint: leave it out",
        "\"regio\" is not one of the features; hint: known: value, income, income",
        "\"order\" means nothing to target; expected \"encoding\": \"ordinal\"",
        "column \"income\" of input \"customers\" has no levels to encode; expected string; found float64",
      ]
    ),
    (
      "levels", Written([
        "model": "ols",
        "attributes": [
          "target": "value", "features": ["region", "coverage"],
          "encodings": [
            "region": ["encoding": "one-hot", "baseline": "wst"], "coverage": ["encoding": "ordinal", "order": ["Basic", "Premium"]],
          ],
        ],
      ]),
      [
        "\"region\" has no level \"wst\" in the rows of the fit; hint: did you mean \"west\"?",
        "\"order\" leaves out levels of \"coverage\": \"Extended\"; expected every level",
      ]
    ),
  ] as [(String, Written, [String])]) func ofFit(name: String, settings: Written, messages: [String]) throws {
    let customers = try AttributeTests.customers()
    #expect(complaints { try runRoom(Fit.self, settings.json, ["customers": .table(customers)]) } == messages, "\(name)")
  }

  @Test func ofValuesThatTheModelCannotHave() throws {
    let customers = try AttributeTests.customers()
    let value = customers["value"].doubles().map { $0 - 50 }
    let shifted = batch(("income", customers["income"]), ("value", .full(.float64, value)))
    let said = complaints {
      try runRoom(Fit.self, ["model": "poisson", "attributes": ["target": "value", "features": ["income"]]], ["customers": .table(shifted)])
    }
    let unfit = value.indices.filter { value[$0] < 0 }
    #expect(said == [
      "\(unfit.count) values of \"value\" cannot come from this model, the first in row \(unfit[0] + 1); expected 0 or more; found \(value[unfit[0]])"
    ])
  }

  @Test func ofPredict() throws {
    let customers = try AttributeTests.customers()
    let document = try AttributeTests.fit("ols", customers).documents["model"]!
    func said(_ settings: JSONValue, _ table: Batch, document: JSONValue = document, about: String = "model:ols") -> [String] {
      complaints { try runRoom(Predict.self, settings, ["customers": .table(table), "value": .document(document, about: about)]) }
    }
    #expect(said(["horizon": "1 year", "scaled": true], customers) == [
      "\"horizon\" means nothing to a model of value from attributes; expected input \"purchases\"",
      "\"scaled\" means nothing to a model of value from attributes; expected input \"purchases\"",
    ])
    #expect(said(["explain": ["incme", "income", "income"], "column": "value"], customers) == [
      "\"income\" is named twice; expected distinct features",
      "input \"customers\" has no column \"incme\"; hint: did you mean \"income\"?",
      "input \"customers\" already has a column \"value\", which this stage makes; hint: leave it out, or rename it in the stage before",
    ])
    #expect(said([:], customers, about: "model:bg-nbd") == [
      "input \"value\" is not a model that it can use; expected a fitted model of value from attributes; found a fitted bg-nbd"
    ])
    #expect(said([:], batch(("income", .strings(["much"])), ("policies", .int32s([1])))) == [
      "column \"income\" of input \"customers\" is not of the type that the model was fitted with; expected a number, a truth value or a date; found string",
      "input \"customers\" has no column \"claims\"; hint: known: income, policies",
      "input \"customers\" has no column \"coverage\"; hint: known: income, policies",
      "input \"customers\" has no column \"region\"; hint: known: income, policies",
    ])
    #expect(said([:], customers, document: ["model": "ols", "target": "value", "missing": "mean", "unseen": "usual", "features": [["name": "income", "as": "number"]]]) == [
      "the document of input \"value\" is not a model of value from attributes that can be used; expected a list \"coefficients\"; found nothing; hint: connect the output of a stage \"fit\""
    ])
    #expect(complaints { try runRoom(Predict.self, [:], ["customers": .table(customers)]) } == [
      "there is no model to predict from; expected input \"purchases\", or \"value\"; hint: connect the output of a stage \"fit\"",
      "missing setting \"horizon\"; expected a duration such as \"26 weeks\" (days, weeks, months, years); hint: horizon: how far ahead",
      "input \"customers\" has no column \"frequency\"; hint: known: customer, income, policies, claims, coverage, region, value, held_out",
      "input \"customers\" has no column \"recency\"; hint: known: customer, income, policies, claims, coverage, region, value, held_out",
      "input \"customers\" has no column \"age\"; hint: known: customer, income, policies, claims, coverage, region, value, held_out",
    ])
  }

  @Test func ofEvaluate() throws {
    let customers = try AttributeTests.customers()
    #expect(complaints { try runRoom(Evaluate.self, [:], ["predicted": .table(customers)]) } == [
      "input \"predicted\" has no column \"predicted\"; hint: known: customer, income, policies, claims, coverage, region, value, held_out",
      "input \"predicted\" has no column \"actual\"; hint: connect \"holdout\", or name the columns as \"value\" and \"actual\"",
    ])
    #expect(complaints { try runRoom(Evaluate.self, ["value": "value", "actual": "value"], ["predicted": .table(customers)]) } == [
      "\"value\" and \"actual\" are one column, \"value\"; expected two columns"
    ])
  }
}
