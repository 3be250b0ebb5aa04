// The table of functions and what the process does once.
#include <ArrowBridge.h>
#include <arrow/compute/initialize.h>
#include <arrow/config.h>
#include <arrow/io/interfaces.h>
#include <arrow/util/thread_pool.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <mutex>

#include "Functions.hpp"

namespace millrace {

arrow::Status synchronize(int file_descriptor) {
#ifdef __APPLE__
  const int status = fcntl(file_descriptor, F_FULLFSYNC);
#else
  const int status = fsync(file_descriptor);
#endif
  if (status == 0) return arrow::Status::OK();
  return arrow::Status::IOError("the file could not be flushed to the disk: ", std::strerror(errno));
}

arrow::Status register_kernels() {
  static std::once_flag once;
  static arrow::Status status;
  std::call_once(once, [] { status = arrow::compute::Initialize(); });
  return status;
}

static const char *version() { return arrow::GetBuildInfo().version_string.c_str(); }

}  // namespace millrace

extern "C" __attribute__((visibility("default"))) const MillraceArrow *millrace_arrow_table(void) {
  static const MillraceArrow table = {
      MILLRACE_ARROW_LAYOUT,
      millrace::version,
      millrace::ipc_writer_open,
      millrace::ipc_writer_append,
      millrace::ipc_writer_close,
      millrace::ipc_writer_abort,
      millrace::ipc_reader_open,
      millrace::ipc_reader_batch,
      millrace::ipc_reader_rows,
      millrace::ipc_reader_close,
      millrace::parquet_reader_open,
      millrace::parquet_reader_rows,
      millrace::parquet_reader_group,
      millrace::parquet_reader_close,
      millrace::parquet_writer_open,
      millrace::parquet_writer_append,
      millrace::parquet_writer_close,
      millrace::parquet_writer_abort,
      millrace::call,
      millrace::remote_open,
      millrace::remote_read,
      millrace::remote_close,
      millrace::remote_version,
      millrace::remote_list,
      millrace::remote_size,
      millrace::remote_write,
  };
  // Concurrency is the caller's; one thread each is the least Arrow allows. They start at first use only.
  (void)arrow::SetCpuThreadPoolCapacity(1);
  (void)arrow::io::SetIOThreadPoolCapacity(1);
  return &table;
}
