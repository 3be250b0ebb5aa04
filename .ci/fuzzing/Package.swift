// swift-tools-version: 6.1
import PackageDescription

// What reads bytes of others, as targets for libFuzzer (Tests/Fuzzing); a package of its own, because everything in it is
// compiled with the fuzzer's counters. Used by .ci/fuzz.
let strict: [SwiftSetting] = [.swiftLanguageMode(.v6)]

// The fuzzer brings `main`.
let target = strict + [.unsafeFlags(["-parse-as-library"])]

let package = Package(
  name: "fuzzing",
  platforms: [.macOS(.v15)],
  targets: [
    .systemLibrary(name: "CArchive", pkgConfig: "libarchive"),
    .systemLibrary(name: "CExpat", pkgConfig: "expat"),
    .systemLibrary(name: "CISAL", pkgConfig: "libisal"),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib"),
    .systemLibrary(name: "CXXHash", pkgConfig: "libxxhash"),
    .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3"),
    .target(name: "CPostgres"),
    .target(name: "CScan"),
    .target(name: "CArrowBridge"),
    .target(name: "Diagnostics", swiftSettings: strict),
    .target(name: "Columns", dependencies: ["CArrowBridge", "CXXHash"], swiftSettings: strict),
    .target(name: "Statistics", swiftSettings: strict),
    .target(name: "Expressions", dependencies: ["Columns", "Diagnostics", "Statistics", "CArrowBridge"], swiftSettings: strict),
    .target(
      name: "Formats",
      dependencies: ["Columns", "Diagnostics", "CArrowBridge", "CArchive", "CExpat", "CISAL", "CPostgres", "CScan", "CSQLite"],
      swiftSettings: strict),
    .target(name: "Kernels", dependencies: ["Columns"], swiftSettings: strict),
    .target(name: "Pipelines", dependencies: ["Columns", "Diagnostics", "Expressions", "Kernels"], swiftSettings: strict),

    .target(name: "FuzzFiles", path: "Tests/Fuzzing/Files", swiftSettings: strict),
    .executableTarget(
      name: "fuzz-csv", dependencies: ["Formats", "Columns", "FuzzFiles"], path: "Tests/Fuzzing/CSV", swiftSettings: target),
    .executableTarget(
      name: "fuzz-workbooks", dependencies: ["Formats", "Columns", "CZlib", "FuzzFiles"], path: "Tests/Fuzzing/Workbooks", swiftSettings: target),
    .executableTarget(
      name: "fuzz-archives", dependencies: ["Formats", "FuzzFiles"], path: "Tests/Fuzzing/Archives", swiftSettings: target),
    .executableTarget(
      name: "fuzz-documents", dependencies: ["Pipelines", "Expressions", "Diagnostics", "FuzzFiles"], path: "Tests/Fuzzing/Documents",
      swiftSettings: target),
  ],
  cxxLanguageStandard: .cxx20
)
