import Columns
import Diagnostics
import Expressions
import Pipelines

extension RFM {
  /// What `amount` names: a column, else SQL over the columns. Of an unknown schema a text that is no SQL is a column's name.
  func amountExpression(_ schema: Schema?, _ bindings: Expression.Bindings) throws(Mistakes) -> Expression {
    let column = Expression(.column(amount))
    if schema?.type(of: amount) != nil { return column }
    do throws(Mistakes) { return try Expression.parse(amount, bindings: bindings) } catch {
      if schema == nil { return column }
      throw error
    }
  }

  /// The same against a schema; a number.
  func typedAmount(_ schema: Schema, _ bindings: Expression.Bindings) throws(Mistakes) -> TypedExpression {
    let typed = try amountExpression(schema, bindings).check(schema)
    guard typed.type.isNumeric else {
      throw Mistakes(Diagnostic("an amount is a number", at: .setting([]), found: "\(typed.type)"))
    }
    return typed
  }

  /// For the binding: a column is looked up there; of an expression the type, and what is wrong with it.
  func boundAmount(
    _ schema: Schema?, _ bindings: Expression.Bindings
  ) -> (expression: Expression, isColumn: Bool, type: ColumnType?, mistakes: [Diagnostic]) {
    do throws(Mistakes) {
      let expression = try amountExpression(schema, bindings)
      if case .column = expression.term { return (expression, true, nil, []) }
      guard let schema else { return (expression, false, nil, []) }
      return (expression, false, try typedAmount(schema, bindings).type, [])
    } catch {
      return (Expression(.column(amount)), false, nil, error.prefixed(by: ["amount"]).all)
    }
  }
}
