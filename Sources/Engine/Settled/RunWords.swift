import Columns
import Diagnostics
import Pipelines

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// What a run is begun with, down to the last byte: the same words at another time mean the same run, as long as no file has moved.
public struct RunWords: Sendable {
  /// Of program, folder, arguments and the text of the document.
  let key: Digest
  /// What was looked for to read; filled in when the document is bound.
  public var found: [FoundSource] = []
  /// What is said of a report on standard output, but for its last lines, which name run and time.
  let told: @Sendable (RunReport) -> String

  /// Nil where the program cannot be told from another build of itself.
  public init?(arguments: [String], document: [UInt8], toolVersion: String, told: @escaping @Sendable (RunReport) -> String) {
    // A build that binds or plans otherwise must not believe what this one found.
    guard let program = Disk.stamp(ofFile: "/proc/self/exe") else { return nil }
    let text = document.withUnsafeBytes { Digest(of: $0) }
    let words = ["settled 1", toolVersion, program, Disk.currentFolder, text.description] + arguments
    key = Digest(of: JSONValue.array(words.map { .string($0) }).canonical)
    self.told = told
  }
}

/// Files that were found for a source of a document.
public struct FoundSource: Sendable {
  let source: Source
  let origin: PathOrigin
  let files: [SourceFile]

  public init(_ source: Source, _ origin: PathOrigin, _ files: [SourceFile]) {
    self.source = source
    self.origin = origin
    self.files = files
  }
}
