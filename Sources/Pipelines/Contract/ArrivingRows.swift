import Columns

/// The rows of a table while another stage makes them: they come once, in order, with the columns that may be read.
public protocol ArrivingRows: AnyObject, Sendable {
  /// What comes next: at least one step and at most `batches` batches; empty when the table has ended. Waits for the stage
  /// that makes them. One thread asks.
  func next(atMost batches: Int) throws -> [RowStep<Batch>]
}

/// What is met on the way through a table: the beginning of a partition, which may stay empty, or rows of it.
public enum RowStep<Rows: Sendable>: Sendable {
  case partition(String)
  case batch(Rows)
}
