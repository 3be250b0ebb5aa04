import ArgumentParser
import Diagnostics
import Engine

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

struct ViewCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "view", abstract: "Shows the store as pages for a browser on this machine: runs, comparisons, graphs, artifacts, where columns come from.")

  @Option(help: ArgumentHelp("The port on 127.0.0.1 and ::1; 0 takes a free one.", valueName: "n")) var port = 8765
  @OptionGroup var place: StoreArguments
  @OptionGroup var common: CommonArguments

  func validate() throws {
    if !(0...65535).contains(port) { throw ValidationError("--port takes a number from 0 to 65535.") }
  }

  /// Becomes the program beside this one, which loads what pages need and no other command does.
  func run() throws {
    let store = place.store
    guard let program = Self.program else {
      throw Refusal(Diagnostic("the program millrace-view is not beside millrace", hint: "make build builds both"))
    }
    if !common.quiet { Standard.error("store \(shownPath(store.path)), read-only; Ctrl-C ends it\n") }
    let words: [String] = [program, store.path, String(port)]
    execv(program, words.map { strdup($0) } + [nil])
    throw Refusal(Diagnostic("\(program) cannot be started: \(String(cString: strerror(errno)))"))
  }

  private static var program: String? {
    #if canImport(Glibc)
      let own = realpath("/proc/self/exe", nil)
    #else
      var path = [CChar](repeating: 0, count: Int(PATH_MAX)), length = UInt32(PATH_MAX)
      guard _NSGetExecutablePath(&path, &length) == 0 else { return nil }
      let own = realpath(path, nil)
    #endif
    guard let own else { return nil }
    defer { free(own) }
    let here = String(cString: own)
    guard let slash = here.lastIndex(of: "/") else { return nil }
    let program = here[...slash] + "millrace-view"
    return access(String(program), X_OK) == 0 ? String(program) : nil
  }
}
