// swift-tools-version: 6.1
import PackageDescription

// The modules that hold unsafe buffers and parallel loops, without the packages the others need:
// a sanitizer's debug build of those would take longer than all the tests. Used by .ci/test-more.
let strict: [SwiftSetting] = [.swiftLanguageMode(.v6)]

let package = Package(
  name: "sanitized",
  platforms: [.macOS(.v15)],
  products: [.library(name: "ArrowBridge", type: .dynamic, targets: ["ArrowBridge"])],
  targets: [
    .systemLibrary(name: "CArchive", pkgConfig: "libarchive"),
    .systemLibrary(name: "CExpat", pkgConfig: "expat"),
    .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3"),
    .systemLibrary(name: "CISAL", pkgConfig: "libisal"),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib"),
    .systemLibrary(name: "CXXHash", pkgConfig: "libxxhash"),
    .systemLibrary(name: "CArrow", pkgConfig: "millrace-arrow"),
    .target(name: "CPostgres"),
    .target(name: "CScan"),
    .target(name: "CArrowBridge"),
    .target(name: "ArrowBridge", dependencies: ["CArrow", "CArrowBridge"]),
    .target(name: "Diagnostics", swiftSettings: strict),
    .target(name: "Columns", dependencies: ["CArrowBridge", "CXXHash"], swiftSettings: strict),
    .target(name: "Statistics", swiftSettings: strict),
    .target(name: "Expressions", dependencies: ["Columns", "Diagnostics", "Statistics", "CArrowBridge"], swiftSettings: strict),
    .target(
      name: "Formats",
      dependencies: ["Columns", "Diagnostics", "CArrowBridge", "CArchive", "CExpat", "CISAL", "CPostgres", "CScan", "CSQLite"],
      swiftSettings: strict),
    .target(name: "Kernels", dependencies: ["Columns"], swiftSettings: strict),
    .executableTarget(name: "read-any", dependencies: ["Formats", "Columns", "Diagnostics"], path: "Tests/Corpora/ReadAny", swiftSettings: strict),
    .testTarget(name: "ColumnsTests", dependencies: ["Columns"], swiftSettings: strict),
    .testTarget(name: "ExpressionsTests", dependencies: ["Expressions", "Columns", "Diagnostics"], swiftSettings: strict),
    .testTarget(name: "FormatsTests", dependencies: ["Formats", "Columns", "Diagnostics", "CZlib", "CSQLite"], swiftSettings: strict),
    .testTarget(name: "KernelsTests", dependencies: ["Kernels", "Columns"], swiftSettings: strict),
  ],
  cxxLanguageStandard: .cxx20
)
