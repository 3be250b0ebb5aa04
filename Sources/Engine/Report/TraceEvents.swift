import Pipelines

/// A run as events of the Trace Event Format, which Perfetto (https://ui.perfetto.dev) and Chrome's about:tracing show: each stage a slice on the first lane that
/// was free, arrows from those that it reads. Microseconds.
public enum TraceEvents {
  /// - Parameter record: `run.json`.
  public static func of(_ record: JSONValue) -> JSONValue {
    let pipeline = record["pipeline"]?.string ?? "", run = record["run"]?.string ?? ""
    var events: [JSONValue] = [
      ["ph": "M", "name": "process_name", "pid": 1, "args": ["name": .string("\(pipeline) \(run)")]],
      ["ph": "X", "name": .string(pipeline), "cat": "run", "pid": 1, "tid": 0, "ts": 0, "dur": .integer(micros(record["seconds"])),
        "args": .object(["status", "executed", "cached", "failed", "skipped", "width", "millrace"].compactMap { key in record[key].map { JSONMember(key, $0) } })],
      ["ph": "M", "name": "thread_name", "pid": 1, "tid": 0, "args": ["name": "run"]],
    ]
    let ran = (record["stages"]?.array ?? []).enumerated().compactMap { at, stage -> Slice? in
      guard stage["start"] != nil else { return nil }
      return Slice(stage: stage, place: at, begin: micros(stage["start"]), duration: micros(stage["seconds"]))
    }.sorted { ($0.begin, $0.place) < ($1.begin, $1.place) }
    var lanes: [Int] = [], placed: [String: (slice: Slice, lane: Int)] = [:]
    for slice in ran {
      let lane = lanes.firstIndex { $0 <= slice.begin } ?? lanes.count
      if lane == lanes.count { lanes.append(0) }
      lanes[lane] = slice.begin + slice.duration
      placed[slice.name] = (slice, lane + 1)
      events.append(slice.event(lane: lane + 1))
    }
    for lane in lanes.indices {
      events.append(["ph": "M", "name": "thread_name", "pid": 1, "tid": .integer(lane + 1), "args": ["name": .string("lane \(lane + 1)")]])
    }
    var arrow = 0
    for slice in ran {
      for need in (slice.stage["needs"]?.array ?? []).compactMap({ $0.string.flatMap { placed[$0] } }) {
        arrow += 1
        let common: [JSONMember] = [JSONMember("name", "reads"), JSONMember("cat", "needs"), JSONMember("id", .integer(arrow)), JSONMember("pid", 1)]
        events.append(.object([JSONMember("ph", "s"), JSONMember("tid", .integer(need.lane)), JSONMember("ts", .integer(need.slice.begin))] + common))
        events.append(.object(
          [JSONMember("ph", "f"), JSONMember("bp", "e"), JSONMember("tid", .integer(placed[slice.name]!.lane)), JSONMember("ts", .integer(slice.begin))] + common))
      }
    }
    return ["displayTimeUnit": "ms", "otherData": ["run": .string(run), "started": record["started"] ?? .null], "traceEvents": .array(events)]
  }

  private struct Slice {
    let stage: JSONValue
    let place: Int
    let begin: Int
    let duration: Int
    var name: String { stage["name"]?.string ?? "" }

    func event(lane: Int) -> JSONValue {
      let outputs = (stage["outputs"]?.members ?? []).compactMap { output in output.value["rows"].map { JSONMember(output.key, $0) } }
      var told = ["status", "reasons", "attempts", "partitions", "recipe"].compactMap { key in stage[key].map { JSONMember(key, $0) } }
      if !outputs.isEmpty { told.append(JSONMember("rows", .object(outputs))) }
      return [
        "ph": "X", "name": .string(name), "cat": stage["kind"] ?? "", "pid": 1, "tid": .integer(lane), "ts": .integer(begin), "dur": .integer(duration),
        "args": .object(told),
      ]
    }
  }

  private static func micros(_ seconds: JSONValue?) -> Int { Int((min(max(seconds?.double ?? 0, 0), 1e9) * 1e6).rounded()) }
}
