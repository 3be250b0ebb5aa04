import Columns
import Diagnostics
import Expressions
import Pipelines

/// The ready features as SQL aggregates over the columns that the settings name.
struct ReadyFeatures {
  let stage: FeatureEngineer

  private static let plain = [
    "orders", "items", "spend", "distinct_products", "active_days", "mean_days_between_orders", "share_of_weekends",
  ]
  private static let windows = ["spend_last_", "orders_last_"]

  /// The SQL of a feature, or what is missing for it.
  func sql(_ name: String) throws(Mistakes) -> String {
    for prefix in Self.windows where name.hasPrefix(prefix) {
      guard name.hasSuffix("_days"), let days = Int(name.dropFirst(prefix.count).dropLast(5)), (1...36_500).contains(days) else { break }
      guard let asOf = stage.asOf else {
        throw Mistakes(Diagnostic("\"\(name)\" needs the day that the window ends with", at: .setting([]), hint: "set \"asOf\", to a parameter perhaps"))
      }
      let day = "date(\(try column(stage.at, "at", name)))"
      let inside = "\(day) > '\(CivilDate(days: asOf.days - days))' AND \(day) <= '\(asOf)'"
      if prefix == "spend_last_" { return "coalesce(sum(CASE WHEN \(inside) THEN \(try column(stage.amount, "amount", name)) END), 0)" }
      return "count(DISTINCT CASE WHEN \(inside) THEN \(try column(stage.order, "order", name)) END)"
    }
    switch name {
    case "orders": return "count(DISTINCT \(try column(stage.order, "order", name)))"
    case "items": return "sum(\(try column(stage.quantity, "quantity", name)))"
    case "spend": return "sum(\(try column(stage.amount, "amount", name)))"
    case "distinct_products": return "count(DISTINCT \(try column(stage.product, "product", name)))"
    case "active_days": return "count(DISTINCT date(\(try column(stage.at, "at", name))))"
    case "mean_days_between_orders":
      // Days with a purchase, as in RFM: two orders of one day are no distance. Null with a single day.
      let day = "date(\(try column(stage.at, "at", name)))"
      return "date_diff('day', min(\(day)), max(\(day))) / nullif(count(DISTINCT \(day)) - 1, 0)"
    case "share_of_weekends":
      let at = try column(stage.at, "at", name)
      let what = try stage.order == nil ? "date(\(at))" : column(stage.order, "order", name)
      return "count(DISTINCT CASE WHEN day_of_week(\(at)) >= 6 THEN \(what) END) / nullif(count(DISTINCT \(what)), 0)"
    default:
      let known = Self.plain + ["spend_last_90_days", "orders_last_90_days"]
      throw Mistakes(Diagnostic("unknown feature \"\(name)\"", at: .setting([]), hint: hint(forUnknown: name, among: known)))
    }
  }

  private func column(_ name: String?, _ role: String, _ feature: String) throws(Mistakes) -> String {
    guard let name else {
      throw Mistakes(Diagnostic("\"\(feature)\" needs the column of the \(role)", at: .setting([]), hint: "set \"\(role)\""))
    }
    return Expression(.column(name)).sql()
  }
}
