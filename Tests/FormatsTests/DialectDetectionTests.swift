import Columns
import Testing

@testable import Formats

@Suite struct DialectDetectionTests {
  private func found(_ text: String) throws -> DetectedText { try DetectedText(MemoryBytes(text), encoding: nil) }

  @Test(arguments: [
    ("a,b\n1,2\n3,4\n", ","), ("a;b\n1,5;2\n3,5;4\n", ";"), ("a\tb\n1\t2\n", "\t"), ("a|b,c\n1|2,3\n", "|"), ("a\u{1F}b\n1\u{1F}2\n", "\u{1F}"),
    ("a::b\n1::2\n3::4\n", "::"), ("a, b\n1, \"2, 3\"\n4, \"5, 6\"\n", ", "), ("one\ntwo\n", ","), ("", ","),
    ("name;note\nx;\"a, b, c\"\ny;\"d, e\"\n", ";"), ("t b\n2018-01-01 5\n2018-01-02 6\n", " "),
    ("time,place\n10:15,x\n10:16,y\n", ","), ("Field1;Field2;\"Field,3,\"\"3,3\";Field4;\"Field6,6\"", ";"),
  ])
  func delimiter(text: String, delimiter: String) throws { #expect(String(decoding: try found(text).dialect.delimiter, as: UTF8.self) == delimiter) }

  @Test(arguments: [
    ("a,b\n1,2\n3,4\n", 1, 0), ("1,2\n3,4\n5,6\n", 0, 0), ("Report of May\n\na,b\n1,2\n3,4\n", 1, 2), ("Report,,\n,,\na,b,c\n1,2,3\n", 1, 2),
    ("x,,y,\na,b,a,b\n1,2,3,4\n5,6,7,8\n9,1,2,3\n", 2, 0), ("name,town\nann,Rome\nbob,Oslo\n", 1, 0), ("# made by x, y, and z\na,b\n1,2\n", 1, 1),
    ("2015,2016\n1.5,2.5\n2.5,3.5\n", 0, 0),
  ])
  func frame(text: String, headerRows: Int, preambleRows: Int) throws {
    let dialect = try found(text).dialect
    #expect(dialect.headerRows == headerRows)
    #expect(dialect.preambleRows == preambleRows)
  }

  @Test func quotesAndEscapes() throws {
    #expect(try found("a,b\n'x, y',1\n'z, w',2\n").dialect.quote == 39)
    #expect(try found("a,b\n\"x, y\",1\nit's,2\n").dialect.quote == 34)
    #expect(try found("a,b\n\"x\\\", y\",1\n\"z\\\", w\",2\n").dialect.escape == 92)
  }

  @Test func reasons() throws {
    let found = try found("Report\na;b\n1;x\n2;y\n")
    #expect(found.reasons == ["delimiter \";\": 3 of 4 rows have 2 cells, 86 % of them like values", "header: 1 row", "1 line in front of the table"])
    #expect(!found.isOrdinary)
  }

  private static let text = "a,b\nMüller,€\n"

  @Test(arguments: [
    (TextEncoding.utf8, false), (.utf16LittleEndian, true), (.utf16BigEndian, true), (.utf16LittleEndian, false), (.utf16BigEndian, false),
    (.utf32LittleEndian, true), (.utf32BigEndian, true), (.utf32LittleEndian, false), (.utf32BigEndian, false), (.windows1252, false),
  ])
  func encoding(encoding: TextEncoding, marked: Bool) throws {
    var bytes: [UInt8] = []
    for scalar in (marked ? "\u{FEFF}" : "").unicodeScalars + (Self.text + String(repeating: "plain,text\n", count: 20)).unicodeScalars {
      let value = scalar.value
      switch encoding {
      case .utf8: bytes += Array(String(scalar).utf8)
      case .utf16LittleEndian: bytes += [UInt8(value & 255), UInt8(value >> 8)]
      case .utf16BigEndian: bytes += [UInt8(value >> 8), UInt8(value & 255)]
      case .utf32LittleEndian: bytes += [UInt8(value & 255), UInt8(value >> 8), 0, 0]
      case .utf32BigEndian: bytes += [0, 0, UInt8(value >> 8), UInt8(value & 255)]
      case .windows1252, .latin1: bytes.append(value == 0x20AC ? 0x80 : UInt8(value))
      }
    }
    for piece in [1, 3, 5, Int.max] {
      let found = try DetectedText(MemoryBytes(bytes, piece: piece), encoding: nil)
      #expect(found.encoding == encoding)
      let reading = try Reading(MemoryBytes(bytes, piece: piece), dialect: found.rules()!)
      #expect(reading.lines.first == "Müller|€")
      #expect(reading.report.schema.names == ["a", "b"])
    }
  }

  /// Bytes that are not UTF-8: a place where rules hold, windows-1252 where they do not.
  @Test func bytesThatAreNotUTF8() throws {
    let bytes = Array("a,b\né,1\n".utf8) + [0xE9, 44, 50, 10]
    let strict = try Reading(MemoryBytes(bytes, name: "t.csv"))
    #expect(strict.reasons == ["3: not UTF-8 at byte 9"])
    let (text, _) = try looseUTF8(MemoryBytes(bytes, piece: 1), .utf8, isTolerant: true)
    #expect(String(decoding: try text.all(), as: UTF8.self) == "a,b\né,1\né,2\n")
    #expect(throws: (any Error).self) { try TranscodedBytes(MemoryBytes([0x81]), from: .windows1252).all() }
    #expect(throws: (any Error).self) { try TranscodedBytes(MemoryBytes([0, 0xD8, 0, 0]), from: .utf32LittleEndian).all() }
  }

  @Test(arguments: [
    (["1", "-20"], ColumnType.int64, nil, nil), (["1.50", "20"], .decimal(precision: 4, scale: 2), nil, nil), (["007", "1"], .string, nil, nil),
    (["1.5", "1e3"], .float64, nil, nil), (["9223372036854775808", "1"], .string, nil, nil), (["13085.0", "7", "12.0"], .int64, nil, nil),
    (["1 234,50", "5"], .decimal(precision: 6, scale: 2), nil, " "), (["1'234.50", "5"], .decimal(precision: 6, scale: 2), nil, "'"), (["true", "false"], .bool, nil, nil),
    (["2011-12-09", "2012-01-01"], .date, nil, nil), (["2011-12-09 10:00:00", "2011-12-09T10:00:00"], .timestamp(), nil, nil),
    (["28/01/2018", "03/04/2018"], .date, "%d/%m/%Y", nil), (["01/28/2018", "03/04/2018"], .date, "%m/%d/%Y", nil), (["03/04/2018"], .string, nil, nil),
    (["9 Dec 2011"], .date, "%d %b %Y", nil), (["28.1.2018 7:05"], .timestamp(), "%d.%m.%Y %H:%M", nil),
    (["1,5", "20,25"], .decimal(precision: 4, scale: 2), nil, nil), (["1,234.50", "5"], .decimal(precision: 6, scale: 2), nil, ","),
    (["1.234,50", "5"], .decimal(precision: 6, scale: 2), nil, "."), (["1,234"], .string, nil, nil), (["1", "x"], .string, nil, nil),
  ] as [([String], ColumnType, String?, Character?)])
  func columnTypes(cells: [String], type: ColumnType, format: String?, thousands: Character?) throws {
    var guess = ColumnGuess(), builder = TextBuilder()
    for cell in cells + ["NA"] { builder.append(cell) }
    guess.add(builder.finish())
    let found = guess.found
    #expect(found.type == type && found.format == format && found.thousands == thousands)
    #expect(found.nulls == (type == .string ? [] : ["NA"]))
  }
}
