import Dispatch
import Synchronization
import Testing

@testable import Engine

@Suite(.serialized) struct SchedulerTests {
  private func order(_ scheduler: Scheduler, _ verdict: @escaping @Sendable (Int) -> Scheduler.Verdict = { _ in .done }) -> (
    order: [Int], fates: [Scheduler.Fate]
  ) {
    let started = Mutex<[Int]>([])
    let fates = scheduler.run { index in
      started.withLock { $0.append(index) }
      return verdict(index)
    }
    return (started.withLock { $0 }, fates)
  }

  @Test func theLongestRemainingPathIsFirst() {
    // 0 and 1 are ready; a dear chain hangs on 1.
    let scheduler = Scheduler(needs: [[], [], [1], [0, 2]], costs: [1, 1, 5, 1], width: 1)
    #expect(order(scheduler).order == [1, 2, 0, 3])
  }

  @Test func afterAFailureWhatNeedsItIsSkipped() {
    let scheduler = Scheduler(needs: [[], [0], [1], []], costs: [1, 1, 1, 1], width: 1)
    let result = order(scheduler) { $0 == 0 ? .failed : .done }
    #expect(result.order == [0, 3])
    #expect(result.fates == [.ended, .skipped, .skipped, .ended])
  }

  @Test func afterAStopNothingBegins() {
    let scheduler = Scheduler(needs: [[], [], []], costs: [3, 2, 1], width: 1)
    let result = order(scheduler) { $0 == 1 ? .stop : .done }
    #expect(result.order == [0, 1])
    #expect(result.fates == [.ended, .ended, .skipped])
  }

  @Test func memoryBoundsWhatRunsTogetherAndOneAlwaysRuns() {
    let most = Mutex((now: 0, most: 0))
    let scheduler = Scheduler(
      needs: Array(repeating: [], count: 6), costs: Array(repeating: 1, count: 6), width: 6, memory: [100, 4, 4, 4, 4, 4], budget: 8)
    let fates = scheduler.run { _ in
      most.withLock { $0.now += 1; $0.most = max($0.most, $0.now) }
      most.withLock { $0.now -= 1 }
      return .done
    }
    #expect(most.withLock { $0.most } <= 2)
    #expect(fates == Array(repeating: .ended, count: 6))
  }

  @Test func whoWaitsForADiskLeavesItsPlaceToAnother() {
    let state = Mutex((computing: 0, most: 0, waiting: 0))
    let all = DispatchSemaphore(value: 0)
    let scheduler = Scheduler(needs: Array(repeating: [], count: 6), costs: Array(repeating: 1, count: 6), width: 1)
    let fates = scheduler.run { _ in
      state.withLock { $0.computing += 1; $0.most = max($0.most, $0.computing) }
      state.withLock { $0.computing -= 1 }
      // Nobody goes on before all six wait: with one place alone that would never be.
      scheduler.aside {
        let isLast = state.withLock {
          $0.waiting += 1
          return $0.waiting == 6
        }
        if isLast { for _ in 0..<5 { all.signal() } } else { all.wait() }
      }
      return .done
    }
    #expect(fates == Array(repeating: .ended, count: 6))
    #expect(state.withLock { $0.most } == 1)
  }

  @Test func aFailureOfOneThatWaitedIsThrownToIt() {
    struct Full: Error {}
    let scheduler = Scheduler(needs: [[], [0], []], costs: [2, 1, 1], width: 1)
    let result = order(scheduler) { index in
      do {
        try scheduler.aside { if index == 0 { throw Full() } }
        return .done
      } catch { return .failed }
    }
    #expect(result.order == [0, 2])
    #expect(result.fates == [.ended, .skipped, .ended])
  }

  @Test func aChainOfFiveThousandAndAFanOfFiveThousand() {
    let chain = Scheduler(needs: (0..<5000).map { $0 == 0 ? [] : [$0 - 1] }, costs: Array(repeating: 1, count: 5000), width: 4)
    #expect(order(chain).order == Array(0..<5000))
    let fan = Scheduler(needs: (0..<5000).map { $0 == 0 ? [] : [0] }, costs: Array(repeating: 1, count: 5000), width: 4)
    #expect(order(fan).fates.allSatisfy { $0 == .ended })
  }
}
