import Testing

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

@Suite struct CommandSignalTests {
  /// A long simulation is asked to stop once it has begun: the store stays whole.
  private func long() -> Folder {
    let folder = Folder()
    folder.write(
      """
      { "pipeline": "long", "stages": { "many": { "stage": "simulate", "with": { "customers": 1000000, "weeks": 300 } } } }
      """, to: "long.json")
    return folder
  }

  /// Until the stage has its folder: the work has begun, and lasts for seconds.
  private func waitForWork(in folder: Folder) {
    for _ in 0..<20_000 where !folder.names(under: "artifacts/tmp").contains(where: { $0.contains("/") }) { usleep(1000) }
  }

  @Test(arguments: [(SIGINT, Int32(130)), (SIGTERM, Int32(143)), (SIGHUP, Int32(129))])
  func stops(signal: Int32, code: Int32) throws {
    let folder = long()
    let child = Executable.Child(["run", "long.json", "-j", "1"], in: folder.path)
    waitForWork(in: folder)
    child.send(signal)
    let outcome = child.wait()
    #expect(outcome.code == code, "\(outcome.error)")
    #expect(outcome.error.hasSuffix("stopped; what was finished is kept, and the next run goes on from there\n"))
    let listed = folder.millrace("runs", "list", "--json")
    #expect(try json(listed.out).array?.map { $0["status"]?.string } == ["cancelled"])
    #expect(folder.millrace("plan", "long.json").code == 0)
  }

  /// The second signal ends at once, whatever the work does; what is left is swept by the next run.
  @Test func aSecondSignalEndsAtOnce() {
    let folder = long()
    let child = Executable.Child(["run", "long.json", "-j", "1"], in: folder.path)
    waitForWork(in: folder)
    // Both are pending when the process goes on, and are delivered one behind the other.
    child.send(SIGSTOP)
    child.send(SIGINT)
    child.send(SIGTERM)
    child.send(SIGCONT)
    let outcome = child.wait()
    #expect([130, 143].contains(outcome.code))
    #expect(!outcome.error.contains("stopped; what was finished is kept"))
    #expect(folder.millrace("plan", "long.json").code == 0)
  }

  /// A chart that the renderer draws for minutes: an interpreter that sleeps stands for it.
  @Test func stopsWhileTheRendererWorks() {
    let folder = Folder()
    folder.write("#!/bin/sh\ntouch drawing\nexec sleep 600\n", to: "python3")
    chmod(folder.path + "/python3", 0o755)
    folder.write("x\n1\n2\n", to: "x.csv")
    folder.write(
      """
      { "pipeline": "drawn", "stages": {
        "numbers": { "stage": "ingest", "with": { "path": "x.csv", "columns": { "x": { "type": "int64" } } } },
        "pictures": { "stage": "visualize", "from": { "numbers": "numbers" }, "with": { "charts": { "x": { "chart": "histogram", "table": "numbers", "x": "x" } } } } } }
      """, to: "drawn.json")
    let path = getenv("PATH").map { String(cString: $0) } ?? ""
    let child = Executable.Child(["run", "drawn.json"], in: folder.path, environment: ["PATH=\(folder.path):\(path)"])
    for _ in 0..<20_000 where !folder.names(under: "").contains("drawing") { usleep(1000) }
    child.send(SIGINT)
    let outcome = child.wait()
    #expect(outcome.code == 130)
    #expect(outcome.error.hasSuffix("stopped; what was finished is kept, and the next run goes on from there\n"))
    #expect(!outcome.error.contains("error:"))
  }

  @Test func aReaderThatHasEnoughIsNoMistake() {
    let folder = Folder()
    let outcome = Executable.shell("\"$millrace\" schema | head -c 1 > first; echo ${PIPESTATUS[0]}", in: folder.path)
    #expect(outcome.error == "")
    // Whether the first write came before the reader left.
    #expect(["0\n", "141\n"].contains(outcome.out))
  }

  @Test func aLimitOnFileSizesIsAMistakeWithWords() {
    let folder = Folder()
    let outcome = Executable.shell("ulimit -f 8; \"$millrace\" simulate out.csv --customers 5000", in: folder.path)
    #expect(outcome.code == 1 || outcome.code == 2)
    #expect(outcome.error.contains("File too large"), "\(outcome.error)")
    #expect(!folder.names(under: "").contains("out.csv"))
  }

  /// What is not whole has no name: nothing lies beside the target, and the message tells the target's own.
  @Test func aFileThatCannotBeFinishedLeavesNothing() {
    let folder = Folder()
    folder.write(String(repeating: "a,b,c\n", count: 20_000), to: "in.csv")
    let outcome = Executable.shell("ulimit -f 8; \"$millrace\" convert in.csv out.csv --quiet", in: folder.path)
    #expect(outcome.code == 2)
    #expect(outcome.error == "out.csv: error: cannot be written: File too large\n")
    #expect(folder.names(under: "").sorted() == ["in.csv"])
  }
}
