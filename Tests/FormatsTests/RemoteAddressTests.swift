import Diagnostics
import Testing

@testable import Formats

@Suite struct RemoteAddressTests {
  @Test(arguments: [
    ("s3://b/a/2011-*.csv", "a", true), ("s3://b/*.csv", "", true), ("s3://b/a/b/", "a/b", true), ("s3://b/a/**/c?.csv", "a", true), ("gs://b/a/b.csv", "a", false),
    ("hdfs://host:9000/data/x.parquet", "data", false), ("hdfs:///data/x.parquet", "data", false),
  ]) func whatStandsInFrontOfThePattern(text: String, fixed: String, isPattern: Bool) throws {
    let address = try RemoteAddress(text)
    #expect(address.fixed == fixed && address.isPattern == isPattern && address.text == text)
  }

  @Test(arguments: [
    ("s3://b/sales/x.csv", "s3://b", true), ("s3://b/sales/x.csv", "s3://b/", true), ("s3://b/sales/x.csv", "s3://b/sales", true),
    ("s3://b/sales/x.csv", "s3://b/sales/x.csv", true), ("s3://b/sales/x.csv", "s3://b/sal", false), ("s3://b/sales/x.csv", "s3://bb", false),
    ("s3://b/sales/x.csv", "gs://b", false), ("s3://b/sales/x.csv", "s3://", false), ("s3://b/*.csv", "s3://b", true), ("s3://b/*/x.csv", "s3://b/sales", false),
    ("s3://b/sales/*.csv", "s3://b/sales/", true), ("s3://b/sales/*.csv", "s3://b/sales/x", false),
  ]) func whatIsAllowed(text: String, allowed: String, isBelow: Bool) throws {
    #expect(try RemoteAddress(text).isBelow(allowed) == isBelow)
  }

  @Test func keysAreEncoded() throws {
    #expect(try RemoteAddress("hdfs://host:9000/a b/é+%?.csv").uri == "hdfs://host:9000/a%20b/%C3%A9%2B%25%3F.csv")
    #expect(message { try RemoteAddress("s3://user:word@b/k") } == """
      error: an address holds no user and no password
        expected s3://bucket/key
        hint: credentials are taken from the environment
      """)
  }
}
