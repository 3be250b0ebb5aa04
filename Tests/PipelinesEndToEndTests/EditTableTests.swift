import Diagnostics
import Engine
import Pipelines
import Stages
import Testing

@testable import millrace

/// What is executed after one edit of a document, a file or a value: exactly these stages, and as the plan promised.
@Suite struct EditTableTests {
  /// One edit, and the stages whose work it costs.
  struct Edit: CustomTestStringConvertible, Sendable {
    let name: String
    let executed: String
    let change: @Sendable (inout Shop) -> Void

    init(_ name: String, _ executed: String, _ change: @escaping @Sendable (inout Shop) -> Void) {
      (self.name, self.executed, self.change) = (name, executed, change)
    }

    var testDescription: String { name }
  }

  /// A document and its file.
  struct Shop: Sendable {
    /// On one line.
    var document = base.split(separator: "\n").map { $0.drop { $0 == " " } }.joined(separator: " ")
    var sales = EditTableTests.sales
    var files: [String: String] = [:]
    var set: [(name: String, value: String)] = []

    /// Replaces a text that must be there once.
    mutating func document(_ old: String, _ new: String) {
      precondition(document.ranges(of: old).count == 1, "\(old) stands \(document.ranges(of: old).count) times in the document")
      document = document.replacing(old, with: new)
    }

    mutating func line(_ old: String, _ new: String) {
      precondition(sales.ranges(of: old).count == 1, "\(old) stands \(sales.ranges(of: old).count) times in the file")
      sales = sales.replacing(old, with: new)
    }
  }

  static let base = """
    {
      "pipeline": "edits",
      "summary": "what is executed again",
      "parameters": {
        "horizon": { "type": "duration", "default": "26 weeks", "help": "how far ahead" },
        "least": { "type": "float", "default": 0.5 },
        "until": { "type": "date", "default": "2011-12-31" },
        "tiers": { "type": "int", "default": 3 }
      },
      "stages": {
        "sales": { "stage": "ingest", "with": { "path": "sales.csv", "columns": {
            "invoice": { "source": "invoice", "type": "string" },
            "customer": { "source": "customer", "type": "string" },
            "at": { "source": "at", "type": "date" },
            "quantity": { "source": "quantity", "type": "int32" },
            "price": { "source": "price", "type": "decimal(12,2)" },
            "country": { "source": "country", "type": "string" } } } },
        "good": { "stage": "clean", "from": "sales", "with": { "require": ["customer"], "keep": ["quantity > 0", "price >= $least"] } },
        "valued": { "stage": "feature-engineer", "from": "good", "with": { "derive": { "revenue": "quantity * price" } } },
        "customers": { "stage": "rfm", "from": "valued", "with": {
            "customer": "customer", "at": "at", "amount": "revenue", "order": "invoice", "until": "${until}" } },
        "purchases": { "stage": "fit", "from": "customers", "with": { "model": "bg-nbd" } },
        "spend": { "stage": "fit", "from": "customers", "with": { "model": "gamma-gamma" } },
        "value": { "stage": "predict", "from": { "customers": "customers", "purchases": "purchases", "spend": "spend" },
            "with": { "horizon": "${horizon}" } },
        "groups": { "stage": "segment", "from": "customers", "with": { "method": "k-means", "k": "${tiers}", "on": ["orders", "revenue"] } },
        "countries": { "stage": "aggregate", "from": "valued", "with": {
            "by": { "country": "country" }, "aggregates": { "revenue": "sum(revenue)" } } },
        "refused": { "stage": "aggregate", "from": "good.quarantine", "with": { "by": ["rule"], "aggregates": { "lines": "count(*)" } } },
        "file": { "stage": "export", "from": "countries", "with": { "file": "countries.csv" } }
      }
    }
    """

