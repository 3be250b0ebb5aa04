import ArgumentParser
import Diagnostics
import Engine
import Pipelines

struct CachePushCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "push", abstract: "Gives a shared cache what the store holds, but for what it has.",
    discussion: "A folder, or s3://bucket/folder. Every artifact is read whole before it leaves. Exit code 3 when one is not as it was written: it stays.")

  @Argument(help: ArgumentHelp("A folder or an address. Default: $MILLRACE_CACHE.", valueName: "place")) var to: String?
  @Flag(help: "One JSON object on standard output.") var json = false
  @OptionGroup var width: WidthArguments
  @OptionGroup var place: StoreArguments
  @OptionGroup var common: CommonArguments

  func validate() throws { _ = try cacheName(to) }

  func run() throws {
    try end(try sharedCache(to).push(from: place.store, width: width.width), verb: "pushed", json: json)
  }
}

struct CachePullCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pull", abstract: "Brings the store what a shared cache holds, but for what it has.",
    discussion: "Every byte is compared with its digest before it is used. Exit code 3 when something is not as it was written: it is not taken.")

  @Argument(help: ArgumentHelp("A folder or an address. Default: $MILLRACE_CACHE.", valueName: "place")) var from: String?
  @Flag(help: "One JSON object on standard output.") var json = false
  @OptionGroup var width: WidthArguments
  @OptionGroup var place: StoreArguments
  @OptionGroup var common: CommonArguments

  func validate() throws { _ = try cacheName(from) }

  func run() throws {
    try end(try sharedCache(from, isReadOnly: true).pull(into: place.store, width: width.width), verb: "pulled", json: json)
  }
}

private func cacheName(_ place: String?) throws -> String {
  guard let place = place ?? environment("MILLRACE_CACHE"), !place.isEmpty else {
    throw ValidationError("Name the shared cache, or set MILLRACE_CACHE.")
  }
  return place
}

private func sharedCache(_ place: String?, isReadOnly: Bool = false) throws -> SharedCache {
  try SharedCache(cacheName(place), isReadOnly: isReadOnly)
}

private func end(_ transfer: SharedCache.Transfer, verb: String, json: Bool) throws {
  if json {
    Standard.out(transfer.json.pretty())
  } else {
    for finding in transfer.findings { Standard.out("\(singleLine(finding.path)): \(finding.what)\n") }
    let what = "\(counted(transfer.recipes, "recipe")), \(counted(transfer.artifacts, "artifact")), \(bytesText(transfer.bytes))"
    Standard.out("\(verb) \(what); \(counted(transfer.known, "recipe")) \(transfer.known == 1 ? "was" : "were") there\n")
  }
  if !transfer.findings.isEmpty { throw Exit.moved }
}
