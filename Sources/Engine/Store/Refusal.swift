import Diagnostics

/// Something that the system refused: no room, no right, an error of the disk. No mistake of a document or its inputs.
public struct Refusal: Error, Hashable, Sendable, CustomStringConvertible {
  public let diagnostic: Diagnostic

  public init(_ diagnostic: Diagnostic) { self.diagnostic = diagnostic }

  public var description: String { diagnostic.description }
}
