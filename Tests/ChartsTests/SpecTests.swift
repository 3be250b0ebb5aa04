import Testing

@testable import Charts

@Suite struct SpecTests {
  @Test(arguments: [
    ("null", Spec.null, "null"),
    ("truth", true, "true"),
    ("an integer", 12, "12"),
    ("a whole double", .number(3), "3"),
    ("minus zero", .number(-0.0), "0"),
    ("a fraction", .number(0.1), "0.1"),
    ("shortest that reads back", .number(0.1 + 0.2), "0.30000000000000004"),
    ("small", .number(1e-7), "1e-07"),
    ("beyond whole numbers", .number(1e300), "1e+300"),
    ("not a number", .number(.nan), "null"),
    ("infinite", .number(.infinity), "null"),
    ("quotes", "a\"b\\c", #""a\"b\\c""#),
    ("control characters", "\n\r\t\u{1}\u{7f}", #""\n\r\t\u0001\u007f""#),
    ("end of a script", "</script>", #""\u003c/script>""#),
    ("line separators", "\u{2028}\u{2029}", #""\u2028\u2029""#),
    ("other writings", "é 客 😀", "\"é 客 😀\""),
    ("order of fields", Spec.object([("b", 1), ("a", [1, nil, [:]])]), #"{"b":1,"a":[1,null,{}]}"#),
  ])
  func printed(_ situation: String, value: Spec, json: String) { #expect(value.json == json) }

  @Test(arguments: [
    ("thousands", NumberFormat.plain, 1_234_567.0, "1,234,567"),
    ("two decimals at most", .plain, 12.3456, "12.35"),
    ("zeros at the end go", .plain, 2.5, "2.5"),
    ("three digits that matter", .plain, 0.001234, "0.00123"),
    ("nothing", .plain, 0, "0"),
    ("negative", .plain, -1234.5, "−1,235"),
    ("negative that rounds to nothing", .integer, -0.2, "0"),
    ("missing", .plain, .nan, "–"),
    ("huge", .plain, 1e18, "1e+18"),
    ("currency", .currency("£"), 17_743_429.18, "£17,743,429"),
    ("negative currency", .currency("£", decimals: 2), -0.5, "−£0.50"),
    ("percent", .percent, 0.256, "25.6%"),
    ("compact millions", .currency("£").compact, 17_743_429, "£17.7M"),
    ("compact thousands", .currency("£").compact, 911_000, "£911k"),
    ("compact carries over", .plain.compact, 999_960, "1M"),
    ("compact leaves small ones", .currency("£").compact, 12.5, "£12.5"),
    ("unit", NumberFormat(suffix: " weeks", decimals: 1), 38.86, "38.9 weeks"),
  ])
  func shown(_ situation: String, format: NumberFormat, value: Double, text: String) { #expect(format.text(value) == text) }

  @Test func aPrefixCannotLeaveItsExpression() {
    #expect(
      NumberFormat(prefix: "' + \"x").expression()
        == #"(datum.value < 0 ? '−' : '') + "' + \"x" + format(abs(datum.value), ',.6~f')"#)
  }
}
