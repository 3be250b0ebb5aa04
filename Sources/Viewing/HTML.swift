import Engine

/// Text of a page. Literals are markup; whatever is put into one is escaped, unless it is markup itself.
struct HTML: ExpressibleByStringInterpolation, Sendable {
  var text: String

  init(stringLiteral text: String) { self.text = text }
  init(stringInterpolation parts: Parts) { text = parts.text }
  /// Markup that somebody else made whole.
  init(markup: String) { text = markup }

  struct Parts: StringInterpolationProtocol {
    fileprivate var text = ""

    init(literalCapacity: Int, interpolationCount: Int) { text.reserveCapacity(literalCapacity) }

    mutating func appendLiteral(_ literal: String) { text += literal }
    mutating func appendInterpolation(_ html: HTML) { text += html.text }
    mutating func appendInterpolation(_ text: String) { self.text += escaped(text) }
    mutating func appendInterpolation(_ number: Int) { text += String(number) }
  }

  static func + (a: HTML, b: HTML) -> HTML { HTML(markup: a.text + b.text) }
  static func += (a: inout HTML, b: HTML) { a.text += b.text }
}

extension Sequence<HTML> {
  func joined(_ between: HTML = "") -> HTML { HTML(markup: map(\.text).joined(separator: between.text)) }
}

/// A table with a caption, whose first column names the row.
struct HTMLTable {
  struct Column {
    let title: String
    var isNumber = false
  }

  let caption: String
  let columns: [Column]
  /// Cells that hold data keep a width at which dates stay on one line.
  var holdsData = false
  private var rows: [HTML] = []

  init(_ caption: String, _ columns: [Column]) {
    self.caption = caption
    self.columns = columns
  }

  /// Columns of text; a title that ends with `#` is one of numbers.
  init(_ caption: String, _ titles: String...) {
    self.init(caption, titles.map { $0.hasSuffix("#") ? Column(title: String($0.dropLast()), isNumber: true) : Column(title: $0) })
  }

  var isEmpty: Bool { rows.isEmpty }

  mutating func append(_ cells: [HTML], id: String? = nil) {
    var row: HTML = "<tr>"
    if let id { row = "<tr id=\"\(id)\">" }
    for (at, cell) in cells.enumerated() {
      let kind: HTML = columns[at].isNumber ? " class=\"number\"" : ""
      row += at == 0 ? "<th scope=\"row\"\(kind)>\(cell)</th>" : "<td\(kind)>\(cell)</td>"
    }
    rows.append(row + "</tr>\n")
  }

  var html: HTML {
    let head = columns.map { column -> HTML in
      column.isNumber ? "<th scope=\"col\" class=\"number\">\(column.title)</th>" : "<th scope=\"col\">\(column.title)</th>"
    }
    let style: HTML = holdsData ? " class=\"data\"" : ""
    return """
      <div class="wide" tabindex="0" role="region" aria-label="\(caption)"><table\(style)><caption>\(caption)</caption>
      <thead><tr>\(head.joined())</tr></thead>
      <tbody>
      \(rows.joined())</tbody></table></div>

      """
  }
}

/// At most so many characters; the last of a cut text is `…`.
func shortened(_ text: String, _ limit: Int = 200) -> String {
  text.unicodeScalars.count <= limit ? text : String(String.UnicodeScalarView(text.unicodeScalars.prefix(limit - 1))) + "…"
}

/// The round mark of a status. Only words of ours become a class.
func mark(_ status: String) -> HTML {
  let known = ["executed", "cached", "failed", "skipped", "succeeded", "cancelled"]
  let style = known.contains(status) ? status : "skipped"
  return "<span class=\"status \(style)\">\(status)</span>"
}
