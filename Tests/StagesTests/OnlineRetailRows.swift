import Columns
import Foundation

/// The raw rows of Online Retail II as batches, read by a plain reader of its own so that only the rooms are tested.
enum OnlineRetail {
  static let rows: [Batch]? = {
    guard let path = sharedFolder().map({ $0 + "/data/online_retail_II/online_retail_II.csv.gz" }),
      FileManager.default.fileExists(atPath: path), let bytes = unpacked(path)
    else { return nil }
    return bytes.withUnsafeBytes { read($0.bindMemory(to: UInt8.self)) }
  }()

  private static func unpacked(_ path: String) -> Data? {
    let process = Process(), pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: "/bin/gzip")
    process.arguments = ["-dc", path]
    process.standardOutput = pipe
    guard (try? process.run()) != nil else { return nil }
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return process.terminationStatus == 0 ? data : nil
  }

  private static func read(_ bytes: UnsafeBufferPointer<UInt8>) -> [Batch] {
    var at = 0
    while bytes[at] != 10 { at += 1 }
    at += 1
    var batches: [Batch] = []
    while at < bytes.count {
      var texts: [[String?]] = [[], [], [], [], []]  // invoice, stock, description, customer, country
      var quantities: [Int32] = [], moments: [Int64] = [], prices: [Int64] = []
      for _ in 0..<65_536 where at < bytes.count {
        var cells: [String] = []
        var isLast = false
        while !isLast {
          var cell: [UInt8] = [], quoted = false
          while at < bytes.count {
            let byte = bytes[at]
            at += 1
            if byte == 34 {
              if quoted, at < bytes.count, bytes[at] == 34 {
                cell.append(34)
                at += 1
              } else {
                quoted.toggle()
              }
            } else if !quoted, byte == 44 || byte == 10 {
              isLast = byte == 10
              break
            } else {
              cell.append(byte)
            }
          }
          if at >= bytes.count { isLast = true }
          cells.append(String(decoding: cell, as: UTF8.self))
        }
        let customer = cells[6].hasSuffix(".0") ? String(cells[6].dropLast(2)) : cells[6]
        for (column, text) in zip(texts.indices, [cells[0], cells[1], cells[2], customer, cells[7]]) {
          texts[column].append(text.isEmpty ? nil : text)
        }
        quantities.append(Int32(cells[3])!)
        moments.append(micros(cells[4]))
        prices.append(Int64((Double(cells[5])! * 1000).rounded()))
      }
      batches.append(batch(
        ("invoice", .strings(texts[0])), ("stock", .strings(texts[1])), ("description", .strings(texts[2])),
        ("quantity", .full(.int32, quantities)), ("at", .full(.timestamp(), moments)),
        ("price", .full(.decimal(precision: 12, scale: 3), prices)), ("customer", .strings(texts[3])), ("country", .strings(texts[4]))))
    }
    return batches
  }

  // 2009-12-01 07:45:00
  private static func micros(_ text: String) -> Int64 {
    let digits = Array(text.utf8).map { Int64($0) - 48 }
    func number(_ from: Int, _ count: Int) -> Int64 { digits[from..<from + count].reduce(0) { $0 * 10 + $1 } }
    let days = CivilDate(year: Int(number(0, 4)), month: Int(number(5, 2)), day: Int(number(8, 2))).days
    return ((Int64(days) * 24 + number(11, 2)) * 60 + number(14, 2)) * 60_000_000 + number(17, 2) * 1_000_000
  }
}
