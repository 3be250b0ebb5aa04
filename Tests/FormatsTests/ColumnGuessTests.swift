import Columns
import Testing

@testable import Formats

/// Columns of which few cells are otherwise.
@Suite struct ColumnGuessTests {
  private func guess(_ cells: [String]) -> ColumnGuess {
    var guess = ColumnGuess(), builder = TextBuilder()
    for cell in cells { builder.append(cell) }
    guess.add(builder.finish())
    return guess
  }

  private static let numbers = (1...198).map(String.init)

  @Test(arguments: [
    ("one of a hundred", ["lots"], 99, ColumnType.int64, 1), ("two of two hundred", ["lots", "many"], 198, .int64, 2),
    ("three of two hundred", ["lots", "many", "few"], 197, .string, 0), ("one of ninety-nine", ["lots"], 98, .string, 0),
    ("zeros in front", ["007"], 198, .string, 0), ("a code", ["C489449"], 198, .string, 0), ("a code with a hyphen", ["AB-1234"], 198, .string, 0),
    ("more digits than a number has", ["9223372036854775808"], 198, .int64, 1), ("decimals are wider", ["1.50"], 198, .decimal(precision: 5, scale: 2), 0),
    ("null words are no misfits", ["NA", "null", "-"], 98, .int64, 0),
  ] as [(String, [String], Int, ColumnType, Int)])
  func mostCellsDecide(name: String, odd: [String], numbers: Int, type: ColumnType, misfits: Int) {
    let plain = Array(Self.numbers[..<numbers])
    for cells in [odd + plain, plain + odd] {
      let found = guess(cells).found
      #expect(found.type == type && found.misfits == misfits, "\(name)")
    }
  }

  @Test func codesAmongNumbersAreTold() {
    let found = guess(Self.numbers + ["C489449"]).found
    #expect(found.note == "1 of 199 cells are codes such as C489449, the others numbers")
  }

  @Test(arguments: [
    ("dates", (0..<150).map { "\($0 % 28 + 1).3.2018" } + ["soon"], ColumnType.date, "%d.%m.%Y", 1),
    ("ISO times", (0..<150).map { "2018-01-\($0 % 18 + 10) 10:00:00" } + ["0000-00-00 00:00:00"], .timestamp(), nil, 1),
    ("two orders", (0..<150).map { "\($0 % 12 + 1)/3/2018" } + ["28/1/2018", "1/28/2018"], .string, nil, 0),
  ] as [(String, [String], ColumnType, String?, Int)])
  func mostDatesDecide(name: String, cells: [String], type: ColumnType, format: String?, misfits: Int) {
    let found = guess(cells).found
    #expect(found.type == type && found.format == format && found.misfits == misfits, "\(name)")
  }

  @Test func wholeNumbersWithZerosBehindThemJoin() {
    let found = guess(["13085.0", "13078", "15362.0"]).found
    #expect(found.type == .int64 && found.zeroEnd == ".0" && found.decimal == nil)
    #expect(found.note == "whole numbers, some with .0 behind them, which is taken off: 13085.0 is 13085 in other tables")
    #expect(guess(["13085.0", "13085.5"]).found.type == .decimal(precision: 6, scale: 1))
    #expect(guess(["13085.00", "6.00"]).found.type == .decimal(precision: 7, scale: 2))
  }

  @Test func theFilesMarkDecidesWhatACommaIs() {
    let cells = ["1,234", "5,678"]
    #expect(guess(cells).found.isDoubtful && guess(cells).decimalVote == nil)
    #expect(guess(cells).found(decimal: ".").type == .int64 && guess(cells).found(decimal: ".").thousands == ",")
    #expect(guess(cells).found(decimal: ",").type == .decimal(precision: 4, scale: 3))
    #expect(guess(["1.234", "5.678"]).found(decimal: ",").thousands == ".")
    #expect(guess(["1,5"]).decimalVote == "," && guess(["1.5"]).decimalVote == "." && guess(["15"]).decimalVote == nil)
  }
}
