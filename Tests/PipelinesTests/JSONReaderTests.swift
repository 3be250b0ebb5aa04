import Diagnostics
import Pipelines
import Testing

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

private func messages(_ text: String) -> String {
  Mistakes(JSONReader.readAll(Array(text.utf8), file: "x.json").mistakes).description
}

@Suite struct JSONReaderTests {
  @Test(arguments: [
    (
      "a comma at the end of a list", "[1,\n 2,]",
      """
      x.json:2:4: error: not JSON
        2 |  2,]
          |    ^
        expected a value, found "]"
        hint: remove the comma before it
      """
    ),
    (
      "a comma at the end of an object", #"{"a": 1,}"#,
      """
      x.json:1:9: error: not JSON
        1 | {"a": 1,}
          |         ^
        expected a key in double quotes, found "}"
        hint: remove the comma before it
      """
    ),
    (
      "single quotes", "{'a': 1}",
      """
      x.json:1:2: error: not JSON
        1 | {'a': 1}
          |  ^
        expected a key in double quotes, found "'"
        hint: texts stand in double quotes
      """
    ),
    (
      "a comment", "{} // end",
      """
      x.json:1:4: error: not JSON
        1 | {} // end
          |    ^
        expected the end of the file, found "/"
        hint: JSON has no comments
      """
    ),
    (
      "a word of Python", #"{"é": True}"#,
      """
      x.json:1:7: error: not JSON
        1 | {"é": True}
          |       ^~~~
        expected a value, found True
        hint: write true
      """
    ),
    (
      "an open text", "[\"ab\n]",
      """
      x.json:1:2: error: the text is not closed on its line
        1 | ["ab
          |  ^~~
        hint: close it with ", or write \\n for a line break
      """
    ),
    (
      "nothing", "",
      """
      x.json:1:1: error: not JSON
        1 |\u{20}
          | ^
        expected a value, found the end of the file
      """
    ),
    (
      "a byte order mark", "\u{FEFF}{}",
      """
      x.json:1:1: error: the file begins with a byte order mark
        1 | \u{FEFF}{}
          | ^
        hint: save it as UTF-8 without BOM
      """
    ),
    (
      "two keys twice", #"{"a": {"b": 1, "b": 2}, "a": 3}"#,
      """
      x.json:1:16: error: duplicate key "b"
        1 | {"a": {"b": 1, "b": 2}, "a": 3}
          |                ^~~
        hint: it is already given in line 1; keep one of them
      x.json:1:25: error: duplicate key "a"
        1 | {"a": {"b": 1, "b": 2}, "a": 3}
          |                         ^~~
        hint: it is already given in line 1; keep one of them
      """
    ),
  ])
  func mistakes(name: String, text: String, expected: String) { #expect(messages(text) == expected, "\(name)") }

  @Test func encodings() {
    let utf16 = JSONReader.readAll([0xFF, 0xFE, 0x7B, 0, 0x7D, 0], file: "x.json").mistakes
    #expect(utf16.map(\.message) == ["the file is UTF-16 or UTF-32"])
    let latin = JSONReader.readAll([0x22, 0xE9, 0x22], file: "x.json").mistakes
    #expect(latin.map(\.message) == ["the file is not UTF-8"])
    #expect(latin.map(\.found) == ["byte 0xE9"])
  }

  @Test func nestingIsBounded() throws {
    let deep = Array(String(repeating: "[", count: 512).utf8) + Array(String(repeating: "]", count: 512).utf8)
    _ = try JSONReader.read(deep, file: "deep")
    for opening in ["[", "{\"a\":"] {
      let mistakes = JSONReader.readAll(Array(String(repeating: opening, count: 200_000).utf8), file: "deep").mistakes
      #expect(mistakes.map(\.message) == ["nested too deeply"])
    }
  }

  @Test func placesOfValuesKeysAndPartsOfTexts() throws {
    let document = try JSONReader.read(Array("{\n  \"a\": [10, {\"k\\u00e9\": \"x\\n\\ud83d\\ude00yz\"}]\n}".utf8), file: "p")
    func shown(_ span: TextSpan) -> String {
      "\(span.line):\(span.column) " + String(String.UnicodeScalarView(Array(span.excerpt.unicodeScalars)[span.column - 1..<span.column - 1 + span.length]))
    }
    #expect(shown(document.span(of: ["a", 0])) == "2:9 10")
    #expect(shown(document.span(ofKey: ["a", 1, "ké"])) == "2:14 \"k\\u00e9\"")
    #expect(shown(document.span(of: ["a", 1, "ké"])) == "2:25 \"x\\n\\ud83d\\ude00yz\"")
    // x, line feed, four bytes of the face, y: the y is byte 6 of the value.
    #expect(shown(document.span(inStringAt: ["a", 1, "ké"], offset: 6, length: 1)) == "2:41 y")
    #expect(shown(document.span(inStringAt: ["a", 1, "ké"], offset: 2, length: 4)) == "2:29 \\ud83d\\ude00")
    // Nothing stands there: the key of the object around it.
    #expect(shown(document.span(of: ["a", 1, "missing"])) == "2:13 {")
    #expect(shown(document.span(of: ["a", 7])) == "2:3 \"a\"")
  }

  /// The texts of github.com/nst/JSONTestSuite: `y_` must be read, `n_` refused, `i_` must not crash.
  @Test func suiteOfOthers() throws {
    let root = getenv("MILLRACE_SHARED").map { String(cString: $0) } ?? packageRoot + "/../shared"
    let folder = root + "/corpora/jsontestsuite/test_parsing"
    guard let listing = opendir(folder) else {
      print("JSONTestSuite is not here: nothing was compared")
      return
    }
    defer { closedir(listing) }
    var seen = 0, right = 0
    while let entry = readdir(listing) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) } }
      guard name.hasSuffix(".json") else { continue }
      let (document, mistakes) = JSONReader.readAll(try bytes(folder + "/" + name), file: name)
      seen += 1
      switch name.first {
      case "y":
        #expect(document != nil, "\(name)")
        right += document == nil ? 0 : 1
        // RFC 8259 allows duplicate keys; a document does not.
        #expect(mistakes.isEmpty != name.contains("duplicated_key"), "\(name)")
      case "n":
        #expect(document == nil && !mistakes.isEmpty, "\(name)")
        right += document == nil ? 1 : 0
      // Either is right, as long as there is an answer.
      default: right += 1
      }
      if let document {
        let again = try? JSONReader.read(document.value.canonicalBytes, file: name)
        #expect(again?.value == document.value, "\(name)")
      }
    }
    // 318 of the whole suite.
    #expect(seen > 100 && right == seen, "\(right) of \(seen) verdicts are right")
  }

  private var packageRoot: String {
    #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
  }

  private func bytes(_ path: String) throws -> [UInt8] {
    let file = try #require(fopen(path, "rb"))
    defer { fclose(file) }
    var all: [UInt8] = [], block = [UInt8](repeating: 0, count: 65536)
    while case let count = fread(&block, 1, block.count, file), count > 0 { all += block[..<count] }
    return all
  }
}

