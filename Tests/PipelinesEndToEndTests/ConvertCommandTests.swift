import Testing

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

@Suite struct ConvertCommandTests {
  @Test func thereAndBack() {
    let folder = shop()
    for (from, to) in [("sales.csv", "a.arrow"), ("a.arrow", "b.parquet"), ("b.parquet", "c.jsonl"), ("b.parquet", "d.csv")] {
      let outcome = folder.millrace("convert", from, to)
      #expect(outcome.code == 0, "\(outcome.error)")
      #expect(outcome.error == "\(to): 6 rows\n")
    }
    #expect(folder.text("d.csv") == salesCSV)
    #expect(folder.text("c.jsonl").hasPrefix(
      #"{"invoice":1001,"customer":"ann","at":"2011-01-03 10:00:00","quantity":2,"price":3.50}"# + "\n"))
    #expect(folder.names(under: "").filter { $0.contains(".part") } == [])
  }

  @Test func typesThatLoseNothing() {
    let folder = Folder()
    folder.write("code,n,x,flag,day,mixed\n007,1,1.5,true,2020-02-29,1\n008,-2,1e-3,false,2021-01-01,one\n", to: "in.csv")
    #expect(folder.millrace("convert", "in.csv", "-", "--format", "jsonl").out == """
      {"code":"007","n":1,"x":1.5,"flag":true,"day":"2020-02-29","mixed":"1"}
      {"code":"008","n":-2,"x":0.001,"flag":false,"day":"2021-01-01","mixed":"one"}

      """)
    #expect(folder.millrace("convert", "in.csv", "-", "--format", "csv", "--text").out == folder.text("in.csv"))
  }

  @Test(arguments: [(";", "semicolon"), ("\t", "tab"), ("|", "bar")])
  func delimiterIsFound(delimiter: String, name: String) {
    let folder = Folder()
    folder.write("a,b;c\n1,2;x\n".replacing(",", with: "\u{1}").replacing(";", with: delimiter).replacing("\u{1}", with: delimiter), to: "in.csv")
    #expect(folder.millrace("convert", "in.csv", "-", "--format", "csv").out == "a,b,c\n1,2,x\n")
  }

  @Test func rowsThatCannotBeRead() {
    let folder = Folder()
    folder.write("a,b\n1,2\n3\n4,5\n", to: "in.csv")
    let refused = folder.millrace("convert", "in.csv", "out.csv")
    #expect(refused.code == 2)
    #expect(refused.error == """
      error: in.csv: 1 row cannot be read (number of fields: 1), and nothing was written
        found line 3: 3
        hint: --quarantine FILE puts them aside, --tolerant reads them as well as it goes

      """)
    #expect(folder.names(under: "") == ["in.csv"])
    let kept = folder.millrace("convert", "in.csv", "out.csv", "--quarantine", "bad.csv")
    #expect(kept.code == 0)
    #expect(folder.text("out.csv") == "a,b\n1,2\n4,5\n")
    #expect(folder.text("bad.csv").hasPrefix("file,line,byte,column,text,reason\n"))
  }

  @Test func missingFile() {
    let outcome = Folder().millrace("convert", "none.csv", "out.csv")
    #expect(outcome.code == 2)
    #expect(outcome.error.hasPrefix("none.csv: error: "))
  }

  @Test func headerOnlyAndEmpty() {
    let folder = Folder()
    folder.write("a,b\n", to: "in.csv")
    #expect(folder.millrace("convert", "in.csv", "out.arrow").code == 0)
    #expect(folder.millrace("convert", "out.arrow", "-", "--format", "csv").out == "a,b\n")
    folder.write("", to: "empty.csv")
    let empty = folder.millrace("convert", "empty.csv", "out.csv")
    #expect(empty.code == 2 || empty.code == 0)
  }

  @Test func whatBreaksTheRules() {
    let folder = Folder()
    folder.write("Sales of May;;\nshop;sum;day\na;1,5;28/01/2018\nb;2\n\"c;3,5;29/01/2018\nd;4;30/01/2018;x\n"
      + "e;2,5;31/01/2018\nf;7;01/02/2018\ng;1,25;02/02/2018\nh;9;03/02/2018\n", to: "in.csv")
    #expect(folder.millrace("convert", "in.csv", "out.csv", "--text").code == 2)
    let others = "e,\"2,5\",31/01/2018\nf,7,01/02/2018\ng,\"1,25\",02/02/2018\nh,9,03/02/2018\n"
    let outcome = folder.millrace("convert", "in.csv", "out.csv", "--text", "--tolerant")
    #expect(outcome.code == 0)
    #expect(folder.text("out.csv") == "shop,sum,day\na,\"1,5\",28/01/2018\nb,2,\n\"\"\"c\",\"3,5\",29/01/2018\nd,4,30/01/2018\n" + others)
    #expect(outcome.error.hasPrefix("in.csv: delimiter \";\": "))
    #expect(outcome.error.hasSuffix("in.csv: 1 short row padded\nin.csv: 1 long row cut\nin.csv: 1 cell with text cut off\nout.csv: 8 rows\n"))
    let told = folder.millrace(
      "convert", "in.csv", "-", "--format", "csv", "--text", "--tolerant", "--quiet", "--delimiter", ";", "--quote", "", "--escape", "\"", "--encoding", "ascii",
      "--header-rows", "1", "--preamble-rows", "1", "--short-rows", "keep", "--long-rows", "keep")
    #expect(told.out == "shop,sum,day\na,\"1,5\",28/01/2018\nb,2\n\"\"\"c\",\"3,5\",29/01/2018\nd,4,30/01/2018,x\n" + others)
    #expect(folder.millrace("convert", "in.csv", "out.csv", "--short-rows", "keep").code == 64)
  }

  @Test func inferredSettings() {
    let folder = Folder()
    folder.write("Customer ID;Amount;Day;Code\n1;1.234,50;28/01/2018;007\nNA;7,25;04/04/2018;009\n", to: "in.csv")
    let printed = folder.millrace("infer", "in.csv", "--quiet")
    for part in [
      #""delimiter": ";","#, #""decimal": ",","#, #""source": "Customer ID","#, #""type": "int64","#, #""nulls": ["NA"]"#, #""type": "decimal(6,2)","#,
      #""format": "%d/%m/%Y""#, #""code": { "source": "Code", "type": "string" }"#,
    ] {
      #expect(printed.out.contains(part), "\(part)")
    }
    #expect(folder.millrace("infer", "in.csv", "--write", "p.json", "--quiet").code == 0)
    #expect(folder.millrace("run", "p.json", "--quiet").code == 0)
    #expect(folder.millrace("infer", "in.csv", "--write", "p.json").code == 2)
  }

  @Test func mostCellsTypeAColumn() {
    let folder = Folder()
    let rows = (0..<120).map { "\(13_000 + $0).0,\($0 == 70 ? "lots" : "\($0)"),\($0 == 3 ? "C489449" : "\(489_000 + $0)")\n" }.joined()
    folder.write("Customer ID,Quantity,Invoice\n" + rows, to: "in.csv")
    let outcome = folder.millrace("infer", "in.csv", "--write", "p.json")
    #expect(outcome.error.contains(#"column "customer_id" is int64: whole numbers, some with .0 behind them, which is taken off: 13085.0 is 13085 in other tables"#))
    #expect(outcome.error.contains(#"column "quantity" is int64, and 1 row would be quarantined for it, as line 72: expected int64, found "lots""#))
    #expect(outcome.error.contains(#"column "invoice" stays text: 1 of 120 cells are codes such as C489449, the others numbers"#))
    #expect(folder.text("p.json").contains(#""replace": { "\\.0$": "" }"#))
    let run = folder.millrace("run", "p.json", "--quiet", "--json")
    #expect(run.code == 0 && run.out.contains(#""kept": 119"#) && run.out.contains(#""quarantined": 1"#), "\(run.out)")
    #expect(folder.millrace("show", "p.json", "table", "--quiet").out.contains("13000"))
  }
}
