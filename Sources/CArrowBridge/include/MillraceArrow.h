/// What of Apache Arrow C++ is used here, as one table of C functions.
///
/// The library behind it (libArrowBridge) is opened at first use, so that a command that reads no
/// columns does not pay for loading Arrow. Only the structs of the Arrow C data and stream
/// interfaces cross the border (https://arrow.apache.org/docs/format/CDataInterface.html).
///
/// Rules that hold for every function of the table:
/// * 0 is success; anything else is failure, with a sentence in `error` (always ended by a zero byte).
/// * Structs given *in* (schemas, arrays) are moved: released by the callee, on failure too.
/// * Structs given *out* are released by the caller with their own `release`; written on success only.
/// * No C++ exception crosses.
#ifndef MILLRACE_ARROW_H
#define MILLRACE_ARROW_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// The standard structs stand as the specification has them, without nullability.
#ifdef __clang__
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnullability-completeness"
#endif

#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

struct ArrowSchema {
  const char *format;
  const char *name;
  const char *metadata;
  int64_t flags;
  int64_t n_children;
  struct ArrowSchema **children;
  struct ArrowSchema *dictionary;
  void (*release)(struct ArrowSchema *);
  void *private_data;
};

struct ArrowArray {
  int64_t length;
  int64_t null_count;
  int64_t offset;
  int64_t n_buffers;
  int64_t n_children;
  const void **buffers;
  struct ArrowArray **children;
  struct ArrowArray *dictionary;
  void (*release)(struct ArrowArray *);
  void *private_data;
};

#endif  // ARROW_C_DATA_INTERFACE

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE

struct ArrowArrayStream {
  int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *out);
  int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *out);
  const char *(*get_last_error)(struct ArrowArrayStream *);
  void (*release)(struct ArrowArrayStream *);
  void *private_data;
};

#endif  // ARROW_C_STREAM_INTERFACE

#ifdef __clang__
#pragma clang diagnostic pop
#pragma clang assume_nonnull begin
#define MILLRACE_NULLABLE _Nullable
#define MILLRACE_NONNULL _Nonnull
#else
#define MILLRACE_NULLABLE
#define MILLRACE_NONNULL
#endif

typedef struct MillraceIPCWriter MillraceIPCWriter;
typedef struct MillraceIPCReader MillraceIPCReader;
typedef struct MillraceParquetReader MillraceParquetReader;
typedef struct MillraceParquetWriter MillraceParquetWriter;
typedef struct MillraceRemoteFile MillraceRemoteFile;

/// Options of one compute function. `kind` chooses the meaning of the rest; a zeroed struct means
/// the function's own defaults. Unset texts are NULL.
///
/// | kind            | functions                                    | text1 / text2 / text3             | integer1 / 2 / 3             |
/// |-----------------|----------------------------------------------|-----------------------------------|------------------------------|
/// | cast            | cast                                         | Arrow format ("l", "u", "tsu:UTC", "d:18,2") | 1: unsafe         |
/// | match           | match_substring(_regex), match_like, starts_with, ends_with, find_substring(_regex), count_substring(_regex) | pattern | 1: ignore case |
/// | replace         | replace_substring(_regex)                    | pattern / replacement             | at most so many; 0: all      |
/// | extract         | extract_regex                                | pattern with named groups         |                              |
/// | trim            | utf8_trim, utf8_ltrim, utf8_rtrim            | characters                        |                              |
/// | split           | split_pattern(_regex)                        | pattern                           | at most / 1: from the end    |
/// | slice           | utf8_slice_codeunits, binary_slice           |                                   | start / stop / step (0: 1)   |
/// | pad             | utf8_lpad, utf8_rpad, utf8_center            | padding                           | width                        |
/// | replace_slice   | utf8_replace_slice                           | replacement                       | start / stop                 |
/// | join            | binary_join_element_wise                     | nulls: emit_null, skip, replace / replacement |                  |
/// | strptime        | strptime                                     | format / unit: s, ms, us, ns      | 1: failure gives null        |
/// | strftime        | strftime                                     | format / locale (NULL: "C")       |                              |
/// | round           | round                                        | mode (NULL: half_to_even)         | digits                       |
/// | round_temporal  | floor_temporal, ceil_temporal, round_temporal | unit: "day", "week", "month" … | multiple (0: 1) / 1: week starts on Sunday |
/// | assume_timezone | assume_timezone                              | zone / ambiguous / nonexistent: raise, earliest, latest |        |
/// | day_of_week     | day_of_week                                  |                                   | 1: count from one / week start (0, 1: Monday … 7: Sunday) |
/// | week            | week                                         |                                   | 1: starts on Sunday / 1: count from zero / 1: first week is full |
/// | set             | is_in, index_in (`values`)                   | nulls: match, skip, emit_null, inconclusive |                    |
/// | null            | is_null                                      |                                   | 1: NaN is null               |
/// | element_wise    | min_element_wise, max_element_wise           |                                   | 1: a null makes null         |
/// | aggregate       | sum, mean, min_max, any, all …               |                                   | 1: keep nulls / minimum count |
/// | count           | count, count_distinct                        | valid, null, all                  |                              |
/// | case_when       | case_when: conditions first, then values, then perhaps the else value | | how many conditions       |
/// | field           | struct_field                                 |                                   | index                        |
/// | filter          | filter, array_filter                         | nulls: drop, emit_null            |                              |
/// | take            | take, array_take                             |                                   | 1: indices are not checked   |
/// | sort            | array_sort_indices                           | nulls: at_end, at_start           | 1: descending                |
/// | dictionary      | dictionary_encode                            | nulls: mask, encode               |                              |
struct MillraceOptions {
  const char *MILLRACE_NULLABLE kind;
  const char *MILLRACE_NULLABLE text1;
  const char *MILLRACE_NULLABLE text2;
  const char *MILLRACE_NULLABLE text3;
  int64_t integer1;
  int64_t integer2;
  int64_t integer3;
  double real1;  // no kind reads it yet
  /// The set of kind "set"; moved like an argument.
  struct ArrowArray *MILLRACE_NULLABLE values;
  struct ArrowSchema *MILLRACE_NULLABLE values_schema;
};