/// SplitMix64 (Steele, Lea & Flood 2014): the same values on every machine.
struct SeededNumbers: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

@Suite struct JSONPrintingTests {
  private func random(_ numbers: inout SeededNumbers, depth: Int) -> JSONValue {
    switch Int.random(in: 0..<(depth > 4 ? 5 : 7), using: &numbers) {
    case 0: return .null
    case 1: return .bool(Bool.random(using: &numbers))
    case 2: return .integer(Int64(truncatingIfNeeded: numbers.next()))
    case 3: return .double(Double(bitPattern: numbers.next()))
    case 4: return .string(text(&numbers))
    case 5: return .array((0..<Int.random(in: 0..<5, using: &numbers)).map { _ in random(&numbers, depth: depth + 1) })
    default:
      return .object((0..<Int.random(in: 0..<5, using: &numbers)).map { JSONMember("\($0)" + text(&numbers), random(&numbers, depth: depth + 1)) })
    }
  }

  private func text(_ numbers: inout SeededNumbers) -> String {
    let scalars: [Unicode.Scalar] = ["a", "\"", "\\", "\n", "\u{0}", "\u{1F}", "\u{7F}", "é", "\u{301}", "\u{2028}", "😀", "/", "$", "{"]
    var text = String.UnicodeScalarView()
    for _ in 0..<Int.random(in: 0..<8, using: &numbers) { text.append(scalars.randomElement(using: &numbers)!) }
    return String(text)
  }

  @Test(arguments: 0..<300) func whatIsPrintedReadsBackEqual(seed: Int) throws {
    var numbers = SeededNumbers(state: UInt64(seed))
    let value = random(&numbers, depth: 0)
    for text in [value.canonical, value.pretty()] {
      let again = try JSONReader.read(Array(text.utf8), file: "seed \(seed)").value
      #expect(again == value)
      #expect(again.canonical == value.canonical)
    }
    #expect(try JSONValue(encoding: value) == value)
    #expect(value.sorted.sorted == value.sorted)
  }

  @Test(arguments: [
    ("1.0", "1"), ("10e-1", "1"), ("-0", "0"), ("-0.0", "0"), ("0.010", "0.01"), ("1e-2", "0.01"), ("1E400", "1E400"),
    ("12345678901234567890123", "12345678901234567890123"), ("0.1e1", "1"), ("1e22", "1e+22"), ("5e-324", "5e-324"),
  ])
  func numbers(written: String, canonical: String) throws {
    #expect(try JSONReader.read(Array(written.utf8), file: "n").value.canonical == canonical)
  }

  @Test func forPeople() {
    let value: JSONValue = ["a": [1, 2], "b": ["c": ["d": []]], "e": []]
    #expect(
      value.pretty() == """
        {
          "a": [1, 2],
          "b": {
            "c": { "d": [] }
          },
          "e": []
        }

        """)
  }

  @Test func codableKeepsTheOrderOfMembers() throws {
    struct Model: Codable, Equatable {
      struct Part: Codable, Equatable { var z: Int, a: Double? }
      var name: String, parts: [Part], ratio: Double, big: UInt64
    }
    let model = Model(name: "x", parts: [.init(z: 1, a: nil), .init(z: -2, a: 0.5)], ratio: 3, big: .max)
    let json = try JSONValue(encoding: model)
    #expect(json.canonical == #"{"name":"x","parts":[{"z":1},{"z":-2,"a":0.5}],"ratio":3,"big":18446744073709551615}"#)
    #expect(try json.decoded(as: Model.self) == model)
    let wrong: JSONValue = ["name": "x", "parts": [["z": 1.5]], "ratio": 3, "big": 1]
    #expect(throws: Diagnostic(
      "a value of another type is needed here", at: .setting(["parts", 0, "z"]),
      expected: "a whole number from -9223372036854775808 to 9223372036854775807", found: "the number 1.5")
    ) { try wrong.decoded(as: Model.self) }
  }
}
