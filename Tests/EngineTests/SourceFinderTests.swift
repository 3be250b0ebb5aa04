import Diagnostics
import Pipelines
import Testing

@testable import Engine

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

@Suite struct SourceFinderTests {
  /// project/{pipelines/, data/{a.csv,b.csv,deep/c.csv}} beside outside/secret.csv
  private func tree() throws -> (story: Story, finder: SourceFinder, allow: (String) -> SourceFinder) {
    let story = Story()
    for folder in ["project/pipelines", "project/data/deep", "outside"] { try Disk.makeFolders(story.folder + "/" + folder) }
    for file in ["project/data/a.csv", "project/data/b.csv", "project/data/deep/c.csv", "outside/secret.csv"] { try story.write(file, file) }
    symlink("../../outside/secret.csv", story.folder + "/project/data/link.csv")
    symlink("nowhere", story.folder + "/project/data/broken.csv")
    let project = Project(document: story.folder + "/project/pipelines/p.json")
    #expect(project.root.hasSuffix("/project"))
    return (story, SourceFinder(project: project), { SourceFinder(project: project, allow: [$0]) })
  }

  private func names(_ finder: SourceFinder, _ pattern: String) throws -> [String] {
    try finder.files(of: Source(.files(pattern), setting: ["path"])).map(\.name)
  }

  private func words(_ finder: SourceFinder, _ pattern: String) -> String {
    do { return try names(finder, pattern).description } catch { return "\(error)" }
  }

  @Test func namesAreNeverFoldersOfAMachine() throws {
    let (story, finder, allow) = try tree()
    #expect(try names(finder, "../data/a.csv") == ["a.csv"])
    #expect(try names(finder, "../data/deep") == ["c.csv"])
    #expect(try names(finder, "../data/?.csv") == ["a.csv", "b.csv"])
    #expect(try names(finder, "../data/deep/**/*.csv") == ["c.csv"])
    #expect(try names(allow(story.folder + "/outside"), "../../outside/*.csv") == ["secret.csv"])
    let beside = SourceFinder(project: Project(document: story.folder + "/project/p.json"))
    #expect(try names(beside, "data/a.csv") == ["a.csv"])
    #expect(try names(beside, "data/**/c.csv") == ["deep/c.csv"])
    #expect(try beside.files(of: Source(.files(story.folder + "/outside/secret.csv"), setting: ["path"]), origin: .commandLine).map(\.name) == ["secret.csv"])
  }

  @Test(arguments: [
    ("../data/c.csv", "error: there is no file \"../data/c.csv\" (setting /path)\n  hint: did you mean \"../data/a.csv\"?"),
    ("../dato/a.csv", "error: there is no file \"../dato/a.csv\" (setting /path)\n  hint: the folder \"../dato\" does not exist"),
    ("../data/broken.csv", "error: \"../data/broken.csv\" is a link to a file that does not exist (setting /path)"),
    ("../data/x*.csv", "error: no file matches \"../data/x*.csv\" (setting /path)\n  hint: * and ? match within one name, ** matches folders"),
    ("../../outside/secret.csv", "error: the path \"../../outside/secret.csv\" leads outside of the project (setting /path)\n  hint: allow it with --allow-path, or give it on the command line with --set"),
    ("../data/link.csv", "error: the path \"../data/link.csv\" leads outside of the project (setting /path)\n  hint: allow it with --allow-path, or give it on the command line with --set"),
  ]) func mistakes(pattern: String, expected: String) throws {
    #expect(words(try tree().finder, pattern) == expected)
  }
}
