import Columns
import Diagnostics
import Dispatch
import Pipelines
import Synchronization

extension Execution {
  /// Runs stages among which rows stream: each on a thread of its own, all at once. Nothing is committed before its producers are.
  func workTogether(_ pass: [PlanReport.Stage], _ history: [String: Catalog.StageHistory]) -> Scheduler.Verdict {
    if cancellation.isCancelled { return .stop }
    let members = pass.map(\.index)
    var settled: [Int: Settled] = [:]
    for entry in pass { settled[entry.index] = Settled(status: .skipped, reasons: entry.reasons, recipe: entry.recipe) }
    if !pass.allSatisfy({ hasInputs($0, besides: members) && unmetExpectation(before: $0) == nil }) {
      for entry in pass {
        if let unmet = unmetExpectation(before: entry) { settled[entry.index]?.reasons = [unmet] }
        settle(entry.index, settled[entry.index]!)
      }
      return .failed
    }
    let cuts = cuts(of: pass), isCut = cuts != nil
    for entry in pass {
      do {
        // Before any lock is held: what an input needs may have to be locked too.
        if entry.index == pass[0].index, isCut { continue }
        _ = try inputs(of: entry) { self.streams.streams($0, into: entry.index) ? TableArtifact(type: $0.type.table!, partitions: [], digest: entry.recipe.key) : nil }
      } catch {
        var failed = settled[entry.index]!
        let verdict = fail(entry, &failed, error)
        if case .again = verdict { return verdict }
        for other in pass where other.index != entry.index { settle(other.index, settled[other.index]!) }
        return verdict
      }
    }
    var locks: [RecipeLock] = []
    defer { for lock in locks { unlock(lock) } }
    do {
      // In one order everywhere: two processes never wait for each other. What streams in is not known yet and stands in the
      // recipe by a name that is the same in both.
      for entry in (pass.sorted { $0.recipe.key < $1.recipe.key }) { locks.append(try lock(entry.recipe.key, plan.stages[entry.index])) }
    } catch {
      for entry in pass.dropFirst() { settle(entry.index, settled[entry.index]!) }
      var first = settled[pass[0].index]!
      return fail(pass[0], &first, error)
    }
    if let found = foundMeanwhile(pass) {
      for (entry, made) in zip(pass, found) { settle(entry.index, Settled(status: .cached, recipe: recipe(of: entry), made: made)) }
      return .done
    }

    if let cuts { return workInParts(pass, cuts, &settled, history) }
    var threads: [StageThread] = []
    defer { for thread in threads { thread.context.discard() } }
    do { threads = try run(pass) } catch {
      var first = settled[pass[0].index]!
      let verdict = fail(pass[0], &first, error)
      if case .again = verdict { return verdict }
      for entry in pass.dropFirst() { settle(entry.index, settled[entry.index]!) }
      return verdict
    }
    // All are tried again when one is: their rows came from one another.
    for thread in threads {
      if case .failure(let error)? = thread.outcome, !(error is RunCancelled), let delay = retryDelay(thread.entry, error) { return .again(delay) }
    }
    return commit(threads, &settled, history)
  }

  /// Runs the stages of a pass, of one part where `cut` says so, at once; returns when all have ended.
  func run(_ pass: [PlanReport.Stage], _ cut: Cut? = nil, keepsRows: Bool = false) throws -> [StageThread] {
    let together = StreamPass(links: streams.links.count, width: options.width) { self.busy.add($0, ordering: .relaxed) }
    var threads: [StageThread] = []
    do { for entry in pass { threads.append(try thread(entry, cut, together, keepsRows: keepsRows)) } } catch {
      for thread in threads { thread.context.discard() }
      throw error
    }
    if threads.count == 1 {
      run(threads[0], together)
      return threads
    }
    let group = DispatchGroup()
    for thread in threads {
      // A queue of its own has a thread of its own: stages that wait for each other must all have begun.
      DispatchQueue(label: "millrace.pass.\(thread.stage.name)").async(group: group) { self.run(thread, together) }
    }
    group.wait()
    return threads
  }

  private func thread(_ entry: PlanReport.Stage, _ cut: Cut?, _ pass: StreamPass, keepsRows: Bool) throws -> StageThread {
    let stage = cut == nil ? plan.stages[entry.index] : partStage(entry)
    // Rows that are made for a file come from files.
    let links = keepsRows ? [] : Array(streams.links.enumerated())
    let incoming = links.filter { $0.element.to == entry.index }, outgoing = links.filter { $0.element.from.stage == entry.index }
    let inputs = try inputs(of: entry, cut: cut) { input in
      guard let link = incoming.first(where: { $0.element.alias == input.alias }), let type = input.type.table else { return nil }
      let names: [String]
      switch stage.binding.reads.first(where: { $0.alias == input.alias })?.columns ?? .all {
      case .all: names = type.schema.names
      case .named(let read): names = read
      }
      let schema = type.schema.selecting(names)
      return TableArtifact(
        type: TableType(schema, order: type.order, timeUnit: type.timeUnit), arriving: StreamedInput(pass, link: link.offset, schema: schema))
    }
    let context = context(of: stage, entry.index, keepsRows: keepsRows, cut: cut) { port in
      outgoing.first { $0.element.from == port }.map { link in .stream { try pass.push($0, to: link.offset) } }
    }
    return StageThread(entry, stage, cut, inputs, context, incoming: incoming.map(\.offset), outgoing: outgoing.map(\.offset))
  }

