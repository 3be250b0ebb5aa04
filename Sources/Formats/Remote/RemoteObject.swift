import CArrowBridge
import Columns
import Diagnostics

/// An object behind an address, through Arrow's file systems: read by ranges, written whole.
// @unchecked: the handle is not changed after `init`, and ranges may be read by several threads.
public final class RemoteObject: @unchecked Sendable {
  public let name: String
  public let size: Int
  private let handle: OpaquePointer

  public init(_ address: RemoteAddress, name: String) throws {
    self.name = name
    var opened: OpaquePointer?, bytes: Int64 = 0
    try Self.call(address, name) { $0.pointee.remote_open(address.uri, &opened, &bytes, $1, $2) }
    handle = opened!
    size = Int(bytes)
  }

  deinit { if let table = try? ArrowLibrary.table() { table.pointee.remote_close(handle) } }

  func read(at offset: Int, into room: UnsafeMutableRawBufferPointer) throws -> Int {
    guard let base = room.baseAddress, room.count > 0 else { return 0 }
    var count: Int64 = 0
    do {
      try ArrowLibrary.call { $0.pointee.remote_read(handle, Int64(offset), base, Int64(room.count), &count, $1, $2) }
    } catch {
      var failure = Diagnostic("cannot be read: \(error.description)", at: .data(file: name, line: nil, byte: offset, column: nil))
      failure.isTransient = true
      throw failure
    }
    return Int(count)
  }

  /// What tells its content from another, without reading it: size and ETag; where there is none, size and
  /// generation or time of change.
  public static func version(_ address: RemoteAddress, name: String) throws -> String {
    var words = [CChar](repeating: 0, count: 4096)
    try words.withUnsafeMutableBufferPointer { words in
      try call(address, name) { $0.pointee.remote_version(address.uri, words.baseAddress!, words.count, $1, $2) }
    }
    return String(decoding: words.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// Nil when there is none of that name.
  public static func size(_ address: RemoteAddress) throws -> Int? {
    var bytes: Int64 = 0
    try call(address, address.name) { $0.pointee.remote_size(address.uri, &bytes, $1, $2) }
    return bytes < 0 ? nil : Int(bytes)
  }

  /// Writes a file of this machine as an object, in one step as others see it.
  public static func write(_ path: String, to address: RemoteAddress) throws {
    try call(address, address.name, "written") { $0.pointee.remote_write(address.uri, path, $1, $2) }
  }

  /// Names of the objects directly below a folder, ascending by UTF-8 bytes.
  public static func names(in folder: RemoteAddress) throws -> [String] {
    Set(try list(folder, recursively: false)).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// Keys below a place, in no order.
  static func list(_ place: RemoteAddress, recursively: Bool) throws -> [String] {
    final class Names { var all: [String] = [] }
    let names = Names()
    try withExtendedLifetime(names) {
      try call(place, place.text) { table, words, size in
        table.pointee.remote_list(place.uri, recursively ? 1 : 0, { context, path in
          Unmanaged<Names>.fromOpaque(context!).takeUnretainedValue().all.append(String(cString: path))
        }, Unmanaged.passUnretained(names).toOpaque(), words, size)
      }
    }
    return names.all
  }

  private static func call(
    _ address: RemoteAddress, _ name: String, _ what: String = "read", _ body: (UnsafePointer<MillraceArrow>, UnsafeMutablePointer<CChar>, Int) -> Int32
  ) throws {
    do { try ArrowLibrary.call(body) } catch {
      // Where it looked in vain for a library fills a page.
      let words = error.description.prefix { $0 != "\n" }
      let isAbsent = words.contains("does not exist") || words.contains("no such object") || words.contains("is a folder")
      var failure = Diagnostic(
        "\(address.scheme.rawValue)://\(address.bucket) cannot be \(what): \(words)", at: .data(file: name, line: nil, byte: nil, column: nil),
        hint: isAbsent ? nil : hint(address.scheme))
      failure.isTransient = !isAbsent
      throw failure
    }
  }

  private static func hint(_ scheme: RemoteAddress.Scheme) -> String {
    switch scheme {
    case .s3: "credentials, region and endpoint are those of AWS's own tools: AWS_PROFILE, AWS_ACCESS_KEY_ID, AWS_REGION, AWS_ENDPOINT_URL and so on"
    case .gs: "credentials are those of Google's own tools: GOOGLE_APPLICATION_CREDENTIALS; GS_NO_SIGN_REQUEST=YES reads public buckets"
    case .hdfs: "Hadoop's client (libhdfs) and Java are needed: set JAVA_HOME, HADOOP_HOME or ARROW_LIBHDFS_DIR, and CLASSPATH=$(hadoop classpath --glob)"
    }
  }
}

/// The bytes of an object from front to end, asked for in ranges that grow to 8 MiB.
// @unchecked: by the protocol's contract one thread uses it at a time.
public final class RemoteBytes: ByteSource, @unchecked Sendable {
  public var name: String { object.name }
  private let object: RemoteObject
  private let room = Slab<UInt8>()
  private var given = 0, held = 0, offset = 0
  private var wanted = 64 << 10
  private static let mostWanted = 8 << 20

  public init(_ object: RemoteObject) { self.object = object }

  public func read(into target: UnsafeMutableRawBufferPointer) throws -> Int {
    guard let base = target.baseAddress, target.count > 0 else { return 0 }
    if given == held {
      let left = object.size - offset
      guard left > 0 else { return 0 }
      let count = min(wanted, left)
      room.grow(to: count, keeping: 0)
      held = try object.read(at: offset, into: UnsafeMutableRawBufferPointer(start: room.pointer, count: count))
      guard held > 0 else { throw mistake("is cut off: \(offset) of \(object.size) bytes came", byte: offset) }
      (given, offset, wanted) = (0, offset + held, min(wanted * 4, Self.mostWanted))
    }
    let count = min(target.count, held - given)
    base.copyMemory(from: room.pointer + given, byteCount: count)
    given += count
    return count
  }
}
