import Testing

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

@Suite struct CommandSignalTests {
  /// A long simulation is asked to stop once it has begun: the store stays whole.
  @Test(arguments: [(SIGINT, Int32(130)), (SIGTERM, Int32(143))])
  func stops(signal: Int32, code: Int32) throws {
    let folder = Folder()
    folder.write(
      """
      { "pipeline": "long", "stages": { "many": { "stage": "simulate", "with": { "customers": 100000, "weeks": 300 } } } }
      """, to: "long.json")
    let child = Executable.Child(["run", "long.json", "-j", "1"], in: folder.path)
    // Until the stage has its folder: the work has begun, and lasts for seconds.
    var waited = 0
    while !folder.names(under: "artifacts/tmp").contains(where: { $0.contains("/") }), waited < 20_000 {
      usleep(1000)
      waited += 1
    }
    child.send(signal)
    let outcome = child.wait()
    #expect(outcome.code == code, "\(outcome.error)")
    #expect(outcome.error.hasSuffix("stopped; what was finished is kept, and the next run goes on from there\n"))
    let listed = folder.millrace("runs", "list", "--json")
    #expect(try json(listed.out).array?.map { $0["status"]?.string } == ["cancelled"])
    #expect(folder.millrace("plan", "long.json").code == 0)
  }
}
