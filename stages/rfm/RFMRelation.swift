import Columns
import Expressions
import Pipelines

extension RFM {
  /// What `table` is without scores, as relational work: rows become purchase periods, periods become customers, and every
  /// figure is an expression over those. Nothing when scores are asked for: quantiles of whole columns are no relation.
  ///
  /// The kernel does the same in one pass over rows that it keeps packed by customer; a test holds the two together.
  func relation(over source: Relation, amount: Expression) -> Relation? {
    if scoring != nil { return nil }
    let rows = Relation.project(.filter(source, rules(amount)), purchase(amount))
    let periods = Relation.aggregate(
      rows, by: [column("customer"), .init("period", period == .day ? sql("day") : sql("date_trunc('\(period.rawValue)', day)"))],
      [named("day", "min(day)"), named("revenue", "sum(amount)")])
    // Money counts from the second period on, so each period has to know when its customer began.
    let beginnings = Relation.aggregate(periods, by: [column("customer")], [named("first", "min(day)")])
    var customers = Relation.aggregate(
      .join(periods, beginnings, .inner, on: [.init(left: "customer", right: "customer")]), by: [column("customer")],
      [
        named("frequency", "count(*) - 1"), named("first", "min(\"first\")"), named("last", "max(day)"), named("revenue", "sum(revenue)"),
        named("repeats", "sum(CASE WHEN day > \"first\" THEN revenue END)"),
      ])
    if order != nil {
      let orders = Relation.aggregate(rows, by: [column("customer")], [named("orders", "count(DISTINCT \"order\")")])
      customers = .join(customers, orders, .inner, on: [.init(left: "customer", right: "customer")])
    }
    let end: Term
    if let until {
      end = .literal(.date(Int32(clamping: until.days)))
    } else {
      // One row with the last day in the data, brought to every customer by a key that all share.
      let last = Relation.aggregate(
        .project(rows, [named("all", "1"), column("day")]), by: [column("all")], [named("until", "max(day)")])
      let known = ["customer", "frequency", "first", "last", "revenue", "repeats"] + (order == nil ? [] : ["orders"])
      customers = .join(
        .project(customers, known.map(column) + [named("all", "1")]), last, .inner, on: [.init(left: "all", right: "all")])
      end = .column("until")
    }
    func span(_ name: String, _ from: Term, _ to: Term) -> Relation.NamedExpression {
      let days = Term.call("date_diff", [.literal(.string("day")), from, to])
      return .init(name, Expression(unitDays == 1 ? .cast(days, .float64, orNull: false) : .binary(.divide, days, .literal(.float(unitDays)))))
    }
    return .project(
      customers,
      [
        column("customer"), column("frequency"), span("recency", .column("first"), .column("last")), span("age", .column("first"), end),
        named("monetary", "CASE WHEN frequency > 0 THEN repeats / frequency ELSE CAST(0 AS float64) END"),
        order == nil ? named("orders", "CAST(NULL AS int64)") : column("orders"), column("revenue"),
        span("since_last", .column("last"), end), column("first"), column("last"),
      ])
  }

  /// Which rows count at all.
  private func rules(_ amount: Expression) -> [Relation.Rule] {
    func present(_ name: String) -> Relation.Rule {
      .init("\(name) is present", Expression(.test(.column(name), .null, negated: true)))
    }
    var rules = [present(customer), present(at)]
    if let until {
      let last = Term.literal(.date(Int32(clamping: until.days)))
      rules.append(.init("up to \(until)", Expression(.binary(.lessOrEqual, .cast(.column(at), .date, orNull: false), last))))
    }
    return rules + [.init("\(self.amount) is present", Expression(.test(amount.term, .null, negated: true)))]
  }

  /// The columns of a purchase, by names of our own.
  private func purchase(_ amount: Expression) -> [Relation.NamedExpression] {
    [
      .init("customer", Expression(.column(customer))), .init("day", Expression(.cast(.column(at), .date, orNull: false))),
      .init("amount", amount),
    ] + (order.map { [.init("order", Expression(.column($0)))] } ?? [])
  }

  private func column(_ name: String) -> Relation.NamedExpression { .init(name, Expression(.column(name))) }
  private func named(_ name: String, _ text: String) -> Relation.NamedExpression { .init(name, sql(text)) }

  private func sql(_ text: String) -> Expression {
    guard let expression = try? Expression.parse(text) else { preconditionFailure("rfm describes itself by \(text), which does not parse") }
    return expression
  }
}
