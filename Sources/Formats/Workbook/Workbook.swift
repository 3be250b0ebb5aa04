import Diagnostics

/// A workbook of Office Open XML (.xlsx, .xlsm): its sheets by name, each read as a stream. Formulas count as the value
/// that was stored with them; nothing is computed, run or fetched.
public struct Workbook: Sendable {
  public let name: String
  /// In the workbook's order.
  public var sheets: [String] { list.map(\.name) }

  private let path: String
  private let limits: UnpackLimits
  /// Names of parts in lower case without a leading slash, and the members they are.
  private let parts: [String: String]
  private let archive: Archive
  private let list: [(name: String, part: String?)]
  let is1904: Bool
  private let stylesPart: String?, textsPart: String?

  public init(path: String, name: String? = nil, limits: UnpackLimits = UnpackLimits()) throws {
    let name = name ?? path
    self.path = path
    self.name = name
    self.limits = limits
    let mistake = { (message: String, found: String?) in
      Diagnostic(message, at: .data(file: name, line: nil, byte: nil, column: nil), expected: "a workbook (.xlsx, .xlsm)", found: found)
    }
    let head = try FileBytes(path: path, name: name).head(8)
    if head == Self.compoundFile {
      let isEncrypted = try Self.holdsEncryptedPackage(FileBytes(path: path, name: name))
      throw mistake(
        isEncrypted ? "the workbook is encrypted, which is unsupported" : "a workbook of this kind cannot be read",
        isEncrypted ? "an encrypted package; save it without a password" : "an old binary file (.xls) or another compound file; save it as .xlsx")
    }
    guard head.starts(with: [0x50, 0x4B]) else { throw mistake("is no workbook", head.isEmpty ? "an empty file" : "no zip archive") }
    archive = try Archive(path: path, name: name, limits: limits)
    var parts: [String: String] = [:]
    for member in archive.members { parts[Self.key(member)] = member }
    self.parts = parts
    func resolved(_ target: String, from folder: String) -> String { target.hasPrefix("/") ? target : folder + target }
    let archive = self.archive
    func parse(_ part: String, _ handler: XMLHandler) throws { try XMLPart.parse(PartBytes(archive.open(part), workbook: name, part: part), handler) }

    var main: String?
    if let relations = parts["_rels/.rels"] {
      let read = RelationsPart()
      try parse(relations, read)
      main = read.targets.first { $0.type.hasSuffix("/officeDocument") }.flatMap { parts[Self.key($0.target)] }
    }
    guard let main = main ?? parts["xl/workbook.xml"] else {
      if parts["content.xml"] != nil { throw mistake("a workbook of this kind cannot be read", "an OpenDocument file (.ods); save it as .xlsx") }
      throw mistake("the workbook's list of sheets is missing", "no part xl/workbook.xml")
    }
    guard !main.lowercased().hasSuffix(".bin") else {
      throw mistake("a workbook of this kind cannot be read", "a binary workbook (.xlsb); save it as .xlsx")
    }
    let workbook = WorkbookPart()
    try parse(main, workbook)
    is1904 = workbook.is1904
    let slash = main.lastIndex(of: "/").map { main.index(after: $0) } ?? main.startIndex
    let folder = String(main[..<slash])
    let relations = RelationsPart()
    if let part = parts[Self.key(folder + "_rels/" + main[slash...] + ".rels")] { try parse(part, relations) }
    func part(_ relation: (id: String, type: String, target: String)?) -> String? {
      guard let relation else { return nil }
      return parts[Self.key(resolved(relation.target, from: folder))] ?? parts[Self.key(relation.target)]
    }
    list = workbook.sheets.enumerated().map { at, sheet in
      let relation = relations.targets.first { $0.id == sheet.relation }
      if let relation, !relation.type.hasSuffix("/worksheet") { return (sheet.name, nil) }
      return (sheet.name, part(relation) ?? (relation == nil ? parts["xl/worksheets/sheet\(at + 1).xml"] : nil))
    }
    stylesPart = part(relations.targets.first { $0.type.hasSuffix("/styles") })
    textsPart = part(relations.targets.first { $0.type.hasSuffix("/sharedStrings") }) ?? parts["xl/sharedstrings.xml"]
    guard !list.isEmpty else { throw mistake("the workbook has no sheets", nil) }
  }

