import CZlib
import FuzzFiles

import Formats

/// Any parts of a workbook, up to four with a zero byte between: a sheet, shared texts, styles, the book. They are packed
/// soundly, so that every input reaches the readers of XML.
@_cdecl("LLVMFuzzerTestOneInput") public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: data, count: count))
  var parts = bytes.split(separator: 0, maxSplits: 3, omittingEmptySubsequences: false).map(Array.init)
  while parts.count < 4 { parts.append([]) }
  var zip = StoredZip()
  zip.add("[Content_Types].xml", Array(FuzzWorkbooks.types.utf8))
  zip.add("_rels/.rels", Array(FuzzWorkbooks.rootLinks.utf8))
  zip.add("xl/workbook.xml", parts[3].isEmpty ? Array(FuzzWorkbooks.book.utf8) : parts[3])
  zip.add("xl/_rels/workbook.xml.rels", Array(FuzzWorkbooks.links.utf8))
  zip.add("xl/worksheets/sheet1.xml", parts[0])
  if !parts[1].isEmpty { zip.add("xl/sharedStrings.xml", parts[1]) }
  if !parts[2].isEmpty { zip.add("xl/styles.xml", parts[2]) }
  FuzzWorkbooks.read(zip.content)
  return 0
}

enum FuzzWorkbooks {
  static func read(_ bytes: [UInt8]) {
    let file = NamelessFile(bytes)
    defer { withExtendedLifetime(file) {} }
    for asText in [false, true] {
      var options = TableSource.Options()
      options.kind = .spreadsheet
      options.asText = asText
      options.limits = UnpackLimits(bytes: 1 << 20, ratio: 100, entries: 100)
      guard let parts = try? TableSource.open(file: file.path, name: "book.xlsx", options) else { return }
      for part in parts {
        var kept = 0, quarantined = 0
        guard let report = try? part.read(batch: { kept += $0.count }, quarantine: { quarantined += $0.count }) else { return }
        precondition(report.kept == kept && report.quarantined == quarantined && report.rows == kept + quarantined, "kept and quarantined rows are not all rows")
      }
    }
  }

  static let sheets = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
  static let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
  static let package = "http://schemas.openxmlformats.org/package/2006"
  static let types = """
    <Types xmlns="\(package)/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>
    """
  static let rootLinks = """
    <Relationships xmlns="\(package)/relationships"><Relationship Id="r1" Type="\(office)/officeDocument" Target="xl/workbook.xml"/></Relationships>
    """
  static let book = """
    <workbook xmlns="\(sheets)" xmlns:r="\(office)"><sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>
    """
  static let links = """
    <Relationships xmlns="\(package)/relationships"><Relationship Id="r1" Type="\(office)/worksheet" Target="worksheets/sheet1.xml"/>\
    <Relationship Id="r2" Type="\(office)/sharedStrings" Target="sharedStrings.xml"/><Relationship Id="r3" Type="\(office)/styles" Target="styles.xml"/></Relationships>
    """
}

/// A zip archive whose members are stored as they are.
struct StoredZip {
  private var bytes: [UInt8] = [], directory: [UInt8] = []
  private var count = 0

  mutating func add(_ name: String, _ content: [UInt8]) {
    let size = UInt32(content.count)
    var header: [UInt8] = [20, 0, 0, 8, 0, 0, 0, 0, 0x21, 0]  // version, UTF-8, stored, time, day
    header += Self.word(UInt32(crc32(0, content, size))) + Self.word(size) + Self.word(size) + [UInt8(name.utf8.count), 0, 0, 0]
    directory += [0x50, 0x4B, 1, 2, 20, 0] + header + [0, 0, 0, 0, 0, 0, 0, 0, 0xA4, 0x81] + Self.word(UInt32(bytes.count)) + Array(name.utf8)
    bytes += [0x50, 0x4B, 3, 4] + header + Array(name.utf8) + content
    count += 1
  }

  var content: [UInt8] {
    bytes + directory + [0x50, 0x4B, 5, 6, 0, 0, 0, 0, UInt8(count), 0, UInt8(count), 0] + Self.word(UInt32(directory.count))
      + Self.word(UInt32(bytes.count)) + [0, 0]
  }

  private static func word(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) } }
}
