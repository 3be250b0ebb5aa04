/// cluster-benchmark make FILE [N]: customers to cluster: log days since the last order, log orders, log revenue, each standardized; three
/// columns of doubles, one after the other. cluster-benchmark k-means FILE · mini-batch FILE [SEED] [BATCH] [K] [COLUMNS] · ward FILE [N] · agreement FILE: one line of JSON each, with
/// processor seconds of the fit alone and the peak memory of the process. cluster-benchmark cut FILE N OUT: the tree of N points as that of
/// all would be made, cut into 8 and into 4; labels as int32, for clusters.py to compare.
import Models
import Statistics

#if canImport(Glibc)
  import CMalloc
  import Glibc
#else
  import Darwin
#endif

func processorSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// Since the process began; Linux counts KiB.
func peakMiB() -> Int {
  var usage = rusage()
  #if canImport(Glibc)
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss / 1024
  #else
    getrusage(RUSAGE_SELF, &usage)
    return usage.ru_maxrss / 1_048_576
  #endif
}

let columns = 3

/// Customers of a shop: purchases at gamma-distributed rates, until they leave; spend around a mean of their own.
func customers(_ n: Int) -> [[Double]] {
  var random = RandomStream(seed: 20_111_209)
  var all = [[Double]](repeating: [], count: columns)
  for _ in 0..<n {
    let rate = random.gamma(shape: 0.6, rate: 8), life = random.exponential(rate: 1.0 / 90), since = 730 * random.uniform()
    let orders = 1 + random.poisson(mean: rate * min(life, since))
    let last = orders == 1 ? 0 : min(life, since) * (1 - 0.5 / Double(orders) * random.uniform())
    let spend = random.gamma(shape: 6, rate: 1) * (40 / random.gamma(shape: 4, rate: 1))
    all[0].append(Portable.log1p((since - last).rounded()))
    all[1].append(Portable.log1p(Double(orders)))
    all[2].append(Portable.log1p(spend * Double(orders)))
  }
  return all.map(Scaling.standard.apply)
}

func write(_ all: [[Double]], _ path: String) {
  guard let file = fopen(path, "wb") else { fatalError("\(path) cannot be written") }
  for column in all { _ = column.withUnsafeBufferPointer { fwrite($0.baseAddress, 8, $0.count, file) } }
  fclose(file)
}

/// `limit` evenly spaced points, or all.
func read(_ path: String, limit: Int?) -> [[Double]] {
  guard let file = fopen(path, "rb") else { fatalError("\(path) cannot be read; cluster-benchmark make \(path)") }
  defer { fclose(file) }
  fseek(file, 0, SEEK_END)
  let n = ftell(file) / 8 / columns
  rewind(file)
  let all = (0..<columns).map { _ in
    [Double](unsafeUninitializedCapacity: n) { buffer, count in count = fread(buffer.baseAddress, 8, n, file) }
  }
  guard let limit, limit < n else { return all }
  return all.map { column in (0..<limit).map { column[$0 * (n - 1) / (limit - 1)] } }
}

/// Points of a file, read anew each time and never held.
struct FilePoints: PointStream {
  let path: String
  let width: Int

  var count: Int {
    guard let file = fopen(path, "rb") else { fatalError("\(path) cannot be read") }
    defer { fclose(file) }
    fseek(file, 0, SEEK_END)
    return ftell(file) / 8 / width
  }

  func forEachPiece(_ body: ([[Double]], [Double]) throws -> Void) throws {
    guard let file = fopen(path, "rb") else { fatalError("\(path) cannot be read") }
    defer { fclose(file) }
    let n = count
    for from in stride(from: 0, to: n, by: 50_000) {
      let length = min(50_000, n - from)
      let columns = (0..<width).map { j in
        fseek(file, (j * n + from) * 8, SEEK_SET)
        return [Double](unsafeUninitializedCapacity: length) { buffer, read in read = fread(buffer.baseAddress, 8, length, file) }
      }
      try body(columns, [])
    }
  }
}

/// Memory as the process `millrace` has it: what is freed is kept, and the heap begins with large pages.
func keepMemory() {
  #if canImport(Glibc)
    mallopt(M_MMAP_THRESHOLD, 32 << 20)
    mallopt(M_TRIM_THRESHOLD, 1 << 30)
    mallopt(M_ARENA_MAX, 1)
    let reserve = 512 << 20, page = 2 << 20
    mallopt(M_TOP_PAD, Int32(reserve))
    if let first = malloc(1 << 20) {
      let start = (UInt(bitPattern: first) + UInt(page) - 1) & ~(UInt(page) - 1)
      _ = madvise(UnsafeMutableRawPointer(bitPattern: start), reserve - page, MADV_HUGEPAGE)
      free(first)
    }
    mallopt(M_TOP_PAD, 16 << 20)
  #endif
}

