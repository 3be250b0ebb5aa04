#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Standard output holds the result, standard error all else.
enum Standard {
  static func out(_ text: String) { write(Array(text.utf8), to: STDOUT_FILENO) }
  static func out(_ bytes: [UInt8]) { write(bytes, to: STDOUT_FILENO) }
  static func error(_ text: String) { write(Array(text.utf8), to: STDERR_FILENO) }

  static let errorIsTerminal = isatty(STDERR_FILENO) == 1

  /// Of standard error's terminal, in characters.
  static var terminalWidth: Int {
    var size = winsize()
    return ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
  }

  private static func write(_ bytes: [UInt8], to descriptor: Int32) {
    var offset = 0
    while offset < bytes.count {
      let n = bytes.withUnsafeBytes { systemWrite(descriptor, $0.baseAddress! + offset, $0.count - offset) }
      if n >= 0 {
        offset += n
        continue
      }
      switch errno {
      case EINTR, EAGAIN: continue
      // Whoever read has enough: the end that `| head` gives to every tool.
      case EPIPE: _exit(128 + SIGPIPE)
      default:
        if descriptor == STDOUT_FILENO { error("error: standard output: \(String(cString: strerror(errno)))\n") }
        _exit(1)
      }
    }
  }
}

/// The C function, which a method of the same name hides.
private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int { write(descriptor, bytes, count) }
