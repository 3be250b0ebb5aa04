import Pipelines
import Testing

/// Models kept as files: `export` of a fit, and `recall` in another document.
@Suite struct RecalledModelsTests {
  private static let first = """
    {
      "pipeline": "fitted",
      "stages": {
        "shop": { "stage": "simulate", "with": { "customers": 400, "weeks": 60, "start": "2009-12-01", "seed": 5 } },
        "rows": { "stage": "ingest", "from": { "file": "shop.file" }, "with": { "columns": {
            "invoice": { "source": "Invoice", "type": "string" }, "quantity": { "source": "Quantity", "type": "int32" },
            "at": { "source": "InvoiceDate", "type": "timestamp" }, "price": { "source": "Price", "type": "decimal(12,3)" },
            "customer": { "source": "Customer ID", "type": "string" } } } },
        "sales": { "stage": "clean", "from": "rows", "with": { "require": ["customer"], "keep": ["quantity > 0", "price > 0"] } },
        "valued": { "stage": "feature-engineer", "from": "sales", "with": { "derive": { "revenue": "quantity * price" } } },
        "customers": { "stage": "rfm", "from": "valued", "with": { "customer": "customer", "at": "at", "amount": "revenue", "unit": "week" } },
        "purchases": { "stage": "fit", "from": "customers", "with": { "model": "bg-nbd" } },
        "spend": { "stage": "fit", "from": "customers", "with": { "model": "gamma-gamma" } },
        "value": { "stage": "predict", "from": { "customers": "customers", "purchases": "purchases", "spend": "spend" }, "with": {
            "horizon": "26 weeks", "discount": "10%/year", "interval": 0.9 } }
      }
    }
    """

  private static let second =
    first.replacing("\"fitted\"", with: "\"recalled\"")
    .replacing("\"fit\", \"from\": \"customers\", \"with\": { \"model\": \"bg-nbd\" }", with: "\"recall\", \"with\": { \"path\": \"models/purchases.json\" }")
    .replacing("\"fit\", \"from\": \"customers\", \"with\": { \"model\": \"gamma-gamma\" }", with: "\"recall\", \"with\": { \"path\": \"models/spend.json\" }")

  @Test func inAnotherPipeline() throws {
    let folder = Folder()
    folder.write(Self.first, to: "first.json")
    folder.write(Self.second, to: "second.json")
    let run = folder.millrace("run", "first.json", "--json", "--quiet")
    try #require(run.code == 0, "\(run.error)")
    #expect(Executable.shell("mkdir models", in: folder.path).code == 0)
    for stage in ["purchases", "spend"] { #expect(folder.millrace("export", "first.json", stage, "--to", "models/\(stage).json").code == 0) }
    #expect(folder.millrace("check", "second.json").code == 0)
    // In a store of its own, so that nothing can come from the first run.
    let other = folder.millrace("run", "second.json", "--json", "--quiet", "--artifacts", "other")
    try #require(other.code == 0, "\(other.error)")
    func digests(_ text: String) throws -> [JSONValue?] {
      let stages = try JSONReader.read(Array(text.utf8), file: "run").value["stages"]!.array!
      return [("purchases", "model"), ("spend", "model"), ("value", "table"), ("value", "new_customer")].map { name, output in
        stages.first { $0["name"]?.string == name }?["outputs"]?[output]?["digest"]
      }
    }
    #expect(try digests(run.out) == digests(other.out) && digests(run.out).allSatisfy { $0 != nil })

    // Another model is another input; one that is none is a mistake of the document, with its place in the file.
    let model = folder.text("models/purchases.json")
    folder.write(model.replacing("\"converged\": true", with: "\"converged\": false"), to: "models/purchases.json")
    let changed = try JSONReader.read(Array(folder.millrace("run", "second.json", "--json", "--quiet", "--artifacts", "other").out.utf8), file: "run").value
    #expect(changed["executed"]?.int == 2)
    folder.write("{\n  \"model\": \"bg-ndb\"\n}\n", to: "models/purchases.json")
    let refused = folder.millrace("run", "second.json", "--quiet", "--artifacts", "other")
    #expect(refused.code == 2)
    #expect(refused.error.hasPrefix("""
      purchases.json:2:12: error: pipeline "recalled", stage "purchases" (recall): the model is not one that this version knows
        2 |   "model": "bg-ndb"
          |            ^~~~~~~~

      """), "\(refused.error)")
    #expect(refused.error.contains("hint: did you mean \"bg-nbd\"?"))
  }
}
