import Diagnostics
import Pipelines
import Testing

/// pipelines/cdnow.json against Fader, Hardie & Lee 2005 and the reproduction of it (docs/pipelines.md says where the data is).
@Suite struct CDNOWTests {
  @Test func publishedNumbers() throws {
    guard let shared = Executable.shared else { return print("CDNOW: the data is not here, nothing checked") }
    let folder = Folder()
    let run = try PipelineRun("cdnow", in: folder, "--set", "source=\(shared)/data/cdnow/CDNOW_sample.txt")
    #expect(try run.rows("purchases") == 6919)
    #expect(try run.rows("customers") == 2357)
    for (stage, name, expected) in [
      ("model", "r", 0.24259), ("model", "alpha", 4.41360), ("model", "a", 0.79292), ("model", "b", 2.42591),
      ("spend", "p", 6.24957), ("spend", "q", 3.74422), ("spend", "v", 15.44353),
    ] {
      #expect(close(try run.metric(stage, .key(name)), expected, relative: 1e-4), "\(stage) \(name)")
    }
    for (stage, metric, expected) in [
      ("model", "log_likelihood", -9582.4292), ("spend", "log_likelihood", -4055.9177), ("score", "mae", 0.7855),
      ("score", "rmse", 1.6080), ("score", "msle", 0.2343), ("score", "pearson", 0.6256),
    ] {
      #expect((try run.metric(stage, .key(metric)) - expected).magnitude <= 0.5e-4, "\(stage) \(metric)")
    }
    #expect((try run.metric("score", "predicted_total") - 1653.41).magnitude <= 0.005)
    #expect(try run.metric("score", "actual_total") == 1882)
  }
}
