import CArrowBridge

/// Columns as structs of the Arrow C data interface: buffers are lent, not copied; the struct keeps them alive.
extension Column {
  /// The struct is released by whoever takes it.
  public func exportArray() -> ArrowArray {
    let holder = ExportedArray()
    var dictionary: ArrowArray?
    holder.buffers.append(exportedValidity(keptBy: holder))
    switch storage {
    case .bits(let bits): holder.keep(bits.aligned().buffer)
    case .fixed(let buffer):
      if case .decimal = type { holder.keep(widened(buffer)) } else { holder.keep(buffer) }
    case .text(let values):
      holder.keep(values.offsets)
      holder.keep(values.bytes)
    case .codes(let codes, let values):
      holder.keep(codes)
      dictionary = Column(type: .string, count: values.count, validity: nil, storage: .text(values)).exportArray()
    }
    return holder.array(length: count, nullCount: nullCount, children: [], dictionary: dictionary)
  }

  private func exportedValidity(keptBy holder: ExportedArray) -> UnsafeRawPointer? {
    guard let validity else { return nil }
    let aligned = validity.aligned()
    holder.owners.append(aligned.buffer)
    return aligned.buffer.base
  }

  /// Scaled Int64 as Arrow's decimal128.
  private func widened(_ buffer: Buffer) -> Buffer {
    let from = buffer.base.assumingMemoryBound(to: Int64.self)
    return Buffer(unzeroed: count * 16, filling: { bytes in
      let to = bytes.assumingMemoryBound(to: Int64.self)
      for row in 0..<count {
        to[2 &* row] = from[row]
        to[2 &* row &+ 1] = from[row] &>> 63
      }
    })
  }

  public func exportSchema(name: String = "") -> ArrowSchema {
    exportedSchema(Field(name, type), dictionary: isDictionary)
  }
}

extension Batch {
  /// A struct array whose children are the columns.
  public func exportArray() -> ArrowArray {
    let holder = ExportedArray()
    holder.buffers.append(nil)
    return holder.array(length: count, nullCount: 0, children: columns.map { $0.exportArray() }, dictionary: nil)
  }

  public func exportSchema() -> ArrowSchema { schema.exportSchema(dictionaries: columns.map(\.isDictionary)) }
}

extension Schema {
  /// A struct schema; `dictionaries` says which string columns are dictionary-encoded.
  public func exportSchema(dictionaries: [Bool]) -> ArrowSchema {
    let children = zip(fields, dictionaries).map { exportedSchema($0, dictionary: $1) }
    return ExportedSchema(format: "+s", name: "").schema(children: children, dictionary: nil, nullable: false)
  }
}

private func exportedSchema(_ field: Field, dictionary: Bool) -> ArrowSchema {
  guard dictionary else { return ExportedSchema(format: field.type.arrowFormat, name: field.name).schema(children: [], dictionary: nil) }
  let values = ExportedSchema(format: "u", name: "").schema(children: [], dictionary: nil)
  return ExportedSchema(format: "i", name: field.name).schema(children: [], dictionary: values)
}

extension ColumnType {
  /// The format string of the C data interface.
  public var arrowFormat: String {
    switch self {
    case .bool: "b"
    case .int32: "i"
    case .int64: "l"
    case .float64: "g"
    case .decimal(let precision, let scale): "d:\(precision),\(scale)"
    case .string: "u"
    case .date: "tdD"
    case .timestamp(let zone): "tsu:\(zone ?? "")"
    }
  }
}

/// The children and the dictionary of an exported array or schema, each in memory of its own.
private struct ExportedParts<Part> {
  let children: UnsafeMutablePointer<UnsafeMutablePointer<Part>?>?
  let dictionary: UnsafeMutablePointer<Part>?
  private let count: Int

  init(_ parts: [Part], dictionary values: Part?) {
    count = parts.count
    children = parts.isEmpty ? nil : .allocate(capacity: parts.count)
    for (i, part) in parts.enumerated() { (children! + i).initialize(to: Self.place(part)) }
    dictionary = values.map(Self.place)
  }

  private static func place(_ part: Part) -> UnsafeMutablePointer<Part> {
    let place = UnsafeMutablePointer<Part>.allocate(capacity: 1)
    place.initialize(to: part)
    return place
  }

  /// `release` of a part that the consumer moved away has nothing to do.
  func free(_ release: (UnsafeMutablePointer<Part>) -> Void) {
    for i in 0..<count {
      guard let child = children![i] else { continue }
      release(child)
      child.deallocate()
    }
    children?.deallocate()
    if let dictionary {
      release(dictionary)
      dictionary.deallocate()
    }
  }
}

/// Owns what an exported array points to, until the array is released.
private final class ExportedArray {
  var buffers: [UnsafeRawPointer?] = []
  var owners: [AnyObject] = []
  private var table: UnsafeMutablePointer<UnsafeRawPointer?>?
  private var parts: ExportedParts<ArrowArray>?

  func keep(_ buffer: Buffer) {
    owners.append(buffer)
    buffers.append(buffer.base)
  }

  func array(length: Int, nullCount: Int, children arrays: [ArrowArray], dictionary values: ArrowArray?) -> ArrowArray {
    let table = UnsafeMutablePointer<UnsafeRawPointer?>.allocate(capacity: max(1, buffers.count))
    for (i, buffer) in buffers.enumerated() { (table + i).initialize(to: buffer) }
    self.table = table
    let parts = ExportedParts(arrays, dictionary: values)
    self.parts = parts
    return ArrowArray(
      length: Int64(length), null_count: Int64(nullCount), offset: 0, n_buffers: Int64(buffers.count),
      n_children: Int64(arrays.count), buffers: table, children: parts.children, dictionary: parts.dictionary,
      release: { array in
        guard let array, let data = array.pointee.private_data else { return }
        Unmanaged<ExportedArray>.fromOpaque(data).takeRetainedValue().free()
        array.pointee.release = nil
      }, private_data: Unmanaged.passRetained(self).toOpaque())
  }

  private func free() {
    parts?.free { $0.pointee.release?($0) }
    table?.deallocate()
  }
}

private final class ExportedSchema {
  private let format: UnsafeMutablePointer<CChar>
  private let name: UnsafeMutablePointer<CChar>
  private var parts: ExportedParts<ArrowSchema>?

  init(format: String, name: String) {
    self.format = Self.copy(format)
    self.name = Self.copy(name)
  }

  private static func copy(_ text: String) -> UnsafeMutablePointer<CChar> {
    let bytes = text.utf8CString
    let place = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
    for (i, byte) in bytes.enumerated() { (place + i).initialize(to: byte) }
    return place
  }

  func schema(children schemas: [ArrowSchema], dictionary values: ArrowSchema?, nullable: Bool = true) -> ArrowSchema {
    let parts = ExportedParts(schemas, dictionary: values)
    self.parts = parts
    return ArrowSchema(
      format: format, name: name, metadata: nil, flags: nullable ? Int64(ARROW_FLAG_NULLABLE) : 0,
      n_children: Int64(schemas.count), children: parts.children, dictionary: parts.dictionary,
      release: { schema in
        guard let schema, let data = schema.pointee.private_data else { return }
        Unmanaged<ExportedSchema>.fromOpaque(data).takeRetainedValue().free()
        schema.pointee.release = nil
      }, private_data: Unmanaged.passRetained(self).toOpaque())
  }

  private func free() {
    parts?.free { $0.pointee.release?($0) }
    format.deallocate()
    name.deallocate()
  }
}
