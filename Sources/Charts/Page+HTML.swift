extension Page {
  /// The page, UTF-8 when written to a file.
  public func html() -> String {
    var writer = PageWriter()
    writer.write(self)
    return writer.out
  }
}

private struct PageWriter {
  var out = ""
  private var pictures = 0
  /// The heading above what is written, and how many tables stand under it: names for tables without a caption.
  private var heading = ""
  private var tables = 0

  mutating func write(_ page: Page) {
    // The policy is a second lock: nothing from outside can be loaded even if a text were not escaped.
    out += """
      <!DOCTYPE html>
      <html lang="\(escaped(page.language))">
      <head>
      <meta charset="utf-8">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; \
      script-src 'unsafe-inline'; img-src data:">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <title>\(escaped(page.title))</title>
      <style>
      \(PageStyle.css)
      </style>
      </head>
      <body>
      <a class="skip" href="#content">To the content</a>
      <header><h1>\(escaped(page.title))</h1>

      """
    if let subtitle = page.subtitle { out += "<p class=\"subtitle\">\(escaped(subtitle))</p>\n" }
    out += "</header>\n"
    if page.sections.count > 2 {
      out += "<nav aria-label=\"Sections\"><ul>"
      for (index, section) in page.sections.enumerated() {
        out += "<li><a href=\"#section-\(index + 1)\">\(escaped(section.title))</a></li>"
      }
      out += "</ul></nav>\n"
    }
    out += "<main id=\"content\">\n"
    if !page.headlines.isEmpty { write(page.headlines) }
    for (index, section) in page.sections.enumerated() {
      out += "<section id=\"section-\(index + 1)\"><h2>\(escaped(section.title))</h2>\n"
      (heading, tables) = (section.title, 0)
      for block in section.blocks { write(block, heading: 3) }
      out += "</section>\n"
    }
    out += "</main>\n"
    if !page.footer.isEmpty {
      out += "<footer>" + page.footer.map { "<p>\(escaped($0))</p>" }.joined() + "</footer>\n"
    }
    out += "<script>\n\(PageScript.text)\n</script>\n</body>\n</html>\n"
  }

  private mutating func write(_ block: Block, heading: Int) {
    switch block {
    case .paragraph(let text): out += "<p>\(escaped(text))</p>\n"
    case .note(let text): out += "<p class=\"note\" role=\"note\">\(escaped(text))</p>\n"
    case .list(let items): out += "<ul>" + items.map { "<li>\(escaped($0))</li>" }.joined() + "</ul>\n"
    case .headlines(let headlines): write(headlines)
    case .definitions(let pairs):
      out += "<dl class=\"pairs\">"
      for pair in pairs { out += "<div><dt>\(escaped(pair.0))</dt><dd>\(escaped(pair.1))</dd></div>" }
      out += "</dl>\n"
    case .table(let table): write(table)
    case .picture(let figure): write(figure)
    case .pictures(let figures):
      out += "<div class=\"gallery\">\n"
      for figure in figures { write(figure) }
      out += "</div>\n"
    case .cards(let cards):
      let level = min(heading, 6)
      out += "<div class=\"cards\">\n"
      for card in cards {
        out += "<article class=\"card\"><h\(level)>\(escaped(card.title))</h\(level)>\n"
        for block in card.blocks { write(block, heading: level + 1) }
        out += "</article>\n"
      }
      out += "</div>\n"
    case .details(let summary, let blocks):
      out += "<details><summary>\(escaped(summary))</summary>\n"
      for block in blocks { write(block, heading: heading) }
      out += "</details>\n"
    }
  }

  private mutating func write(_ headlines: [Headline]) {
    out += "<dl class=\"headlines\">\n"
    for headline in headlines {
      out += "<div><dt>\(escaped(headline.label))</dt><dd class=\"figure\">\(escaped(headline.value))</dd>"
      if let note = headline.note { out += "<dd class=\"remark\">\(escaped(note))</dd>" }
      out += "</div>\n"
    }
    out += "</dl>\n"
  }

  private mutating func write(_ table: Table) {
    // The frame scrolls sideways on narrow screens and can be reached by keyboard.
    tables += 1
    let label = escaped(table.caption ?? (tables == 1 ? heading : "\(heading), table \(tables)"))
    out += "<div class=\"table\" tabindex=\"0\" role=\"region\" aria-label=\"\(label)\"><table>\n"
    if table.caption != nil { out += "<caption>\(label)</caption>\n" }
    out += "<thead><tr>"
    for column in table.columns {
      out += "<th scope=\"col\"\(column.isNumeric ? " class=\"number\"" : "")>"
      out += "<button type=\"button\">\(escaped(column.title))</button></th>"
    }
    out += "</tr></thead>\n<tbody>\n"
    for row in table.rows {
      out += "<tr>"
      for (cell, column) in zip(row, table.columns) {
        let style = column.isNumeric ? " class=\"number\"" : ""
        switch cell {
        // Sorting goes by the number itself, not by how it is shown.
        case .number(let value):
          out += "<td\(style) data-value=\"\(escaped(Spec.number(value).json))\">\(escaped(column.format.text(value)))</td>"
        case .text(let text): out += "<td\(style)>\(escaped(text))</td>"
        case .missing: out += "<td\(style) data-value=\"\">–</td>"
        }
      }
      out += "</tr>\n"
    }
    out += "</tbody></table></div>\n"
  }

  private mutating func write(_ figure: Figure) {
    pictures += 1
    out += "<figure><div class=\"picture\" role=\"img\" aria-label=\"\(escaped(figure.alternative))\">"
    // The words of the label stand for the whole picture.
    out += "<div aria-hidden=\"true\">" + SVGNames.prefixed(figure.svg, by: "p\(pictures)-") + "</div></div>"
    if let caption = figure.caption { out += "<figcaption>\(escaped(caption))</figcaption>" }
    out += "</figure>\n"
  }
}

/// Text for an element or a quoted attribute.
func escaped(_ text: String) -> String {
  var out = String.UnicodeScalarView()
  for scalar in text.unicodeScalars {
    switch scalar {
    case "&": out += "&amp;".unicodeScalars
    case "<": out += "&lt;".unicodeScalars
    case ">": out += "&gt;".unicodeScalars
    case "\"": out += "&quot;".unicodeScalars
    case "'": out += "&#39;".unicodeScalars
    case "\t", "\n": out.append(scalar)
    // HTML has no place for other control characters.
    case "\u{0}"..."\u{1f}", "\u{7f}"..."\u{9f}": out.append("\u{fffd}")
    default: out.append(scalar)
    }
  }
  return String(out)
}
