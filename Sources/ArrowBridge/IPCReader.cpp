// Maps Arrow IPC files; columns are views on the mapping.
#include <arrow/buffer.h>
#include <arrow/c/bridge.h>
#include <arrow/io/file.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/reader.h>
#include <arrow/record_batch.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>
#include <numeric>
#include <vector>

#include "Functions.hpp"

namespace {

using Batch = std::shared_ptr<arrow::RecordBatch>;

struct FileReader {
  std::mutex turn;  // a reader loads dictionaries at its first batch
  std::shared_ptr<arrow::ipc::RecordBatchFileReader> reader;
};

arrow::ipc::IpcReadOptions read_options() {
  auto options = arrow::ipc::IpcReadOptions::Defaults();
  options.use_threads = false;
  // Foreign files may align to 8 bytes or less; a column that does not suit its type is copied.
  options.ensure_alignment = arrow::ipc::Alignment::kDataTypeSpecificAlignment;
  return options;
}

/// A file of a few pages is read: to map it and to take it out of the page tables again costs more than to copy it, and Arrow wakes threads of its own for what
/// is mapped.
arrow::Result<std::shared_ptr<arrow::io::RandomAccessFile>> opened_file(const char *path) {
  constexpr int64_t few_pages = 16 << 10;
  ARROW_ASSIGN_OR_RAISE(const auto file, arrow::io::ReadableFile::Open(path));
  ARROW_ASSIGN_OR_RAISE(const int64_t size, file->GetSize());
  if (size > few_pages) return arrow::io::MemoryMappedFile::Open(path, arrow::io::FileMode::READ);
  ARROW_ASSIGN_OR_RAISE(auto bytes, file->ReadAt(0, size));
  return std::make_shared<arrow::io::BufferReader>(std::move(bytes));
}

}  // namespace

struct MillraceIPCReader {
  std::shared_ptr<arrow::io::RandomAccessFile> file;
  std::shared_ptr<arrow::Schema> schema;
  bool validate_full = false;

  /// Batches of a stream, read at open; a file's are read when asked for.
  bool is_stream = false;
  std::vector<Batch> stream;
  int64_t count = 0;

  /// One Arrow reader per set of columns: Arrow takes the set at open, and decompresses no other column. It copies what it
  /// is asked for by column, so files of ours, which are not compressed, are always asked for all: views on the mapping.
  std::mutex readers_turn;
  std::map<std::vector<int>, std::shared_ptr<FileReader>> readers;

  arrow::Result<std::shared_ptr<FileReader>> reader_of(const std::vector<int> &columns) {
    const std::lock_guard<std::mutex> lock(readers_turn);
    auto &entry = readers[columns];
    if (entry == nullptr) {
      auto options = read_options();
      options.included_fields = columns;
      auto made = std::make_shared<FileReader>();
      ARROW_ASSIGN_OR_RAISE(made->reader, arrow::ipc::RecordBatchFileReader::Open(file, options));
      entry = made;
    }
    return entry;
  }

  /// Batch `index` with `columns` in rising order, each once; all of them when empty.
  arrow::Result<Batch> read(int64_t index, const std::vector<int> &columns) {
    if (index < 0 || index >= count) {
      return arrow::Status::IndexError("batch ", index, " of a file with ", count, " batches");
    }
    Batch batch;
    if (is_stream) {
      batch = stream[static_cast<size_t>(index)];
      if (!columns.empty()) {
        ARROW_ASSIGN_OR_RAISE(batch, batch->SelectColumns(columns));
      }
    } else {
      ARROW_ASSIGN_OR_RAISE(const auto source, reader_of(validate_full ? columns : std::vector<int>{}));
      {
        const std::lock_guard<std::mutex> lock(source->turn);
        ARROW_ASSIGN_OR_RAISE(batch, source->reader->ReadRecordBatch(static_cast<int>(index)));
      }
      if (!validate_full && !columns.empty()) {
        ARROW_ASSIGN_OR_RAISE(batch, batch->SelectColumns(columns));
      }
    }
    ARROW_RETURN_NOT_OK(validate_full ? batch->ValidateFull() : batch->Validate());
    // Only our own files are taken as they are.
    if (validate_full) return millrace::simplified(*batch);
    return batch;
  }
};

