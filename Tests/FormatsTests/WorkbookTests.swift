import Columns
import Diagnostics
import Testing

@testable import Formats

/// A workbook of one sheet, or parts in place of those it would have.
private struct Book {
  var sheet = ""
  var strings: [String] = []
  var styles = ""
  var workbook: String?
  var date1904 = false
  var replaced: [String: String?] = [:]

  var bytes: [UInt8] {
    let officeNames = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    var parts: [(String, String)] = [
      ("[Content_Types].xml", "<Types/>"),
      ("_rels/.rels", "<Relationships><Relationship Id='rId1' Type='\(officeNames)/officeDocument' Target='xl/workbook.xml'/></Relationships>"),
      ("xl/workbook.xml", workbook ?? """
        <workbook xmlns:r='\(officeNames)'><workbookPr date1904='\(date1904 ? 1 : 0)'/><sheets><sheet name='Sales' sheetId='1' r:id='rId1'/>\
        <sheet name='Chart' sheetId='2' r:id='rId4'/></sheets></workbook>
        """),
      ("xl/_rels/workbook.xml.rels", """
        <Relationships><Relationship Id='rId1' Type='\(officeNames)/worksheet' Target='worksheets/sheet1.xml'/>\
        <Relationship Id='rId2' Type='\(officeNames)/sharedStrings' Target='/xl/sharedStrings.xml'/>\
        <Relationship Id='rId3' Type='\(officeNames)/styles' Target='styles.xml'/>\
        <Relationship Id='rId4' Type='\(officeNames)/chartsheet' Target='chartsheets/sheet1.xml'/></Relationships>
        """),
      ("xl/worksheets/sheet1.xml", "<worksheet><sheetData>\(sheet)</sheetData></worksheet>"),
      ("xl/sharedStrings.xml", "<sst>" + strings.map { "<si>\($0)</si>" }.joined() + "</sst>"),
      ("xl/styles.xml", "<styleSheet>\(styles)</styleSheet>"),
    ]
    parts = parts.compactMap { name, text in
      guard let other = replaced[name] else { return (name, text) }
      return other.map { (name, $0) }
    }
    var zip = ZipFile([:])
    for (name, text) in parts { zip.add(name, Array(text.utf8)) }
    return zip.content
  }

  func lines(_ columns: [CSVColumn]? = nil, sheet: String? = nil, header: Int = 1, asText: Bool = false) throws -> [String] {
    let scratch = Scratch()
    var options = TableSource.Options()
    (options.columns, options.sheet, options.asText, options.dialect.headerRows) = (columns, sheet, asText, header)
    var lines: [String] = []
    for part in try TableSource.open(file: scratch.file("t.xlsx", bytes: bytes), name: "t.xlsx", options) {
      lines.append((part.schema?.fields ?? []).map { "\($0.name) \($0.type)" }.joined(separator: "|"))
      let show = { (batch: Batch) in
        for row in 0..<batch.count { lines.append(batch.columns.map { $0.isNull(row) ? "∅" : $0.value(at: row).description }.joined(separator: "|")) }
      }
      let report = try part.read(batch: show, quarantine: show)
      #expect(report.rows == report.kept + report.quarantined && report.rows == lines.count - 1)
    }
    return lines
  }
}

@Suite struct WorkbookTests {
  static let header = "<row r='1'><c r='A1' t='inlineStr'><is><t>a</t></is></c><c r='B1' t='str'><v>b</v></c></row>"

  @Test func cellsOfEveryKind() throws {
    let book = Book(
      sheet: """
        <row r='1'><c r='A1' t='s'><v>0</v></c><c r='B1' t='s'><v>1</v></c><c r='C1' t='s'><v>2</v></c></row>
        <row r='3'><c t='inlineStr'><is><r><t>in</t></r><r><t xml:space='preserve'>line </t></r><rPh><t>no</t></rPh></is></c><c><f>1+1</f><v>0.10000000000000001</v></c><c t='b'><v>1</v></c></row>
        <row r='9'><c r='B9'><v>1E-4</v></c><c r='A9' t='e'><v>#N/A</v></c><c r='C9' t='b'><v>0</v></c></row>
        <row r='10'><c r='A10'><v/></c></row><row r='11'/>
        """, strings: ["<t>name</t>", "<r><t>va</t></r><r><t>lue_x0021_</t></r><rPh sb='0'><t>x</t></rPh>", "<t>flag</t>"])
    #expect(try book.lines() == ["name string|value! decimal(5,4)|flag bool", "inline |0.1000|true", "#N/A|0.0001|false"].map { $0 })
    #expect(try book.lines(asText: true) == ["name string|value! string|flag string", "inline |0.1|true", "#N/A|0.0001|false"])
    #expect(try book.lines([CSVColumn("v", from: .name("value!"), .float64), CSVColumn("f", from: .position(3), .bool)]) == ["v float64|f bool", "0.1|true", "0.0001|false"])
  }

