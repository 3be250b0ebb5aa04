import CArrowBridge
import Columns
import Diagnostics

/// The schema a file of Arrow's came with, kept for all of its batches: a column's type there may differ from ours (an
/// int16, a dictionary).
// @unchecked: never changed after `init`; released once.
final class ForeignSchema: @unchecked Sendable {
  private var exported: ArrowSchema
  let schema: Schema

  /// Takes the struct over.
  init(_ exported: ArrowSchema, file: String) throws {
    self.exported = exported
    do { schema = try Schema(importing: exported) } catch {
      self.exported.release?(&self.exported)
      throw Diagnostic(error.description, at: .data(file: file, line: nil, byte: nil, column: nil))
    }
  }

  deinit { exported.release?(&exported) }

  /// Positions of the columns named; they must exist.
  func positions(_ columns: [String]?) -> [Int32] {
    (columns ?? schema.names).map { name in
      guard let at = schema.index(of: name) else { preconditionFailure("column \"\(name)\" was asked of a file that has only \(schema.names)") }
      return Int32(at)
    }
  }

  /// Takes over an array whose children are the columns at `positions`.
  func batch(_ array: ArrowArray, _ positions: [Int32], file: String, trusted: Bool) throws -> Batch {
    // A view on some of the children, which stay ours: it has no release.
    let children = UnsafeMutablePointer<UnsafeMutablePointer<ArrowSchema>?>.allocate(capacity: max(1, positions.count))
    defer { children.deallocate() }
    for (i, position) in positions.enumerated() { (children + i).initialize(to: exported.children[Int(position)]) }
    var view = exported
    view.children = children
    view.n_children = Int64(positions.count)
    view.release = nil
    do { return try Batch(importing: array, schema: view, trusted: trusted) } catch {
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
