import CZlib

/// What zlib, the reference implementation, makes of a .gz: all in memory, one member after the other.
enum GzipTwin {
  /// nil: cut or damaged.
  static func unpacked(_ bytes: [UInt8]) -> [UInt8]? {
    var rest = bytes[...], out: [UInt8] = []
    if rest.isEmpty { return nil }
    while !rest.isEmpty {
      // Padding of zeros may follow a member.
      if !out.isEmpty || rest.count < bytes.count, rest.allSatisfy({ $0 == 0 }) { return out }
      guard let (member, used) = member(Array(rest)) else { return nil }
      out += member
      rest = rest.dropFirst(used)
    }
    return out
  }

  private static func member(_ bytes: [UInt8]) -> ([UInt8], Int)? {
    var stream = z_stream(), input = bytes, room = [UInt8](repeating: 0, count: 1 << 16), out: [UInt8] = []
    guard inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else { return nil }
    defer { inflateEnd(&stream) }
    return input.withUnsafeMutableBufferPointer { input -> ([UInt8], Int)? in
      stream.next_in = input.baseAddress
      stream.avail_in = UInt32(input.count)
      while true {
        let result = room.withUnsafeMutableBufferPointer { room -> Int32 in
          stream.next_out = room.baseAddress
          stream.avail_out = UInt32(room.count)
          return inflate(&stream, Z_NO_FLUSH)
        }
        out += room[..<(room.count - Int(stream.avail_out))]
        if result == Z_STREAM_END { return (out, input.count - Int(stream.avail_in)) }
        if result != Z_OK || stream.avail_in == 0 && stream.avail_out > 0 { return nil }
      }
    }
  }

  /// Packs with zlib.
  static func packed(_ bytes: [UInt8], level: Int32) -> [UInt8] {
    var stream = z_stream(), input = bytes, out = [UInt8](repeating: 0, count: bytes.count + bytes.count / 1000 + 64)
    precondition(deflateInit2_(&stream, level, Z_DEFLATED, 15 + 16, 8, 0, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK)
    defer { deflateEnd(&stream) }
    let left = input.withUnsafeMutableBufferPointer { input in
      out.withUnsafeMutableBufferPointer { out -> Int in
        stream.next_in = input.baseAddress
        stream.avail_in = UInt32(input.count)
        stream.next_out = out.baseAddress
        stream.avail_out = UInt32(out.count)
        precondition(deflate(&stream, Z_FINISH) == Z_STREAM_END)
        return Int(stream.avail_out)
      }
    }
    return Array(out[..<(out.count - left)])
  }
}
