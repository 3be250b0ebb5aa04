import CArrowBridge

/// What Apache Arrow refused, in its own words.
public struct ArrowFailure: Error, CustomStringConvertible {
  public let description: String
  public init(_ description: String) { self.description = description }
}

/// The one way to Apache Arrow C++: a table of C functions, opened at first use.
public enum ArrowLibrary {
  /// The functions; throws a sentence when the library cannot be opened.
  public static func table() throws(ArrowFailure) -> UnsafePointer<MillraceArrow> {
    var words = [CChar](repeating: 0, count: 1024)
    guard let table = millrace_arrow(&words, words.count) else { throw ArrowFailure(text(of: words)) }
    return table
  }

  /// Calls one function of the table with room for its error; nonzero becomes `ArrowFailure`.
  public static func call(
    _ body: (UnsafePointer<MillraceArrow>, UnsafeMutablePointer<CChar>, Int) -> Int32
  ) throws(ArrowFailure) {
    let table = try table()
    var words = [CChar](repeating: 0, count: 2048)
    let failed = words.withUnsafeMutableBufferPointer { body(table, $0.baseAddress!, $0.count) }
    if failed != 0 { throw ArrowFailure(text(of: words)) }
  }

  /// Of Apache Arrow C++: "26.0.1".
  public static func version() throws(ArrowFailure) -> String {
    let words: UnsafePointer<CChar>? = try table().pointee.version()
    return words.map { String(cString: $0) } ?? ""
  }

  private static func text(of words: [CChar]) -> String {
    String(decoding: words.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
