import Columns
import Pipelines
import Testing

@testable import Stages

private let rows = batch(
  ("country", .strings(["UK", "France", nil, "UK"])), ("amount", .decimals([100, 250, 1, 50], precision: 8, scale: 2)),
  ("at", .dates([14_900, 14_900, 15_300, 15_300])))

@Test func groupsComeInKeyOrder() throws {
  let result = try runStage(
    Aggregate.self, ["by": "country", "aggregates": ["revenue": "sum(amount)", "share": "sum(amount) / count(*)"]], [.table("table", rows)])
  #expect(result.rows() == [["France", "2.50", "2.5"], ["UK", "1.50", "0.75"], ["", "0.01", "0.01"]])
  #expect(result.binding.outputs[0].type.table?.order == .key(["country"]))
  #expect(result.binding.reads.map(\.columns) == [.named(["amount", "country"])])
}

@Test func keysMayBeComputed() throws {
  let result = try runStage(Aggregate.self, ["by": ["year": "year(at)"], "aggregates": ["n": "count(*)"]], [.table("table", rows)])
  #expect(result.rows() == [["2010", "2"], ["2011", "2"]])
}

@Test func withoutKeysOneRowComesOut() throws {
  let result = try runStage(Aggregate.self, ["aggregates": ["n": "count(*)", "top": "max(amount)"]], [.table("table", rows.slice(0..<0))])
  #expect(result.rows() == [["0", ""]])
}

@Test func mistakesOfAggregatesAreToldTogether() {
  let found = mistakes(
    of: Aggregate.self, ["by": ["cuntry"], "aggregates": ["a": "sum(country)", "b": "amount + 1"]], [.table("table", rows)])
  #expect(found.contains { $0.contains("did you mean \"country\"?") })
  #expect(
    mistakes(of: Aggregate.self, ["by": "country", "aggregates": ["a": "sum(country)", "b": "amount + 1"]], [.table("table", rows)]).count == 2)
}
