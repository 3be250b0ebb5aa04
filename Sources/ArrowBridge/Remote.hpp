// Where a file is opened that may lie behind a URL.
#pragma once

#include <arrow/io/type_fwd.h>
#include <arrow/result.h>

#include <memory>
#include <string>

namespace millrace {

/// Whether it is the URL of an object, and no path.
bool is_remote(const char *path);
arrow::Result<std::shared_ptr<arrow::io::RandomAccessFile>> open_remote(const std::string &uri);

}  // namespace millrace
