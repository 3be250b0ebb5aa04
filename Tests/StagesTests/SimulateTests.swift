import Columns
import Foundation
import Pipelines
import Testing

@testable import Stages

@Suite struct SimulateTests {
  struct Shop {
    /// The file lives as long as the run is kept.
    let run: StageResult
    let bytes: [UInt8]
    var path: String { run.file("file")!.path }
    var lines: [Substring] { String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false).dropLast() }
    var wrote: JSONValue { run.document("truth")!["wrote"]! }
    func count(_ name: String) -> Int { wrote[name]!.int! }
  }

  static func shop(_ settings: JSONValue, width: Int = 2) throws -> Shop {
    let run = try runStage(Simulate.self, settings, [], width: width)
    return Shop(run: run, bytes: run.file("file")!.bytes)
  }

  @Test func oneSeedIsOneFileAtAnyWidth() throws {
    let one = try Self.shop(["customers": 3000, "seed": 7], width: 1).bytes
    #expect(try Self.shop(["customers": 3000, "seed": 7], width: 5).bytes == one)
    #expect(try Self.shop(["customers": 3000, "seed": 8]).bytes != one)
    // The bytes themselves, so that another machine, compiler or library that gives others is noticed.
    #expect(Digest(of: String(decoding: one, as: UTF8.self)).description == "b4b88d7e5a7f88e79adee129d7585229")
  }

  /// A million customers are to be 4.2 million rows, 2 % more or less.
  @Test func rowsFollowCustomers() throws {
    let small = try Self.shop(["customers": 2000]), large = try Self.shop(["customers": 10_000])
    for (shop, customers, slack) in [(small, 2000.0, 0.06), (large, 10_000, 0.03)] {
      let rows = Double(shop.count("rows"))
      #expect((rows / customers / 4.2 - 1).magnitude < slack, "\(rows) rows of \(customers) customers")
      #expect(shop.run.metrics["rows"] == shop.wrote["rows"] && shop.run.metrics["purchases"] == shop.wrote["purchases"])
    }
  }

  @Test func truthIsTold() throws {
    let truth = try #require(try Self.shop(["customers": 50, "r": 0.7, "alpha": 8, "a": 1.5, "b": 4, "p": 3, "q": 5, "v": 20]).run.document("truth"))
    #expect(truth["purchases"] == ["model": "bg-nbd", "unit": "week", "parameters": ["r": 0.7, "alpha": 8.0, "a": 1.5, "b": 4.0]])
    #expect(truth["spend"] == ["model": "gamma-gamma", "parameters": ["p": 3.0, "q": 5.0, "v": 20.0]])
    #expect(truth["wrote"]?["customers"] == 50)
  }

  /// The layout of Online Retail II, and how much of what is wrong in it: shares of all rows.
  @Test func dirtAndLayout() throws {
    let shop = try Self.shop(["customers": 10_000])
    let lines = shop.lines
    #expect(lines[0] == "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country")
    #expect(lines.count == shop.count("rows") + 1)
    let rows = Double(shop.count("rows"))
    for (name, share) in [
      ("duplicates", 0.007...0.013), ("zero_prices", 0.002...0.006), ("write_offs", 0.001...0.003), ("unreadable", 0.0002...0.0007),
      ("cancellations", 0.008...0.016),
    ] { #expect(share.contains(Double(shop.count(name)) / rows), "\(name): \(shop.count(name)) of \(rows)") }

    let line = try Regex(
      #"C?\d{6,},\d{5,}[A-Z]?,( ?[^,"]*|"([^"]|"")*"),-?\d+,20\d\d-[01]\d-[0-3]\d [0-2]\d:[0-5]\d:[0-5]\d,\d+\.\d\d?,(\d{5,}\.0)?,[A-Za-z ]+"#)
    var odd = 0, guests = 0, cancelled = 0, before = ""
    for text in lines.dropFirst() {
      if text.wholeMatch(of: line) == nil {
        odd += 1
        continue
      }
      if text.contains(",,") && !text.contains(".0,") || text.hasSuffix(",,United Kingdom") { guests += 1 }
      if text.hasPrefix("C") { cancelled += 1 }
      let invoice = String(text.prefix { $0 != "," }.drop { $0 == "C" })
      #expect(invoice >= before)
      before = invoice
    }
    #expect(odd == shop.count("unreadable"))
    #expect((0.19...0.26).contains(Double(guests) / rows), "\(guests) of \(rows) without a customer")
    #expect(cancelled >= shop.count("cancellations"))
  }

  /// Cleaned by the usual rules and fitted, the file gives back what it was made of, within four standard errors.
  @Test func fittedAgainTheTruthComesBack() throws {
    let shop = try Self.shop(["customers": 6000, "seed": 3])
    let rows = try runStage(
      Ingest.self,
      [
        "path": "shop.csv",
        "columns": [
          "invoice": ["source": "Invoice", "type": "string"], "quantity": ["source": "Quantity", "type": "int32"],
          "price": ["source": "Price", "type": "decimal(12,3)"], "at": ["source": "InvoiceDate", "type": "timestamp"],
          "customer": ["source": "Customer ID", "type": "string"],
        ],
      ], [], files: [[SourceFile(name: "shop.csv", path: shop.path)]])
    #expect(rows.metrics["rows"] == shop.wrote["rows"] && rows.metrics["quarantined"] == shop.wrote["unreadable"])
    // All columns of the file would be needed to tell duplicates from equal lines of one invoice; a hundredth more spend is no matter.
    let clean = try runStage(
      Clean.self,
      [
        "require": ["customer"], "keep": ["NOT starts_with(invoice, 'C')", "quantity > 0", "price > 0"],
      ], [.table("table", rows.table())])
    let valued = try runStage(FeatureEngineer.self, ["derive": ["revenue": "quantity * price"]], [.table("table", clean.table())])
    let customers = try runStage(
      RFM.self, ["customer": "customer", "at": "at", "amount": "revenue", "unit": "week"], [.table("table", valued.table())])
    #expect(customers.table().count == 6000)
    for (model, truth) in [
      ("bg-nbd", [("r", 0.55), ("alpha", 10.5), ("a", 0.8), ("b", 2.4)]), ("gamma-gamma", [("p", 2.2), ("q", 3.5), ("v", 45)]),
    ] {
      let fit = try runRoom(Fit.self, ["model": .string(model)], ["customers": .table(customers.table(), timeUnit: .week)])
      let document = try #require(fit.documents.values.first)
      for (name, value) in truth {
        let found = try #require(document["parameters"]?[name]?.double), error = try #require(document["standard_errors"]?[name]?.double)
        #expect((found - value).magnitude < 4 * error, "\(model) \(name): \(found) ± \(error), truth \(value)")
      }
    }
  }
}
