import Testing

#if canImport(Glibc)
  import Glibc
#endif

/// Every command of README.md, then of docs/runs.md and docs/value-from-attributes.md, in their order, in one folder; what they promise to fail must fail.
@Suite struct ReadmeTests {
  @Test func everyCommandRuns() throws {
    let readme = text(ofFile: Executable.packageRoot + "/README.md")
    let folder = Folder()
    folder.write(try #require(blocks("json", in: readme).first), to: "first.json")
    let release = Executable.path.split(separator: "/").dropLast().map { "/" + $0 }.joined()
    let prepare = """
      mkdir -p .build && ln -s '\(release)' .build/release && ln -s '\(Executable.packageRoot)/.deps' .deps \
      && cp -r '\(Executable.packageRoot)/pipelines' pipelines
      """
    #expect(code(of: prepare, in: folder) == 0)
    var missing: [String] = []
    for (file, place) in [
      ("online_retail_II.csv.gz", "online_retail_II"), ("CDNOW_sample.txt", "cdnow"),
      ("WA_Fn-UseC_-Marketing-Customer-Value-Analysis.csv", "ibm_customer_value"),
    ] {
      guard let shared = Executable.shared else {
        missing.append(file)
        continue
      }
      #expect(code(of: "ln -s '\(shared)/data/\(place)/\(file)' .", in: folder) == 0)
    }
    var expected: Int32 = 0, ran = 0
    let pages = ([readme] + ["runs", "value-from-attributes"].map { text(ofFile: "\(Executable.packageRoot)/docs/\($0).md") }).joined(separator: "\n")
    for line in blocks("sh", in: pages).flatMap({ $0.split(separator: "\n").map(String.init) }) {
      if line.hasPrefix("#") {
        if line == "# Ends with exit code 2:" { expected = 2 }
        continue
      }
      if line.hasPrefix("make ") { continue }
      if let file = missing.first(where: line.contains) {
        print("README: \(file) is not here, not run: \(line)")
        continue
      }
      // Pages are there until somebody ends them: asked once, on any port, then ended.
      if line.hasPrefix(".build/release/millrace view") {
        let page = ServedPage(line.split(separator: " ").dropFirst(2).map(String.init) + ["--port", "0"], in: folder)
        let answer = page.port.map { ServedPage.answer("GET / HTTP/1.1\r\nHost: 127.0.0.1:\($0)\r\nConnection: close\r\n\r\n", $0) }
        #expect(answer?.hasPrefix("HTTP/1.1 200 OK\r\n") == true && page.end(SIGINT).code == 130, "\(line)")
        ran += 1
        continue
      }
      let found = code(of: line, in: folder)
      #expect(found == expected, "\(line)\n\(folder.text("said"))")
      expected = 0
      ran += 1
    }
    #expect(ran > 10)
  }

  private func code(of line: String, in folder: Folder) -> Int32 {
    let status = system("cd '\(folder.path)' && ( \(line) ) > said 2>&1 < /dev/null")
    return status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
  }

  /// The fenced blocks of one language.
  private func blocks(_ language: String, in page: String) -> [String] {
    var found: [String] = [], open: [String]?
    for line in page.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
      if open == nil, line == "```" + language { open = [] } else if let lines = open, line == "```" {
        found.append(lines.joined(separator: "\n") + "\n")
        open = nil
      } else if open != nil { open!.append(line) }
    }
    return found
  }
}