  /// On the stage's own thread.
  private func run(_ thread: StageThread, _ pass: StreamPass) {
    pass.sitDown()
    defer { pass.standUp() }
    thread.start = clock.seconds
    if thread.cut == nil, thread.stage.isStage { observer?.stageStarted(thread.stage.name, reasons: thread.entry.reasons) }
    do {
      let metrics: Metrics
      if thread.cut != nil, let stage = thread.stage.stage as? any MergeableStage, case .mergeable = plan.stages[thread.entry.index].binding.work {
        metrics = try stage.runPart(thread.inputs, thread.context)
      } else {
        metrics = try thread.stage.stage.run(thread.inputs, thread.context)
      }
      for link in thread.outgoing { pass.end(link, broken: false) }
      for link in thread.incoming { pass.leave(link, .satisfied) }
      thread.outcome = .success(try seal(thread.cut?.files.map { [$0] } ?? thread.entry.sources, metrics.json, thread.context))
    } catch {
      thread.outcome = .failure(error)
      for link in thread.outgoing { pass.end(link, broken: true) }
      // With --keep-going the producer's digests are worth its work.
      for link in thread.incoming { pass.leave(link, options.keepGoing ? .satisfied : .failed) }
    }
    thread.end = clock.seconds
  }

  /// In the order of the plan, so that every recipe is known when it is needed.
  private func commit(
    _ threads: [StageThread], _ settled: inout [Int: Settled], _ history: [String: Catalog.StageHistory]
  ) -> Scheduler.Verdict {
    var verdict = Scheduler.Verdict.done
    for thread in threads {
      let entry = thread.entry
      var own = settled[entry.index]!
      own.start = thread.start
      do {
        guard let outcome = thread.outcome else { preconditionFailure("a stage of a pass ended without an outcome") }
        let sealed = try outcome.get()
        // Rows of a stage that failed in the end are no rows of this stage's recipe.
        if streams.links.contains(where: { $0.to == entry.index && settled[$0.from.stage]?.made == nil }) { throw StreamBroken() }
        own.recipe = recipe(of: entry)
        if !entry.recipe.isComplete { own.reasons = reasons(entry, own.recipe, freshness.find(own.recipe.key, of: thread.stage), history[entry.name]) }
        own.made = try commit(thread.stage, entry, own.recipe, sealed, claimsFiles: true)
        note(thread.context.counts)
        own.status = .executed
        own.seconds = thread.end - thread.start
        settle(entry.index, own)
      } catch is StreamBroken {
        own.start = nil
        settle(entry.index, own)
      } catch {
        if case .stop = fail(entry, &own, error) { verdict = .stop }
      }
      settled[entry.index] = own
    }
    return verdict
  }

  /// What the stages of a pass give, when another process made all of it while this one waited.
  private func foundMeanwhile(_ pass: [PlanReport.Stage]) -> [Freshness.Made]? {
    var found: [Int: Freshness.Made] = [:]
    for entry in pass {
      if entry.made != nil || entry.isForced { return nil }
      let recipe = recipe(of: entry) { found[$0] ?? self.made(by: $0) }
      guard !wasExecuted(recipe.key), case .made(let made) = freshness.find(recipe.key, of: plan.stages[entry.index]) else { return nil }
      found[entry.index] = made
    }
    return pass.map { found[$0.index]! }
  }
}

/// One stage of a pass while it runs.
// @unchecked: `start`, `end` and `outcome` are written by the stage's thread and read when it has ended.
final class StageThread: @unchecked Sendable {
  let entry: PlanReport.Stage
  let stage: BoundStage
  let cut: Cut?
  let inputs: Inputs<Artifact>
  let context: StageContext
  let incoming: [Int], outgoing: [Int]
  var start = 0.0, end = 0.0
  var outcome: Result<Execution.SealedOutputs, any Error>?

  init(
    _ entry: PlanReport.Stage, _ stage: BoundStage, _ cut: Cut?, _ inputs: Inputs<Artifact>, _ context: StageContext, incoming: [Int],
    outgoing: [Int]
  ) {
    self.entry = entry
    self.stage = stage
    self.cut = cut
    self.inputs = inputs
    self.context = context
    self.incoming = incoming
    self.outgoing = outgoing
  }
}