/// Raised whenever the table below changes, so that a stale library is refused, not called.
#define MILLRACE_ARROW_LAYOUT 6

/// Sees the bytes of a file in their order while they are written.
typedef void (*MillraceWritten)(void *MILLRACE_NULLABLE context, const void *MILLRACE_NONNULL bytes, int64_t count);

/// Is told the path of one object, below the place that was listed; `path` lives during the call.
typedef void (*MillraceListed)(void *MILLRACE_NULLABLE context, const char *path);

struct MillraceArrow {
  int32_t layout;

  /// Version of Arrow C++, "26.0.1".
  const char *MILLRACE_NONNULL (*MILLRACE_NONNULL version)(void);

  // MARK: Arrow IPC files

  /// Starts a file of the IPC *file* format (alignment 64). `compression` is NULL, "zstd" or "lz4". `written` (NULL: nobody)
  /// is called with `context` from within the three functions below. A file of at most `held` bytes is not made: `written` is given all of them
  /// at once, by close.
  int (*ipc_writer_open)(const char *path, struct ArrowSchema *schema, const char *MILLRACE_NULLABLE compression, int64_t held,
                         MillraceWritten MILLRACE_NULLABLE written, void *MILLRACE_NULLABLE context,
                         MillraceIPCWriter *MILLRACE_NULLABLE *MILLRACE_NONNULL out, char *error, size_t error_size);
  /// Writes one batch (a struct array). A dictionary may grow from batch to batch as long as the
  /// earlier one is its prefix. `offset` and `length` receive the bytes of the file that were written.
  int (*ipc_writer_append)(MillraceIPCWriter *writer, struct ArrowArray *batch, int64_t *MILLRACE_NULLABLE offset,
                           int64_t *MILLRACE_NULLABLE length, char *error, size_t error_size);
  /// Footer, fsync, close. The handle is gone afterwards, on failure too. `bytes`: size of the file.
  int (*ipc_writer_close)(MillraceIPCWriter *writer, int durably, int64_t *MILLRACE_NULLABLE bytes, char *error, size_t error_size);
  /// Closes without a footer; the caller removes the file. The handle is gone afterwards.
  void (*ipc_writer_abort)(MillraceIPCWriter *writer);

  /// Maps a file of the IPC file format (or of the stream format) and reads its schema. `bytes`, where they are given, are those of the file, and are copied: `path` is
  /// its name then.
  /// `validate_full` 1: every batch is checked value by value (UTF-8, offsets, codes) when read; for foreign files.
  int (*ipc_reader_open)(const char *path, const void *MILLRACE_NULLABLE bytes, int64_t count, int validate_full, MillraceIPCReader *MILLRACE_NULLABLE *MILLRACE_NONNULL out,
                         struct ArrowSchema *schema, int64_t *batches, char *error, size_t error_size);
  /// One batch as a struct array whose children are the columns named by index, in that order
  /// (`columns` NULL: all). Buffers point into the mapping, which lives until the array is released,
  /// even after ipc_reader_close. May be called from several threads.
  int (*ipc_reader_batch)(MillraceIPCReader *reader, int64_t batch, const int32_t *MILLRACE_NULLABLE columns,
                          int32_t column_count, struct ArrowArray *out, char *error, size_t error_size);
  /// Rows of one batch, from its metadata.
  int (*ipc_reader_rows)(MillraceIPCReader *reader, int64_t batch, int64_t *rows, char *error, size_t error_size);
  void (*ipc_reader_close)(MillraceIPCReader *reader);

