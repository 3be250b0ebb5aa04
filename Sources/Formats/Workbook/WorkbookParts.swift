import Diagnostics

/// Relations of a part: their ids to the parts they point to.
final class RelationsPart: XMLHandler {
  private(set) var targets: [(id: String, type: String, target: String)] = []

  func start(_ name: XMLName, _ attributes: XMLAttributes) {
    guard name == "Relationship", let target = attributes.string("Target"), attributes.string("TargetMode") != "External" else { return }
    targets.append((attributes.string("Id") ?? "", attributes.string("Type") ?? "", target))
  }
  func end(_ name: XMLName) {}
  func text(_ bytes: UnsafeBufferPointer<UInt8>) {}
}

/// The list of sheets.
final class WorkbookPart: XMLHandler {
  private(set) var sheets: [(name: String, relation: String)] = []
  private(set) var is1904 = false

  func start(_ name: XMLName, _ attributes: XMLAttributes) {
    switch name {
    case "workbookPr": is1904 = attributes.flag("date1904")
    case "sheet": if let title = attributes.string("name") { sheets.append((title, attributes.string("id") ?? "")) }
    default: break
    }
  }
  func end(_ name: XMLName) {}
  func text(_ bytes: UnsafeBufferPointer<UInt8>) {}
}

/// Which number format each cell style has.
final class StylesPart: XMLHandler {
  private var custom: [Int: CellFormat] = [:]
  private var isInStyles = false
  private(set) var formats: [CellFormat] = []

  func start(_ name: XMLName, _ attributes: XMLAttributes) {
    switch name {
    case "numFmt":
      if let id = attributes.string("numFmtId").flatMap({ Int($0) }), let code = attributes.string("formatCode") { custom[id] = CellFormat(code: code) }
    case "cellXfs": isInStyles = true
    case "xf":
      guard isInStyles else { return }
      let id = attributes.string("numFmtId").flatMap { Int($0) } ?? 0
      formats.append(custom[id] ?? CellFormat(builtin: id))
    default: break
    }
  }
  func end(_ name: XMLName) { if name == "cellXfs" { isInStyles = false } }
  func text(_ bytes: UnsafeBufferPointer<UInt8>) {}
}

/// The texts that cells share, one behind the other.
final class SharedTextsPart: XMLHandler {
  private var bytes: [UInt8] = []
  private var ends: [Int] = []
  private var isInText = false, phonetic = 0
  /// More text than this in one workbook is refused: it is held in memory.
  static let limit = 256 << 20
  private(set) var isDone = false

  var count: Int { ends.count }
  var isTooLong: Bool { isDone }

  func start(_ name: XMLName, _ attributes: XMLAttributes) {
    switch name {
    case "rPh": phonetic += 1
    case "t": isInText = phonetic == 0
    default: break
    }
  }

  func end(_ name: XMLName) {
    switch name {
    case "rPh": phonetic -= 1
    case "t": isInText = false
    case "si":
      let start = ends.last ?? 0
      unescapeText(&bytes, from: start)
      ends.append(bytes.count)
      if bytes.count + 8 * ends.count > Self.limit { isDone = true }
    default: break
    }
  }

  func text(_ piece: UnsafeBufferPointer<UInt8>) {
    guard isInText else { return }
    if bytes.count + piece.count > Self.limit { isDone = true } else { bytes.append(contentsOf: piece) }
  }

  func withText<Result>(_ at: Int, _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
    let start = at == 0 ? 0 : ends[at - 1], end = ends[at]
    return bytes.withUnsafeBufferPointer { body(UnsafeBufferPointer(rebasing: $0[start..<end])) }
  }
}

/// `_x000D_` stands for the character of that number in the texts of workbooks (ECMA-376 part 1, 22.9.2.19).
func unescapeText(_ bytes: inout [UInt8], from start: Int) {
  guard bytes.count - start >= 7 else { return }
  var at = start, out = start
  while at < bytes.count {
    if bytes[at] == UInt8(ascii: "_"), at + 6 < bytes.count, bytes[at + 1] == UInt8(ascii: "x"), bytes[at + 6] == UInt8(ascii: "_"),
      let value = UInt32(String(decoding: bytes[at + 2..<at + 6], as: UTF8.self), radix: 16), bytes[at + 2] != UInt8(ascii: "+"),
      let scalar = Unicode.Scalar(value)
    {
      // At most three bytes, in the place of seven.
      for unit in UTF8.encode(scalar)! {
        bytes[out] = unit
        out += 1
      }
      at += 7
    } else {
      bytes[out] = bytes[at]
      out += 1
      at += 1
    }
  }
  bytes.removeLast(bytes.count - out)
}