  struct Day: Sendable, CustomTestStringConvertible {
    let name: String, format: String, serial: String, text: String, is1904: Bool
    var testDescription: String { name }
    init(_ name: String, _ format: String, _ serial: String, _ text: String, is1904: Bool = false) {
      (self.name, self.format, self.serial, self.text, self.is1904) = (name, format, serial, text, is1904)
    }
  }

  @Test(arguments: [
    Day("day", "numFmtId='14'", "40886", "2011-12-09 date"), Day("day and time", "numFmtId='22'", "40886.534722222219", "2011-12-09 12:50:00 timestamp"),
    Day("day of 1904", "numFmtId='14'", "39424", "2011-12-09 date", is1904: true), Day("first day", "numFmtId='14'", "1", "1900-01-01 date"),
    Day("before the day that never was", "numFmtId='14'", "59", "1900-02-28 date"), Day("the day that never was", "numFmtId='14'", "60", "1900-02-29 string"),
    Day("behind it", "numFmtId='14'", "61", "1900-03-01 date"), Day("last day", "numFmtId='14'", "2958465", "9999-12-31 date"),
    Day("beyond the last day", "numFmtId='14'", "2958466", "2958466 int64"), Day("negative", "numFmtId='14'", "-1", "-1 int64"),
    Day("time only", "numFmtId='20'", "0.5", "12:00:00 string"), Day("elapsed", "numFmtId='46'", "1.5", "36:00:00 string"),
    Day("own format", "numFmtId='164'", "40886.5", "2011-12-09 12:00:00 timestamp"), Day("own format of numbers", "numFmtId='165'", "40886", "40886 int64"),
    Day("own format of elapsed time", "numFmtId='166'", "2", "48:00:00 string"), Day("milliseconds", "numFmtId='22'", "40886.00000001157", "2011-12-09 00:00:00.001 timestamp"),
  ])
  func day(_ row: Day) throws {
    let book = Book(
      sheet: Self.header + "<row r='2'><c r='A2' s='1'><v>\(row.serial)</v></c></row>",
      styles: """
        <numFmts><numFmt numFmtId='164' formatCode='[$-409]d\\-mmm\\-yyyy h:mm'/><numFmt numFmtId='165' formatCode='0.00 "days"'/>\
        <numFmt numFmtId='166' formatCode='[hh]:mm'/></numFmts><cellStyleXfs><xf numFmtId='14'/></cellStyleXfs><cellXfs><xf numFmtId='0'/><xf \(row.format)/></cellXfs>
        """, date1904: row.is1904)
    let lines = try book.lines()
    let (type, cell) = (lines[0].split(separator: "|")[0].dropFirst(2), lines[1].split(separator: "|")[0])
    #expect("\(cell) \(type)" == row.text)
  }

