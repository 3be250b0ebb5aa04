import ArgumentParser
import Diagnostics
import Engine
import Formats

/// What `convert` and `infer` read: a file, a pattern, the address of objects, or a database of PostgreSQL by its address or
/// as `connection:NAME`.
struct SourceArgument: ExpressibleByArgument {
  static let words =
    "A file, a quoted pattern of files of one layout, s3://bucket/key, or with --query connection:NAME, a database by its name in the environment ($MILLRACE_CONNECTION_NAME)."

  private let text: String
  /// As the document names it; nil for all but databases that have a name.
  let connection: String?

  init?(argument: String) {
    text = argument
    let prefix = "connection:"
    connection = argument.hasPrefix(prefix) ? String(argument.dropFirst(prefix.count)) : nil
  }

  /// Whether it is no file, but an address that may hold a password.
  var isDatabaseAddress: Bool { PostgresQuery.isAddress(text) }

  /// For messages.
  var shown: String { isDatabaseAddress ? "query" : connection ?? text }

  /// What is opened.
  func path() throws -> String {
    guard let connection else { return text }
    return try SourceFinder.address(ofConnection: connection)
  }
}
