import Engine
import Pipelines

/// What a request says that matters here.
public struct ViewRequest: Hashable, Sendable {
  public let method: String
  /// Path and query as they came, in percent form.
  public let target: String
  /// Of the header `Host`.
  public let host: String?

  public init(_ method: String, _ target: String, host: String?) {
    self.method = method
    self.target = target
    self.host = host
  }
}

/// A whole answer.
public struct ViewResponse: Hashable, Sendable {
  public struct Header: Hashable, Sendable {
    public let name: String
    public let value: String
  }

  public let status: Int
  /// `OK`, `Not Found` …
  public let reason: String
  public internal(set) var headers: [Header]
  public internal(set) var body: [UInt8]

  public subscript(header: String) -> String? { headers.first { $0.name == header }?.value }

  /// Styles and pictures from here, and nothing else: no script, no frame, no other host, no form that leads away.
  static let policy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

  init(_ status: Int = 200, type: String, _ body: [UInt8], policy: String = ViewResponse.policy, more: [Header] = []) {
    self.status = status
    reason = Self.reasons[status] ?? "OK"
    headers = [
      Header(name: "Content-Type", value: type), Header(name: "Content-Length", value: String(body.count)),
      Header(name: "Content-Security-Policy", value: policy), Header(name: "X-Content-Type-Options", value: "nosniff"),
      Header(name: "Cross-Origin-Resource-Policy", value: "same-origin"), Header(name: "Cross-Origin-Opener-Policy", value: "same-origin"),
      Header(name: "Referrer-Policy", value: "no-referrer"), Header(name: "Cache-Control", value: "no-store"),
    ] + more
    self.body = body
  }

  init(_ value: JSONValue) { self.init(type: "application/json", Array(value.pretty().utf8)) }

  /// A refusal in one line of plain text.
  static func refusal(_ status: Int, _ text: String, more: [Header] = []) -> ViewResponse {
    ViewResponse(status, type: "text/plain; charset=utf-8", Array((text + "\n").utf8), more: more)
  }

  private static let reasons = [
    200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed", 421: "Misdirected Request", 500: "Internal Server Error",
  ]
}

/// A path and a query, taken apart before they are decoded: a name may hold `/`, `?` and `&`.
struct RequestTarget {
  let steps: [String]
  let query: [(name: String, value: String)]

  /// Nil: it does not begin with `/`, or is no UTF-8 in percent form.
  init?(_ target: String) {
    let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    guard let path = parts.first, path.hasPrefix("/"), target.utf8.count <= 8192 else { return nil }
    var steps: [String] = []
    for step in path.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
      guard let decoded = Self.decoded(step) else { return nil }
      steps.append(decoded)
    }
    var query: [(name: String, value: String)] = []
    for pair in parts.count > 1 ? parts[1].split(separator: "&") : [] {
      let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map { $0.replacing("+", with: " ") }
      guard let name = Self.decoded(sides[0]), let value = Self.decoded(sides.count > 1 ? sides[1] : "") else { return nil }
      query.append((name, value))
    }
    self.steps = steps
    self.query = query
  }

  subscript(name: String) -> String? { query.first { $0.name == name }?.value }

  private static func decoded(_ text: some StringProtocol) -> String? {
    var bytes: [UInt8] = [], rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      if byte != UInt8(ascii: "%") {
        bytes.append(byte)
        continue
      }
      guard let high = rest.popFirst().flatMap(hexDigit), let low = rest.popFirst().flatMap(hexDigit) else { return nil }
      bytes.append(high << 4 | low)
    }
    return String(validating: bytes, as: UTF8.self)
  }

  private static func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
