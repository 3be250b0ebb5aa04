import Diagnostics
import Engine
import FlyingFox
import FlyingSocks
import Foundation
import Viewing

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// `millrace-view STORE PORT`: the socket of `millrace view`, which starts it. What is answered comes from `Viewing`; here are only the address and the package that
/// speaks HTTP. It is a program of its own because the package brings Foundation, which `millrace` never loads.
@main enum Entry {
  static func main() async {
    signal(SIGPIPE, SIG_IGN)
    guard CommandLine.arguments.count == 3, let port = UInt16(CommandLine.arguments[2]) else {
      tell("error: millrace-view is started by millrace view\n", to: STDERR_FILENO)
      exit(64)
    }
    do { try await serve(ArtifactStore(path: CommandLine.arguments[1]), port) } catch {
      tell(told(error, port).description + "\n", to: STDERR_FILENO)
      exit(1)
    }
  }

  /// Until a signal ends the process: nothing here is half done at any time.
  private static func serve(_ store: ArtifactStore, _ port: UInt16) async throws {
    // Nobody but this machine reaches the address.
    let server = HTTPServer(address: try .inet(ip4: "127.0.0.1", port: port), timeout: 60, logger: .disabled)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await server.run() }
      group.addTask {
        try await server.waitUntilListening(timeout: 60)
        guard case .ip4(_, let port) = await server.listeningAddress else { throw SocketError.unsupportedAddress }
        let viewer = Viewer(store, port: Int(port))
        await server.appendRoute("*") { request in response(viewer.answer(question(request))) }
        await serve6(viewer, port)
        tell("http://127.0.0.1:\(port)/\n", to: STDOUT_FILENO)
      }
      for try await _ in group {}
    }
  }

  /// The same at `::1`, which a browser may take `localhost` for. A machine without it, or with somebody else there, has the other address.
  private static func serve6(_ viewer: Viewer, _ port: UInt16) async {
    guard let address = try? sockaddr_in6.inet6(ip6: "::1", port: port) else { return }
    let server = HTTPServer(address: address, timeout: 60, logger: .disabled)
    await server.appendRoute("*") { request in response(viewer.answer(question(request))) }
    let listening = Task { try? await server.waitUntilListening(timeout: 10) }
    Task {
      try? await server.run()
      listening.cancel()
    }
    await listening.value
  }

  private static func question(_ request: HTTPRequest) -> ViewRequest {
    ViewRequest(request.method.rawValue, request.target.rawValue, host: request.headers[.host])
  }

  private static func response(_ answer: ViewResponse) -> HTTPResponse {
    var headers = HTTPHeaders()
    for header in answer.headers { headers[HTTPHeader(header.name)] = header.value }
    return HTTPResponse(statusCode: HTTPStatusCode(answer.status, phrase: answer.reason), headers: headers, body: Data(answer.body))
  }

  private static func told(_ error: any Error, _ port: UInt16) -> Diagnostic {
    guard case SocketError.failed(_, let code, let message) = error else { return Diagnostic("the page cannot be served: \(error)") }
    if code == EADDRINUSE { return Diagnostic("port \(port) is in use", hint: "--port 0 takes a free one") }
    return Diagnostic("port \(port) cannot be used: \(message)", hint: port > 0 && port < 1024 ? "take one from 1024 on" : nil)
  }

  private static func tell(_ text: String, to file: Int32) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(file, $0.baseAddress!, $0.count) }
      if count < 0 { return }
      rest = rest.dropFirst(count)
    }
  }
}
