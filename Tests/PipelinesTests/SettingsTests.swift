import Columns
import Diagnostics
import Testing

@testable import Pipelines

private enum Method: String, SettingChoice { case kMeans = "k-means", ward }

private struct Scores: SettingsGroup {
  @Setting("how many", in: 2...10) var bins = 5
  @Setting("what is scored") var on: String
}

private struct Column: SettingsGroup {
  @Setting("its type") var type = "string"
  @Setting("texts replaced") var replace: Named<String> = [:]
}

private struct Measure: ShortenedGroup {
  static let shortName = "share"
  @Setting("of what") var of = "revenue"
  @Setting("how much", in: 0...1) var share: Double
  @Setting("texts") var texts: Named<String> = [:]
}

private struct Measures: Settings {
  @Setting("measures") var measures: Named<Measure> = [:]
}

private protocol Kind: Settings { static var word: String { get } }

private struct Everything: Kind {
  static let word = "everything"
  @Setting("share cut off at each end", in: 0...0.5) var trim = 0.01
  @Setting("the customer column") var customer: String
  @Setting("last day") var until: CivilDate?
  @Setting("how far", in: 1...) var k: Int?
  @Setting("conditions") var keep: [SQLText] = []
  @Setting("all columns, or these") var distinct: Either<Bool, [String]> = .first(false)
  @Setting("how") var method = Method.kMeans
  @Setting("scores") var scores: Scores?
  @Setting("columns") var columns: Named<Either<String, Column>> = [:]
  @Setting("measures") var on: OneOrMany<String> = ["revenue"]
  @Setting("how long") var horizon = Duration(26, .week)
  @Setting("password") var password: Secret?
  @Setting("cuts", in: 0..<1) var cuts: [Double] = [0.5]
}

