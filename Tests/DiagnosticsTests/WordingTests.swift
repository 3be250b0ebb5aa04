import Diagnostics
import Testing

@Suite struct WordingTests {
  @Test func aMistakeInADocument() {
    let span = TextSpan(file: "shop.json", line: 12, column: 11, excerpt: "  \"with\": { \"trimm\": true }", length: 7)
    let mistake = Diagnostic("unknown setting \"trimm\"", at: .text(span), hint: "did you mean \"trim\"?")
    #expect(
      mistake.description == """
        shop.json:12:11: error: unknown setting "trimm"
          12 |   "with": { "trimm": true }
             |           ^~~~~~~
          hint: did you mean "trim"?
        """)
  }

  @Test func aCellOfAFile() {
    let mistake = Diagnostic(
      "not a number", at: .data(file: "sales.csv", line: 812, byte: nil, column: "price"), expected: "a number",
      found: "\"12,50\"")
    #expect(
      mistake.description == """
        sales.csv, line 812, column "price": error: not a number
          expected a number, found "12,50"
        """)
  }

  @Test(arguments: [
    ("a transposition", "frist", "first"), ("a missing letter", "tim", "trim"), ("case", "TRIM", "trim"),
  ])
  func nearNames(_ situation: String, typed: String, meant: String) {
    #expect(nearest(to: typed, among: ["first", "trim", "keep"]) == meant)
  }

  @Test func farNamesAreNotSuggested() { #expect(nearest(to: "segment", among: ["trim", "keep"]) == nil) }
}
