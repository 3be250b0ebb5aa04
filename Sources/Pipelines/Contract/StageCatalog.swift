/// The kinds that a document may name, as a value: the engine gets it from the command, and knows no kind itself.
public struct StageCatalog: Sendable {
  public let kinds: [any Stage.Type]

  public init(_ kinds: [any Stage.Type]) {
    var seen: Set<String> = []
    for kind in kinds {
      precondition(seen.insert(kind.contract.kind).inserted, "two stage kinds are called \"\(kind.contract.kind)\"")
    }
    self.kinds = kinds
  }

  // A closure, not a key path: `map(\.contract.kind)` over `[any Stage.Type]` crashes compiler 6.3.1.
  public var names: [String] { kinds.map { $0.contract.kind } }

  public subscript(kind: String) -> (any Stage.Type)? { kinds.first { $0.contract.kind == kind } }
}
