import ArgumentParser
import Diagnostics
import Engine

#if canImport(Glibc)
  import CMalloc
  import Glibc
#else
  import Darwin
#endif

/// What `--version` says and every run records.
let toolVersion = "0.1.0"

/// The command line: words in, words out, exit codes.
struct Millrace: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "millrace", abstract: "Runs data pipelines written in JSON; what has not changed is not done again.",
    discussion: "A first look: millrace run pipelines/quickstart.json", version: toolVersion,
    subcommands: [
      RunCommand.self, PlanCommand.self, WhyCommand.self, CheckCommand.self, ListCommand.self, GraphCommand.self, ShowCommand.self, ExportCommand.self,
      ConvertCommand.self, InferCommand.self, RunsCommand.self, ViewCommand.self, LockCommand.self, CacheCommand.self, StagesCommand.self, SchemaCommand.self, SimulateCommand.self,
      DocsCommand.self,
    ])
}

@main enum Entry {
  static func main() {
    // A reader that went away is told by the write that fails (see Standard), not by a signal: children have pipes too.
    signal(SIGPIPE, SIG_IGN)
    // A limit on the size of files is a write that fails, not an end without words.
    signal(SIGXFSZ, SIG_IGN)
    keepMemory()
    let parsed: any ParsableCommand
    do { parsed = try commandAtOnce() ?? Millrace.parseAsRoot() } catch { Millrace.exit(withError: error) }
    var command = parsed
    do { try command.run() } catch { exit(exitCode(telling: error)) }
  }

  /// The commands that are begun again and again are read without a look at all the others, which takes as long as a small run. Nil for
  /// everything else, wrong words and questions for help among it: the answers to those name the whole.
  private static func commandAtOnce() -> (any ParsableCommand)? {
    let words = CommandLine.arguments.dropFirst()
    let often: [String: any ParsableCommand.Type] = ["run": RunCommand.self, "plan": PlanCommand.self, "check": CheckCommand.self]
    guard let command = words.first.flatMap({ often[$0] }) else { return nil }
    return try? command.parseAsRoot(Array(words.dropFirst()))
  }

  /// Has the C library keep what is freed for the next batch. Left alone, it maps every column anew and gives it back at
  /// once, and a fresh page costs more than what is computed on it: a quarter of the time of a run over millions of rows.
  ///
  /// All threads share one heap, so that what one frees serves the next whoever it is; on machines of many processors they
  /// would wait for each other. Its first half GiB is asked for in large pages: 70,000 first touches of 4 KiB become some hundreds.
  private static func keepMemory() {
    #if canImport(Glibc)
      // 32 MiB is the most that Glibc takes for the first.
      mallopt(M_MMAP_THRESHOLD, 32 << 20)
      mallopt(M_TRIM_THRESHOLD, 1 << 30)
      if sysconf(Int32(_SC_NPROCESSORS_ONLN)) <= 16 { mallopt(M_ARENA_MAX, 1) }
      // The heap grows by this much at once, of addresses: memory is what is touched.
      let reserve = 512 << 20, page = 2 << 20
      mallopt(M_TOP_PAD, Int32(reserve))
      if let first = malloc(1 << 20) {
        let start = (UInt(bitPattern: first) + UInt(page) - 1) & ~(UInt(page) - 1)
        // Advice only: a system without large pages says no, and nothing is lost.
        _ = madvise(UnsafeMutableRawPointer(bitPattern: start), reserve - page, MADV_HUGEPAGE)
        free(first)
      }
      mallopt(M_TOP_PAD, 16 << 20)
    #endif
  }

  /// Tells an error on standard error; the exit code that it means.
  private static func exitCode(telling error: any Error) -> Int32 {
    if let code = error as? ExitCode { return code.rawValue }
    if let (told, code) = verdict(on: error) {
      Standard.error(Mistakes(told).description + "\n")
      return code.rawValue
    }
    if let number = Interruption.signal { return 128 + number }
    // Help and wrong usage; what ArgumentParser does not know is a failure to it.
    if Millrace.exitCode(for: error) != .failure { Millrace.exit(withError: error) }
    Standard.error(Diagnostic("\(error)").description + "\n")
    return Exit.failed.rawValue
  }
}

/// What is to be told of an error, and the exit code that it means; nil: it is none of Millrace's own.
func verdict(on error: any Error) -> (told: [Diagnostic], code: ExitCode)? {
  switch error {
  case let mistakes as Mistakes: (mistakes.all, Exit.unfit)
  case let mistake as Diagnostic: ([mistake], Exit.unfit)
  case let moved as Moved: (moved.all, Exit.moved)
  case let refusal as Refusal: ([refusal.diagnostic], Exit.failed)
  default: nil
  }
}

/// The exit codes of interface and manual, besides 0 and 128 + signal.
enum Exit {
  /// A stage failed, or the system refused something.
  static let failed = ExitCode(1)
  /// The document or its inputs do not fit.
  static let unfit = ExitCode(2)
  /// What was locked, planned or recorded differs from what is there.
  static let moved = ExitCode(3)
  /// Wrong usage.
  static let usage = ExitCode(64)
}
