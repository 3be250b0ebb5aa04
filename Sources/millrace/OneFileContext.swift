import Columns
import Diagnostics
import Pipelines
import Synchronization

/// Lets a stage that makes one file and a document run without a store: the file goes where the person said.
final class OneFileContext: RunContext {
  private let path: String
  let width: Int
  private let written = Mutex<JSONValue?>(nil)

  init(path: String, width: Int) {
    self.path = path
    self.width = width
  }

  /// What the stage wrote as its document.
  var document: JSONValue? { written.withLock { $0 } }

  var parameters: [String: ParameterValue] { [:] }
  func files(ofSource index: Int) -> [SourceFile] { [] }
  func openFile(_ output: String, name: String, mediaType: String) throws -> String { path }
  func writeDocument(_ output: String, _ document: JSONValue) throws { written.withLock { $0 = document } }
  func checkCancellation() throws { try Interruption.check() }
  func warn(_ diagnostic: Diagnostic) { Standard.error(diagnostic.description + "\n") }

  func openTable(_ output: String, schema: Schema, partition: String) throws -> any TableSink { unexpected("a table") }
  func writeFile(_ output: String, name: String, mediaType: String, _ bytes: [UInt8]) throws { unexpected("a second file") }
  func scratchFolder() throws -> String { unexpected("a folder of its own") }

  private func unexpected(_ what: String) -> Never {
    preconditionFailure("a stage that was to write one file asked for \(what)")
  }
}
