// The functions of the table, by file, and what they share.
#pragma once

#include <MillraceArrow.h>
#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include <cstdio>
#include <exception>
#include <memory>
#include <string>

namespace millrace {

/// Runs `body`, which returns an arrow::Status; turns failure and exceptions into a message. Nothing is thrown out of it.
template <typename Body>
int guarded(char *error, size_t error_size, Body &&body) noexcept {
  try {
    const arrow::Status status = body();
    if (status.ok()) return 0;
    const std::string detail = status.detail() ? " (" + status.detail()->ToString() + ")" : "";
    std::snprintf(error, error_size, "%s%s", status.message().c_str(), detail.c_str());
  } catch (const std::exception &exception) {
    std::snprintf(error, error_size, "%s", exception.what());
  } catch (...) {
    std::snprintf(error, error_size, "Apache Arrow threw something that is no exception");
  }
  return 1;
}

/// Flushes a file that Arrow wrote to the disk itself.
arrow::Status synchronize(int file_descriptor);

/// Registers the compute kernels, once. Parquet casts with them too.
arrow::Status register_kernels();

/// A schema and a batch of a foreign file with fewer kinds of columns, nothing lost (Simplify.cpp).
std::shared_ptr<arrow::Schema> simplified(const arrow::Schema &schema);
arrow::Result<std::shared_ptr<arrow::RecordBatch>> simplified(const arrow::RecordBatch &batch);

int ipc_writer_open(const char *, ArrowSchema *, const char *, int64_t, MillraceWritten, void *, MillraceIPCWriter **, char *, size_t);
int ipc_writer_append(MillraceIPCWriter *, ArrowArray *, int64_t *, int64_t *, char *, size_t);
int ipc_writer_close(MillraceIPCWriter *, int, int64_t *, char *, size_t);
void ipc_writer_abort(MillraceIPCWriter *);

int ipc_reader_open(const char *, const void *, int64_t, int, MillraceIPCReader **, ArrowSchema *, int64_t *, char *, size_t);
int ipc_reader_batch(MillraceIPCReader *, int64_t, const int32_t *, int32_t, ArrowArray *, char *, size_t);
int ipc_reader_rows(MillraceIPCReader *, int64_t, int64_t *, char *, size_t);
void ipc_reader_close(MillraceIPCReader *);

int parquet_reader_open(const char *, MillraceParquetReader **, ArrowSchema *, int64_t *, int64_t *, char *, size_t);
int parquet_reader_rows(MillraceParquetReader *, int64_t, int64_t *, char *, size_t);
int parquet_reader_group(MillraceParquetReader *, int64_t, const int32_t *, int32_t, int64_t, ArrowArrayStream *, char *,
                         size_t);
void parquet_reader_close(MillraceParquetReader *);

int parquet_writer_open(const char *, ArrowSchema *, const char *, int64_t, MillraceParquetWriter **, char *, size_t);
int parquet_writer_append(MillraceParquetWriter *, ArrowArray *, char *, size_t);
int parquet_writer_close(MillraceParquetWriter *, int64_t *, char *, size_t);
void parquet_writer_abort(MillraceParquetWriter *);

int remote_open(const char *, MillraceRemoteFile **, int64_t *, char *, size_t);
int remote_read(MillraceRemoteFile *, int64_t, void *, int64_t, int64_t *, char *, size_t);
void remote_close(MillraceRemoteFile *);
int remote_version(const char *, char *, size_t, char *, size_t);
int remote_list(const char *, int, MillraceListed, void *, char *, size_t);
int remote_size(const char *, int64_t *, char *, size_t);
int remote_write(const char *, const char *, char *, size_t);

int call(const char *, const MillraceOptions *, ArrowArray **, ArrowSchema **, int32_t, uint64_t, int64_t, ArrowArray *,
         ArrowSchema *, char *, size_t);

}  // namespace millrace