keepMemory()
let arguments = CommandLine.arguments
guard arguments.count > 2 else { fatalError("cluster-benchmark make|k-means|mini-batch|ward|cut|agreement FILE [N] [OUT]") }
let count = arguments.count > 3 ? Int(arguments[3]) : nil
switch arguments[1] {
case "make": write(customers(count ?? 1_000_000), arguments[2])
case "k-means":
  let points = read(arguments[2], limit: count)
  let start = processorSeconds()
  let result = KMeans(k: 8, seed: 1, restarts: 1).fit(points)
  let seconds = processorSeconds() - start
  print(
    "{\"tool\": \"millrace\", \"job\": \"k-means\", \"points\": \(points[0].count), \"inertia\": \(result.inertia), \"passes\": \(result.iterations), \"cpu_s\": \(seconds), \"peak_mib\": \(peakMiB())}"
  )
case "mini-batch":
  let given = arguments.dropFirst(3).map { Int($0) ?? 1 }
  func option(_ at: Int, _ standard: Int) -> Int { given.count > at ? given[at] : standard }
  let points = FilePoints(path: arguments[2], width: option(3, columns))
  let start = processorSeconds()
  let method = MiniBatchKMeans(k: option(2, 8), seed: UInt64(option(0, 1)), batch: option(1, 1024))
  let result = try method.fit(points, count: points.count, from: method.sample(points, count: points.count))
  let seconds = processorSeconds() - start
  let inertia = try MiniBatchKMeans.assigned(points, to: result.centers) { _ in }.inertia
  print(
    "{\"tool\": \"millrace\", \"job\": \"mini-batch\", \"points\": \(points.count), \"inertia\": \(inertia), \"batches\": \(result.batches), \"cpu_s\": \(seconds), \"with_labels_cpu_s\": \(processorSeconds() - start), \"peak_mib\": \(peakMiB())}"
  )
case "ward":
  let points = read(arguments[2], limit: count)
  let start = processorSeconds()
  let tree = Linkage(.ward).fit(points)
  let seconds = processorSeconds() - start
  let heights = tree.dendrogram.merges.map(\.height)
  print(
    "{\"tool\": \"millrace\", \"job\": \"ward\", \"points\": \(points[0].count), \"sum_heights\": \(Summaries.sum(heights)), \"last_height\": \(heights.last ?? 0), \"exact\": \(tree.condensed == nil), \"cpu_s\": \(seconds), \"peak_mib\": \(peakMiB())}"
  )
case "cut":
  guard arguments.count > 4 else { fatalError("cluster-benchmark cut FILE N OUT") }
  // Nothing is condensed where nothing is condensed of all points.
  let tree = Linkage(.ward).fit(read(arguments[2], limit: count))
  guard let file = fopen(arguments[4], "wb") else { fatalError("\(arguments[4]) cannot be written") }
  for k in [8, 4] { _ = tree.labels(k).withUnsafeBufferPointer { fwrite($0.baseAddress, 4, $0.count, file) } }
  fclose(file)
case "agreement":
  // What micro-clusters cost where an exact tree would take too long.
  let points = read(arguments[2], limit: count ?? 5_000)
  let exact = Linkage(.ward).fit(points)
  var linkage = Linkage(.ward, exactLimit: points[0].count - 1)
  for micro in [500, 1_000, 2_000, 4_000] where micro < points[0].count {
    linkage.microClusters = micro
    let start = processorSeconds()
    let condensed = linkage.fit(points)
    let seconds = processorSeconds() - start
    print(
      "{\"tool\": \"millrace\", \"job\": \"agreement\", \"points\": \(points[0].count), \"micro_clusters\": \(micro), \"adjusted_rand_8\": \(AdjustedRand.index(exact.labels(8), condensed.labels(8))), \"adjusted_rand_4\": \(AdjustedRand.index(exact.labels(4), condensed.labels(4))), \"cpu_s\": \(seconds)}"
    )
  }
default: fatalError("\(arguments[1]) is none of make, k-means, mini-batch, ward, cut, agreement")
}
