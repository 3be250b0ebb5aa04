/// read-benchmark FILE [WIDTH] [ROUNDS]: processor seconds of the CSV reader alone on a file of `millrace simulate`, eight
/// typed columns, every cell decoded and nothing kept, beside a scan of the same bytes for the four marks (what reading
/// cannot go below). Figures of one run belong together; on a shared machine compare their ratio.
import CScan
import Columns
import Formats

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

func processorSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// Counts delimiters and line ends, 64 bytes at a time; the bytes come as the reader's do.
func scan(_ source: ByteSource) throws -> Int {
  let room = 256 << 10
  let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: room + 64, alignment: 64)
  defer { memory.deallocate() }
  let base = UnsafePointer(memory.baseAddress!.assumingMemoryBound(to: UInt8.self))
  var stops = 0
  while true {
    let n = try source.read(into: UnsafeMutableRawBufferPointer(rebasing: memory[..<room]))
    if n == 0 { return stops }
    for i in n..<n + 64 { memory[i] = 0 }
    var at = 0, inside: UInt64 = 0
    while at < n {
      let masks = cscan_masks(base + at, 34, 44, 10, 13)
      let quoted = cscan_prefix_xor(masks.a) ^ inside
      inside = 0 &- (quoted &>> 63)
      stops &+= ((masks.b | masks.c | masks.d) & ~quoted).nonzeroBitCount
      at &+= 64
    }
  }
}

func benchmark() throws {
  let arguments = CommandLine.arguments
  guard arguments.count > 1 else {
    print("read-benchmark FILE [WIDTH] [ROUNDS]")
    return
  }
  var options = TableSource.Options()
  options.width = arguments.count > 2 ? Int(arguments[2]) : 2
  options.columns = [
    CSVColumn("invoice", from: .name("Invoice")), CSVColumn("stock", from: .name("StockCode")),
    CSVColumn("description", from: .name("Description")), CSVColumn("quantity", from: .name("Quantity"), .int32),
    CSVColumn("at", from: .name("InvoiceDate"), .timestamp()),
    CSVColumn("price", from: .name("Price"), .decimal(precision: 12, scale: 3)),
    CSVColumn("customer", from: .name("Customer ID"), replace: [.init("\\.0$", with: "")]),
    CSVColumn("country", from: .name("Country")),
  ]
  for _ in 0..<(arguments.count > 3 ? Int(arguments[3]) ?? 3 : 3) {
    let start = processorSeconds()
    let stops = try scan(FileBytes(path: arguments[1]))
    let scanned = processorSeconds()
    var quantity = 0
    let report = try TableSource.open(file: arguments[1], name: "benchmark", options)[0].read { batch in
      for value in batch["quantity"].values(as: Int32.self) { quantity &+= Int(value) }
    }
    let read = processorSeconds()
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    print(
      "scan \(scanned - start) s, \(stops) stops; read \(read - scanned) s, ratio \((read - scanned) / (scanned - start));",
      "\(report.kept) rows, \(report.quarantined) bad, quantity \(quantity), peak \(usage.ru_maxrss / 1024) MiB")
  }
}

try benchmark()
