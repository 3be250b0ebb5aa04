/// One page of HTML that needs no network: headline figures, sections, tables, pictures.
///
///     Page(title: "Online retail", headlines: [Headline("Customers", "5,878")], sections: [
///       Section("Value", [.picture(Figure(svg: svg, alternative: "…", caption: "…")), .table(table)])
///     ]).html()
public struct Page: Sendable {
  public var title: String
  public var subtitle: String?
  /// BCP 47, for screen readers and hyphenation.
  public var language: String
  public var headlines: [Headline]
  public var sections: [Section]
  /// Where the numbers come from: versions, digests. No time of day, so that the page has the same bytes every time.
  public var footer: [String]

  public init(
    title: String, subtitle: String? = nil, language: String = "en", headlines: [Headline] = [], sections: [Section],
    footer: [String] = []
  ) {
    self.title = title
    self.subtitle = subtitle
    self.language = language
    self.headlines = headlines
    self.sections = sections
    self.footer = footer
  }
}

/// A number on a card.
public struct Headline: Hashable, Sendable {
  public var label: String
  public var value: String
  /// Smaller, below: "of 5,942 in the file".
  public var note: String?

  public init(_ label: String, _ value: String, note: String? = nil) {
    self.label = label
    self.value = value
    self.note = note
  }
}

/// A heading and what stands under it.
public struct Section: Sendable {
  public var title: String
  public var blocks: [Block]

  public init(_ title: String, _ blocks: [Block]) {
    self.title = title
    self.blocks = blocks
  }
}

/// What a section is made of.
public indirect enum Block: Sendable {
  case paragraph(String)
  /// Set apart: a warning, a limit of the method.
  case note(String)
  case list([String])
  case headlines([Headline])
  /// Names and values side by side: parameters, settings.
  case definitions([(String, String)])
  case table(Table)
  case picture(Figure)
  /// Side by side where the screen is wide enough.
  case pictures([Figure])
  case cards([Card])
  /// Folded until opened; printed open or closed as it is on the screen.
  case details(String, [Block])
}

/// A small section of its own: one segment and what to do about it.
public struct Card: Sendable {
  public var title: String
  public var blocks: [Block]

  public init(_ title: String, _ blocks: [Block]) {
    self.title = title
    self.blocks = blocks
  }
}

/// An inline picture. Drawn for a light page; its theme's colours follow the reader's dark setting.
public struct Figure: Hashable, Sendable {
  public var svg: String
  /// For readers who do not see it.
  public var alternative: String
  public var caption: String?

  public init(svg: String, alternative: String, caption: String? = nil) {
    self.svg = svg
    self.alternative = alternative
    self.caption = caption
  }
}

/// A table whose columns sort with a click or a key.
public struct Table: Sendable {
  public struct Column: Hashable, Sendable {
    public var title: String
    /// For the numbers in it.
    public var format: NumberFormat
    /// Numbers stand to the right.
    public var isNumeric: Bool

    public static func text(_ title: String) -> Column { Column(title: title, format: .plain, isNumeric: false) }
    public static func number(_ title: String, _ format: NumberFormat = .plain) -> Column {
      Column(title: title, format: format, isNumeric: true)
    }
  }

  public enum Cell: Hashable, Sendable, ExpressibleByStringLiteral, ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral {
    case text(String)
    case number(Double)
    case missing

    public init(stringLiteral value: String) { self = .text(value) }
    public init(floatLiteral value: Double) { self = .number(value) }
    public init(integerLiteral value: Int) { self = .number(Double(value)) }
  }

  public var caption: String?
  public var columns: [Column]
  public var rows: [[Cell]]

  public init(caption: String? = nil, columns: [Column], rows: [[Cell]]) {
    precondition(rows.allSatisfy { $0.count == columns.count }, "a row of a table needs a cell for each column")
    self.caption = caption
    self.columns = columns
    self.rows = rows
  }
}
