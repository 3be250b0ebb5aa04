import Columns
import Diagnostics
import Pipelines

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A shop's transactions with known truth, in the layout of Online Retail II, as dirty as real ones.
public struct Simulate: Stage {
  public static let contract = Contract(
    "simulate", "transactions with known truth: BG/NBD purchases, Gamma-Gamma spend, realistic dirt",
    outputs: [
      .file("file", help: "CSV in the layout of Online Retail II"),
      .document("truth", help: "the parameters, and how many rows of each kind were written"),
    ], version: 1)

  @Setting("how many customers", in: 1...100_000_000) var customers = 10_000
  @Setting("how many weeks they are watched; first purchases are uniform over them", in: 1...1_000) var weeks = 104
  @Setting("another seed, another shop") var seed = 1
  @Setting("the first day") var start = CivilDate(year: 2009, month: 12, day: 1)
  @Setting("BG/NBD: shape of the purchase rates", in: 0.01...100) var r = 0.55
  @Setting("BG/NBD: scale of the purchase rates, in weeks", in: 0.01...10_000) var alpha = 10.5
  @Setting("BG/NBD: first shape of the dropout probabilities", in: 0.01...100) var a = 0.8
  @Setting("BG/NBD: second shape of the dropout probabilities", in: 0.01...100) var b = 2.4
  @Setting("Gamma-Gamma: shape of one customer's spends", in: 0.01...100) var p = 2.2
  @Setting("Gamma-Gamma: shape of the customers' means", in: 1.01...100) var q = 3.5
  @Setting("Gamma-Gamma: scale of the customers' means, in pounds", in: 0.01...100_000) var v = 45.0

  public init() {}

  public func bind(_ inputs: Inputs<ArtifactType>, _ context: BindContext) throws(Mistakes) -> Binding {
    Binding(
      outputs: [.init("file", .file(mediaType: "text/csv"), fileName: "transactions.csv"), .init("truth", .document(about: "simulation"))], reads: [],
      // Orders of 16 bytes, about three a customer, twice while they are sorted.
      memory: customers * 120 + (64 << 20))
  }

  public func run(_ inputs: Inputs<Artifact>, _ context: any RunContext) throws -> Metrics {
    let path = try context.openFile("file", name: "transactions.csv", mediaType: "text/csv")
    guard let file = fopen(path, "wb") else { throw Diagnostic("the simulated transactions could not be written", found: systemWords()) }
    defer { fclose(file) }
    let simulator = TransactionSimulator(
      truth: .init(r: r, alpha: alpha, a: a, b: b, p: p, q: q, v: v), customers: customers, weeks: weeks, firstDay: start.days,
      seed: UInt64(bitPattern: Int64(seed)))
    let counts = try simulator.run(width: context.width) { bytes in
      try context.checkCancellation()
      if fwrite(bytes, 1, bytes.count, file) != bytes.count {
        throw Diagnostic("the simulated transactions could not be written", found: systemWords(), hint: "is the disk full?")
      }
    }
    if fflush(file) != 0 { throw Diagnostic("the simulated transactions could not be written", found: systemWords(), hint: "is the disk full?") }
    let rows: JSONValue = [
      "rows": .integer(counts.rows), "customers": .integer(counts.customers), "purchases": .integer(counts.purchases),
      "spend_pence": .integer(counts.spend), "guest_invoices": .integer(counts.guestInvoices),
      "cancellations": .integer(counts.cancellations), "duplicates": .integer(counts.duplicates),
      "write_offs": .integer(counts.writeOffs), "zero_prices": .integer(counts.zeroPrices), "unreadable": .integer(counts.unreadable),
    ]
    try context.writeDocument("truth", [
      "purchases": [
        "model": "bg-nbd", "unit": "week",
        "parameters": ["r": .double(r), "alpha": .double(alpha), "a": .double(a), "b": .double(b)],
      ],
      "spend": ["model": "gamma-gamma", "parameters": ["p": .double(p), "q": .double(q), "v": .double(v)]],
      "wrote": rows,
    ])
    var metrics = Metrics()
    metrics["rows"] = .integer(counts.rows)
    metrics["purchases"] = .integer(counts.purchases)
    return metrics
  }

  private func systemWords() -> String { String(cString: strerror(errno)) }
}
