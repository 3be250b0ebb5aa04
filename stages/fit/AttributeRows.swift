import Columns
import Diagnostics
import Models
import Pipelines

extension AttributeFitting {
  /// The customers' features and values, and which rows train and test.
  struct Rows {
    private let all: [AttributeFit.Attribute]
    private let y: [Double]
    /// Rows with a value, ascending.
    let known: [Int]
    let train: [Int], test: [Int]

    init(_ customers: Batch, _ settings: AttributeSettings, _ kind: AttributeModel.Kind, _ schema: Schema) throws {
      all = settings.features.map { name in
        (name, AttributeColumn(customers[name]), settings.encoding(of: name, schema.type(of: name)!))
      }
      let y = customers[settings.target].doubles()
      let known = y.indices.filter { y[$0].isFinite }
      (self.y, self.known) = (y, known)
      let target = Place.setting(["attributes", "target"])
      if known.isEmpty { throw Diagnostic("no model can be fitted: \"\(settings.target)\" is missing in every row", at: target) }
      if let needed = settings.needsPositive(kind) {
        let unfit = known.filter { !needed.isFit(y[$0]) }
        if let first = unfit.first {
          throw Diagnostic(
            "\(unfit.count) value\(unfit.count == 1 ? "" : "s") of \"\(settings.target)\" cannot come from this model, the first in row \(first + 1)",
            at: target, expected: needed.least, found: "\(y[first])")
        }
      }
      let isTest: [Bool]
      switch settings.test {
      case nil: isTest = [Bool](repeating: false, count: y.count)
      case .first(let share)?:
        let drawn = AttributeSplit.heldOut(rows: known.count, share: share, seed: UInt64(settings.seed))
        var marked = [Bool](repeating: false, count: y.count)
        for (at, row) in known.enumerated() { marked[row] = drawn[at] }
        isTest = marked
      case .second(let column)?: isTest = customers[column].doubles().map { $0 == 1 }
      }
      test = known.filter { isTest[$0] }
      train = known.filter { !isTest[$0] }
      if train.isEmpty || (settings.test != nil && test.isEmpty) {
        throw Diagnostic(
          "no rows are left to \(train.isEmpty ? "fit" : "test") the model", at: .setting(["attributes", "test"]), found: "\(known.count) rows in all")
      }
      if settings.needsPositive(kind) != nil, !train.contains(where: { y[$0] > 0 }) {
        throw Diagnostic("no model can be fitted: every value of \"\(settings.target)\" is 0", at: target)
      }
    }

    func attributes(_ rows: [Int]) -> [AttributeFit.Attribute] {
      rows.count == y.count ? all : all.map { ($0.name, $0.column.gather(rows), $0.encoding) }
    }
    func columns(_ rows: [Int]) -> [AttributeColumn] { attributes(rows).map(\.column) }
    func target(_ rows: [Int]) -> [Double] { rows.map { y[$0] } }
  }
}
