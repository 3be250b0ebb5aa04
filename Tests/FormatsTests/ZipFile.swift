import Foundation

import CZlib

/// A zip archive made by hand: for members that no tool would write.
struct ZipFile: Sendable {
  private var bytes: [UInt8] = [], directory: [UInt8] = []
  private var count = 0

  init(_ members: KeyValuePairs<String, String>) {
    for (name, text) in members { add(name, Array(text.utf8)) }
  }

  mutating func add(_ name: String, _ content: [UInt8]) {
    let packed = Self.deflated(content), sum = UInt32(crc32(0, content, UInt32(content.count)))
    var header: [UInt8] = [20, 0, 0, 8, 8, 0, 0, 0, 0x21, 0]  // version, UTF-8, deflate, time, day
    header += Self.word(sum) + Self.word(UInt32(packed.count)) + Self.word(UInt32(content.count))
    header += [UInt8(name.utf8.count), 0, 0, 0]
    directory += [0x50, 0x4B, 1, 2, 20, 0] + header + [0, 0, 0, 0, 0, 0, 0, 0, 0xA4, 0x81] + Self.word(UInt32(bytes.count)) + Array(name.utf8)
    bytes += [0x50, 0x4B, 3, 4] + header + Array(name.utf8) + packed
    count += 1
  }

  var content: [UInt8] {
    bytes + directory + [0x50, 0x4B, 5, 6, 0, 0, 0, 0, UInt8(count), 0, UInt8(count), 0] + Self.word(UInt32(directory.count))
      + Self.word(UInt32(bytes.count)) + [0, 0]
  }

  private static func word(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) } }

  /// Raw deflate data.
  static func deflated(_ content: [UInt8], window: Int32 = -15) -> [UInt8] {
    var stream = z_stream(), content = content
    precondition(deflateInit2_(&stream, 9, Z_DEFLATED, window, 9, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK)
    defer { deflateEnd(&stream) }
    var packed = [UInt8](repeating: 0, count: Int(deflateBound(&stream, UInt(content.count))) + 64)
    let room = packed.count
    return content.withUnsafeMutableBufferPointer { from in
      packed.withUnsafeMutableBufferPointer { to in
        stream.next_in = from.baseAddress
        stream.avail_in = UInt32(from.count)
        stream.next_out = to.baseAddress
        stream.avail_out = UInt32(room)
        precondition(deflate(&stream, Z_FINISH) == Z_STREAM_END)
      }
      return Array(packed[..<(room - Int(stream.avail_out))])
    }
  }

  /// As a .gz file.
  static func gzipped(_ text: String) -> [UInt8] { deflated(Array(text.utf8), window: 15 + 16) }
}

extension Scratch {
  func file(_ name: String, bytes: [UInt8]) -> String {
    let path = file(name)
    try! bytes.withUnsafeBytes { try Data($0).write(to: URL(fileURLWithPath: path)) }
    return path
  }
}
