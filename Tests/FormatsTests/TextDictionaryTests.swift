import Testing

@testable import Formats

/// Texts of every length up to 70 bytes, and beside each those that differ from it in one byte.
private let texts: [[UInt8]] = (0...70).flatMap { length in
  let whole = (0..<length).map { UInt8(97 + $0 % 26) }
  return [whole] + whole.indices.map { place in
    var other = whole
    other[place] = 48
    return other
  }
}

/// With the 16 bytes behind that a key may look at, which are not of the text.
private func with<T>(_ text: [UInt8], followedBy rest: UInt8, _ body: (UnsafePointer<UInt8>, Int) -> T) -> T {
  (text + Array(repeating: rest, count: 32)).withUnsafeBufferPointer { body($0.baseAddress!, text.count) }
}

@Test func textsOfAnyLengthAreToldApart() {
  let dictionary = TextDictionary()
  for (code, text) in texts.enumerated() {
    with(text, followedBy: 120) { base, count in
      let key = TextDictionary.Key(base, count)
      #expect(dictionary.find(base, count, key) == -1, "\(text)")
      #expect(dictionary.insert(base, count, key) == Int32(code))
    }
  }
  #expect(Set(texts).count == texts.count && dictionary.count == texts.count)
  for (code, text) in texts.enumerated() {
    with(text, followedBy: 121) { base, count in
      // Either way of making the key.
      #expect(dictionary.find(base, count, TextDictionary.Key(base, count)) == Int32(code), "\(text)")
      #expect(dictionary.find(base, count, TextDictionary.Key(base, count, isMostlyLong: true)) == Int32(code), "\(text)")
    }
    #expect(Array(dictionary[code]) == text)
  }
}

@Test func manyTextsSurviveGrowth() {
  let dictionary = TextDictionary()
  for number in 0..<40_000 {
    let known = with(Array("article \(number % 30_000)".utf8), followedBy: 0) { base, count in
      let key = TextDictionary.Key(base, count), known = dictionary.find(base, count, key)
      return known >= 0 ? known : dictionary.insert(base, count, key)
    }
    #expect(known == Int32(number % 30_000))
  }
  dictionary.removeAll()
  #expect(with(Array("article 7".utf8), followedBy: 0) { dictionary.find($0, $1, TextDictionary.Key($0, $1)) } == -1)
}
