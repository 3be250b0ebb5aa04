import Pipelines
import Testing

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The report and the page of a run in headless Chromium (`Tests/Browser/look.py`): nothing goes wrong, nothing is fetched, what is shown
/// are the numbers of the run, tables sort and filter, and nothing serious is in the way of a screen reader.
@Suite struct BrowserTests {
  @Test func pagesInABrowser() throws {
    let folder = Folder()
    guard Executable.shell("command -v chromium || command -v google-chrome", in: folder.path).code == 0 else {
      print("no Chromium here (.ci/setup more brings it): pages are not looked at")
      return
    }
    let run: PipelineRun
    do { run = try PipelineRun("segmentation-and-value", in: folder, "--set", "customers=2000") } catch {
      // Without the renderer there are no pictures; its own tests say so.
      guard "\(error)".contains("renderer") else { throw error }
      print("no chart renderer here: pages are not looked at")
      return
    }
    let runs = folder.path + "/store/runs/latest"
    let looked = Executable.shell(
      "python3 '\(Executable.packageRoot)/Tests/Browser/look.py' --axe '\(Executable.packageRoot)/.deps/axe/axe_playwright_python/axe.min.js' '\(runs)/report.html' '\(runs)/run.html'",
      in: folder.path)
    try #require(looked.code == 0, "\(looked.error)")
    let pages = try looked.out.split(separator: "\n").map { try JSONReader.read(Array($0.utf8), file: "look.py").value }
    try #require(pages.count == 2)
    for page in pages {
      let name = page["page"]?.string ?? ""
      for list in ["errors", "violations", "console", "requests", "unnamed"] { #expect(page[list]?.array == [], "\(name): \(list)") }
      #expect(page["overflow"] == 0 && page["overflow_phone"] == 0, "\(name) is wider than the screen")
      #expect(page["skipped"] == 0, "\(name) skips a level of headings")
      for table in page["tables"]?.array ?? [] {
        #expect(table["sorts"] == true, "\(name), \(table["name"]?.string ?? ""): \(table["sorts"]?.string ?? "")")
        #expect(table["filters"] == true || table["filters"]?.isNull == true, "\(name), \(table["name"]?.string ?? "")")
      }
      for findings in [page["axe"], page["axe_dark_phone"]] {
        let serious = (findings?.array ?? []).filter { ["serious", "critical"].contains($0["impact"]?.string) }
        #expect(serious.isEmpty, "\(name): \(serious)")
      }
      if page["axe"] == nil { print("no axe-core here (.ci/setup more brings it): names, levels and widths alone were judged") }
    }
    let report = pages[0]
    #expect(report["tables"]?.array?.isEmpty == false && report["pictures"]?.array?.count ?? 0 >= 12)
    // The figures in the page are those that the stage told.
    let told = try #require(try run.stage("page")["metrics"]?["figures"]?.array)
    #expect(report["figures"]?.array?.map { $0.array?[1] } == told.map { $0["value"] })
    #expect(told.first?["value"]?.string.map { Int($0.filter { $0 != "," }) } == (try run.rows("value")))
    for segment in try #require(try run.stage("names")["metrics"]?["segments"]?.array) where segment["rows"] != 0 {
      #expect(report["headings"]?.array?.contains(segment["label"] ?? .null) == true, "no card of \(segment["label"] ?? .null)")
    }
  }

  /// The pages of `millrace view`, with their styles put into them: a copy on the disk has no server to ask.
  @Test func pagesOfTheStoreInABrowser() throws {
    let folder = shop()
    guard Executable.shell("command -v chromium || command -v google-chrome", in: folder.path).code == 0 else {
      print("no Chromium here (.ci/setup more brings it): pages are not looked at")
      return
    }
    for least in ["0", "1"] { #expect(folder.millrace("run", "shop.json", "--quiet", "--set", "least=\(least)").code == 0) }
    let page = ServedPage(["--port", "0", "--quiet"], in: folder)
    let port = try #require(page.port)
    let body = { (path: String) in
      let answer = ServedPage.answer("GET \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\n\r\n", port)
      return answer.firstRange(of: "\r\n\r\n").map { String(answer[$0.upperBound...]) } ?? ""
    }
    let runs = try json(body("/runs.json")).array?.compactMap { $0["run"]?.string } ?? []
    try #require(runs.count == 2)
    let stages = try json(body("/runs/\(runs[0]).json"))["stages"]?.array
    let spent = try #require(stages?.last?["outputs"]?["table"]?["digest"]?.string)
    let style = body("/style.css")
    var names: [String] = []
    for (name, path) in [
      ("runs", "/"), ("run", "/runs/\(runs[0])"), ("compare", "/compare?a=\(runs[1])&b=\(runs[0])"), ("table", "/artifacts/\(spent)"),
      ("lineage", "/artifacts/\(spent)/columns/revenue"),
    ] {
      let text = body(path).replacing("<link rel=\"stylesheet\" href=\"/style.css\">", with: "<style>\(style)</style>").replacing("<link rel=\"icon\" href=\"/icon.svg\">", with: "")
      #expect(text.contains("<style>"), "\(path)")
      folder.write(text, to: name + ".html")
      names.append(name + ".html")
    }
    #expect(page.end(SIGINT).code == 130)
    let looked = Executable.shell(
      "python3 '\(Executable.packageRoot)/Tests/Browser/look.py' --axe '\(Executable.packageRoot)/.deps/axe/axe_playwright_python/axe.min.js' \(names.joined(separator: " "))",
      in: folder.path)
    try #require(looked.code == 0, "\(looked.error)")
    let pages = try looked.out.split(separator: "\n").map { try JSONReader.read(Array($0.utf8), file: "look.py").value }
    #expect(pages.count == names.count)
    for page in pages {
      let name = page["page"]?.string ?? ""
      for list in ["errors", "violations", "console", "requests"] { #expect(page[list]?.array == [], "\(name): \(list)") }
      #expect(page["overflow"] == 0 && page["overflow_phone"] == 0, "\(name) is wider than the screen")
      #expect(page["skipped"] == 0, "\(name) skips a level of headings")
      for findings in [page["axe"], page["axe_dark_phone"]] {
        let serious = (findings?.array ?? []).filter { ["serious", "critical"].contains($0["impact"]?.string) }
        #expect(serious.isEmpty, "\(name): \(serious)")
      }
    }
  }
}