@Suite struct SettingsTests {
  @Test func defaultsCompleteWhatIsWritten() throws {
    let written: JSONValue = [
      "scores": ["on": "m"], "columns": ["z": "int32", "a": ["replace": ["y": "1", "b": "2"]]], "on": "orders", "customer": "id",
      "horizon": "1  weeks", "trim": 0.050, "distinct": ["x"], "k": 4.0,
    ]
    let (canonical, mistakes) = canonicalSettings(of: Everything.self, written: written)
    #expect(mistakes == [])
    #expect(
      canonical.canonical
        == #"{"columns":{"z":"int32","a":{"replace":{"y":"1","b":"2"},"type":"string"}},"customer":"id","cuts":[0.5],"distinct":["x"],"horizon":"1 week","k":4,"keep":[],"method":"k-means","on":["orders"],"password":null,"scores":{"bins":5,"on":"m"},"trim":0.05,"until":null}"#
    )
    let stage = try decodeSettings(Everything.self, from: canonical)
    #expect(stage.trim == 0.05 && stage.customer == "id" && stage.until == nil && stage.k == 4)
    #expect(stage.distinct == .second(["x"]) && stage.scores?.bins == 5 && stage.method == .kMeans)
    #expect(stage.columns.names == ["z", "a"] && stage.on.items == ["orders"] && stage.horizon.days == 7)
    // Canonical settings are a fixed point, and so is what the stage encodes.
    #expect(canonicalSettings(of: Everything.self, written: canonical).canonical.canonical == canonical.canonical)
    #expect(try JSONValue(encoding: stage).sorted == canonical.sorted)
  }

  /// The value of one setting in place of its object is the same recipe.
  @Test func shortForms() throws {
    let short: JSONValue = ["measures": ["b": 0.5, "a": ["share": 0.25, "of": "x"]]]
    let long: JSONValue = ["measures": ["b": ["share": 0.5], "a": ["of": "x", "share": 0.25, "texts": [:]]]]
    let (canonical, mistakes) = canonicalSettings(of: Measures.self, written: short)
    #expect(mistakes == [])
    #expect(canonical.canonical == #"{"measures":{"b":{"of":"revenue","share":0.5,"texts":{}},"a":{"of":"x","share":0.25,"texts":{}}}}"#)
    #expect(canonicalSettings(of: Measures.self, written: long).canonical.canonical == canonical.canonical)
    #expect(canonicalSettings(of: Measures.self, written: canonical).canonical.canonical == canonical.canonical)
    let decoded = try decodeSettings(Measures.self, from: canonical)
    #expect(decoded.measures.map(\.value.share) == [0.5, 0.25] && decoded.measures["b"]?.of == "revenue")
    let wrong: JSONValue = ["measures": ["a": 2, "b": "much", "c": ["shares": 0.5]]]
    #expect(
      Mistakes(canonicalSettings(of: Measures.self, written: wrong).mistakes).description == """
        error: setting "measures.a" is out of range (setting /measures/a)
          expected a number from 0 to 1, found 2
        error: setting "measures.b" does not fit (setting /measures/b)
          expected a number, or an object of of, share, texts, found the text "much"
        error: unknown setting "measures.c.shares" (setting /measures/c/shares)
          hint: did you mean "share"?
        error: missing setting "measures.c.share" (setting /measures/c/share)
          expected a number
          hint: share: how much
        """)
    let description = SettingsDescription(of: Measures.self)
    #expect(description.markdownRows == [
      "| `measures` | {name: number \\| object} | `{}` | measures |", "| `measures.*.of` | string | `\"revenue\"` | of what |",
      "| `measures.*.share` | number 0…1 | required | how much |", "| `measures.*.texts` | {name: string} | `{}` | texts |",
    ])
    let measures = description.schema["properties"]?["measures"]?["anyOf"]?.array?.first
    let one = measures?["additionalProperties"]?["anyOf"]?.array?.first
    #expect(
      one?.canonical
        == ##"{"anyOf":[{"type":"number","minimum":0,"maximum":1},{"type":"object","properties":{"of":{"description":"of what","type":"string","default":"revenue"},"share":{"description":"how much","anyOf":[{"type":"number","minimum":0,"maximum":1},{"$ref":"#/$defs/parameter"}]},"texts":{"description":"texts","anyOf":[{"type":"object","additionalProperties":{"type":"string"}},{"$ref":"#/$defs/parameter"}],"default":{}}},"additionalProperties":false,"required":["share"]}]}"##)
  }

  @Test func aKindKnownOnlyAtRunTime() throws {
    let kinds: [any Kind.Type] = [Everything.self]
    let (canonical, mistakes) = canonicalSettings(of: kinds[0], written: ["customer": "id"])
    #expect(mistakes == [])
    let stage: any Kind = try decodeSettings(kinds[0], from: canonical)
    #expect((stage as? Everything)?.customer == "id")
  }

  @Test func allMistakesAtOnce() {
    let written: JSONValue = [
      "trimm": true, "trim": 0.7, "until": "2011-02-30", "k": 2.5, "keep": "a > 1", "distinct": 3, "method": "k-mean",
      "scores": ["bins": 1], "columns": ["a": ["typ": "x"]], "on": [1], "horizon": "26", "password": "hunter2", "cuts": [0, 1],
    ]
    let mistakes = canonicalSettings(of: Everything.self, written: written, owner: "of stage \"s\" (everything)").mistakes
    #expect(
      Mistakes(mistakes).description == """
        error: unknown setting "trimm" of stage "s" (everything) (setting /trimm)
          hint: did you mean "trim"?
        error: setting "trim" of stage "s" (everything) is out of range (setting /trim)
          expected a number from 0 to 0.5, found 0.7
        error: setting "until" of stage "s" (everything) does not fit (setting /until)
          expected a date such as "2011-12-09", found the text "2011-02-30"
        error: setting "k" of stage "s" (everything) does not fit (setting /k)
          expected a whole number of at least 1, found the number 2.5
        error: setting "keep" of stage "s" (everything) does not fit (setting /keep)
          expected a list of SQL expressions, found the text "a > 1"
          hint: put it in brackets: [ ]
        error: setting "distinct" of stage "s" (everything) does not fit (setting /distinct)
          expected true or false, or a list of texts, found the number 3
        error: unknown value of setting "method" of stage "s" (everything) (setting /method)
          expected "k-means" or "ward", found the text "k-mean"
          hint: did you mean "k-means"?
        error: setting "scores.bins" of stage "s" (everything) is out of range (setting /scores/bins)
          expected a whole number from 2 to 10, found 1
        error: missing setting "scores.on" of stage "s" (everything) (setting /scores/on)
          expected a text
          hint: on: what is scored
        error: unknown setting "columns.a.typ" of stage "s" (everything) (setting /columns/a/typ)
          hint: did you mean "type"?
        error: setting "on[0]" of stage "s" (everything) does not fit (setting /on/0)
          expected a text, found the number 1
        error: setting "horizon" of stage "s" (everything) does not fit (setting /horizon)
          expected a duration such as "26 weeks" (days, weeks, months, years), found the text "26"
        error: setting "password" of stage "s" (everything) takes the name of a secret, never its value (setting /password)
          expected an object such as {"secret": "NAME"}
        error: setting "cuts[1]" of stage "s" (everything) is out of range (setting /cuts/1)
          expected a number from 0 to below 1, found 1
        error: missing setting "customer" of stage "s" (everything) (setting /customer)
          expected a text
          hint: customer: the customer column
        """)
  }

  @Test func pagesAndSchema() {
    let description = SettingsDescription(of: Everything.self)
    #expect(description.names.prefix(3) == ["trim", "customer", "until"])
    #expect(
      SettingsDescription(of: Scores.self).markdownRows == [
        "| `bins` | int 2…10 | `5` | how many |", "| `on` | string | required | what is scored |",
      ])
    #expect(description.markdownRows.contains("| `columns.*.type` | string | `\"string\"` | its type |"))
    #expect(description.markdownRows.contains("| `method` | k-means \\| ward | `\"k-means\"` | how |"))
    #expect(
      SettingsDescription(of: Scores.self).schema.canonical
        == ##"{"type":"object","properties":{"bins":{"description":"how many","anyOf":[{"type":"integer","minimum":2,"maximum":10},{"$ref":"#/$defs/parameter"}],"default":5},"on":{"description":"what is scored","type":"string"}},"additionalProperties":false,"required":["on"]}"##
    )
  }

  @Test(arguments: [
    ("26 weeks", 182.0, "26 weeks"), ("90 days", 90, "90 days"), ("1 year", 365.25, "1 year"), ("6 months", 182.625, "6 months"),
    ("1.5 week", 10.5, "1.5 weeks"), ("12 hours", 0.5, "12 hours"),
  ])
  func durations(text: String, days: Double, canonical: String) throws {
    let duration = try #require(Duration(text))
    #expect(duration.days == days)
    #expect(duration.description == canonical)
  }

  @Test(arguments: ["26", "weeks", "-1 days", "1e3 days", "nan days", "1 fortnight", "", "1 2 days"])
  func noDurations(text: String) { #expect(Duration(text) == nil) }
}
