import Diagnostics

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Where an object is that is no file of this machine: `s3://bucket/key`, `gs://bucket/key`, `hdfs://host:port/path`; the last part may be
/// a pattern as that of a path. Nothing else stands in it: credentials and endpoints come from the person's environment.
public struct RemoteAddress: Hashable, Sendable {
  public enum Scheme: String, CaseIterable, Sendable { case s3, gs, hdfs }

  public let scheme: Scheme
  /// A bucket, or a name node with its port; may be empty for HDFS, which then asks Hadoop's own settings.
  public let bucket: String
  /// Without the slash in front; a pattern may stand in it.
  public let key: String

  /// Whether a text means an address; it may still be a wrong one.
  public static func isAddress(_ text: String) -> Bool { Scheme.allCases.contains { text.hasPrefix($0.rawValue + "://") } }

  /// Throws without repeating what was written: a password may stand in it.
  public init(_ text: String, at place: Place = .nowhere) throws(Diagnostic) {
    guard let scheme = Scheme.allCases.first(where: { text.hasPrefix($0.rawValue + "://") }) else {
      throw Diagnostic("is no address of an object", at: place, expected: Self.form(.s3))
    }
    let rest = text.dropFirst(scheme.rawValue.count + 3), host = rest.prefix { $0 != "/" }
    let path = rest.dropFirst(host.count).drop { $0 == "/" }
    if host.contains("@") {
      throw Diagnostic(
        "an address holds no user and no password", at: place, expected: Self.form(scheme), hint: "credentials are taken from the environment")
    }
    // A question mark in the path stands for a character; options of the file system are not the document's to say.
    if host.contains("?") || text.contains("#") || text.utf8.contains(where: { $0 < 32 || $0 == 127 }) {
      throw Diagnostic("an address holds a bucket and a key only", at: place, expected: Self.form(scheme))
    }
    if host.isEmpty && scheme != .hdfs || path.isEmpty {
      throw Diagnostic("an address needs \(host.isEmpty && scheme != .hdfs ? "a bucket" : "a key")", at: place, expected: Self.form(scheme))
    }
    if path.split(separator: "/", omittingEmptySubsequences: false).contains(where: { $0 == ".." || $0 == "." }) {
      throw Diagnostic("an address has no steps up", at: place, expected: Self.form(scheme))
    }
    (self.scheme, bucket, key) = (scheme, String(host), String(path))
  }

  private init(_ scheme: Scheme, _ bucket: String, _ key: String) { (self.scheme, self.bucket, self.key) = (scheme, bucket, key) }

  /// The object or folder of that name below this folder.
  public func below(_ name: String) -> RemoteAddress { RemoteAddress(scheme, bucket, key.hasSuffix("/") ? key + name : key + "/" + name) }

  private static func form(_ scheme: Scheme) -> String { scheme == .hdfs ? "hdfs://host:port/path" : "\(scheme.rawValue)://bucket/key" }

  public var text: String { "\(scheme.rawValue)://\(bucket)/\(key)" }

  /// The last part of the key.
  public var name: String { String(key.split(separator: "/").last ?? "") }

  public var isPattern: Bool { Glob(key).isPattern || key.hasSuffix("/") }

  /// The folders before the first star, without a slash at the end.
  public var fixed: String {
    var parts = key.split(separator: "/")
    if let first = parts.firstIndex(where: { Glob(String($0)).isPattern }) { parts = Array(parts[..<first]) } else if !key.hasSuffix("/") { parts = parts.dropLast() }
    return parts.joined(separator: "/")
  }

  /// Whether it is below what another text allows: a bucket, a folder of it, an object.
  public func isBelow(_ allowed: String) -> Bool {
    var allowed = allowed
    while allowed.hasSuffix("/"), !allowed.hasSuffix("://") { allowed.removeLast() }
    let own = isPattern ? "\(scheme.rawValue)://\(bucket)/\(fixed)" : text
    return own == allowed || own.hasPrefix(allowed + "/") || own == allowed + "/"
  }

  /// The objects that are meant, ascending by UTF-8 bytes, with their names below the fixed folders; one that is named outright is not
  /// looked for.
  public func objects() throws -> [(name: String, address: RemoteAddress)] {
    guard isPattern else { return [(name, self)] }
    let fixed = self.fixed, whole = key.hasSuffix("/") ? key + "*" : key
    let pattern = Glob(String(whole.dropFirst(fixed.isEmpty ? 0 : fixed.count + 1)))
    let found = try RemoteObject.list(RemoteAddress(scheme, bucket, fixed), recursively: pattern.pattern.contains("/"))
      .filter { name in pattern.matches(name) && !name.split(separator: "/").contains { $0.hasPrefix(".") } }
    guard !found.isEmpty else {
      throw Diagnostic("no object matches \"\(text)\"", hint: "* and ? match within one name, ** matches folders")
    }
    return Set(found).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.map { ($0, RemoteAddress(scheme, bucket, fixed.isEmpty ? $0 : fixed + "/" + $0)) }
  }

  // MARK: What Arrow is told

  /// With what the environment says of the way there.
  var uri: String { "\(scheme.rawValue)://\(isAnonymous ? "anonymous@" : "")\(bucket)/\(Self.encoded(key))\(options)" }

  private var isAnonymous: Bool {
    scheme == .gs && ["YES", "TRUE", "1"].contains(variable("GS_NO_SIGN_REQUEST")?.uppercased() ?? "")
  }

  private var options: String {
    switch scheme {
    case .hdfs: return ""
    // Arrow's own limit is a quarter of an hour.
    case .gs: return "?retry_limit_seconds=20"
    case .s3:
      var options: [String] = []
      let endpoint = variable("AWS_ENDPOINT_URL_S3") ?? variable("AWS_ENDPOINT_URL")
      if let endpoint {
        let isPlain = endpoint.hasPrefix("http://")
        let host = endpoint.dropFirst(isPlain ? 7 : endpoint.hasPrefix("https://") ? 8 : 0).prefix { $0 != "/" }
        options += ["scheme=\(isPlain ? "http" : "https")", "endpoint_override=\(Self.encoded(String(host)))"]
      }
      if let region = variable("AWS_REGION") ?? variable("AWS_DEFAULT_REGION") ?? (endpoint == nil ? nil : "us-east-1") {
        options.append("region=\(Self.encoded(region))")
      }
      return options.isEmpty ? "" : "?" + options.joined(separator: "&")
    }
  }

  private func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 } }

  /// RFC 3986: everything but unreserved characters and slashes as `%NN`.
  private static func encoded(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF")
    var encoded = ""
    for byte in text.utf8 {
      switch byte {
      case 45, 46, 47, 95, 126, 48...57, 65...90, 97...122: encoded.unicodeScalars.append(Unicode.Scalar(byte))
      default: encoded += "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
      }
    }
    return encoded
  }
}
