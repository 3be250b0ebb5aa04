import Pipelines
import Testing

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// `runs export` and `runs import`.
@Suite struct RunArchiveTests {
  /// A run with an export among its stages, as run.tar.gz.
  private func exported() throws -> Folder {
    let folder = shop()
    folder.write(shopDocument.replacing("\n  }\n}", with: ",\n    \"file\": { \"stage\": \"export\", \"from\": \"spent\", \"with\": { \"file\": \"spent.csv\" } }\n  }\n}"), to: "shop.json")
    let run = folder.millrace("run", "shop.json", "--quiet")
    try #require(run.code == 0, "\(run.error)")
    let export = folder.millrace("runs", "export", "last", "run.tar.gz", "--quiet")
    try #require(export.code == 0 && export.error == "", "\(export.error)")
    return folder
  }

  @Test func theSameRunGivesTheSameBytes() throws {
    let folder = try exported()
    #expect(folder.millrace("runs", "export", "last", "again.tar.gz", "-j", "1", "--quiet").code == 0)
    #expect(bytes(ofFile: folder.path + "/run.tar.gz") == bytes(ofFile: folder.path + "/again.tar.gz"))
    let listed = Executable.shell("tar -tzvf run.tar.gz --full-time | awk '{print $1, $2, $4, $6}' | sed -E 's/[0-9a-f]{32}/DIGEST/' | sort -u", in: folder.path).out
    #expect(listed == """
      -rw-r--r-- 0/0 1970-01-01 objects/DIGEST/artifact.json
      -rw-r--r-- 0/0 1970-01-01 objects/DIGEST/content
      -rw-r--r-- 0/0 1970-01-01 objects/DIGEST/part-00000.arrow
      -rw-r--r-- 0/0 1970-01-01 recipes/DIGEST.json
      -rw-r--r-- 0/0 1970-01-01 run/run.html
      -rw-r--r-- 0/0 1970-01-01 run/run.json

      """)
  }

  @Test func anImportedRunIsAsTheRun() throws {
    let folder = try exported()
    let imported = folder.millrace("runs", "import", "run.tar.gz", "--artifacts", "other")
    #expect(imported.code == 0, "\(imported.error)")
    #expect(imported.out.hasPrefix("run 2") && imported.out.hasSuffix("\n"))
    #expect(folder.millrace("runs", "show", "last", "--json", "--artifacts", "other").out == folder.millrace("runs", "show", "last", "--json").out)
    let id = imported.out.dropFirst(4).dropLast()
    #expect(folder.text("other/runs/\(id)/spent.csv") == folder.text("artifacts/runs/\(id)/spent.csv"))
    let verified = folder.millrace("cache", "verify", "--artifacts", "other")
    #expect(verified.code == 0, "\(verified.out)")
    #expect(folder.millrace("runs", "export", "last", "again.tar.gz", "--artifacts", "other", "--quiet").code == 0)
    #expect(bytes(ofFile: folder.path + "/run.tar.gz") == bytes(ofFile: folder.path + "/again.tar.gz"))
    let run = folder.millrace("run", "shop.json", "--artifacts", "other", "--json", "--quiet")
    #expect(try json(run.out)["executed"]?.int == 0)
    #expect(folder.millrace("runs", "import", "run.tar.gz", "--artifacts", "other").out == imported.out.dropLast() + " was there\n")
    #expect(folder.names(under: "other/tmp") == [] && folder.names(under: "other/locks") == [])
  }

  /// Packs the run again after `change` (Python: `members` is a list of [name, bytes, TarInfo], in order) and imports it.
  private func refused(_ folder: Folder, _ change: String) -> Executable.Outcome {
    folder.write(
      """
      import io, json, tarfile
      members = []
      with tarfile.open('run.tar.gz') as archive:
          for info in archive: members.append([info.name, archive.extractfile(info).read(), info])
      def add(name, data=b'x', **more):
          info = tarfile.TarInfo(name)
          for key, value in more.items(): setattr(info, key, value)
          members.append([name, data, info])
      artifact = next(m for m in members if m[0].endswith('artifact.json'))
      part = next(m for m in members if m[0].endswith('.arrow'))
      recipe = next(m for m in members if m[0].startswith('recipes/'))
      run = next(m for m in members if m[0] == 'run/run.json')
      \(change)
      with tarfile.open('hostile.tar.gz', 'w:gz') as archive:
          for name, data, info in members:
              info.name, info.size = name, 0 if info.type in (b'1', b'2', b'3', b'6') else len(data)
              archive.addfile(info, io.BytesIO(data))
      """, to: "change.py")
    let packed = Executable.shell("python3 change.py", in: folder.path)
    #expect(packed.code == 0, "\(packed.error)")
    return folder.millrace("runs", "import", "hostile.tar.gz", "--artifacts", "other")
  }

  @Test func hostileArchivesAreRefusedWhole() throws {
    let folder = try exported()
    let cases: [(change: String, message: String)] = [
      ("add('../escaped')", "the name of member \"../escaped\" leads out of its folder, which is refused"),
      ("add('run/../../escaped')", "the name of member \"run/../../escaped\" leads out of its folder, which is refused"),
      ("add('/tmp/escaped')", "the name of member \"/tmp/escaped\" is absolute, which is refused"),
      ("add('..\\\\escaped')", "the name of member \"..\\escaped\" leads out of its folder, which is refused"),
      ("add('run/link', type=tarfile.SYMTYPE, linkname='/etc/passwd')", "member \"run/link\" is a symbolic link, which is refused"),
      ("add('run/link', type=tarfile.LNKTYPE, linkname='run/run.json')", "member \"run/link\" is a hard link, which is refused"),
      ("add('run/pipe', type=tarfile.FIFOTYPE)", "member \"run/pipe\" is a pipe, which is refused"),
      ("add('run/device', type=tarfile.CHRTYPE)", "member \"run/device\" is a device, which is refused"),
      ("members.append(run)", "the archive has two members named \"run/run.json\""),
      ("add('run/extra.html')", "\"run/extra.html\" is no member of a run"),
      ("add('catalog.sqlite')", "\"catalog.sqlite\" is no member of a run"),
      ("add('locks/x/y')", "\"locks/x/y\" is no member of a run"),
      ("add('recipes/nothing.json')", "\"recipes/nothing.json\" is no member of a run"),
      ("add('objects/nothing/artifact.json')", "\"objects/nothing/artifact.json\" is no member of a run"),
      ("add(artifact[0].replace('artifact.json', 'extra'))", "EXTRA is not what its artifact.json said before"),
      ("members.remove(artifact); members.append(artifact)", "PART is not what its artifact.json said before"),
      ("part[1] = part[1][:300] + bytes([part[1][300] ^ 1]) + part[1][301:]", "PART is not what was written"),
      ("part[1] = part[1] + b'x' * (100 << 20)", "PART is larger than SIZE bytes"),
      ("part[1] = part[1][:100]", "PART is not what was written"),
      ("artifact[1] = artifact[1].replace(b'part-', b'port-')", "ARTIFACT is not what was written"),
      ("recipe[1] = recipe[1].replace(b'1', b'2', 1)", "RECIPE is not what was written, or none of the run's"),
      ("run[1] = b'x' * (200 << 20)", "run/run.json is larger than 67108864 bytes"),
      ("run[1] = b'{'", "its run.json is no JSON"),
      ("run[1] = b'{\"run\": \"../../escaped\"}'", "its run.json names no run"),
      ("run[1] = b'{\"run\": \"latest\"}'", "its run.json names no run"),
      ("run[1] = b'{\"run\": \"20260101T000000Z-0000\"}'", "artifact DIGEST is none of the run's"),
      ("members[:] = [m for m in members if not m[0].startswith('objects/')]", "artifact DIGEST of the run is missing"),
      ("members.remove(run)", "it holds no run.json"),
      ("members.clear()", "the archive has no members"),
    ]
    for (change, message) in cases {
      let outcome = refused(folder, change)
      #expect(outcome.code == 2, "\(change): \(outcome.out)\(outcome.error)")
      let words = masked(outcome.error)
      let own = words.contains("is no archive of a run") ? "hostile.tar.gz: error: is no archive of a run that can be taken: \(message)\n  expected what millrace runs export wrote\n" : nil
      #expect(words == own || own == nil && words.hasPrefix("hostile.tar.gz: error: \(message)\n"), "\(change): \(words)")
      // Nothing of it is anywhere.
      for name in folder.names(under: "other") { #expect(name.split(separator: "/").count <= 2, "\(change): \(name)") }
      #expect(access(folder.path + "/escaped", F_OK) != 0 && access("/tmp/escaped", F_OK) != 0)
    }
    // And the same, unchanged, is taken.
    #expect(refused(folder, "pass").code == 0)
  }

  /// Digests and sizes of a message by what they are.
  private func masked(_ text: String) -> String {
    let hex = "[0-9a-f]{32}"
    let pairs = [
      ("\"objects/\(hex)/extra\"", "EXTRA"), ("\"objects/\(hex)/part-00000.arrow\"", "PART"), ("objects/\(hex)/part-00000.arrow", "PART"),
      ("objects/\(hex)/artifact.json", "ARTIFACT"), ("recipes/\(hex).json", "RECIPE"), ("artifact \(hex)", "artifact DIGEST"),
    ]
    var masked = text
    for (pattern, word) in pairs { masked = masked.replacing(try! Regex(pattern), with: word) }
    return masked.contains("run.json is larger") ? masked : masked.replacing(try! Regex("larger than [0-9]+ bytes"), with: "larger than SIZE bytes")
  }

  @Test func mistakes() throws {
    let folder = shop()
    #expect(folder.millrace("runs", "export", "last", "run.tar.gz").error == "error: the store \"\(folder.path)/artifacts\" holds no run\n  hint: millrace run makes one\n")
    #expect(folder.millrace("runs", "export", "last", "run.zip").code == 64)
    #expect(folder.millrace("runs", "import", "none.tar.gz").error == "none.tar.gz: error: cannot be opened: No such file or directory\n")
    #expect(folder.millrace("run", "shop.json", "--quiet").code == 0)
    for name in folder.names(under: "artifacts/objects") where name.hasSuffix(".arrow") { truncate(folder.path + "/artifacts/objects/" + name.split(separator: "/").suffix(2).joined(separator: "/"), 10) }
    let export = folder.millrace("runs", "export", "last", "run.tar.gz")
    #expect(export.code == 2 && export.error.contains("is not in the store, or not as it was written\n  hint: millrace runs reproduce "), "\(export.error)")
    #expect(!folder.names(under: "").contains { $0.hasPrefix("run.tar.gz") })
  }
}
