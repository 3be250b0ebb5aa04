import Columns
import Diagnostics
import Foundation
import Pipelines
import Testing

@testable import Stages

/// `"dialect": "auto"` and `"tolerant": true`.
@Suite struct IngestDialectTests {
  static let columns: JSONValue = [
    "id": ["type": "string"], "at": ["type": "date"], "price": ["type": "decimal(12,2)"], "n": ["type": "int32"],
  ]

  func ingest(_ texts: [(name: String, data: Data)], _ more: [JSONMember], columns: JSONValue = columns) throws -> StageResult {
    let files = try IngestTests.Files()
    let sources = try texts.map { try files.write($0.name, $0.data) }
    let settings = [JSONMember("path", "*"), JSONMember("columns", columns)] + more
    return try runStage(Ingest.self, .object(settings), [], files: [sources])
  }

  func ingest(_ text: String, _ more: [JSONMember], columns: JSONValue = columns) throws -> StageResult {
    try ingest([("a.csv", Data(text.utf8))], more, columns: columns)
  }

  static let auto = [JSONMember("dialect", "auto")]

  @Test(arguments: [
    ("the ordinary one", "id,at,price,n\na,2018-01-28,1234.50,3\nb,2018-02-03,6.95,4\n"),
    ("semicolons, a decimal comma, points between thousands", "id;at;price;n\na;28/01/2018;1.234,50;3\nb;03/02/2018;6,95;4\n"),
    ("tabs and an American order of dates", "id\tat\tprice\tn\na\t01/28/2018\t1,234.50\t3\nb\t02/03/2018\t6.95\t4\n"),
    ("a preamble and blanks between thousands", "Report of May\n\nid|at|price|n\na|28.01.2018|1 234,50|3.0\nb|03.02.2018|6,95|4.0\n"),
    ("commas, quoted numbers with decimal commas", "id,at,price,n\na,2018-01-28,\"1234,50\",3\nb,2018-02-03,\"6,95\",4\n"),
    ("CR line ends and single quotes", "'id','at','price','n'\r'a','2018-01-28','1234.50','3'\r'b','2018-02-03','6.95','4'\r"),
  ]) func filesThatSayNothing(name: String, text: String) throws {
    for tolerant in [false, true] {
      let run = try ingest(text, Self.auto + [JSONMember("tolerant", .bool(tolerant))])
      #expect(run.rows() == [["a", "2018-01-28", "1234.50", "3"], ["b", "2018-02-03", "6.95", "4"]], "\(name), tolerant \(tolerant)")
      #expect(run.rows("quarantine").isEmpty)
    }
  }