  /// 60 customers with up to nine orders each, by a rule that anybody can follow; every 17th line has no customer.
  static let sales: String = {
    var lines = ["invoice,customer,at,quantity,price,country"]
    var state: UInt64 = 7
    func next(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    var invoice = 1000
    for customer in 0..<60 {
      for _ in 0...(customer * 7 % 9) {
        invoice += 1
        let month = next(12) + 1, day = next(28) + 1
        let who = invoice % 17 == 0 ? "" : "c\(100 + customer)"
        lines.append("\(invoice),\(who),2011-\(month < 10 ? "0" : "")\(month)-\(day < 10 ? "0" : "")\(day),\(next(9) + 1),\(next(40) + 1).\(10 + next(90)),\(["UK", "FR", "DE"][customer % 3])")
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }()

  static let rowWise = "good sales valued"
  static let edits: [Edit] = [
    // The text of the document.
    Edit("nothing", "") { _ in },
    Edit("white space", "") { $0.document = $0.document.replacing("{ ", with: "{\r\n\t") },
    Edit("another summary", "") { $0.document("what is executed again", "something else") },
    Edit("another name of the pipeline", "") { $0.document("\"edits\"", "\"other\"") },
    Edit("a schema", "") { $0.document("\"pipeline\":", "\"$schema\": \"x.json\", \"pipeline\":") },
    Edit("members of a stage in another order", "") { $0.document("\"stage\": \"fit\", \"from\": \"customers\", \"with\": { \"model\": \"bg-nbd\" }", "\"with\": { \"model\": \"bg-nbd\" }, \"from\": \"customers\", \"stage\": \"fit\"") },
    Edit("settings in another order", "") { $0.document("\"require\": [\"customer\"], \"keep\": [\"quantity > 0\", \"price >= $least\"]", "\"keep\": [\"quantity > 0\", \"price >= $least\"], \"require\": [\"customer\"]") },
    Edit("stages in another order", "") {
      let refused = "\"refused\": { \"stage\": \"aggregate\", \"from\": \"good.quarantine\", \"with\": { \"by\": [\"rule\"], \"aggregates\": { \"lines\": \"count(*)\" } } },"
      $0.document(refused, "")
      $0.document("\"stages\": {", "\"stages\": { \(refused)")
    },
    Edit("a default written out", "") { $0.document("\"require\": [\"customer\"]", "\"require\": [\"customer\"], \"distinct\": false") },
    Edit("a number written in another way", "") { $0.document("\"default\": 3 }", "\"default\": 3.0 }") },
    Edit("an escape in a text", "") { $0.document("\"bg-nbd\"", "\"bg\\u002dnbd\"") },
    Edit("a main output named", "") { $0.document("\"from\": \"valued\", \"with\": { \"by\"", "\"from\": \"valued.table\", \"with\": { \"by\"") },
    Edit("another name of a stage", "") { $0.document = $0.document.replacing("\"valued\"", with: "\"priced\"") },
    Edit("a stage less", "") { $0.document(", \"file\": { \"stage\": \"export\", \"from\": \"countries\", \"with\": { \"file\": \"countries.csv\" } }", "") },
    Edit("a stage more", "more") { $0.document("\"file\": { \"stage\"", "\"more\": { \"stage\": \"aggregate\", \"from\": \"customers\", \"with\": { \"aggregates\": { \"n\": \"count(*)\" } } }, \"file\": { \"stage\"") },
    Edit("a stage like another one", "") { $0.document("\"file\": { \"stage\"", "\"twin\": { \"stage\": \"fit\", \"from\": \"customers\", \"with\": { \"model\": \"bg-nbd\" } }, \"file\": { \"stage\"") },
    Edit("a stage that is no longer kept", "") { $0.document("\"from\": \"good\", \"with\"", "\"from\": \"good\", \"keep\": false, \"with\"") },
    // Parameters.
    Edit("another name of a parameter", "") { $0.document = $0.document.replacing("horizon\":", with: "ahead\":").replacing("${horizon}", with: "${ahead}").replacing("\"ahead\": \"${ahead}\"", with: "\"horizon\": \"${ahead}\"") },
    Edit("another help", "") { $0.document("how far ahead", "weeks") },
    Edit("the default typed", "") { $0.set = [("horizon", "26 weeks")] },
    Edit("a value in place of its parameter", "") {
      $0.document("\"${tiers}\"", "3")
      $0.document(", \"tiers\": { \"type\": \"int\", \"default\": 3 }", "")
    },
    Edit("a parameter of one stage", "value") { $0.set = [("horizon", "52 weeks")] },
    Edit("a parameter of another one", "groups") { $0.set = [("tiers", "4")] },
    Edit("a parameter in an expression that leaves the rows as they are", "good") { $0.set = [("least", "0.25")] },
    Edit("another name of a parameter in an expression", "good") { $0.document = $0.document.replacing("\"least\"", with: "\"lowest\"").replacing("$least", with: "$lowest") },
    Edit("a later end: ages change, spends do not", "customers groups purchases value") { $0.set = [("until", "2012-01-15")] },
    // Settings.
    Edit("a condition that says the same", "good") { $0.document("quantity > 0", "0 < quantity") },
    Edit("a condition more that all rows meet", "good") { $0.document("\"quantity > 0\"", "\"quantity > 0\", \"quantity < 1000\"") },
    Edit("conditions in another order", "good") { $0.document("\"quantity > 0\", \"price >= $least\"", "\"price >= $least\", \"quantity > 0\"") },
    Edit("a condition that only moves rows to other quarantine rules", "good refused") { $0.document("\"require\": [\"customer\"], \"keep\": [", "\"keep\": [\"customer IS NOT NULL\", ") },
    Edit("a condition that takes rows", "countries customers file good groups purchases refused spend valued value") { $0.document("quantity > 0", "quantity > 1") },
    Edit("a column more that nobody reads", "valued") { $0.document("\"quantity * price\" }", "\"quantity * price\", \"month\": \"month(at)\" }") },
    Edit("an expression that says the same", "valued") { $0.document("quantity * price", "price * quantity") },
    Edit("another name of a derived column", "countries customers valued") { $0.document = $0.document.replacing("\"revenue\": \"quantity * price\"", with: "\"amount\": \"quantity * price\"").replacing("\"amount\": \"revenue\"", with: "\"amount\": \"amount\"").replacing("sum(revenue)", with: "sum(amount)") },
    Edit("another unit: spends do not change", "customers groups purchases value") { $0.document("\"order\": \"invoice\"", "\"order\": \"invoice\", \"unit\": \"week\"") },
    Edit("without orders: frequencies do not change", "customers groups value") {
      $0.document(", \"order\": \"invoice\"", "")
      $0.document("\"orders\", \"revenue\"", "\"frequency\", \"revenue\"")
    },
    Edit("another model", "purchases value") { $0.document("bg-nbd", "mbg-nbd") },
    Edit("a discount", "value") { $0.document("\"horizon\": \"${horizon}\"", "\"horizon\": \"${horizon}\", \"discount\": \"10%/year\"") },
    Edit("another seed", "groups") { $0.document("\"method\": \"k-means\"", "\"method\": \"k-means\", \"seed\": 2") },
    Edit("another name of a group", "countries file") { $0.document("{ \"country\": \"country\" }", "{ \"land\": \"country\" }") },
    Edit("another name of the file", "file") { $0.document("countries.csv", "lands.csv") },
    Edit("another delimiter of the file", "file") { $0.document("\"file\": \"countries.csv\"", "\"file\": \"countries.csv\", \"delimiter\": \";\"") },
    Edit("more mistakes are borne", "sales") { $0.document("\"path\": \"sales.csv\"", "\"path\": \"sales.csv\", \"maxQuarantine\": 5") },
    // Columns of the source.
    Edit("a column of the source more", "good sales valued") { $0.document("\"country\": { \"source\": \"country\", \"type\": \"string\" }", "\"country\": { \"source\": \"country\", \"type\": \"string\" }, \"land\": { \"source\": \"country\", \"type\": \"string\" }") },
    Edit("columns in another order", "good sales valued") {
      let invoice = "\"invoice\": { \"source\": \"invoice\", \"type\": \"string\" },"
      $0.document(invoice, "")
      $0.document("\"country\": { \"source\"", invoice + " \"country\": { \"source\"")
    },
    Edit("a wider type", "good sales valued") { $0.document("\"type\": \"int32\"", "\"type\": \"int64\"") },
    // Where things come from.
    Edit("wired around a stage whose columns come out equal", "") { $0.document("\"from\": \"valued\", \"with\": { \"by\"", "\"from\": { \"table\": \"valued\" }, \"with\": { \"by\"") },
    Edit("wired to a stage before", "countries") {
      $0.document("\"from\": \"valued\", \"with\": { \"by\"", "\"from\": \"good\", \"with\": { \"by\"")
      $0.document("sum(revenue)", "sum(quantity * price)")
    },
    Edit("the file in another folder", "") {
      $0.files["deep/er/sales.csv"] = $0.sales
      $0.document("\"path\": \"sales.csv\"", "\"path\": \"deep/er/sales.csv\"")
    },
    Edit("the file under another name", "sales") {
      $0.files["lines.csv"] = $0.sales
      $0.document("\"path\": \"sales.csv\"", "\"path\": \"lines.csv\"")
    },
    // The file.
    Edit("the file written again", "") { $0.sales += "" },
    Edit("a line without text at the end", "sales") { $0.sales += "\n" },
    Edit("other ends of lines", "sales") { $0.sales = $0.sales.replacing("\n", with: "\r\n") },
    Edit("a cell in quotes", "sales") { $0.line("1001,c100,", "\"1001\",c100,") },
    Edit("a column more in the file", "sales") { $0.sales = $0.sales.replacing("\n", with: ",x\n") },
    Edit("a line that cannot be read", "sales") { $0.sales += "9001,c100,2011-05-05,many,1.00,UK\n" },
    Edit("a line that is cleaned away", "good refused sales") { $0.sales += "9002,,2011-05-05,1,1.00,UK\n" },
    Edit("another cell of a line that is cleaned away", "good sales") { $0.line("1003,,", "1004x,,") },
    Edit("another country of one line", "countries file good sales valued") { $0.line(firstLine, firstLine.replacing(",UK", with: ",IT")) },
    Edit("another price of one line", "countries customers file good groups sales spend valued value") { $0.line(repeatLine, repeatLine.replacing(repeatPrice, with: ",77.77,")) },
    Edit("another price of a first purchase: spends are of later ones", "countries customers file good groups sales valued value") { $0.line(openingLine, openingLine.replacing(",30.38,", with: ",31.38,")) },
    Edit("another invoice number: orders are counted, not named", "customers good sales valued") { $0.line(firstLine, firstLine.replacing("1001,", with: "0001,")) },
    Edit("a new customer", "countries customers file good groups purchases sales spend valued value") { $0.sales += "9003,new,2011-05-05,1,1.00,UK\n9004,new,2011-06-05,1,3.00,UK\n" },
  ]

  static let lines = sales.split(separator: "\n").map(String.init)
  static let firstLine = lines.first { $0.hasPrefix("1001,") }!
  /// A line of a customer who came before and after it.
  static let repeatLine = lines.first { $0.hasPrefix("1040,c107,") }!
  static let openingLine = lines.first { $0.hasPrefix("1038,c107,2011-02-11,") }!
  static let repeatPrice = "," + repeatLine.split(separator: ",")[4] + ","

  @Test(arguments: edits) func executesExactly(edit: Edit) throws {
    let folder = Folder()
    let store = ArtifactStore(path: folder.path + "/store")
    let first = try run(Shop(), folder, store)
    #expect(first.report.status == .succeeded)
    var shop = Shop()
    edit.change(&shop)
    let (planned, report) = try run(shop, folder, store)
    #expect(report.status == .succeeded)
    let executed = Set(report.stages.filter { $0.status == .executed }.map(\.name))
    #expect(executed.sorted().joined(separator: " ") == edit.executed.split(separator: " ").sorted().joined(separator: " "))
    #expect(executed.isSuperset(of: planned.names(.wouldExecute)) && executed.isDisjoint(with: planned.names(.cached)))
  }

  @Test func thereAreEnough() { #expect(Self.edits.count >= 40) }

  private func run(_ shop: Shop, _ folder: Folder, _ store: ArtifactStore) throws -> (planned: PlanReport, report: RunReport) {
    folder.write(shop.sales, to: "sales.csv")
    for (name, text) in shop.files.sorted(by: { $0.key < $1.key }) {
      let above = name.split(separator: "/").dropLast().joined(separator: "/")
      if !above.isEmpty { _ = Executable.shell("mkdir -p '\(above)'", in: folder.path) }
      folder.write(text, to: name)
    }
    folder.write(shop.document, to: "edits.json")
    let document = folder.path + "/edits.json"
    let plan = try PipelineSource(document: document, values: shop.set, allowPath: []).plan()
    var options = RunOptions(width: 2)
    options.keepGoing = true
    let executor = Executor(store: store)
    return (try executor.plan(plan, options), try executor.run(plan, options))
  }
}
