import Testing

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// `millrace view`, started, asked over its socket, and ended.
@Suite struct ViewCommandTests {
  @Test func answersUntilItIsEnded() throws {
    let folder = shop()
    #expect(folder.millrace("run", "shop.json", "--quiet").code == 0)
    let run = try #require(try json(folder.millrace("runs", "list", "--json").out).array?.first?["run"]?.string)
    let page = ServedPage(["--port", "0"], in: folder)
    let port = try #require(page.port)
    let runs = ServedPage.answer("GET / HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\n\r\n", port)
    #expect(runs.hasPrefix("HTTP/1.1 200 OK\r\n") && runs.contains("\r\nContent-Type: text/html; charset=utf-8\r\n"))
    #expect(runs.contains("\r\nContent-Security-Policy: default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'\r\n"))
    #expect(runs.contains("<a href=\"/runs/\(run)\">\(run)</a>") && runs.hasSuffix("</html>\n"))
    let record = ServedPage.answer("GET /runs/\(run).json HTTP/1.1\r\nHost: localhost:\(port)\r\nConnection: close\r\n\r\n", port)
    #expect(record.hasSuffix("\r\n\r\n" + folder.text("artifacts/runs/\(run)/run.json")))
    let head = ServedPage.answer("HEAD / HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\n\r\n", port)
    #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n") && head.hasSuffix("\r\n\r\n") && !head.contains("<html"))
    let length = runs.components(after: "\r\n\r\n").utf8.count
    #expect(head.contains("\r\nContent-Length: \(length)\r\n"))
    #expect(ServedPage.answer("GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", port).hasPrefix("HTTP/1.1 421 Misdirected Request\r\n"))
    let post = ServedPage.answer("POST / HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nContent-Length: 3\r\nConnection: close\r\n\r\na=b", port)
    #expect(post.hasPrefix("HTTP/1.1 405 Method Not Allowed\r\n") && post.contains("\r\nAllow: GET, HEAD\r\n") && post.hasSuffix("\r\n\r\nthis page only shows: GET and HEAD\n"))
    #expect(ServedPage.answer("GET /../../etc/passwd HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\n\r\n", port).hasPrefix("HTTP/1.1 404 Not Found\r\n"))
    // At ::1 the same, where the machine has it.
    let six = ServedPage.answer("GET /runs/\(run).json HTTP/1.1\r\nHost: [::1]:\(port)\r\nConnection: close\r\n\r\n", port, isSix: true)
    if six == "no such address" { print("no ::1 here: only 127.0.0.1 is asked") } else { #expect(six == record) }
    // What is no HTTP ends the connection, and nothing else.
    _ = ServedPage.answer("\u{1}\u{2}\r\n\r\n", port)

    let taken = folder.millrace("view", "--port", "\(port)")
    #expect(taken.code == 1)
    #expect(taken.error == "store artifacts, read-only; Ctrl-C ends it\nerror: port \(port) is in use\n  hint: --port 0 takes a free one\n")
    let outcome = page.end(SIGINT)
    #expect(outcome.code == 130)
    #expect(outcome.out == "http://127.0.0.1:\(port)/\n" && outcome.error == "store artifacts, read-only; Ctrl-C ends it\n")
  }

  @Test func aRunGoesOnBesideIt() throws {
    let folder = shop()
    let page = ServedPage(["--port", "0", "--quiet"], in: folder)
    let port = try #require(page.port)
    let ask = "GET /runs.json HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\n\r\n"
    #expect(ServedPage.answer(ask, port).hasSuffix("\r\n\r\n[]\n"))
    #expect(folder.millrace("run", "shop.json", "--quiet").code == 0)
    #expect(ServedPage.answer(ask, port).contains("\"status\": \"succeeded\""))
    #expect(folder.millrace("cache", "gc", "--keep-runs", "1", "--quiet").code == 0)
    let outcome = page.end(SIGTERM)
    #expect(outcome.code == 143 && outcome.error == "")
  }

  @Test func portsAreNumbers() {
    let outcome = Folder().millrace("view", "--port", "65536")
    #expect(outcome.code == 64)
    #expect(outcome.error.hasPrefix("Error: --port takes a number from 0 to 65535.\n"))
  }
}

/// A `millrace view` that was started.
final class ServedPage {
  private let child: Executable.Child
  private var isEnded = false
  /// Nil: it ended before it had one.
  let port: UInt16?

  init(_ arguments: [String], in folder: Folder) {
    child = Executable.Child(["view"] + arguments, in: folder.path)
    var told = ""
    // Half a minute: the machine may be busy.
    for _ in 0..<3000 {
      told = child.outSoFar
      if told.hasSuffix("/\n") { break }
      usleep(10_000)
    }
    port = told.hasPrefix("http://127.0.0.1:") ? UInt16(told.dropFirst(17).prefix { $0.isNumber }) : nil
  }

  /// A test that fails leaves no process behind.
  deinit { if !isEnded { _ = end(SIGKILL) } }

  func end(_ signal: Int32) -> Executable.Outcome {
    isEnded = true
    child.send(signal)
    return child.wait()
  }

  /// Sends a request and reads until the other side has nothing more.
  static func answer(_ request: String, _ port: UInt16, isSix: Bool = false) -> String {
    let file = socket(isSix ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(file) }
    var address = sockaddr_in(), address6 = sockaddr_in6(), patience = timeval(tv_sec: 30, tv_usec: 0)
    setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    address6.sin6_family = sa_family_t(AF_INET6)
    address6.sin6_addr = in6addr_loopback
    if isSix {
      // A machine that cannot bind to it does not have it.
      let isThere = withUnsafePointer(to: &address6) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(file, $0, socklen_t(MemoryLayout<sockaddr_in6>.size)) == 0 }
      }
      if !isThere { return "no such address" }
    }
    address6.sin6_port = port.bigEndian
    let isConnected = isSix ? withUnsafePointer(to: &address6) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(file, $0, socklen_t(MemoryLayout<sockaddr_in6>.size)) == 0 }
    } : withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(file, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 }
    }
    guard isConnected else { return "not connected" }
    let bytes = Array(request.utf8)
    guard send(file, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else { return "not sent" }
    var answer: [UInt8] = [], piece = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = recv(file, &piece, piece.count, 0), count > 0 { answer += piece[..<count] }
    return String(decoding: answer, as: UTF8.self)
  }
}

extension String {
  /// What follows the first occurrence.
  fileprivate func components(after mark: String) -> String {
    guard let found = firstRange(of: mark) else { return "" }
    return String(self[found.upperBound...])
  }
}
