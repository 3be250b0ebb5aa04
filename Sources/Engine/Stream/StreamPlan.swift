import Pipelines

/// Which outputs of stages with `"keep": false` go straight into their consumers, and which stages therefore run at once.
///
/// An output streams when exactly one stage of this run reads it, that stage is certain to be executed, reads it once, gets no
/// other stream, and needs nothing else that waits for the stages it would run with. Everything else is read from a
/// temporary file; what nobody reads is digested and dropped.
struct StreamPlan {
  struct Port: Hashable, Sendable {
    let stage: Int
    let output: String
  }

  struct Link: Hashable, Sendable {
    let from: Port
    let to: Int
    let alias: String
  }

  /// What becomes of each output that is not stored.
  private(set) var links: [Link] = []
  /// Outputs in temporary files, and how many stages of this run read them.
  private(set) var readers: [Port: Int] = [:]
  /// Stages that run at once, each in the order of the plan; every pass after those it needs.
  private(set) var passes: [[Int]] = []

  /// Nothing runs.
  init() {}

  /// `pending` in the order of the plan.
  init(_ plan: BoundPlan, pending: [PlanReport.Stage]) {
    let entries = Dictionary(uniqueKeysWithValues: pending.map { ($0.index, $0) })
    // By stage, the first stage of its pass.
    var pass = Dictionary(uniqueKeysWithValues: pending.map { ($0.index, $0.index) })
    for entry in pending where !plan.stages[entry.index].keep {
      for output in plan.stages[entry.index].binding.outputs {
        let port = Port(stage: entry.index, output: output.name)
        let uses = pending.filter { $0.twin == nil }.flatMap { consumer in
          plan.stages[consumer.index].inputs.filter { $0.stage == port.stage && $0.output == port.output && plan.stages[consumer.index].needsRows(of: $0) }.map { (consumer.index, $0.alias) }
        }
        if uses.isEmpty { continue }
        readers[port] = uses.count
        guard uses.count == 1, output.type.table != nil else { continue }
        let (to, alias) = uses[0]
        guard entries[to]!.status == .wouldExecute, !links.contains(where: { $0.to == to }),
          let read = plan.stages[to].binding.reads.first(where: { $0.alias == alias }), read.passes == .once
        else { continue }
        let link = Link(from: port, to: to, alias: alias)
        var joined = pass
        let (a, b) = (pass[port.stage]!, pass[to]!)
        for (stage, own) in pass where own == a || own == b { joined[stage] = min(a, b) }
        guard Self.order(plan, pending, joined, links + [link]) != nil else { continue }
        pass = joined
        links.append(link)
        readers[port] = nil
      }
    }
    let members = Dictionary(grouping: pending.map(\.index)) { pass[$0]! }
    guard let order = Self.order(plan, pending, pass, links) else { preconditionFailure("the passes of a run wait for each other in a circle") }
    passes = order.map { members[$0]!.sorted() }
  }

  /// Whether an input of a stage comes straight from its producer.
  func streams(_ input: BoundInput, into stage: Int) -> Bool {
    links.contains { $0.to == stage && $0.alias == input.alias && $0.from == Port(stage: input.stage, output: input.output) }
  }

  /// An order in which the passes can run one after the other; nil when one needs itself but through its streams, or in a circle.
  private static func order(_ plan: BoundPlan, _ pending: [PlanReport.Stage], _ pass: [Int: Int], _ links: [Link]) -> [Int]? {
    var needs: [Int: Set<Int>] = [:]
    for entry in pending {
      let own = pass[entry.index]!
      for input in plan.stages[entry.index].inputs {
        guard let other = pass[input.stage] else { continue }
        if other != own { needs[own, default: []].insert(other); continue }
        let streams = links.contains {
          $0.to == entry.index && $0.alias == input.alias && $0.from == Port(stage: input.stage, output: input.output)
        }
        if !streams { return nil }
      }
      for expectation in plan.stages[entry.index].guards {
        guard let other = pass[expectation] else { continue }
        if other == own { return nil }
        needs[own, default: []].insert(other)
      }
      if let twin = entry.twin, let other = pass[twin] {
        if other == own { return nil }
        needs[own, default: []].insert(other)
      }
    }
    var waiting = Set(pass.values)
    var order: [Int] = []
    while !waiting.isEmpty {
      let free = waiting.filter { needs[$0, default: []].isDisjoint(with: waiting) }.sorted()
      if free.isEmpty { return nil }
      order += free
      waiting.subtract(free)
    }
    return order
  }
}
