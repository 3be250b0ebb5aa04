import Diagnostics
import Formats

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Gives `path` its new content whole or not at all: `body` writes a file beside it, which then takes its name. Pipes and
/// devices get the bytes of a file that was finished first.
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
  let temporary = String(target.dropLast(name.count)) + ".\(name).\(getpid()).part"
  do {
    let result = try body(temporary)
    if rename(temporary, target) != 0 { throw systemMistake(path) }
    return result
  } catch {
    unlink(temporary)
    throw error
  }
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