  @Test func whatWasFoundIsTold() throws {
    let run = try ingest("id;at;price;n\na;28/01/2018;1.234,50;3\nb;03/02/2018;6,95;4\n", Self.auto)
    #expect(run.metrics["dialects"] == [
      [
        "file": "a.csv", "encoding": "utf-8", "delimiter": ";", "quote": "\"", "escape": "", "headerRows": 1, "preambleRows": 0, "decimal": ",",
        "formats": ["at": "%d/%m/%Y"], "thousands": ["price": "."],
      ]
    ])
    #expect(run.metrics["notes"] == [
      "a.csv: delimiter \";\": 3 of 3 rows have 4 cells, 90 % of them like values; header: 1 row; decimal mark \",\": as numbers have it; column \"at\" has dates as %d/%m/%Y; column \"price\" has \".\" between thousands"
    ])
  }

  @Test func everyFileHasItsOwn() throws {
    let latin = Data("id;at;price;n\nJosé;2018-01-28;1,50;3\n".unicodeScalars.map { UInt8($0.value) })
    let wide = try #require("id\tat\tprice\tn\nZoë\t2018-01-28\t2.50\t4\n".data(using: .utf16LittleEndian))
    let run = try ingest([("a.csv", latin), ("b.csv", wide), ("c.csv", Data("id,at,price,n\nc,2018-01-28,3.50,5\n".utf8))], Self.auto)
    #expect(run.rows() == [["José", "2018-01-28", "1.50", "3"], ["Zoë", "2018-01-28", "2.50", "4"], ["c", "2018-01-28", "3.50", "5"]])
    #expect(run.metrics["dialects"]?.array?.map { $0["encoding"] } == ["windows-1252", "utf-16le", "utf-8"])
    #expect(run.metrics["rows"] == 3)
  }

  @Test func whatIsToldIsNotLookedFor() throws {
    let text = "a;b\n1;2,5\n3;4,5\n"
    let columns: JSONValue = ["x": ["position": 1, "type": "string"], "y": ["position": 2, "type": "string"]]
    #expect(try ingest(text, Self.auto, columns: columns).rows() == [["1", "2,5"], ["3", "4,5"]])
    #expect(try ingest(text, Self.auto + [JSONMember("header", false)], columns: columns).rows() == [["a", "b"], ["1", "2,5"], ["3", "4,5"]])
    let told = [JSONMember("delimiter", ","), JSONMember("header", false), JSONMember("preambleRows", 0), JSONMember("tolerant", true)]
    #expect(try ingest(text, Self.auto + told, columns: columns).rows() == [["a;b", ""], ["1;2", "5"], ["3;4", "5"]])
  }

  @Test func twoReadingsAreAMistake() {
    #expect(complaints { try ingest("id;at;price;n\na;03/04/2018;1.5;3\nb;01/02/2018;6.95;4\n", Self.auto) } == [
      "column \"at\" may be read in two ways; found dates of which day and month cannot be told apart; say type and format: \"%d/%m/%Y\" or \"%m/%d/%Y\"; hint: say the column's \"format\""
    ])
    #expect(complaints { try ingest("id;at;price;n\na;2018-04-03;1,234;3\n", Self.auto) } == [
      "column \"price\" may be read in two ways; found a comma with three digits behind it: between thousands or before decimals; say the type, and \"decimal\" or \"replace\"; hint: say \"decimal\""
    ])
  }

  @Test func aDoubtfulBeginningIsSettledByLaterRows() throws {
    var text = "id;at;price;n\n"
    for row in 0..<25_000 { text += "c\(row);\(row % 12 + 1)/3/2018;1.00;1\n" }
    let run = try ingest(text + "last;28/3/2018;1.00;1\n", Self.auto)
    #expect(run.rows().last == ["last", "2018-03-28", "1.00", "1"] && run.rows("quarantine").isEmpty)
  }

  /// Every row is kept, quarantined or left out, and what was put right is counted.
  @Test func tolerantRowsAddUp() throws {
    var text = "id,at,price,n\n"
    for row in 0..<40 { text += "c\(row),2018-01-28,\(row).50,\(row)\n" }
    text += "short,2018-01-28,1.50\n\nlong,2018-01-28,1.50,7,,\nid,at,price,n\ntorn,2018-01-28,1.50,8,text behind\nbad,2018-01-28,many,9\n\"open,2018-01-28,1.50,10\n"
    let strict = try ingest(text, [])
    #expect(strict.metrics["total"] == nil && strict.metrics["kept"] == 40)
    let run = try ingest(text, [JSONMember("tolerant", true)])
    let kept = try #require(run.metrics["kept"]?.int), quarantined = try #require(run.metrics["quarantined"]?.int)
    #expect(kept == run.rows().count && quarantined == run.rows("quarantine").count)
    #expect(run.metrics["left_out"] == ["blank lines": 1, "repeated headers": 1])
    #expect(run.metrics["rows"]?.int == kept + quarantined && run.metrics["total"]?.int == kept + quarantined + 2 && run.metrics["total"] == 47)
    #expect(run.rows("quarantine").map { [$0[1], $0[5]] } == [["46", "expected 4 fields, found 5"], ["47", "expected decimal(12,2), found \"many\""]])
    #expect(run.rows().suffix(3) == [["short", "2018-01-28", "1.50", ""], ["long", "2018-01-28", "1.50", "7"], ["\"open", "2018-01-28", "1.50", "10"]])
    #expect(run.metrics["repaired"]?["short rows padded"] == 1 && run.metrics["repaired"]?["long rows cut"] == 1)
    let cut = try ingest(text, [JSONMember("tolerant", true), JSONMember("longRows", "trim"), JSONMember("shortRows", "quarantine")])
    #expect(cut.rows("quarantine").map { $0[1] } == ["42", "47"])
    #expect(cut.metrics["repaired"]?["cells with text cut off"] == 1)
  }

  @Test func rowsAddUpWhateverTheText() throws {
    var random = SystemlessRandom(seed: 20)
    let pieces = ["a", "7", ",", ",", ",", "\n", "\n", "\"", "\"\"", "\r\n", " ", "x,2018-01-28,1.5,2\n", "é", ";", "id,at,price,n\n"]
    for _ in 0..<120 {
      var text = "id,at,price,n\n"
      for _ in 0..<Int(random.next() % 60) { text += pieces[Int(random.next() % UInt64(pieces.count))] }
      let run = try ingest(text, [JSONMember("tolerant", true)])
      let left = (run.metrics["left_out"]?.members ?? []).reduce(0) { $0 + ($1.value.int ?? 0) }
      #expect(run.metrics["total"]?.int == run.rows().count + run.rows("quarantine").count + left, "\(text)")
      #expect(run.metrics["rows"]?.int == run.rows().count + run.rows("quarantine").count, "\(text)")
    }
  }

  @Test func bytesOfNoUTF8AreReadAndCounted() throws {
    var data = Data("id,at,price,n\ncafé,2018-01-28,1.50,3\n".utf8)
    data += Data([0xE9]) + Data(",2018-01-28,1.50,4\n".utf8)
    let run = try ingest([("a.csv", data)], [JSONMember("tolerant", true)])
    #expect(run.rows().map { $0[0] } == ["café", "é"] && run.metrics["repaired"]?["bytes read as windows-1252"] == 1)
    #expect(run.metrics["notes"] == ["a.csv: 1 byte that is no UTF-8 read as windows-1252"])
  }

  @Test func missingColumnsAreNullInTolerantRowsToo() throws {
    let run = try ingest("id;n\na;1\nb\n", Self.auto + [JSONMember("tolerant", true), JSONMember("missing", "null")])
    #expect(run.rows() == [["a", "", "", "1"], ["b", "", "", ""]])
  }

  @Test(arguments: [
    ("what goes with tolerant", [JSONMember("shortRows", "quarantine")], ["shortRows goes with tolerant; hint: set \"tolerant\": true"]),
    ("columns under each other", [JSONMember("delimiter", "blank"), JSONMember("tolerant", true)], ["\"blank\" does not go with tolerant"]),
    ("comments", [JSONMember("comment", "#"), JSONMember("dialect", "auto")], ["comments do not go with dialect auto"]),
    ("a delimiter of several characters", [JSONMember("delimiter", "||")], ["setting delimiter does not fit; expected one character; found \"||\""]),
  ]) func settingsThatDoNotGoTogether(name: String, more: [JSONMember], expected: [String]) {
    #expect(complaints { try ingest("id,at,price,n\n", more) } == expected)
  }

  @Test func delimitersOfSeveralCharactersNeedTolerance() throws {
    let run = try ingest("id||at||price||n\na||2018-01-28||1.50||3\n", [JSONMember("delimiter", "||"), JSONMember("tolerant", true)])
    #expect(run.rows() == [["a", "2018-01-28", "1.50", "3"]])
  }
}

/// SplitMix64: the same numbers everywhere.
struct SystemlessRandom: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
