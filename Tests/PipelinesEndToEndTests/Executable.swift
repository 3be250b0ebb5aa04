import Testing

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The built `millrace`, run as a child process.
struct Executable {
  struct Outcome {
    /// The exit code; 128 + signal when one ended it.
    let code: Int32
    let out: String
    let error: String
  }

  static let path: String = {
    var link = [CChar](repeating: 0, count: 4096)
    let length = readlink("/proc/self/exe", &link, link.count - 1)
    if length > 0 {
      let own = String(decoding: link[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
      let folders: [Substring] = own.split(separator: "/").dropLast()
      let beside: String = folders.map { "/" + $0 }.joined() + "/millrace"
      if access(beside, X_OK) == 0 { return beside }
    }
    let built = ["debug", "release"].map { "\(packageRoot)/.build/\($0)/millrace" }
    guard let found = built.first(where: { access($0, X_OK) == 0 }) else { preconditionFailure("the executable millrace was not built beside the tests") }
    return found
  }()

  static let packageRoot = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()

  /// Data that the repository does not hold; nil where it is absent.
  static let shared: String? = {
    let folder = getenv("MILLRACE_SHARED").map { String(cString: $0) } ?? packageRoot + "/../shared"
    return access(folder, R_OK) == 0 ? folder : nil
  }()

  /// Runs to the end with `folder` as the current one.
  static func run(_ arguments: [String], in folder: String, environment: [String] = []) -> Outcome {
    let child = Child(arguments, in: folder, environment: environment)
    return child.wait()
  }

  /// Runs a script of bash, in which `$millrace` is the executable.
  static func shell(_ script: String, in folder: String, environment: [String] = []) -> Outcome {
    Child(program: ["bash", "-c", script], in: folder, environment: environment + ["millrace=" + path]).wait()
  }

  /// A process that was started.
  final class Child {
    private let process: pid_t
    private let files: (out: String, error: String)

    convenience init(_ arguments: [String], in folder: String, environment: [String] = []) {
      self.init(program: [Executable.path] + arguments, in: folder, environment: environment)
    }

    init(program: [String], in folder: String, environment: [String] = []) {
      let name = "\(folder)/.child-\(UInt64.random(in: .min ... .max))"
      files = (name + ".out", name + ".err")
      var actions = posix_spawn_file_actions_t()
      posix_spawn_file_actions_init(&actions)
      posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
      posix_spawn_file_actions_addopen(&actions, 1, files.out, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
      posix_spawn_file_actions_addopen(&actions, 2, files.error, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
      let kept: [String] = ["PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "ASAN_OPTIONS", "TSAN_OPTIONS"].compactMap { (name: String) -> String? in
        // What a test sets is not inherited too: of two of one name the first would count.
        environment.contains { $0.hasPrefix(name + "=") } ? nil : getenv(name).map { "\(name)=\(String(cString: $0))" }
      }
      // `env -C` changes the folder and becomes millrace, so the process stays the one that signals are for.
      let call: [String] = ["env", "-C", folder] + program
      let words: [UnsafeMutablePointer<CChar>?] = call.map { strdup($0) } + [nil]
      let settings: [UnsafeMutablePointer<CChar>?] = (kept + environment).map { strdup($0) } + [nil]
      // Tests run on threads that hold signals back, and children inherit that.
      var attributes = posix_spawnattr_t(), none = sigset_t()
      posix_spawnattr_init(&attributes)
      sigemptyset(&none)
      posix_spawnattr_setsigmask(&attributes, &none)
      // Nor may a test run under nohup hide what SIGHUP does.
      var all = sigset_t()
      sigfillset(&all)
      posix_spawnattr_setsigdefault(&attributes, &all)
      posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
      var started = pid_t()
      let code = posix_spawn(&started, "/usr/bin/env", &actions, &attributes, words, settings)
      precondition(code == 0, "millrace could not be started")
      process = started
      posix_spawn_file_actions_destroy(&actions)
      for word in words + settings { free(word) }
    }

    func send(_ signal: Int32) { kill(process, signal) }

    /// Of standard output, while it runs.
    var outSoFar: String { text(ofFile: files.out) }

    func wait() -> Outcome {
      var status: Int32 = 0
      while waitpid(process, &status, 0) < 0, errno == EINTR {}
      let signal = status & 0x7F
      let outcome = Outcome(code: signal == 0 ? (status >> 8) & 0xFF : 128 + signal, out: text(ofFile: files.out), error: text(ofFile: files.error))
      unlink(files.out)
      unlink(files.error)
      return outcome
    }
  }
}

/// A folder that is gone after the test.
final class Folder {
  let path: String

  init() {
    var template = Array("/tmp/millrace-command-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { preconditionFailure("no folder for a test") }
    path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
  }

  deinit {
    for name in names(under: "").reversed() { remove(path + "/" + name) }
    rmdir(path)
  }

  func write(_ text: String, to name: String) { writeFile(Array(text.utf8), to: path + "/" + name) }
  func text(_ name: String) -> String { PipelinesEndToEndTests.text(ofFile: path + "/" + name) }

  func millrace(_ arguments: String..., environment: [String] = []) -> Executable.Outcome {
    Executable.run(arguments, in: path, environment: environment)
  }

  /// Everything below, folders in front of what they hold; no link is followed.
  func names(under folder: String) -> [String] {
    guard let stream = opendir(path + "/" + folder) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let isFolder = entry.pointee.d_type == UInt8(DT_DIR)
      let name = withUnsafePointer(to: &entry.pointee.d_name) { $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) } }
      if name == "." || name == ".." { continue }
      let below = folder.isEmpty ? name : folder + "/" + name
      names.append(below)
      if isFolder { names += self.names(under: below) }
    }
    return names
  }
}

func writeFile(_ bytes: [UInt8], to path: String) {
  guard let file = fopen(path, "wb") else { preconditionFailure("a test could not write its file") }
  fwrite(bytes, 1, bytes.count, file)
  fclose(file)
}

func bytes(ofFile path: String) -> [UInt8] {
  guard let file = fopen(path, "rb") else { return [] }
  defer { fclose(file) }
  var all: [UInt8] = [], piece = [UInt8](repeating: 0, count: 1 << 16)
  while case let n = fread(&piece, 1, piece.count, file), n > 0 { all += piece[..<n] }
  return all
}

func text(ofFile path: String) -> String { String(decoding: bytes(ofFile: path), as: UTF8.self) }
