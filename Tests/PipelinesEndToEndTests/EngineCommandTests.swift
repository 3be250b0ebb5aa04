import Pipelines
import Testing

/// What people type about plans, stores and runs, and read.
@Suite struct EngineCommandTests {
  /// Ids of runs and digests as words: they differ from machine to machine and run to run.
  private func plain(_ text: String) -> String {
    text.replacing(/[0-9]{8}T[0-9]{6}Z-[0-9a-f]{4}/, with: "RUN").replacing(/\b[0-9a-f]{32}\b/, with: "DIGEST").replacing(/\b[0-9a-f]{12}\b/, with: "SHORT")
  }

  @Test func aPlanIsDoneOrNothingIs() {
    let folder = shop()
    let planned = folder.millrace("plan", "shop.json", "--set", "least=1", "--to", "good", "--out", "p.json")
    #expect(planned.code == 0, "\(planned.error)")
    #expect(planned.out.hasSuffix("\npipeline shop: 2 would execute, 0 may execute, 0 cached\n"))
    #expect(folder.millrace("run", "shop.json", "--to", "sales", "--quiet").code == 0)
    let moved = folder.millrace("run", "--plan", "p.json")
    #expect(moved.code == 3)
    #expect(moved.out == "")
    #expect(moved.error == """
      error: stage "sales" is not as it was planned
        expected would-execute: first run, found cached
      error: stage "good" would read something else than was planned
        hint: plan anew: millrace plan shop.json --out p.json

      """)
    #expect(folder.millrace("plan", "shop.json", "--set", "least=1", "--to", "good", "--out", "p.json", "--json", "--quiet").code == 0)
    let done = folder.millrace("run", "--plan", "p.json", "--quiet", "--json")
    #expect(done.code == 0, "\(done.error)")
    #expect(done.out.contains("\"executed\": 1") && !done.out.contains("\"spent\""))
    let both = folder.millrace("run", "--plan", "p.json", "--to", "good")
    #expect(both.code == 64)
    #expect(both.error.hasPrefix("Error: --plan says which stages and values; the only options beside it are about how to run.\n"))
    #expect(folder.millrace("run", "shop.json", "--plan", "p.json").code == 64)
    let wrong = folder.millrace("run", "--plan", "shop.json")
    #expect(wrong.code == 2)
    #expect(wrong.error == "error: shop.json is no plan of this version\n  hint: millrace plan P.json --out shop.json\n")
  }

  @Test func selectorsAreTheSameEverywhere() {
    let folder = shop()
    #expect(folder.millrace("list", "shop.json").out == """
      stage  kind       needs
      sales  ingest
      good   clean      sales
      spent  aggregate  good

      """)
    #expect(folder.millrace("list", "shop.json", "--only", "kind:clean+", "--exclude", "spent").out == "stage  kind   needs\ngood   clean  sales\n")
    #expect(folder.millrace("graph", "shop.json", "--to", "good").out == """
      flowchart LR
        s0["sales<br/>ingest"]
        s1["good<br/>clean"]
        s0 --> s1

      """)
    #expect(folder.millrace("run", "shop.json", "--quiet", "--to", "1+good").code == 0)
    #expect(folder.millrace("list", "shop.json", "--only", "stale", "--json").out == "[\n  {\n    \"name\": \"spent\",\n    \"kind\": \"aggregate\",\n    \"needs\": [\"good\"]\n  }\n]\n")
    let wrong = folder.millrace("plan", "shop.json", "--only", "kind:clen")
    #expect(wrong.code == 2)
    #expect(wrong.error == "error: --only names kind \"clen\", of which pipeline \"shop\" has no stage\n  hint: did you mean \"clean\"?\n")
  }

  @Test func whyAStageRuns() {
    let folder = shop()
    #expect(folder.millrace("why", "shop.json", "spent").out == "spent (aggregate): would-execute\n  first run\n\nfirst cause\n  stage spent: first run\n")
    #expect(folder.millrace("run", "shop.json", "--quiet").code == 0)
    folder.write(shopDocument.replacing("quantity > $least", with: "quantity > $least + 1"), to: "shop.json")
    #expect(folder.millrace("why", "shop.json", "spent").out == """
      spent (aggregate): may-execute
        good is made again
      good (clean): would-execute
        setting /stages/good/with/keep/0: "quantity > $least" → "quantity > $least + 1"

      first cause
        stage good: setting /stages/good/with/keep/0: "quantity > $least" → "quantity > $least + 1"

      """)
    #expect(folder.millrace("run", "shop.json", "--quiet").code == 0)
    #expect(plain(folder.millrace("why", "shop.json", "spent").out) == """
      spent (aggregate): cached, made by run RUN
        input table.customer changed
        input table.price changed
        input table.quantity changed
      good (clean): cached, made by run RUN
        setting /stages/good/with/keep/0: "quantity > $least" → "quantity > $least + 1"

      first cause
        stage good: setting /stages/good/with/keep/0: "quantity > $least" → "quantity > $least + 1"

      """)
  }

  @Test func theStoreIsLookedAfter() throws {
    let folder = shop()
    for least in ["0", "1", "2"] { #expect(folder.millrace("run", "shop.json", "--quiet", "--set", "least=\(least)").code == 0) }
    let sound = folder.millrace("cache", "verify")
    #expect(sound.code == 0)
    #expect(sound.out.hasPrefix("store artifacts: ") && sound.out.hasSuffix(" read, all as it was written\n"))
    let dry = try json(folder.millrace("cache", "gc", "--keep-runs", "1", "--dry-run", "--json").out)
    #expect(dry["runs"]?.array?.count == 2)
    #expect(folder.millrace("runs", "pin", "last~2").out.hasSuffix(" is pinned\n"))
    #expect(folder.millrace("runs", "list").out.contains("shop      succeeded, pinned  "))
    let taken = folder.millrace("cache", "gc", "--keep-runs", "1")
    #expect(taken.code == 0)
    #expect(taken.out.hasPrefix("took 1 run, 2 recipes, "))
    #expect(folder.millrace("cache", "gc", "--max-size", "1").error == """
      warning: the store is larger than 1 B with the runs alone that always stay
        hint: millrace runs unpin, or delete the store

      """)
    #expect(folder.millrace("runs", "unpin", "last~1").out.hasSuffix(" is not pinned\n"))

    let part = try #require(folder.names(under: "artifacts/objects").first { $0.hasSuffix("part-00000.arrow") })
    var content = bytes(ofFile: folder.path + "/" + part)
    content[content.count / 2] ^= 4
    writeFile(content, to: folder.path + "/" + part)
    let broken = folder.millrace("cache", "verify")
    #expect(broken.code == 3)
    #expect(plain(broken.out).hasPrefix("objects/DIGEST/part-00000.arrow: its bytes are not what was written\nstore artifacts: "))
    #expect(broken.out.hasSuffix(" read, 1 not as it was written\n"))
  }

  @Test func runsAreComparedAndDoneAgain() {
    let folder = shop()
    #expect(folder.millrace("run", "shop.json", "--quiet").code == 0)
    #expect(folder.millrace("run", "shop.json", "--quiet", "--set", "least=1").code == 0)
    #expect(plain(folder.millrace("runs", "compare", "last~1", "last").out) == """
      run RUN → run RUN
      document
        /parameters/least: 0 → 1
      stage good (clean)
        table: 4 rows (SHORT) → 3 rows (SHORT)
          invoice: string 1001 … 1006, 4 distinct, 0 nulls → string 1001 … 1006, 3 distinct, 0 nulls
          customer: string ann … cleo, 3 distinct, 0 nulls → string ann … cleo, 3 distinct, 0 nulls
          at: timestamp 2011-01-03 10:00:00 … 2011-03-11 08:05:00, 4 distinct, 0 nulls → timestamp 2011-01-03 10:00:00 … 2011-03-11 08:05:00, 3 distinct, 0 nulls
          quantity: int32 1 … 5, 4 distinct, 0 nulls → int32 2 … 5, 3 distinct, 0 nulls
          price: decimal(12,2) 1.10 … 10.00, 4 distinct, 0 nulls → decimal(12,2) 1.10 … 3.50, 3 distinct, 0 nulls
        quarantine: 2 rows (SHORT) → 3 rows (SHORT)
          invoice: string 1003 … 1004, 2 distinct, 0 nulls → string 1002 … 1004, 3 distinct, 0 nulls
          customer: string ann … ann, 1 distinct, 1 null → string ann … ben, 2 distinct, 1 null
          at: timestamp 2011-01-05 09:15:00 … 2011-02-01 12:00:00, 2 distinct, 0 nulls → timestamp 2011-01-04 11:30:00 … 2011-02-01 12:00:00, 3 distinct, 0 nulls
          quantity: int32 -1 … 4, 2 distinct, 0 nulls → int32 -1 … 4, 3 distinct, 0 nulls
          price: decimal(12,2) 1.25 … 3.50, 2 distinct, 0 nulls → decimal(12,2) 1.25 … 10.00, 3 distinct, 0 nulls
          rule: string keep quantity > $least … require customer, 2 distinct, 0 nulls → string keep quantity > $least … require customer, 2 distinct, 0 nulls
          reason: string false … missing, 2 distinct, 0 nulls → string false … missing, 2 distinct, 0 nulls
        metric /rows_kept: 4 → 3
        metric /rows_removed: 2 → 3
        metric /removed/keep quantity > $least: 1 → 2
      stage spent (aggregate)
        table: 3 rows (SHORT) → 3 rows (SHORT)
          revenue: decimal(18,2) 6.00 … 15.50, 3 distinct, 0 nulls → decimal(18,2) 5.50 … 7.00, 3 distinct, 0 nulls
        metric /rows: 4 → 3
      same: sales

      """)
    let again = folder.millrace("runs", "reproduce", "last", "--quiet")
    #expect(again.code == 0, "\(again.error)")
    #expect(plain(again.out) == """
      output            recorded      again
      sales.table       SHORT  SHORT  same
      sales.quarantine  SHORT  SHORT  same
      good.table        SHORT  SHORT  same
      good.quarantine   SHORT  SHORT  same
      spent.table       SHORT  SHORT  same

      run RUN done again as RUN: the same

      """)
    folder.write(salesCSV + "1007,dora,2011-04-01 10:00:00,2,3.50\n", to: "sales.csv")
    let moved = folder.millrace("runs", "reproduce", "last~1")
    #expect(moved.code == 3)
    #expect(plain(moved.error) == """
      error: file "sales.csv" of stage "sales" is not what was recorded
        expected DIGEST, found DIGEST
        hint: a run is done again with what it read

      """)
  }

  @Test func aLockHoldsInputsAndOutputs() {
    let folder = shop()
    let early = folder.millrace("lock", "shop.json")
    #expect(early.code == 2)
    #expect(early.error.hasPrefix("shop.json:5:5: error: stage \"sales\" has not been run as the document stands now\n"))
    #expect(folder.millrace("run", "shop.json", "--quiet").code == 0)
    #expect(folder.millrace("lock", "shop.json").out == "shop.lock.json\n")
    #expect(plain(folder.text("shop.lock.json")) == """
      {
        "format": 1,
        "pipeline": "shop",
        "millrace": "0.1.0",
        "parameters": { "least": 0 },
        "sources": {
          "sales": { "sales.csv": "DIGEST" }
        },
        "outputs": {
          "sales.table": "DIGEST",
          "sales.quarantine": "DIGEST",
          "good.table": "DIGEST",
          "good.quarantine": "DIGEST",
          "spent.table": "DIGEST"
        }
      }

      """)
    #expect(folder.millrace("run", "shop.json", "--locked", "--quiet", "--no-cache").code == 0)
    let value = folder.millrace("run", "shop.json", "--locked", "--quiet", "--set", "least=1")
    #expect(value.code == 3)
    #expect(value.error == """
      shop.lock.json:5:28: error: parameter "least" has not the value that was locked
        5 |   "parameters": { "least": 0 },
          |                            ^
        expected 0, found 1
        hint: where that is meant: millrace run without --locked, then millrace lock

      """)
    folder.write(shopDocument.replacing("quantity > $least", with: "quantity > $least + 1"), to: "shop.json")
    let output = folder.millrace("run", "shop.json", "--locked", "--quiet")
    #expect(output.code == 3)
    #expect(plain(output.error) == """
      shop.lock.json:12:19: error: output "good.table" is not what was locked
        12 |     "good.table": "DIGEST",
           |                   ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~
        expected DIGEST, found DIGEST
      shop.lock.json:13:24: error: output "good.quarantine" is not what was locked
        13 |     "good.quarantine": "DIGEST",
           |                        ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~
        expected DIGEST, found DIGEST
      shop.lock.json:14:20: error: output "spent.table" is not what was locked
        14 |     "spent.table": "DIGEST"
           |                    ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~
        expected DIGEST, found DIGEST
        hint: where that is meant: millrace run without --locked, then millrace lock

      """)
  }
}