  @Test func typedColumnsAndQuarantine() throws {
    let book = Book(sheet: Self.header + """
      <row r='2'><c r='A2'><v>5</v></c><c r='B2' t='str'><v>6.95</v></c></row>
      <row r='4'><c r='A4' t='e'><v>#DIV/0!</v></c><c r='B4'><v>1</v></c></row>
      <row r='5'><c r='A5'><v>5.5</v></c></row><row r='6'><c r='B6'><v>2.005</v></c></row><row r='7'><c r='A7'><v>1E3</v></c></row>
      """)
    #expect(try book.lines([CSVColumn("a", .int32), CSVColumn("b", .decimal(precision: 6, scale: 2))]) == [
      "a int32|b decimal(6,2)", "t.xlsx|4|∅|a|A=#DIV/0! | B=1|expected int32, found \"#DIV/0!\"", "t.xlsx|5|∅|a|A=5.5|expected int32, found \"5.5\"",
      "t.xlsx|6|∅|b|B=2.005|expected decimal(6,2), found \"2.005\": more digits than the type holds", "5|6.95", "1000|∅",
    ])
  }

  @Test func mergedHeaders() throws {
    let cell = { (ref: String, text: String) in "<c r='\(ref)' t='str'><v>\(text)</v></c>" }
    var book = Book()
    book.replaced["xl/worksheets/sheet1.xml"] = """
      <worksheet><sheetData><row r='1'>\(cell("A1", "id"))\(cell("B1", "2010"))</row><row r='2'>\(cell("B2", "q1"))\(cell("C2", "q2"))</row>
      <row r='3'><c r='A3'><v>7</v></c><c r='B3'><v>8</v></c><c r='C3'><v>9</v></c></row></sheetData>
      <mergeCells count='2'><mergeCell ref='B1:C1'/><mergeCell ref='A1:A2'/></mergeCells></worksheet>
      """
    #expect(try book.lines(header: 2) == ["id int64|2010 q1 int64|2010 q2 int64", "7|8|9"])
  }

  @Test func claimsOfSizeCostNothing() throws {
    var book = Book()
    book.replaced["xl/worksheets/sheet1.xml"] = """
      <worksheet><dimension ref='A1:XFD1048576'/><sheetData><row r='1'><c r='A1' t='str'><v>a</v></c></row><row r='2'><c r='A2'><v>1</v></c></row>
      <row r='1048576'><c r='XFD1048576'><v>3</v></c></row></sheetData></worksheet>
      """
    #expect(try book.lines() == ["a int64|column_16384 int64", "1|∅", "∅|3"])
  }

  @Test func otherPrefixesAndDistantTexts() throws {
    var book = Book(strings: ["<x:t>a</x:t>"])
    book.replaced["xl/worksheets/sheet1.xml"] = "<x:worksheet xmlns:x='m'><x:sheetData><x:row><x:c t='s'><x:v>0</x:v></x:c></x:row><x:row><x:c><x:v>1</x:v></x:c></x:row></x:sheetData></x:worksheet>"
    book.replaced["xl/sharedStrings.xml"] = "<x:sst xmlns:x='m'><x:si><x:t>a</x:t></x:si></x:sst>"
    #expect(try book.lines() == ["a int64", "1"])
  }

  struct Hostile: Sendable, CustomTestStringConvertible {
    let name: String, part: String, text: String?, words: String
    var testDescription: String { name }
    init(_ name: String, _ part: String, _ text: String?, _ words: String) { (self.name, self.part, self.text, self.words) = (name, part, text, words) }
  }

  static let entities = "<!DOCTYPE w [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>]>"

  @Test(arguments: [
    Hostile("entities", "xl/worksheets/sheet1.xml", entities + "<worksheet><sheetData><row><c t='str'><v>&b;</v></c></row></sheetData></worksheet>", """
      t.xlsx, part xl/worksheets/sheet1.xml: error: has a document type, which is refused
        hint: workbooks need none; it can hold entities that grow without bound
      """),
    Hostile("external entity", "xl/sharedStrings.xml", "<!DOCTYPE s [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><sst><si><t>&x;</t></si></sst>", """
      t.xlsx, part xl/sharedStrings.xml: error: has a document type, which is refused
        hint: workbooks need none; it can hold entities that grow without bound
      """),
    Hostile("cut off", "xl/worksheets/sheet1.xml", "<worksheet><sheetData><row r='1'>", "t.xlsx, part xl/worksheets/sheet1.xml, line 1, byte 33: error: is no well-formed XML: no element found"),
    Hostile("text out of range", "xl/worksheets/sheet1.xml", "<worksheet><sheetData><row r='4'><c r='C4' t='s'><v>7</v></c></row></sheetData></worksheet>",
      "t.xlsx, line 4, column \"C\": error: sheet \"Sales\": a cell refers to shared text 7, and the workbook has 0"),
    Hostile("no list of sheets", "xl/workbook.xml", nil, """
      t.xlsx: error: the workbook's list of sheets is missing
        expected a workbook (.xlsx, .xlsm), found no part xl/workbook.xml
      """),
    Hostile("no such part", "xl/worksheets/sheet1.xml", nil, """
      t.xlsx: error: the workbook has no sheet of cells
        found "Sales", "Chart"
      """),
    Hostile("no sheets", "xl/workbook.xml", "<workbook/>", """
      t.xlsx: error: the workbook has no sheets
        expected a workbook (.xlsx, .xlsm)
      """),
    Hostile("nothing in it", "xl/worksheets/sheet1.xml", "<worksheet><sheetData/></worksheet>", """
      t.xlsx: error: sheet "Sales" has no header row
        expected 1 header row
      """),
  ])
  func hostile(_ row: Hostile) throws {
    var book = Book()
    book.replaced[row.part] = .some(row.text)
    #expect(message { try book.lines() } == row.words)
  }

  @Test func bombs() throws {
    var book = Book()
    book.replaced["xl/worksheets/sheet1.xml"] = "<worksheet><sheetData><row><c t='str'><v>" + String(repeating: "0", count: 17 << 20) + "</v></c></row></sheetData></worksheet>"
    #expect(message { try book.lines() } == "t.xlsx, line 1, column \"A\": error: sheet \"Sales\": a cell holds more than 16777216 bytes")
    book.replaced["xl/worksheets/sheet1.xml"] = "<worksheet>" + String(repeating: " ", count: 34 << 20) + "</worksheet>"
    #expect(message { try book.lines() } == """
      xl/worksheets/sheet1.xml: error: unpacks to more than 250 times its packed size
        hint: raise the limit if the file is to be trusted
      """)
  }

  @Test func sheetsByNameAndNumber() throws {
    let book = Book(sheet: Self.header)
    #expect(try book.lines(sheet: "Sales") == ["a string|b string"] && book.lines(sheet: "1") == ["a string|b string"])
    #expect(message { try book.lines(sheet: "Sale") } == """
      t.xlsx: error: the workbook has no sheet "Sale"
        expected one of "Sales", "Chart", or a number from 1 to 2
        hint: did you mean "Sales"?
      """)
    #expect(message { try book.lines(sheet: "2") } == """
      t.xlsx: error: sheet "Chart" has no cells: it is a chart, or its part is missing
        found "Sales", "Chart"
      """)
  }

  @Test func otherKindsOfWorkbooks() throws {
    let scratch = Scratch()
    let compound: [UInt8] = [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1] + [UInt8](repeating: 0, count: 70_000)
    let encrypted = compound + "EncryptedPackage".utf16.flatMap { [UInt8($0), 0] } + [UInt8](repeating: 0, count: 512)
    for (name, bytes, words) in [
      ("a.xlsx", encrypted, "the workbook is encrypted, which is unsupported\n  expected a workbook (.xlsx, .xlsm), found an encrypted package; save it without a password"),
      ("b.xls", compound, "a workbook of this kind cannot be read\n  expected a workbook (.xlsx, .xlsm), found an old binary file (.xls) or another compound file; save it as .xlsx"),
      ("c.xlsx", Array("a,b\n".utf8), "is no workbook\n  expected a workbook (.xlsx, .xlsm), found no zip archive"),
      ("d.ods", ZipFile(["content.xml": "<x/>"]).content, "a workbook of this kind cannot be read\n  expected a workbook (.xlsx, .xlsm), found an OpenDocument file (.ods); save it as .xlsx"),
    ] {
      #expect(message { try TableSource.open(file: scratch.file(name, bytes: bytes), name: name) } == "\(name): error: \(words)")
    }
    // By its content, whatever it is called; also as a member.
    let book = Book(sheet: Self.header + "<row><c><v>1</v></c></row>").bytes
    var outer = ZipFile(["x/y.csv": "a\n"])
    outer.add("x/b.xlsx", book)
    for (name, bytes, member) in [("plain.zip", book, nil), ("plain", book, nil), ("outer.zip", outer.content, "*.xlsx")] as [(String, [UInt8], String?)] {
      var options = TableSource.Options()
      options.member = member
      #expect(try TableSource.open(file: scratch.file(name, bytes: bytes), name: name, options).first?.schema?.names == ["a", "b"], "\(name)")
    }
  }
}