  // MARK: Parquet

  /// Reads footer and schema, no rows. `path` may be the URL of an object.
  int (*parquet_reader_open)(const char *path, MillraceParquetReader *MILLRACE_NULLABLE *MILLRACE_NONNULL out,
                             struct ArrowSchema *schema, int64_t *groups, int64_t *rows, char *error,
                             size_t error_size);
  int (*parquet_reader_rows)(MillraceParquetReader *reader, int64_t group, int64_t *rows, char *error,
                             size_t error_size);
  /// One row group as a stream of batches of at most `batch_rows` rows (0: 65536), with the top-level
  /// columns named by index, each once, in that order (`columns` NULL: all). The stream outlives the reader.
  /// May be called from several threads; one stream belongs to one thread.
  int (*parquet_reader_group)(MillraceParquetReader *reader, int64_t group, const int32_t *MILLRACE_NULLABLE columns,
                              int32_t column_count, int64_t batch_rows, struct ArrowArrayStream *out, char *error,
                              size_t error_size);
  void (*parquet_reader_close)(MillraceParquetReader *reader);

  /// `compression`: "snappy", "zstd", "gzip", "lz4", "brotli" or "none" (NULL: "snappy"). `group_rows`: rows per row group (0: 1 Mi).
  int (*parquet_writer_open)(const char *path, struct ArrowSchema *schema, const char *MILLRACE_NULLABLE compression,
                             int64_t group_rows, MillraceParquetWriter *MILLRACE_NULLABLE *MILLRACE_NONNULL out, char *error,
                             size_t error_size);
  int (*parquet_writer_append)(MillraceParquetWriter *writer, struct ArrowArray *batch, char *error,
                               size_t error_size);
  /// Footer, fsync, close. The handle is gone afterwards, on failure too.
  int (*parquet_writer_close)(MillraceParquetWriter *writer, int64_t *MILLRACE_NULLABLE bytes, char *error,
                              size_t error_size);
  void (*parquet_writer_abort)(MillraceParquetWriter *writer);

  // MARK: Compute

  /// Calls a function of Arrow's registry by name. Argument i is a scalar when bit i of `scalars` is
  /// set (an array of length 1). An argument without array (NULL in `arguments`) stands for an
  /// empty one: with all of them so, the call gives the result's type without data. `length` is
  /// the length of the result when all arguments are scalars. The result is always an array.
  /// May be called from several threads.
  int (*call)(const char *function, const struct MillraceOptions *MILLRACE_NULLABLE options,
              struct ArrowArray *MILLRACE_NULLABLE *MILLRACE_NULLABLE arguments,
              struct ArrowSchema *MILLRACE_NULLABLE *MILLRACE_NULLABLE argument_schemas, int32_t count,
              uint64_t scalars, int64_t length, struct ArrowArray *out, struct ArrowSchema *out_schema, char *error,
              size_t error_size);

  // MARK: Objects behind a URL (s3, gs, hdfs)

  /// Opens an object; `size` is its bytes. `uri` may carry options of Arrow's file system in its query part.
  int (*remote_open)(const char *uri, MillraceRemoteFile *MILLRACE_NULLABLE *MILLRACE_NONNULL out, int64_t *size, char *error,
                     size_t error_size);
  /// Up to `count` bytes from `offset`; `read` 0 is the end. May be called from several threads.
  int (*remote_read)(MillraceRemoteFile *file, int64_t offset, void *into, int64_t count, int64_t *read, char *error,
                     size_t error_size);
  void (*remote_close)(MillraceRemoteFile *file);
  /// What tells this content of an object from another: size and ETag, version or time of change, as a text.
  int (*remote_version)(const char *uri, char *version, size_t version_size, char *error, size_t error_size);
  /// Tells the objects below a place; `recursive` 0: not those in folders below it. None when there is no such place.
  int (*remote_list)(const char *uri, int recursive, MillraceListed listed, void *MILLRACE_NULLABLE context, char *error,
                     size_t error_size);
  /// Bytes of an object; -1 when there is none of that name.
  int (*remote_size)(const char *uri, int64_t *size, char *error, size_t error_size);
  /// Writes a file of this machine as an object, which is there whole or not at all; one of that name is replaced.
  int (*remote_write)(const char *uri, const char *path, char *error, size_t error_size);
};

/// The table, or NULL with a sentence in `error`. The first call opens libArrowBridge: in the folders of
/// MILLRACE_LIBRARIES (separated by ':'), else beside the program's own image, else by plain name.
/// May be called from several threads; the answer of the first call is kept.
const struct MillraceArrow *MILLRACE_NULLABLE millrace_arrow(char *error, size_t error_size);

#ifdef __clang__
#pragma clang assume_nonnull end
#endif

#ifdef __cplusplus
}
#endif

#endif
