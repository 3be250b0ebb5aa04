import Pipelines

extension ParameterValue {
  /// With its type: the date 2011-12-09 and the text "2011-12-09" make different expressions.
  var recipe: JSONValue { .array([.string(typeWord), json]) }

  private var typeWord: String {
    switch self {
    case .string: "string"
    case .int: "int"
    case .float: "float"
    case .bool: "bool"
    case .date: "date"
    case .duration: "duration"
    case .path: "path"
    case .list(let items): "list<\(items.first?.typeWord ?? "")>"
    }
  }
}
