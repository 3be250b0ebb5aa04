import Pipelines

/// A number on a card at the top of the page.
struct FigureSettings: SettingsGroup {
  @Setting("words above the number") var label: String
  @Setting("alias of the table") var table: String
  @Setting("aggregate over all its rows: count(*), sum(revenue)") var value: SQLText
  @Setting("how the number is shown, as \",.0f\", \".1%\" or \"£,.0f\"") var format: String?
  @Setting("smaller words below the number") var note: String?

  init() {}
}

/// What one step kept of the rows that came to it.
struct QualitySettings: SettingsGroup {
  @Setting("what the step is called") var label: String
  @Setting("alias of the table of rows that it kept") var kept: String
  @Setting("alias of its quarantine") var quarantine: String

  init() {}
}

/// A heading and what stands under it, in this order: text, cards, charts, table, quality, documents.
struct SectionSettings: SettingsGroup {
  @Setting("heading") var title: String
  @Setting("a paragraph") var text: String?
  @Setting("alias of a table with one row a segment, as the profile of segment: a card for each, with what to do about it") var cards: String?
  @Setting("how many rows each step kept, how many it put into quarantine, and why") var quality: [QualitySettings] = []
  @Setting("names of charts in any input that visualize made") var charts: OneOrMany<String> = []
  @Setting("alias of a table whose rows are shown") var table: String?
  @Setting("columns of the table; default all") var columns: [String] = []
  @Setting("column that the rows are sorted by; default their order in the table") var sort: String?
  @Setting("largest first") var descending = true
  @Setting("the most rows that are shown", in: 1...5000) var rows = 20
  @Setting("how numbers of a column are shown: {\"clv\": \"£,.2f\"}") var formats: Named<String> = [:]
  @Setting("aliases of documents: models, evaluations") var documents: OneOrMany<String> = []

  init() {}
}
