import Columns
import Diagnostics
import Testing

@testable import Pipelines

private func document(_ text: String) throws -> PipelineDocument { try PipelineDocument(Array(text.utf8), file: "shop.json") }

private func mistakes(_ text: String) -> [String] {
  do {
    _ = try PipelineDocument(Array(text.utf8), file: "shop.json")
    return []
  } catch { return error.all.map(brief) }
}

/// Without the excerpt: `1:2 message | expected | found | hint`.
private func brief(_ diagnostic: Diagnostic) -> String {
  guard case .text(let span) = diagnostic.place else { return diagnostic.description }
  return (["\(span.line):\(span.column) \(diagnostic.message)"] + [diagnostic.expected, diagnostic.found, diagnostic.hint].compactMap { $0 })
    .joined(separator: " | ")
}

private let shop = #"""
  {
    "$schema": "../docs/pipeline.schema.json",
    "pipeline": "shop",
    "parameters": {
      "source": { "type": "path", "default": "data/x.csv" },
      "until": { "type": "date", "default": "2011-12-09" },
      "horizon": { "type": "duration", "default": "26 weeks" },
      "least": { "type": "int", "default": 1 },
      "on": { "type": "list<string>", "default": ["a", "b"] },
      "how": { "type": "one-of", "values": ["fast", "exact"], "default": "fast" }
    },
    "stages": {
      "raw": { "stage": "ingest", "with": { "path": "${source}", "note": "$${x} of ${source}, ${least}" } },
      "sales": { "stage": "clean", "from": "raw.table", "keep": false, "with": { "keep": ["a\t> $least", "at < '${until}' AND b"] } },
      "value": { "stage": "predict", "from": { "a": "sales", "b": { "artifact": "abc" }, "c": { "run": "r1", "of": "raw.table" } },
                 "with": { "horizon": "${horizon}", "on": "${on}", "method": "${how}" } }
    }
  }
  """#

@Suite struct PipelineDocumentTests {
  @Test func everythingThatCanBeWritten() throws {
    let document = try document(shop)
    #expect(document.name == "shop" && document.stages.map(\.name) == ["raw", "sales", "value"])
    #expect(document.stages[1].inputs == [DocumentInput(alias: nil, reference: .output(stage: "raw", output: "table"))])
    #expect(
      document.stages[2].inputs.map(\.reference) == [
        .output(stage: "sales", output: nil), .artifact(digest: "abc"), .run(id: "r1", stage: "raw", output: "table"),
      ])
    let resolved = try document.resolve(set: [("source", "/x/y.csv"), ("on", "p,q"), ("how", "exact")])
    #expect(
      resolved.stages.map(\.with.canonical) == [
        #"{"path":"/x/y.csv","note":"${x} of /x/y.csv, 1"}"#,
        #"{"keep":["a\t> $least","at < '2011-12-09' AND b"]}"#,
        #"{"horizon":"26 weeks","on":["p","q"],"method":"exact"}"#,
      ])
    #expect(resolved.stages[0].pathOrigin(of: ["path"]) == .commandLine)
    #expect(try document.resolve().stages[0].pathOrigin(of: ["path"]) == .document)
    #expect(resolved.stages.map(\.mentioned) == [[], ["least"], []])
    #expect(resolved.stages.map(\.keep) == [true, false, true])
    #expect(resolved.values["least"] == .int(1) && resolved.values["until"] == .date(CivilDate(year: 2011, month: 12, day: 9)))
    #expect(resolved.parameters.map(\.origin) == [.commandLine, .document, .document, .document, .commandLine, .commandLine])
    // The record is a document itself, without templates.
    #expect(resolved.json["stages"]?["sales"]?["from"] == "raw.table")
  }

  @Test func placesOfWhatStagesSay() throws {
    let resolved = try document(shop).resolve()
    func shown(_ place: Place, _ stage: String) -> String {
      guard case .text(let span) = resolved.located(Diagnostic("x", at: place), stage: stage).place else { return "nowhere" }
      let scalars = Array(span.excerpt.unicodeScalars)[span.column - 1..<span.column - 1 + span.length]
      return "\(span.line) " + String(String.UnicodeScalarView(scalars))
    }
    #expect(shown(.nowhere, "sales") == #"14 "sales""#)
    #expect(shown(.setting(["keep", 0]), "sales") == #"14 "a\t> $least""#)
    // a, tab, >: the sign is byte 2 of the value and byte 3 of the text.
    #expect(shown(.setting(["keep", 0], offset: 2, length: 1), "sales") == "14 >")
    #expect(shown(.setting(["keep", 1], offset: 18, length: 3), "sales") == "14 AND")
    #expect(shown(.setting(["keep", 1], offset: 8, length: 2), "sales") == "14 ${until}")
    #expect(shown(.setting(["horizon"], offset: 3, length: 2), "value") == #"16 "${horizon}""#)
    #expect(shown(.setting(["on", 1]), "value") == #"16 "${on}""#)
    #expect(shown(.setting(["missing"]), "sales") == #"14 "with""#)
    #expect(shown(.setting(["missing", "more"]), "sales") == #"14 "with""#)
    #expect(shown(.settingKey(["horizon"]), "value") == #"16 "horizon""#)
    #expect(shown(.input(port: "b"), "value") == #"15 { "artifact": "abc" }"#)
    #expect(shown(.input(port: nil), "value") == #"15 "from""#)
    #expect(shown(.input(port: "table"), "sales") == #"14 "raw.table""#)
    #expect(shown(.input(port: nil), "raw") == #"13 "raw""#)
  }

  @Test func allMistakesAtOnceInTheOrderOfTheText() {
    let text = #"""
      { "pipeline": "My Shop", "sumary": "x",
        "parameters": { "n": { "type": "integer" }, "d": { "type": "date", "default": "2011-13-01" }, "unused": { "type": "int" } },
        "stages": {
          "raw": { "stage": "ingest", "with": { "path": "${sorce}", "text": "x ${l}", "open": "a ${b" } },
          "raw": { "stage": "ingest" },
          "stale": { "from": "rwa", "keep": "no" },
          "Bad": { "stage": 4, "form": "raw", "with": ["$n"] },
          "list": { "stage": "union", "from": ["raw", "stale"], "with": { "a": "${n} ${d}" } } } }
      """#
    #expect(
      mistakes(text) == [
        #"1:15 "My Shop" cannot name a pipeline | a small letter, then up to 63 small letters, digits, "_" or "-""#,
        #"1:26 unknown key "sumary" of a document | did you mean "summary"?"#,
        #"2:34 unknown type of parameter "n" | string, int, float, bool, date, duration, path, one-of, list<…> of one of these | "integer""#,
        #"2:81 the default of parameter "d" does not fit its type | a date such as "2011-12-09" | the text "2011-13-01""#,
        #"2:97 parameter "unused" is never used | write "${unused}" where it is meant, or remove it"#,
        #"4:52 unknown parameter "sorce" | known: n, d, unused"#,
        #"4:74 unknown parameter "l" | did you mean "n"?"#,
        #"4:92 "${" is not closed | "}" | a literal "${" is written "$${""#,
        #"5:5 duplicate key "raw" | it is already given in line 4; keep one of them"#,
        #"6:5 "stale" is a word of selectors and cannot name a stage | reserved: stale, failed, all, kind, last"#,
        #"6:5 stage "stale" has no "stage" | "stage", a kind such as "clean""#,
        #"6:24 stage "stale" reads "rwa", and there is no such stage | did you mean "raw"?"#,
        #"6:39 "keep" of stage "stale" does not fit | true or false | the text "no""#,
        #"7:5 "Bad" cannot name a stage | a small letter, then up to 63 small letters, digits, "_" or "-""#,
        #"7:23 "stage" does not fit | a kind such as "clean" | the number 4"#,
        #"7:26 unknown key "form" of a stage | did you mean "from"?"#,
        #"7:49 "with" of stage "Bad" does not fit | an object of settings | a list"#,
        #"8:41 "from" of stage "list" does not fit | a text, or an object of aliases | a list | give each input a name of its own: { "first": "…", "second": "…" }"#,
      ])
  }

  @Test(arguments: [1, 2, 3, 1000]) func cycles(length: Int) {
    let stages = (0..<length).map { #""s\#($0)": { "stage": "x", "from": "s\#(($0 + 1) % length)" }"# }
    let text = #"{ "pipeline": "p", "stages": { "free": { "stage": "x", "from": "s0" },"# + "\n" + stages.joined(separator: ",\n") + "} }"
    let expected =
      switch length {
      case 1: #"stage "s0" reads itself"#
      case 2: #"2 stages read each other in a circle: "s0" reads "s1" reads "s0""#
      case 3: #"3 stages read each other in a circle: "s0" reads "s1" reads "s2" reads "s0""#
      default:
        #"1000 stages read each other in a circle: "s0" reads "s1" reads "s2" reads "s3" reads … 995 more … reads "s999" reads "s0""#
      }
    #expect(mistakes(text) == ["2:31 \(expected) | a stage can only read what is made without it"])
  }

  @Test(arguments: [
    ("unknown", "sorce", "x", "error: unknown parameter \"sorce\" in --set sorce=x\n  hint: did you mean \"source\"?"),
    ("no date", "until", "9.12.2011", "error: --set until=9.12.2011 does not fit\n  expected a date such as \"2011-12-09\", found \"9.12.2011\""),
    ("no number", "least", "1.5", "error: --set least=1.5 does not fit\n  expected a whole number, found \"1.5\""),
    ("none of these", "how", "slow", "error: --set how=slow does not fit\n  expected one of \"fast\", \"exact\", found \"slow\""),
  ])
  func settings(name: String, parameter: String, value: String, message: String) throws {
    let document = try document(shop)
    do {
      _ = try document.resolve(set: [(parameter, value)])
      Issue.record("\(name): nothing was thrown")
    } catch { #expect(error.description == message) }
  }

  @Test func aParameterWithoutValue() throws {
    let document = try document(#"{"pipeline":"p","parameters":{"n":{"type":"int"}},"stages":{"a":{"stage":"x","with":{"n":"${n}"}}}}"#)
    do {
      _ = try document.resolve()
      Issue.record("nothing was thrown")
    } catch { #expect(error.all.map(brief) == [#"1:31 parameter "n" has no value | a whole number | set it with --set n=…, or give it a default"#]) }
    #expect(try document.resolve(set: [("n", "7")]).stages[0].with.canonical == #"{"n":7}"#)
  }

  @Test func theSchemaNamesEveryKind() throws {
    let schema = documentSchema([KindSchema(kind: "clean", summary: "s", settings: SettingsDescription(reflecting: 0), hasInputs: true)])
    #expect(schema["$defs"]?["with-clean"]?["additionalProperties"] == false)
    #expect(schema["properties"]?["stages"]?["additionalProperties"]?["properties"]?["stage"] == ["enum": ["clean"]])
  }
}

/// Texts that no person wrote: what is told of them is bounded.
@Suite struct HostileDocumentTests {
  private func told(_ text: String) -> [String] {
    do {
      _ = try PipelineDocument(Array(text.utf8), file: "x.json")
      return []
    } catch { return error.all.map(\.message) }
  }

  struct Flood: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let stage: @Sendable (Int) -> String

    init(_ name: String, _ stage: @escaping @Sendable (Int) -> String) { (testDescription, self.stage) = (name, stage) }
  }

  @Test(arguments: [
    Flood("stages that are not there") { "\"s\($0)\":{\"stage\":\"union\",\"from\":\"gone\($0)\"}" },
    Flood("keys given twice") { "\"s\($0 % 7)\":{\"stage\":\"simulate\"}" },
    Flood("wrong names") { "\"S\($0)\":{\"stage\":\"simulate\"}" },
    Flood("no stages") { "\"s\($0)\":\($0)" },
    Flood("circles") { "\"s\($0)\":{\"stage\":\"union\",\"from\":\"s\($0 ^ 1)\"}" },
    Flood("parameters that are not there") { "\"s\($0)\":{\"stage\":\"simulate\",\"with\":{\"a\":\"${p\($0)}\"}}" },
  ])
  func mistakesAreBounded(of flood: Flood) {
    let found = told("{\"pipeline\":\"x\",\"stages\":{\n" + (0..<3000).map(flood.stage).joined(separator: ",\n") + "}}")
    #expect((100...104).contains(found.count))
    #expect(found.last == "these are the first \(found.count - 1) mistakes; there may be more")
  }

  @Test func ofAMegabyteThreeAreTold() {
    let found = told("{\"pipeline\":\"x\",\"stages\":{" + (0..<40_000).map { "\"s\($0)\":{\"stage\":\"union\",\"from\":\"gone\"}" }.joined(separator: ",") + "}}")
    #expect(found.count == 4 && found.last == "these are the first 3 mistakes; there may be more")
  }

  /// In one line: places are those of the line, excerpts are short.
  @Test(arguments: ["", "é"]) func placesInALongLine(letter: String) throws {
    let stages = (0..<2000).map { "\"s\($0)\":{\"stage\":\"union\",\"with\":{\"n\":\"\(letter)\"}}" }
    let text = "{\"pipeline\":\"x\",\"stages\":{" + stages.joined(separator: ",") + "}}"
    let span = try PipelineDocument(Array(text.utf8), file: "x.json").span(of: "s1500")
    let at = try #require(text.firstRange(of: "\"s1500\""))
    #expect((span.line, span.column, span.length) == (1, text.unicodeScalars.distance(from: text.startIndex, to: at.lowerBound) + 1, 7))
    #expect(span.excerpt.utf8.count <= 2100 && span.isCutBehind && span.excerptStart > 0)
    let shown = Diagnostic("here", at: .text(span)).description.split(separator: "\n")
    #expect(shown.count == 3 && shown[1].hasPrefix("  1 | …") && shown[1].hasSuffix("…") && shown[1].contains("\"s1500\":{"))
    let marked = Array(shown[1])[shown[2].distance(from: shown[2].startIndex, to: shown[2].firstIndex(of: "^")!)...].prefix(7)
    #expect(String(marked) == "\"s1500\"")
  }

  @Test func manyStagesAreRead() throws {
    let chain = (0..<5000).map { "\"s\($0)\":{\"stage\":\"union\"\($0 == 0 ? "" : ",\"from\":\"s\($0 - 1)\"")}" }
    let document = try PipelineDocument(Array("{\"pipeline\":\"x\",\"stages\":{\n\(chain.joined(separator: ",\n"))}}".utf8), file: "x.json")
    #expect(document.stages.count == 5000)
    #expect(document.span(of: "s4999").line == 5001 && document.span(ofKindOf: "s2500").line == 2502)
    #expect(document.span(of: "gone").line == 1)
  }
}
