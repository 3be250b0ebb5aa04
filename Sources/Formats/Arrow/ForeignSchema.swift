import CArrowBridge
import Columns
import Diagnostics

/// The schema a file of Arrow's came with, kept for all of its batches: a column's type there may differ from ours (an
/// int16, a dictionary), or be none that we have.
// @unchecked: never changed after `init`; released once.
final class ForeignSchema: @unchecked Sendable {
  struct Field: Sendable {
    let name: String
    /// nil: none of ours.
    let type: ColumnType?
    /// Bytes that need not be text.
    let isBinary: Bool
    /// Arrow's format string.
    let format: String

    /// A decimal of more digits than ours have: as a number only where that is asked for.
    var isWide: Bool {
      guard format.hasPrefix("d:"), let precision = Int(format.dropFirst(2).prefix { $0 != "," }) else { return false }
      return precision > ColumnType.widestDecimal
    }
  }

  private var exported: ArrowSchema
  let fields: [Field]
  private let places: [String: Int]

  /// Takes the struct over.
  init(_ exported: ArrowSchema, file: String) throws {
    self.exported = exported
    var fields: [Field] = [], places: [String: Int] = [:], twice: [Int] = []
    for at in 0..<Int(exported.n_children) {
      guard let child = exported.children?[at]?.pointee else { preconditionFailure("Arrow gave a schema with a missing column") }
      let name = child.name.map { String(cString: $0) } ?? "", format = String(cString: child.dictionary?.pointee.format ?? child.format)
      if let first = places.updateValue(at, forKey: name), twice.isEmpty { twice = [first + 1, at + 1] }
      fields.append(Field(name: name, type: ColumnType(arrowFormat: format), isBinary: format == "z", format: format))
    }
    self.fields = fields
    self.places = places
    if !twice.isEmpty {
      throw Diagnostic(
        "two columns are named \"\(escaped(fields[twice[1] - 1].name))\"", at: .data(file: file, line: nil, byte: nil, column: nil), found: "columns \(twice[0]) and \(twice[1])",
        hint: "columns of Parquet and Arrow files are told by name: give one of them another where the file is written, or write it as CSV, of which columns have positions")
    }
  }

  deinit { exported.release?(&exported) }

  /// The columns whose types we have.
  var schema: Schema { Schema(fields.compactMap { field in field.type.map { Columns.Field(field.name, $0) } }) }

  /// Positions of the columns named; they must exist. nil: all whose types we have.
  func positions(_ columns: [String]?) -> [Int32] {
    guard let columns else { return fields.indices.filter { fields[$0].type != nil }.map { Int32($0) } }
    return columns.map { name in
      guard let at = places[name] else { preconditionFailure("column \"\(name)\" was asked of a file that has only \(fields.map(\.name))") }
      return Int32(at)
    }
  }

  /// Takes over an array whose children are the columns at `positions`.
  func batch(_ array: ArrowArray, _ positions: [Int32], file: String, trusted: Bool, misfits: ImportMisfits? = nil) throws -> Batch {
    // A view on some of the children, which stay ours: it has no release.
    let children = UnsafeMutablePointer<UnsafeMutablePointer<ArrowSchema>?>.allocate(capacity: max(1, positions.count))
    defer { children.deallocate() }
    for (i, position) in positions.enumerated() { (children + i).initialize(to: exported.children[Int(position)]) }
    var view = exported
    view.children = children
    view.n_children = Int64(positions.count)
    view.release = nil
    do { return try Batch(importing: array, schema: view, trusted: trusted, misfits: misfits) } catch {
      throw Diagnostic("\(error)", at: .data(file: file, line: nil, byte: nil, column: nil))
    }
  }
}

/// Calls one function of the table; what Arrow says becomes a mistake of the file.
func arrow(_ file: String, _ body: (UnsafePointer<MillraceArrow>, UnsafeMutablePointer<CChar>, Int) -> Int32) throws {
  do { try ArrowLibrary.call(body) } catch {
    throw Diagnostic(error.description, at: .data(file: file, line: nil, byte: nil, column: nil))
  }
}
