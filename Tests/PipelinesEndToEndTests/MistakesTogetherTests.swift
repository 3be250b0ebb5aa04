import Diagnostics
import Pipelines
import Stages
import Testing

/// No mistake hides another, and none makes others up: what is said of several is what is said of each.
@Suite struct MistakesTogetherTests {
  /// Stages beside each other, so that what one gets wrong says nothing about the next.
  private static let shop = #"""
    {
      "pipeline": "shop",
      "summary": "one table, many readers",
      "parameters": {
        "k": { "type": "int", "default": 3 }, "least": { "type": "int", "default": 1 }, "word": { "type": "string", "default": "x" },
        "fast": { "type": "bool", "default": true }, "until": { "type": "date", "default": "2011-12-09" }, "seed": { "type": "int" }, "top": { "type": "int" }
      },
      "matrix": { "seed": [1, 2], "top": [5, 6] },
      "stages": {
        "sales": { "stage": "ingest", "with": { "path": "sales.csv", "columns": { "customer": "string", "at": "timestamp", "price": "decimal(12,2)", "quantity": "int32" } } },
        "kept": { "stage": "clean", "from": "sales", "with": { "keep": ["quantity >= $least"], "distinct": "${fast}" }, "retries": 2 },
        "dear": { "stage": "clean", "from": "sales", "with": { "keep": ["price > 5"] }, "expect": [{ "notNull": "customer" }] },
        "groups": { "stage": "segment", "from": "sales", "with": { "method": "k-means", "k": "${k}", "on": ["price"] } },
        "spent": { "stage": "feature-engineer", "from": "sales", "with": { "derive": { "spent": "quantity * price" } } },
        "buyers": { "stage": "rfm", "from": "sales", "with": { "customer": "customer", "at": "at", "amount": "price", "until": "${until}" } },
        "both": { "stage": "union", "from": { "a": "sales", "b": "sales" }, "with": { "source": "from_${word}" } },
        "tried": { "stage": "segment", "from": "sales", "with": { "method": "k-means", "k": 3, "on": ["price"], "seed": "${seed}" } },
        "all-tried": { "stage": "union", "from": { "all": "tried.profile" }, "with": { "missing": "null" } },
        "best": { "stage": "segment", "from": "sales", "with": { "method": "k-means", "k": "${top}", "on": ["quantity"] }, "timeout": "5 minutes" },
        "slow": { "stage": "clean", "from": "sales", "with": {}, "keep": true },
        "plain": { "stage": "clean", "from": "sales" },
        "made": { "stage": "simulate", "with": { "customers": 10 } },
        "odd": { "stage": "aggregate", "from": "sales", "with": { "by": "customer", "aggregates": { "n": "count(*)" } } }
      }
    }
    """#

  private static let edits: [(name: String, from: String, to: String)] = [
    ("a name in capitals", #""pipeline": "shop""#, #""pipeline": "SHOP""#),
    ("a summary that is no text", #""one table, many readers""#, "1"),
    ("no value", #""k": { "type": "int", "default": 3 }"#, #""k": { "type": "int" }"#),
    ("no type", #""least": { "type": "int", "#, #""least": { "type": "integer", "#),
    ("a default of another type", #""type": "bool", "default": true"#, #""type": "bool", "default": "yes""#),
    ("a parameter that is no object", #""until": { "type": "date", "default": "2011-12-09" }"#, #""until": "2011-12-09""#),
    ("a key of a parameter", #""type": "string", "default": "x""#, #""type": "string", "default": "x", "hepl": """#),
    ("one value of a matrix", "[1, 2]", #"[1, "two"]"#),
    ("no value of a matrix", "[5, 6]", #"["five"]"#),
    ("an unknown column", #"["price > 5"]"#, #"["prise > 5"]"#),
    ("an expectation of nothing", #"{ "notNull": "customer" }"#, #"{ "notNul": "customer" }"#),
    ("a wrong number of retries", #""retries": 2"#, #""retries": "often""#),
    ("an unknown setting", #""distinct": "${fast}""#, #""distinc": "${fast}""#),
    ("an unknown method", #""k-means", "k": "${k}""#, #""kmeans", "k": "${k}""#),
    ("a parameter that is not declared", #""quantity * price""#, #""quantity * ${price}""#),
    ("a text that is not closed", #""until": "${until}""#, #""until": "${until""#),
    ("a setting of another type", #""amount": "price""#, #""amount": 5"#),
    ("an input that is a list", #"{ "a": "sales", "b": "sales" }"#, #"["sales", "sales"]"#),
    ("a reserved name", #""plain": {"#, #""all": {"#),
    ("a choice that is none", #""missing": "null""#, #""missing": "nothing""#),
    ("a time-out", #""5 minutes""#, #""five minutes""#),
    ("a column of segments", #"["price"], "seed""#, #"["quality"], "seed""#),
    ("no object", #"{ "stage": "clean", "from": "sales", "with": {}, "keep": true }"#, #""slow""#),
    ("an unknown stage", #""aggregate", "from": "sales""#, #""aggregate", "from": "sale""#),
    ("itself", #""feature-engineer", "from": "sales""#, #""feature-engineer", "from": "spent""#),
    ("an unknown key", #""stage": "aggregate""#, #""matrix": { "k": [1] }, "stage": "aggregate""#),
    ("a key for settings", #""with": { "by""#, #""wiht": { "by""#),
    ("a key for inputs", #""clean", "from": "sales" }"#, #""clean", "form": "sales" }"#),
    ("no kind", #""stage": "simulate", "#, ""),
  ]

  /// Whatever these hold is not read: they are told alone.
  private static let hiding: [(name: String, from: String, to: String)] = [
    ("a key for the matrix", #""matrix": { "seed""#, #""matrx": { "seed""#), ("a key for parameters", #""parameters": {"#, #""parametres": {"#),
    ("a key for stages", #""stages": {"#, #""stagse": {"#),
  ]

  private static func told(_ edits: some Sequence<(name: String, from: String, to: String)>) -> Set<String> {
    var text = shop
    for edit in edits {
      guard text.contains(edit.from) else { return ["\(edit.name) cannot be made"] }
      text.replace(edit.from, with: edit.to, maxReplacements: 1)
    }
    do throws(Mistakes) {
      _ = try PipelineDocument.resolved(Array(text.utf8), file: "shop.json", kinds: stageCatalog).bound(to: stageCatalog, finding: nil)
      return []
    } catch { return Set(error.all.map { "\($0.message) \($0.found ?? "")".replacing("SHOP", with: "shop") }) }
  }

  @Test func theDocumentIsRight() { #expect(Self.told([]) == []) }

  @Test(arguments: (edits + hiding).map(\.name)) func oneMistakeSaysOneThing(name: String) {
    #expect(Self.told((Self.edits + Self.hiding).filter { $0.name == name }).count == 1)
  }

  @Test func twoSayTwo() {
    let alone = Self.edits.map { Self.told([$0]) }
    for (i, first) in Self.edits.enumerated() {
      for (j, second) in Self.edits.enumerated() where i < j {
        let both = Self.told([first, second]), expected = alone[i].union(alone[j])
        #expect(both == expected, "\(first.name) and \(second.name)")
      }
    }
  }
}

/// The documents of the project with each of their values changed: none may trap, and what is wrong is said with words and a place.
@Suite struct ChangedDocumentTests {
  private static let changes: [(name: String, change: @Sendable (JSONMember) -> JSONMember?)] = [
    ("removed", { _ in nil }),
    ("renamed", { JSONMember($0.key + "x", $0.value) }),
    ("null", { JSONMember($0.key, .null) }),
    ("a number", { JSONMember($0.key, 7) }),
    ("a text", { JSONMember($0.key, "${x") }),
    ("a list", { JSONMember($0.key, .array([$0.value, $0.value])) }),
    ("an object", { JSONMember($0.key, ["all": $0.value]) }),
  ]

  @Test(arguments: [
    "cdnow", "crm-six-month-value", "online-retail", "quickstart", "retention-campaign", "segmentation-and-value", "value-and-forecast", "value-prediction",
  ])
  func everyMemberChanged(document: String) throws {
    let whole = try json(text(ofFile: "\(Executable.packageRoot)/pipelines/\(document).json"))
    var count = 0
    _ = Self.changed(whole, &count, at: -1) { $0 }
    #expect(count > 40)
    var wrong = 0
    for (name, change) in Self.changes {
      for at in 0..<count {
        var number = 0
        let text = Self.changed(whole, &number, at: at, change).pretty()
        do throws(Mistakes) {
          _ = try PipelineDocument.resolved(Array(text.utf8), file: "p.json", kinds: stageCatalog).bound(to: stageCatalog, finding: nil)
        } catch {
          wrong += 1
          let isSaid = error.all.allSatisfy { mistake in
            guard case .text(let span) = mistake.place else { return false }
            return span.line >= 1 && span.column >= 1 && !mistake.message.isEmpty
          }
          #expect(isSaid && !error.all.isEmpty, "member \(at) \(name): \(error.description)")
        }
      }
    }
    #expect(wrong > count)
  }

  /// With the member of that number, counted in the order of the text, changed.
  private static func changed(_ value: JSONValue, _ number: inout Int, at place: Int, _ change: (JSONMember) -> JSONMember?) -> JSONValue {
    switch value {
    case .object(let members):
      return .object(members.compactMap { member in
        let own = number
        number += 1
        let changed = JSONMember(member.key, self.changed(member.value, &number, at: place, change))
        return own == place ? change(changed) : changed
      })
    case .array(let items): return .array(items.map { changed($0, &number, at: place, change) })
    case .null, .bool, .number, .string: return value
    }
  }
}
