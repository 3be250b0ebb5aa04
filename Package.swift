// swift-tools-version: 6.1
import PackageDescription

// Every target is Swift 6 language mode; the build adds `--explicit-target-dependency-import-check error`,
// so that an import that is not declared here fails. Imports go down a floor, never up, never sideways.
let strict: [SwiftSetting] = [.swiftLanguageMode(.v6)]

var package = Package(
  name: "millrace",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "millrace", targets: ["millrace"]),
    // Beside it: `millrace view` becomes it.
    .executable(name: "millrace-view", targets: ["millrace-view"]),
    // Opened with dlopen at first use, so that `check`, `plan` and an all-cached run never load Apache Arrow.
    .library(name: "ArrowBridge", type: .dynamic, targets: ["ArrowBridge"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/swhitty/FlyingFox", exact: "0.27.1"),
  ],
  targets: [
    // Below the floors: libraries of the system, and the one C++ target.
    .systemLibrary(name: "CExpat", pkgConfig: "expat", providers: [.apt(["libexpat1-dev"])]),
    .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
    .systemLibrary(name: "CISAL", pkgConfig: "libisal", providers: [.apt(["libisal-dev"])]),
    // Only tests use it: to pack, and as the slow twin of the inflater.
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CXXHash", pkgConfig: "libxxhash", providers: [.apt(["libxxhash-dev"])]),
    .systemLibrary(name: "CMalloc"),
    .systemLibrary(name: "CFlush"),
    .systemLibrary(name: "CArrow", pkgConfig: "millrace-arrow"),
    .target(name: "CArchive"),
    .target(name: "CPostgres"),
    .target(name: "CCurl"),
    .target(name: "CScan"),
    .target(name: "CXGBoost"),
    .target(name: "CArrowBridge"),
    .target(name: "ArrowBridge", dependencies: ["CArrow", "CArrowBridge"]),

    // Floor 0: what everything else is said in. Diagnostics: mistakes and their words. Columns: what a table is.
    // Statistics: elementary and special functions, optimizers, quadrature, seeded random numbers.
    .target(name: "Diagnostics", swiftSettings: strict),
    .target(name: "Columns", dependencies: ["CArrowBridge", "CXXHash"], swiftSettings: strict),
    .target(name: "Statistics", swiftSettings: strict),

    // Floor 1: bytes, expressions, models, pictures. None knows another.
    .target(
      name: "Expressions", dependencies: ["Columns", "Diagnostics", "Statistics", "CArrowBridge"], swiftSettings: strict),
    .target(
      name: "Formats",
      dependencies: ["Columns", "Diagnostics", "CArrowBridge", "CArchive", "CExpat", "CISAL", "CPostgres", "CScan", "CSQLite"],
      swiftSettings: strict),
    .target(name: "Kernels", dependencies: ["Columns"], swiftSettings: strict),
    .target(name: "Models", dependencies: ["Statistics", "CXGBoost"], swiftSettings: strict),
    .target(name: "Charts", dependencies: ["Columns", "Diagnostics", "Statistics"], swiftSettings: strict),

    // Floor 2: the document, the stage contract, relations, the bound plan.
    .target(
      name: "Pipelines",
      dependencies: ["Columns", "Diagnostics", "Expressions", "Kernels", "Models"], swiftSettings: strict),

    // Floor 3: the engine, which knows no kind, and the kinds, which do not know the engine.
    .target(
      name: "Engine",
      dependencies: ["Columns", "Diagnostics", "Expressions", "Formats", "Pipelines", "CCurl", "CFlush", "CSQLite"], swiftSettings: strict),
    .target(
      name: "Stages",
      dependencies: [
        "Columns", "Diagnostics", "Statistics", "Expressions", "Formats", "Kernels", "Models", "Charts", "Pipelines",
      ], path: "stages", swiftSettings: strict),

    // Between the floors: pages about a store, as a function from requests to answers.
    .target(name: "Viewing", dependencies: ["Columns", "Diagnostics", "Pipelines", "Engine"], swiftSettings: strict),

    // Floor 4: the command line. Words in, words out, exit codes. And the socket for those pages, whose package brings Foundation.
    .executableTarget(
      name: "millrace",
      dependencies: [
        "CMalloc", "Columns", "Diagnostics", "Formats", "Pipelines", "Engine", "Stages",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], swiftSettings: strict),

    .executableTarget(
      name: "millrace-view",
      dependencies: [
        "Diagnostics", "Engine", "Viewing",
        .product(name: "FlyingFox", package: "FlyingFox"), .product(name: "FlyingSocks", package: "FlyingFox"),
      ], swiftSettings: strict),

    // The CSV reader alone, for measuring: `swift run -c release read-benchmark FILE`.
    .executableTarget(
      name: "read-benchmark", dependencies: ["Formats", "Columns", "CScan"], path: "Tests/Benchmarks/Reading", swiftSettings: strict),
    // The models alone, for `make bench`.
    .executableTarget(
      name: "model-benchmark", dependencies: ["Models", "Statistics"], path: "Tests/Benchmarks/Models", swiftSettings: strict),

    // Clusters alone, for measuring: `make bench`.
    .executableTarget(
      name: "cluster-benchmark", dependencies: ["CMalloc", "Models", "Statistics"], path: "Tests/Benchmarks/Clustering", swiftSettings: strict),

    .testTarget(name: "DiagnosticsTests", dependencies: ["Diagnostics"], swiftSettings: strict),
    .testTarget(name: "ColumnsTests", dependencies: ["Columns"], swiftSettings: strict),
    .testTarget(name: "StatisticsTests", dependencies: ["Statistics"], swiftSettings: strict),
    .testTarget(name: "ExpressionsTests", dependencies: ["Expressions", "Columns", "Diagnostics"], swiftSettings: strict),
    .testTarget(name: "FormatsTests", dependencies: ["Formats", "Columns", "Diagnostics", "CZlib", "CSQLite"], swiftSettings: strict),
    .testTarget(name: "KernelsTests", dependencies: ["Kernels", "Columns"], swiftSettings: strict),
    .testTarget(name: "ModelsTests", dependencies: ["Models", "Statistics"], swiftSettings: strict),
    .testTarget(name: "ChartsTests", dependencies: ["Charts", "Columns", "Diagnostics"], swiftSettings: strict),
    .testTarget(
      name: "PipelinesTests", dependencies: ["Pipelines", "Columns", "Diagnostics", "Expressions"], swiftSettings: strict),
    .testTarget(
      name: "EngineTests", dependencies: ["Engine", "Pipelines", "Columns", "Diagnostics"], swiftSettings: strict),
    .testTarget(
      name: "StagesTests",
      dependencies: ["Stages", "Engine", "Pipelines", "Columns", "Diagnostics", "Formats", "Models", "Charts", "Statistics", "Kernels", "Expressions"], swiftSettings: strict),
    .testTarget(
      name: "ViewingTests", dependencies: ["Viewing", "Stages", "Engine", "Pipelines", "Columns", "Diagnostics"], swiftSettings: strict),
    .testTarget(
      name: "PipelinesEndToEndTests",
      dependencies: ["millrace", "millrace-view", "Stages", "Engine", "Pipelines", "Formats", "Columns", "Diagnostics"], swiftSettings: strict),
  ],
  cxxLanguageStandard: .cxx20
)

