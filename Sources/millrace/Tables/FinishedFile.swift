import Diagnostics
import Formats

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Gives `path` its new content whole or not at all: `body` writes a file that has no name yet, or one beside it, which then
/// takes its name. Pipes and devices get the bytes of a file that was finished first.
@discardableResult func finishedFile<Result>(_ path: String, _ body: (_ temporary: String) throws -> Result) throws -> Result {
  var status = stat()
  let exists = stat(path, &status) == 0
  if exists, status.st_mode & S_IFMT == S_IFDIR { throw Diagnostic("\(path): is a folder", expected: "a file to write") }
  if exists, status.st_mode & S_IFMT != S_IFREG {
    return try streamedFile(body) { bytes in
      guard let file = fopen(path, "wb") else { throw systemMistake(path) }
      defer { fclose(file) }
      if fwrite(bytes, 1, bytes.count, file) != bytes.count || fflush(file) != 0 { throw systemMistake(path) }
    }
  }
  // A link keeps pointing where it points.
  var target = path
  if exists, let resolved = realpath(path, nil) {
    target = String(cString: resolved)
    free(resolved)
  }
  let name = target.split(separator: "/").last.map(String.init) ?? target
  let folder = String(target.dropLast(name.count))
  let temporary = folder + ".\(name).\(getpid()).part"
  do {
    if let unnamed = UnnamedFile(in: folder.isEmpty ? "." : folder) {
      let result = try body(unnamed.path)
      if unnamed.link(as: target) { return result }
      // There is a file of that name, and only a rename replaces one.
      guard unnamed.link(as: temporary), rename(temporary, target) == 0 else { throw systemMistake(path) }
      return result
    }
    let result = try body(temporary)
    if rename(temporary, target) != 0 { throw systemMistake(path) }
    return result
  } catch var mistake as Diagnostic {
    unlink(temporary)
    // Whoever wrote it knew no other name.
    for name in ["/proc/self/fd/", temporary] {
      mistake.message = renamed(mistake.message, from: name, to: path)
      if case .data(let file, let line, let byte, let column) = mistake.place {
        mistake.place = .data(file: renamed(file, from: name, to: path), line: line, byte: byte, column: column)
      }
    }
    throw mistake
  } catch {
    unlink(temporary)
    throw error
  }
}

/// `text` with `name`, and digits that follow it, replaced.
private func renamed(_ text: String, from name: String, to path: String) -> String {
  guard let found = text.firstRange(of: name) else { return text }
  let rest = text[found.upperBound...].drop { $0.isNumber }
  return text[..<found.lowerBound] + path + rest
}

/// A file without a name in a folder, where the system has such: gone with the process, however that ends.
private final class UnnamedFile {
  private let descriptor: Int32

  init?(in folder: String) {
    #if os(Linux)
      // O_TMPFILE, which Swift does not import.
      descriptor = open(folder, 0o20_000_000 | O_DIRECTORY | O_RDWR | O_CLOEXEC, 0o666)
      // Without /proc it could not be opened by a name.
      if descriptor < 0 || access(path, W_OK) != 0 { return nil }
    #else
      descriptor = -1
      return nil
    #endif
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Good within this process.
  var path: String { "/proc/self/fd/\(descriptor)" }

  func link(as target: String) -> Bool { linkat(AT_FDCWD, path, AT_FDCWD, target, AT_SYMLINK_FOLLOW) == 0 }
}

/// Writes to standard output what `body` writes to a file, once it is whole.
@discardableResult func streamedToStandardOutput<Result>(_ body: (_ temporary: String) throws -> Result) throws -> Result {
  try streamedFile(body) { Standard.out($0) }
}

private func streamedFile<Result>(_ body: (String) throws -> Result, to write: ([UInt8]) throws -> Void) throws -> Result {
  let folder = environment("TMPDIR").flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
  var template = Array("\(folder)/millrace-XXXXXX".utf8CString)
  let descriptor = mkstemp(&template)
  guard descriptor >= 0 else { throw systemMistake(folder) }
  close(descriptor)
  let temporary = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
  defer { unlink(temporary) }
  let result = try body(temporary)
  guard let file = fopen(temporary, "rb") else { throw systemMistake(temporary) }
  defer { fclose(file) }
  var piece = [UInt8](repeating: 0, count: 1 << 20)
  while true {
    let n = fread(&piece, 1, piece.count, file)
    if n == 0 { return result }
    try write(Array(piece[..<n]))
  }
}

/// A whole text as a file.
func write(_ text: String, to path: String) throws {
  let file = try OutputFile(path: path)
  try file.write(text)
  try file.finish()
}

func systemMistake(_ path: String) -> Diagnostic { Diagnostic("\(path): cannot be written: \(String(cString: strerror(errno)))") }
