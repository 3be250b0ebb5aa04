import Testing

@testable import Charts

@Suite struct PageTests {
  static let hostile = "<script>alert(1)</script>\" onload='x' & \u{0}\u{1b}"
  static let safe = "&lt;script&gt;alert(1)&lt;/script&gt;&quot; onload=&#39;x&#39; &amp; \u{fffd}\u{fffd}"

  @Test func hostileTextIsText() {
    let h = Self.hostile
    let blocks: [Block] = [
      .paragraph(h), .note(h), .list([h]), .headlines([Headline(h, h, note: h)]), .definitions([(h, h)]),
      .table(Table(caption: h, columns: [.text(h), .number(h, NumberFormat(prefix: h))], rows: [[.text(h), 1]])),
      .picture(Figure(svg: "<svg></svg>", alternative: h, caption: h)), .cards([Card(h, [.paragraph(h)])]),
      .details(h, [.paragraph(h)]),
    ]
    let html = Page(
      title: h, subtitle: h, language: h, headlines: [Headline(h, h)], sections: [Section(h, blocks)], footer: [h]
    ).html()
    #expect(!html.contains("<script>alert") && !html.contains("onload='x'"))
    // Once for each text above; the caption of a table is its label too, the title also the window's.
    #expect(html.components(of: Self.safe) == 28)
    #expect(html.components(of: "<script>") == 1)
  }

  @Test func aTableAsWritten() {
    let table = Table(
      caption: "Segments", columns: [.text("Segment"), .number("Revenue", .currency("£"))],
      rows: [["Loyal", 1234.5], ["New", .missing]])
    let html = Page(title: "t", sections: [Section("s", [.table(table)])]).html()
    #expect(
      html.contains(
        """
        <div class="table" tabindex="0" role="region" aria-label="Segments"><table>
        <caption>Segments</caption>
        <thead><tr><th scope="col"><button type="button">Segment</button></th>\
        <th scope="col" class="number"><button type="button">Revenue</button></th></tr></thead>
        <tbody>
        <tr><td>Loyal</td><td class="number" data-value="1234.5">£1,235</td></tr>
        <tr><td>New</td><td class="number" data-value="">–</td></tr>
        </tbody></table></div>

        """))
  }

  @Test func picturesOnOnePageDoNotShareNames() {
    let svg = ##"<svg><clipPath id="clip0"/><g clip-path="url(#clip0)"><use href="#clip0"/></g><text>url(#x) id="y"</text></svg>"##
    let html = Page(
      title: "t",
      sections: [Section("s", [.pictures([Figure(svg: svg, alternative: "a"), Figure(svg: svg, alternative: "b")])])]
    ).html()
    for prefix in ["p1-", "p2-"] {
      #expect(
        html.contains(
          ##"<clipPath id="\##(prefix)clip0"/><g clip-path="url(#\##(prefix)clip0)"><use href="#\##(prefix)clip0"/></g><text>url(#x) id="y"</text>"##), "\(prefix)")
    }
  }

  @Test func nothingComesFromOutside() {
    let html = Page(title: "t", sections: [Section("s", [.paragraph("p")])]).html()
    for word in ["http:", "https:", "//", "@import", "url("] { #expect(!html.contains(word), "\(word)") }
    #expect(html.hasPrefix("<!DOCTYPE html>\n<html lang=\"en\">\n"))
    #expect(html.contains("default-src 'none'"))
  }

  @Test func theSamePageTwice() {
    func page() -> String { Page(title: "t", sections: [Section("s", [.list(["a", "b"])])], footer: ["f"]).html() }
    #expect(page() == page())
  }
}

extension String {
  /// How often a text occurs.
  fileprivate func components(of text: String) -> Int {
    let whole = Array(utf8), part = Array(text.utf8)
    return whole.indices.count { whole[$0...].starts(with: part) }
  }
}