namespace millrace {

int ipc_reader_open(const char *path, const void *bytes, int64_t count, int validate_full, MillraceIPCReader **out, ArrowSchema *schema,
                    int64_t *batches, char *error, size_t error_size) {
  return guarded(error, error_size, [&]() -> arrow::Status {
    auto opened = std::make_unique<MillraceIPCReader>();
    opened->validate_full = validate_full != 0;
    if (bytes != nullptr) {
      ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> copy, arrow::AllocateBuffer(count));
      std::memcpy(copy->mutable_data(), bytes, static_cast<size_t>(count));
      opened->file = std::make_shared<arrow::io::BufferReader>(std::move(copy));
    } else {
      ARROW_ASSIGN_OR_RAISE(opened->file, opened_file(path));
    }
    ARROW_ASSIGN_OR_RAISE(const auto start, opened->file->ReadAt(0, 6));
    if (start->size() == 6 && std::memcmp(start->data(), "ARROW1", 6) == 0) {
      ARROW_ASSIGN_OR_RAISE(const auto all, opened->reader_of({}));
      opened->schema = all->reader->schema();
      opened->count = all->reader->num_record_batches();
    } else if (start->size() >= 4 && (std::memcmp(start->data(), "\xff\xff\xff\xff", 4) == 0 || start->data()[3] == 0)) {
      // The second is a stream of Arrow before 0.15, which begins with a length; what is neither fails when it is opened.
      opened->is_stream = true;
      ARROW_ASSIGN_OR_RAISE(const auto reader,
                            arrow::ipc::RecordBatchStreamReader::Open(opened->file, read_options()));
      opened->schema = reader->schema();
      ARROW_ASSIGN_OR_RAISE(opened->stream, reader->ToRecordBatches());
      opened->count = static_cast<int64_t>(opened->stream.size());
    } else {
      return arrow::Status::Invalid("not an Arrow IPC file or stream");
    }
    const auto shown = opened->validate_full ? simplified(*opened->schema) : opened->schema;
    ARROW_RETURN_NOT_OK(arrow::ExportSchema(*shown, schema));
    *batches = opened->count;
    *out = opened.release();
    return arrow::Status::OK();
  });
}

int ipc_reader_batch(MillraceIPCReader *reader, int64_t batch, const int32_t *columns, int32_t column_count,
                     ArrowArray *out, char *error, size_t error_size) {
  return guarded(error, error_size, [&]() -> arrow::Status {
    if (columns == nullptr) {
      ARROW_ASSIGN_OR_RAISE(const auto all, reader->read(batch, {}));
      return arrow::ExportRecordBatch(*all, out);
    }
    const std::vector<int> asked(columns, columns + column_count);
    for (const int column : asked) {
      if (column < 0 || column >= reader->schema->num_fields()) {
        return arrow::Status::IndexError("column ", column, " of a file with ", reader->schema->num_fields(),
                                         " columns");
      }
    }
    if (asked.empty()) {  // only the number of rows
      ARROW_ASSIGN_OR_RAISE(const auto first, reader->read(batch, reader->schema->num_fields() > 0 ? std::vector<int>{0} : asked));
      return arrow::ExportRecordBatch(*arrow::RecordBatch::Make(arrow::schema({}), first->num_rows(), arrow::ArrayVector{}), out);
    }
    std::vector<int> sorted = asked;
    std::sort(sorted.begin(), sorted.end());
    sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
    ARROW_ASSIGN_OR_RAISE(auto rows, reader->read(batch, sorted));
    if (sorted != asked) {
      std::vector<int> places;
      for (const int column : asked) {
        places.push_back(static_cast<int>(std::lower_bound(sorted.begin(), sorted.end(), column) - sorted.begin()));
      }
      ARROW_ASSIGN_OR_RAISE(rows, rows->SelectColumns(places));
    }
    return arrow::ExportRecordBatch(*rows, out);
  });
}

int ipc_reader_rows(MillraceIPCReader *reader, int64_t batch, int64_t *rows, char *error, size_t error_size) {
  return guarded(error, error_size, [&]() -> arrow::Status {
    ARROW_ASSIGN_OR_RAISE(
        const auto first, reader->read(batch, reader->schema->num_fields() > 0 ? std::vector<int>{0} : std::vector<int>{}));
    *rows = first->num_rows();
    return arrow::Status::OK();
  });
}

void ipc_reader_close(MillraceIPCReader *reader) { delete reader; }

}  // namespace millrace
