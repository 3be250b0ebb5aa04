import CArrowBridge
import Columns
import Diagnostics

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Writes batches as one Arrow IPC file, uncompressed and aligned, so that it can be mapped and used as it is.
// @unchecked: one thread writes it.
public final class ArrowFileWriter: @unchecked Sendable {
  public let path: String
  public let schema: Schema
  private var writer: OpaquePointer?
  /// By column: how the first batch had it, and what the file's dictionary holds so far.
  private var dictionaries: [GrowingDictionary?] = []
  private let seeing: Seeing?
  private let held: Int

  /// The file is made with the first batch (or by `finish`), which says which text columns have a dictionary. `seeing` is
  /// given all bytes of the file in their order. Of at most `held` bytes no file is made: `seeing` is given all of them at once.
  public init(path: String, schema: Schema, held: Int = 0, seeing: ((UnsafeRawBufferPointer) -> Void)? = nil) {
    self.path = path
    self.held = held
    self.schema = schema
    self.seeing = seeing.map(Seeing.init)
  }

  /// A closure that C can be given.
  private final class Seeing {
    let body: (UnsafeRawBufferPointer) -> Void

    init(_ body: @escaping (UnsafeRawBufferPointer) -> Void) { self.body = body }
  }

  deinit { if let writer, let table = try? ArrowLibrary.table() { table.pointee.ipc_writer_abort(writer) } }

  public func append(_ batch: Batch) throws {
    precondition(batch.schema == schema, "a batch was appended to a file of another schema")
    try open { batch.columns[$0].isDictionary }
    let columns = batch.columns.enumerated().map { at, column in
      guard column.type == .string else { return column }
      return dictionaries[at]?.fitting(column) ?? column.decoded()
    }
    var array = Batch(schema: schema, columns: columns, count: batch.count).exportArray()
    let writer = writer!
    try arrow(path) { $0.pointee.ipc_writer_append(writer, &array, nil, nil, $1, $2) }
  }

  /// Footer, close. Returns the size in bytes: there is a file when it is more than was to be held. `durably`: it is on the disk when this returns.
  @discardableResult public func finish(durably: Bool = true) throws -> Int {
    try open { _ in false }
    let done = writer!
    var bytes: Int64 = 0
    writer = nil
    try arrow(path) { $0.pointee.ipc_writer_close(done, durably ? 1 : 0, &bytes, $1, $2) }
    return Int(bytes)
  }

  private func open(_ isDictionary: (Int) -> Bool) throws {
    guard writer == nil else { return }
    dictionaries = schema.fields.indices.map { isDictionary($0) ? GrowingDictionary() : nil }
    var exported = schema.exportSchema(dictionaries: dictionaries.map { $0 != nil })
    var opened: OpaquePointer?
    // `seeing` lives as long as this object, and the writer behind the pointer no longer.
    let context = seeing.map { Unmanaged.passUnretained($0).toOpaque() }
    let written: MillraceWritten? = context.map { _ in
      { context, bytes, count in
        Unmanaged<Seeing>.fromOpaque(context!).takeUnretainedValue().body(UnsafeRawBufferPointer(start: bytes, count: Int(count)))
      }
    }
    try arrow(path) { $0.pointee.ipc_writer_open(path, &exported, nil, Int64(held), written, context, &opened, $1, $2) }
    writer = opened
  }
}

/// One column's dictionary in a file: it only grows at its end, as Arrow IPC files ask. Columns with another
/// dictionary (of another partition) or none are recoded.
private final class GrowingDictionary {
  private var last: TextValues?
  /// Only once a column had to be recoded.
  private var own: TextDictionary?

  func fitting(_ column: Column) -> Column {
    if own == nil, case .codes(_, let values) = column.storage, values === last || continues(values) {
      last = values
      return column
    }
    return recoded(column)
  }

  private func continues(_ values: TextValues) -> Bool {
    guard let last else { return true }
    guard values.count >= last.count, values.byteCount >= last.byteCount else { return false }
    let sameOffsets = memcmp(values.offsets.base, last.offsets.base, (last.count + 1) * 4) == 0
    return sameOffsets && memcmp(values.bytes.base, last.bytes.base, last.byteCount) == 0
  }

  private func recoded(_ column: Column) -> Column {
    let dictionary = own ?? TextDictionary()
    if own == nil, let last { for code in 0..<last.count { _ = Self.code(last[code], in: dictionary) } }
    own = dictionary
    let text = column.text
    var codes = [Int32](repeating: 0, count: column.count)
    if case .codes(let old, let values) = column.storage {
      let old: UnsafeBufferPointer<Int32> = old.values()
      var known = [Int32](repeating: -1, count: values.count)
      for row in 0..<column.count where !column.isNull(row) {
        let at = Int(old[row])
        if known[at] < 0 { known[at] = Self.code(values[at], in: dictionary) }
        codes[row] = known[at]
      }
    } else {
      for row in 0..<column.count where !column.isNull(row) { codes[row] = Self.code(text[row], in: dictionary) }
    }
    if dictionary.count == 0 { _ = Self.code(UnsafeBufferPointer(start: nil, count: 0), in: dictionary) }
    return Column(type: column.type, count: column.count, validity: column.validity, storage: .codes(Buffer(codes), dictionary.values()))
  }

  /// A text's code. The key reads 16 bytes, so a text that may end its buffer is copied.
  private static func code(_ text: UnsafeBufferPointer<UInt8>, in dictionary: TextDictionary) -> Int32 {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: text.count + 32) { copy in
      copy.initialize(repeating: 0)
      for i in 0..<text.count { copy[i] = text[i] }
      let key = TextDictionary.Key(copy.baseAddress!, text.count)
      let known = dictionary.find(copy.baseAddress!, text.count, key)
      return known >= 0 ? known : dictionary.insert(copy.baseAddress!, text.count, key)
    }
  }
}
