import Columns
import Models

/// The tables that clusters give beside the segments.
enum ClusterTables {
  /// Clusters are numbered as SciPy does: from 0 the rows (those that have all their numbers, in order), then the merges.
  static let merges = Schema([
    Field("left", .int32), Field("right", .int32), Field("height", .float64), Field("customers", .int64),
  ])

  static func batch(of tree: Dendrogram) -> Batch {
    let merges = tree.merges
    return Batch(
      schema: Self.merges,
      columns: [
        .full(.int32, merges.map(\.left)), .full(.int32, merges.map(\.right)), .full(.float64, merges.map(\.height)),
        .full(.int64, merges.map { Int64($0.size) }),
      ], count: merges.count)
  }

  static let choices = Schema([
    Field("k", .int32), Field("chosen", .bool), Field("inertia", .float64), Field("silhouette", .float64),
    Field("silhouette_low", .float64), Field("silhouette_high", .float64), Field("davies_bouldin", .float64),
    Field("calinski_harabasz", .float64), Field("gap", .float64), Field("gap_error", .float64), Field("bic", .float64),
  ])

  static func batch(of choice: ChoiceOfK) -> Batch {
    let rows = choice.rows
    func numbers(_ value: (ChoiceOfK.Row) -> Double?) -> Column { .float64s(rows.map(value)) }
    return Batch(
      schema: choices,
      columns: [
        .int32s(rows.map { Int32($0.k) }), .bools(rows.indices.map { $0 == choice.chosen }), numbers { $0.indices.inertia },
        numbers { $0.silhouette?.mean }, numbers { $0.silhouette?.low }, numbers { $0.silhouette?.high },
        numbers { $0.indices.daviesBouldin }, numbers { $0.indices.calinskiHarabasz }, numbers { $0.gap?.gap },
        numbers { $0.gap?.error }, numbers { $0.bic },
      ], count: rows.count)
  }
}
