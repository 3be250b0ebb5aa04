import CExpat
import Diagnostics

/// An element's name or an attribute's without its prefix.
struct XMLName {
  let text: UnsafePointer<CChar>

  /// `qualified` as expat gives it.
  init(_ qualified: UnsafePointer<CChar>) {
    var at = qualified, name = qualified
    while at.pointee != 0 {
      if at.pointee == 58 { name = at + 1 }
      at += 1
    }
    text = name
  }

  static func ~= (word: StaticString, name: XMLName) -> Bool { name == word }

  static func == (name: XMLName, word: StaticString) -> Bool {
    for i in 0..<word.utf8CodeUnitCount where UInt8(bitPattern: name.text[i]) != word.utf8Start[i] { return false }
    return name.text[word.utf8CodeUnitCount] == 0
  }
}

/// The attributes of one element: names and values by turns, ended by nil.
struct XMLAttributes {
  let list: UnsafeMutablePointer<UnsafePointer<CChar>?>?

  subscript(word: StaticString) -> UnsafePointer<CChar>? {
    guard let list else { return nil }
    var at = 0
    while let name = list[at] {
      if XMLName(name) == word { return list[at + 1] }
      at += 2
    }
    return nil
  }

  func string(_ word: StaticString) -> String? { self[word].map { String(cString: $0) } }

  func flag(_ word: StaticString) -> Bool { string(word).map { $0 == "1" || $0 == "true" } ?? false }
}

/// Takes what one part of a workbook holds, in its order.
protocol XMLHandler: AnyObject {
  func start(_ name: XMLName, _ attributes: XMLAttributes)
  func end(_ name: XMLName)
  func text(_ bytes: UnsafeBufferPointer<UInt8>)
  /// Asked between pieces of the part: no more of it is wanted.
  var isDone: Bool { get }
  /// Asked between pieces of the part: gives out what was read so far.
  func drain() throws
}

extension XMLHandler {
  var isDone: Bool { false }
  func drain() throws {}
}

/// Parses a part of a workbook piece by piece. A document type is refused, so that there are no entities but the five of
/// XML, and nothing is fetched from anywhere.
enum XMLPart {
  private final class Frame {
    let handler: XMLHandler
    let parser: XML_Parser
    var hasDocumentType = false

    init(_ handler: XMLHandler, _ parser: XML_Parser) {
      self.handler = handler
      self.parser = parser
    }

    static func of(_ pointer: UnsafeMutableRawPointer?) -> Frame { Unmanaged<Frame>.fromOpaque(pointer!).takeUnretainedValue() }
  }

  static func parse(_ source: ByteSource, _ handler: XMLHandler) throws {
    guard let parser = XML_ParserCreate(nil) else { preconditionFailure("expat has no memory for a parser") }
    defer { XML_ParserFree(parser) }
    let frame = Frame(handler, parser)
    XML_SetUserData(parser, Unmanaged.passUnretained(frame).toOpaque())
    XML_SetElementHandler(
      parser,
      { data, name, attributes in
        if let name { Frame.of(data).handler.start(XMLName(name), XMLAttributes(list: attributes)) }
      },
      { data, name in
        if let name { Frame.of(data).handler.end(XMLName(name)) }
      })
    XML_SetCharacterDataHandler(parser) { data, text, count in
      guard let text, count > 0 else { return }
      text.withMemoryRebound(to: UInt8.self, capacity: Int(count)) {
        Frame.of(data).handler.text(UnsafeBufferPointer(start: $0, count: Int(count)))
      }
    }
    XML_SetStartDoctypeDeclHandler(parser) { data, _, _, _, _ in
      let frame = Frame.of(data)
      frame.hasDocumentType = true
      XML_StopParser(frame.parser, 0)
    }
    let room = 64 << 10
    while true {
      guard let buffer = XML_GetBuffer(parser, Int32(room)) else { throw source.mistake("holds more than can be parsed at once") }
      let n = try source.read(into: UnsafeMutableRawBufferPointer(start: buffer, count: room))
      let status = withExtendedLifetime(frame) { XML_ParseBuffer(parser, Int32(n), n == 0 ? 1 : 0) }
      if status != XML_STATUS_OK {
        if frame.hasDocumentType { throw source.mistake("has a document type, which is refused", hint: "workbooks need none; it can hold entities that grow without bound") }
        let words = XML_ErrorString(XML_GetErrorCode(parser)).map { String(cString: $0) } ?? "unknown error"
        throw Diagnostic(
          "is no well-formed XML: \(words)",
          at: .data(file: source.name, line: Int(XML_GetCurrentLineNumber(parser)), byte: Int(XML_GetCurrentByteIndex(parser)), column: nil))
      }
      try handler.drain()
      if n == 0 || handler.isDone { return }
    }
  }
}