// Sanitizers and the fuzzer compile all they look into once more, slowly: MILLRACE_TARGETS names the targets, and only those and
// what they import are there (.ci/test-more, .ci/fuzz).
if let named = Context.environment["MILLRACE_TARGETS"] {
  // The fuzzer brings `main`.
  let fuzzed = strict + [.unsafeFlags(["-parse-as-library"])]
  package.targets += [
    .target(name: "FuzzFiles", path: "Tests/Fuzzing/Files", swiftSettings: strict),
    .executableTarget(
      name: "fuzz-csv", dependencies: ["Formats", "Columns", "FuzzFiles"], path: "Tests/Fuzzing/CSV", swiftSettings: fuzzed),
    .executableTarget(
      name: "fuzz-workbooks", dependencies: ["Formats", "Columns", "CZlib", "FuzzFiles"], path: "Tests/Fuzzing/Workbooks", swiftSettings: fuzzed),
    .executableTarget(
      name: "fuzz-archives", dependencies: ["Formats", "FuzzFiles"], path: "Tests/Fuzzing/Archives", swiftSettings: fuzzed),
    .executableTarget(
      name: "fuzz-documents", dependencies: ["Pipelines", "Expressions", "Diagnostics", "FuzzFiles"], path: "Tests/Fuzzing/Documents",
      swiftSettings: fuzzed),
    .executableTarget(
      name: "read-any", dependencies: ["Formats", "Columns", "Diagnostics"], path: "Tests/Corpora/ReadAny", swiftSettings: strict),
  ]
  // What the thread sanitizer cannot see of Swift's own locks; for every test target, so that it stands in the one executable, and for the programs that tests start.
  package.targets.append(.target(name: "CWatchedLocks", path: "Tests/Sanitizers", publicHeadersPath: "."))
  for target in package.targets where target.type == .test || ["millrace", "millrace-view"].contains(target.name) { target.dependencies.append("CWatchedLocks") }
  let dependencies = Dictionary(uniqueKeysWithValues: package.targets.map { target in
    (target.name, target.dependencies.compactMap { dependency in
      switch dependency {
      case .byNameItem(let name, _), .targetItem(let name, _): name
      default: nil as String?
      }
    })
  })
  var kept: Set<String> = []
  var left = named.split(separator: " ").map(String.init)
  while let next = left.popLast() {
    guard let imports = dependencies[next] else { fatalError("MILLRACE_TARGETS names \(next), which is no target") }
    if kept.insert(next).inserted { left += imports }
  }
  package.targets.removeAll { !kept.contains($0.name) }
  package.products.removeAll { !kept.contains($0.name) }
  if kept.isDisjoint(with: ["millrace", "millrace-view"]) { package.dependencies = [] }
}