  private static let compoundFile: [UInt8] = [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]

  /// A part's name as the container compares it: without a leading slash, folders resolved, case ignored.
  private static func key(_ name: String) -> String {
    var steps: [Substring] = []
    let plain = name.split(separator: "\\", omittingEmptySubsequences: false).joined(separator: "/")
    for step in plain.split(separator: "/") {
      if step == ".." { _ = steps.popLast() } else if step != "." { steps.append(step) }
    }
    return steps.joined(separator: "/").lowercased()
  }

  /// Whether the name "EncryptedPackage", in UTF-16 as in a compound file's directory, is there.
  private static func holdsEncryptedPackage(_ file: FileBytes) throws -> Bool {
    let wanted = "EncryptedPackage".utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
    var piece = [UInt8](repeating: 0, count: 1 << 16), kept = 0
    while true {
      let n = try piece.withUnsafeMutableBytes { try file.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[kept...])) }
      if n == 0 { return false }
      let end = kept + n
      var at = 0
      while at + wanted.count <= end {
        if piece[at] == wanted[0], piece[at..<at + wanted.count].elementsEqual(wanted) { return true }
        at += 1
      }
      kept = min(end, wanted.count - 1)
      piece.replaceSubrange(0..<kept, with: Array(piece[end - kept..<end]))
    }
  }

  /// The part of a sheet by its name or its number from 1; nil: the first that has cells.
  func part(ofSheet wanted: String?) throws -> (name: String, part: String) {
    let words = list.prefix(12).map { "\"\($0.name)\"" }.joined(separator: ", ") + (list.count > 12 ? ", …" : "")
    let place = Place.data(file: name, line: nil, byte: nil, column: nil)
    guard let wanted else {
      guard let first = list.first(where: { $0.part != nil }), let part = first.part else {
        throw Diagnostic("the workbook has no sheet of cells", at: place, found: words)
      }
      return (first.name, part)
    }
    guard let at = list.firstIndex(where: { $0.name == wanted }) ?? Int(wanted).flatMap({ list.indices.contains($0 - 1) ? $0 - 1 : nil }) else {
      throw Diagnostic(
        "the workbook has no sheet \"\(escaped(wanted))\"", at: place, expected: "one of \(words), or a number from 1 to \(list.count)",
        hint: hint(forUnknown: wanted, among: list.map(\.name)))
    }
    guard let part = list[at].part else {
      throw Diagnostic("sheet \"\(list[at].name)\" has no cells: it is a chart, or its part is missing", at: place, found: words)
    }
    return (list[at].name, part)
  }

  func bytes(_ part: String) throws -> ByteSource { PartBytes(try archive.open(part), workbook: name, part: part) }

  func styles() throws -> [CellFormat] {
    let styles = StylesPart()
    if let stylesPart { try XMLPart.parse(bytes(stylesPart), styles) }
    return styles.formats
  }

  func sharedTexts() throws -> SharedTextsPart {
    let texts = SharedTextsPart()
    if let textsPart { try XMLPart.parse(bytes(textsPart), texts) }
    if texts.isTooLong {
      throw Diagnostic(
        "the workbook's texts are longer than the limit of \(SharedTextsPart.limit) bytes", at: .data(file: name, line: nil, byte: nil, column: nil),
        hint: "save it as CSV")
    }
    return texts
  }
}

/// A part's bytes under a name that says which workbook it is of.
// @unchecked: by the protocol's contract one thread uses it at a time.
private final class PartBytes: ByteSource, @unchecked Sendable {
  let name: String
  private let bytes: ByteSource

  init(_ bytes: ByteSource, workbook: String, part: String) {
    self.bytes = bytes
    name = "\(workbook), part \(escaped(part))"
  }

  func read(into room: UnsafeMutableRawBufferPointer) throws -> Int { try bytes.read(into: room) }
}
