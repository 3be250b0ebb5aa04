import Diagnostics
import Expressions
import FuzzFiles
import Pipelines

/// Any bytes as a pipeline document: what is read, printed and read again is the same; what is refused says why. Behind `=`
/// stands an expression instead.
@_cdecl("LLVMFuzzerTestOneInput") public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: data, count: count))
  if bytes.first == UInt8(ascii: "=") { FuzzDocuments.expression(Array(bytes.dropFirst())) } else { FuzzDocuments.document(bytes) }
  return 0
}

enum FuzzDocuments {
  static func document(_ bytes: [UInt8]) {
    do throws(Mistakes) {
      let value = try JSONReader.read(bytes, file: "p.json").value
      for text in [value.pretty(), value.canonical] {
        let again = try JSONReader.read(Array(text.utf8), file: "again.json").value
        precondition(again == value, "what was printed is read as another value")
        precondition(again.canonical == value.canonical, "the canonical text is not settled")
      }
    } catch { precondition(!error.description.isEmpty, "a mistake without words") }
    do throws(Mistakes) {
      // Nobody knows a kind here: whatever can be said without one.
      _ = try PipelineDocument.resolved(bytes, file: "p.json", kinds: StageCatalog([]))
    } catch { precondition(!error.description.isEmpty, "a mistake without words") }
  }

  static func expression(_ bytes: [UInt8]) {
    guard let text = String(validating: bytes, as: UTF8.self), let parsed = try? Expression.parse(text) else { return }
    let printed = parsed.description
    guard let again = try? Expression.parse(printed) else { preconditionFailure("what was printed is no expression") }
    precondition(again.description == printed, "the printed expression is not settled")
  }
}
