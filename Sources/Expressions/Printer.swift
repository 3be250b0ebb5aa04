import Columns

/// The languages an expression is printed in.
public enum Dialect: String, Hashable, Sendable, CaseIterable {
  /// Canonical: parses to an equal expression.
  case millrace
  case duckdb, spark
}

extension Expression {
  public func sql(dialect: Dialect = .millrace) -> String { Printer(dialect: dialect).text(term) }
}

struct Printer {
  let dialect: Dialect

  func text(_ term: Term) -> String {
    switch term {
    case .literal(let value): return literal(value)
    case .interval(let count, let unit): return "INTERVAL '\(count)' \(unit.rawValue)"
    case .column(let name): return quotedName(name)
    // Brackets around all but names: "--" would begin a comment in other dialects, and -5 is a literal.
    case .negate(.column(let name)): return "-" + quotedName(name)
    case .negate(let a): return "-(\(text(a)))"
    case .not(let a): return "NOT " + operand(a, Precedence.not)
    case .binary(.divide, let a, let b) where dialect != .millrace:
      return "CAST(\(text(a)) AS DOUBLE) / \(operand(b, Precedence.product + 1))"
    case .binary(let operation, let a, let b):
      // Comparisons do not chain, so both sides bind tighter.
      let left = operation.precedence + (operation.isComparison ? 1 : 0)
      return "\(operand(a, left)) \(operation.rawValue) \(operand(b, operation.precedence + 1))"
    case .test(let a, let test, let negated): return "\(operand(a, Precedence.truthTest)) IS \(negated ? "NOT " : "")\(test.rawValue)"
    case .isIn(let a, let list, let negated):
      return "\(operand(a, Precedence.membership)) \(negated ? "NOT " : "")IN (\(list.map(text).joined(separator: ", ")))"
    case .between(let a, let low, let high, let negated):
      return "\(operand(a, Precedence.membership)) \(negated ? "NOT " : "")BETWEEN \(operand(low, Precedence.concatenation)) AND \(operand(high, Precedence.concatenation))"
    case .like(let a, let pattern, let escape, let ignoringCase, let negated):
      let word = (negated ? "NOT " : "") + (ignoringCase ? "ILIKE" : "LIKE")
      let end = escape.map { " ESCAPE \(quoted($0))" } ?? ""
      return "\(operand(a, Precedence.membership)) \(word) \(operand(pattern, Precedence.concatenation))\(end)"
    case .choose(let operand, let whens, let otherwise):
      return (["CASE"] + [operand].compactMap { $0.map(text) }
        + whens.map { "WHEN \(text($0.condition)) THEN \(text($0.result))" } + [otherwise].compactMap { $0.map { "ELSE \(text($0))" } } + ["END"])
        .joined(separator: " ")
    case .cast(let a, let type, let orNull): return "\(orNull ? "TRY_CAST" : "CAST")(\(text(a)) AS \(spelling(type)))"
    case .call(let name, let arguments): return call(name, arguments.map(text), arguments)
    case .aggregate(let function, let argument, let distinct):
      return "\(function.rawValue)(\(distinct ? "DISTINCT " : "")\(argument.map(text) ?? "*"))"
    }
  }

  private func operand(_ term: Term, _ least: Int) -> String { precedence(term) >= least ? text(term) : "(\(text(term)))" }

  private func precedence(_ term: Term) -> Int {
    switch term {
    case .literal(.int(let value)) where value < 0: Precedence.sign
    case .literal(.decimal(let unscaled, _)) where unscaled < 0: Precedence.sign
    case .literal(.float(let value)) where value < 0 || value.sign == .minus: Precedence.sign
    case .literal, .column, .choose, .cast, .call, .aggregate, .interval: Precedence.primary
    case .negate: Precedence.sign
    case .not: Precedence.not
    case .binary(let operation, _, _): operation.precedence
    case .test: Precedence.truthTest
    case .isIn, .between, .like: Precedence.membership
    }
  }

  private func literal(_ value: Value) -> String {
    switch value {
    case .null: return "NULL"
    case .bool(let value): return value ? "TRUE" : "FALSE"
    case .int(let value): return String(value)
    case .float(let value):
      // A float64 without exponent would be read as a decimal.
      if !value.isFinite { return "CAST('\(value)' AS \(spelling(.float64)))" }
      let text = "\(value)"
      return text.utf8.contains(UInt8(ascii: "e")) ? text : text + "e0"
    case .decimal(let unscaled, let scale): return decimalText(unscaled, scale: scale) + (scale == 0 ? "." : "")
    case .string(let text): return quoted(text)
    case .date: return "DATE '\(value)'"
    case .timestamp: return "\(dialect == .spark ? "TIMESTAMP_NTZ" : "TIMESTAMP") '\(value)'"
    }
  }

  private func quoted(_ text: String) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
      if scalar == "'" { out += dialect == .spark ? "\\" : "'" }
      if scalar == "\\", dialect == .spark { out += "\\" }
      out.unicodeScalars.append(scalar)
    }
    return "'\(out)'"
  }

  private func quotedName(_ name: String) -> String {
    let isPlain = name.utf8.first.map(isWordStart) ?? false
      && name.utf8.allSatisfy { isWordStart($0) || (48...57).contains($0) } && !reservedWords.contains(name.uppercased())
    if isPlain && dialect == .millrace { return name }
    let quote: Unicode.Scalar = dialect == .spark ? "`" : "\""
    var out = String.UnicodeScalarView()
    for scalar in name.unicodeScalars {
      if scalar == quote { out.append(quote) }
      out.append(scalar)
    }
    return "\(quote)\(String(out))\(quote)"
  }

  private func call(_ name: String, _ texts: [String], _ arguments: [Term]) -> String {
    let function = FunctionTable.function(named: name)
    let spelling: Function.Spelling =
      switch dialect {
      case .millrace: .same
      case .duckdb: function?.duckdb ?? .same
      case .spark: function?.spark ?? .same
      }
    let all = texts.joined(separator: ", ")
    switch spelling {
    case .same: return "\(name)(\(all))"
    case .name(let other): return "\(other)(\(all))"
    case .template(let template):
      var out = ""
      var rest = template[...]
      while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
        out += rest[..<open]
        let key = rest[rest.index(after: open)..<close]
        if key == "*" {
          out += all
        } else if let at = Int(key) {
          // A template that speaks of an argument left out does not hold.
          guard at < texts.count else { return "\(name)(\(all))" }
          // A unit stands as a bare word.
          if function?.parameter(at).kind == .unit, case .literal(let value) = arguments[at] { out += value.description } else { out += texts[at] }
        }
        rest = rest[rest.index(after: close)...]
      }
      return out + rest
    }
  }

  private func spelling(_ type: ColumnType) -> String {
    switch (dialect, type) {
    case (.millrace, _): type.description
    case (_, .bool): "BOOLEAN"
    case (.duckdb, .int32): "INTEGER"
    case (.spark, .int32): "INT"
    case (_, .int64): "BIGINT"
    case (_, .float64): "DOUBLE"
    case (_, .decimal(let precision, let scale)): "DECIMAL(\(precision),\(scale))"
    case (.duckdb, .string): "VARCHAR"
    case (.spark, .string): "STRING"
    case (_, .date): "DATE"
    case (.duckdb, .timestamp(nil)): "TIMESTAMP"
    case (.spark, .timestamp(nil)): "TIMESTAMP_NTZ"
    case (.duckdb, .timestamp): "TIMESTAMPTZ"
    case (.spark, .timestamp): "TIMESTAMP"
    }
  }
}
