// Writes Arrow IPC files: what artifacts are made of.
#include <arrow/c/bridge.h>
#include <arrow/io/file.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/util/compression.h>

#include <string>
#include <utility>

#include "Functions.hpp"

namespace {

/// A file whose bytes somebody sees on their way, so that nobody has to read them again. Arrow writes a small table in twenty pieces, most of
/// them a few bytes long: they are put together.
class SeenFile : public arrow::io::OutputStream {
 public:
  SeenFile(std::shared_ptr<arrow::io::FileOutputStream> file, MillraceWritten written, void *context)
      : file_(std::move(file)), written_(written), context_(context) {}

  arrow::Status Write(const void *bytes, int64_t count) override {
    if (count >= small) {
      ARROW_RETURN_NOT_OK(Flush());
      return Pass(bytes, count);
    }
    held_.append(static_cast<const char *>(bytes), static_cast<size_t>(count));
    return held_.size() < room ? arrow::Status::OK() : Flush();
  }
  arrow::Status Flush() override {
    const std::string held = std::exchange(held_, {});
    return held.empty() ? arrow::Status::OK() : Pass(held.data(), static_cast<int64_t>(held.size()));
  }
  arrow::Status Close() override {
    const auto flushed = Flush();
    ARROW_RETURN_NOT_OK(file_->Close());
    return flushed;
  }
  arrow::Result<int64_t> Tell() const override { return passed_ + static_cast<int64_t>(held_.size()); }
  bool closed() const override { return file_->closed(); }
  int file_descriptor() const { return file_->file_descriptor(); }

 private:
  static constexpr int64_t small = 4 << 10;
  static constexpr size_t room = 64 << 10;

  arrow::Status Pass(const void *bytes, int64_t count) {
    if (written_ != nullptr && count > 0) written_(context_, bytes, count);
    passed_ += count;
    return file_->Write(bytes, count);
  }

  std::shared_ptr<arrow::io::FileOutputStream> file_;
  MillraceWritten written_;
  void *context_;
  std::string held_;
  int64_t passed_ = 0;
};

}  // namespace

struct MillraceIPCWriter {
  std::shared_ptr<arrow::Schema> schema;
  std::shared_ptr<SeenFile> file;
  std::shared_ptr<arrow::ipc::RecordBatchWriter> batches;
};

namespace millrace {

int ipc_writer_open(const char *path, ArrowSchema *schema, const char *compression, MillraceWritten written,
                    void *context, MillraceIPCWriter **out, char *error, size_t error_size) {
  return guarded(error, error_size, [&]() -> arrow::Status {
    auto writer = std::make_unique<MillraceIPCWriter>();
    ARROW_ASSIGN_OR_RAISE(writer->schema, arrow::ImportSchema(schema));
    auto options = arrow::ipc::IpcWriteOptions::Defaults();
    options.alignment = 64;
    options.emit_dictionary_deltas = true;  // the file format allows growth, not replacement
    options.use_threads = false;
    if (compression != nullptr && *compression != 0) {
      ARROW_ASSIGN_OR_RAISE(const auto type, arrow::util::Codec::GetCompressionType(compression));
      if (type != arrow::Compression::UNCOMPRESSED) {
        ARROW_ASSIGN_OR_RAISE(options.codec, arrow::util::Codec::Create(type));
      }
    }
    ARROW_ASSIGN_OR_RAISE(auto file, arrow::io::FileOutputStream::Open(path));
    writer->file = std::make_shared<SeenFile>(std::move(file), written, context);
    ARROW_ASSIGN_OR_RAISE(writer->batches, arrow::ipc::MakeFileWriter(writer->file, writer->schema, options));
    *out = writer.release();
    return arrow::Status::OK();
  });
}

int ipc_writer_append(MillraceIPCWriter *writer, ArrowArray *batch, int64_t *offset, int64_t *length, char *error,
                      size_t error_size) {
  return guarded(error, error_size, [&]() -> arrow::Status {
    ARROW_ASSIGN_OR_RAISE(const auto rows, arrow::ImportRecordBatch(batch, writer->schema));
    ARROW_RETURN_NOT_OK(rows->Validate());
    ARROW_ASSIGN_OR_RAISE(const int64_t begin, writer->file->Tell());
    ARROW_RETURN_NOT_OK(writer->batches->WriteRecordBatch(*rows));
    ARROW_ASSIGN_OR_RAISE(const int64_t end, writer->file->Tell());
    if (offset != nullptr) *offset = begin;
    if (length != nullptr) *length = end - begin;
    return arrow::Status::OK();
  });
}

int ipc_writer_close(MillraceIPCWriter *writer, int durably, int64_t *bytes, char *error, size_t error_size) {
  const std::unique_ptr<MillraceIPCWriter> owned(writer);
  return guarded(error, error_size, [&]() -> arrow::Status {
    ARROW_RETURN_NOT_OK(owned->batches->Close());
    ARROW_ASSIGN_OR_RAISE(const int64_t end, owned->file->Tell());
    ARROW_RETURN_NOT_OK(owned->file->Flush());
    if (durably != 0) ARROW_RETURN_NOT_OK(synchronize(owned->file->file_descriptor()));
    ARROW_RETURN_NOT_OK(owned->file->Close());
    if (bytes != nullptr) *bytes = end;
    return arrow::Status::OK();
  });
}

void ipc_writer_abort(MillraceIPCWriter *writer) {
  char ignored[1];
  guarded(ignored, sizeof ignored, [&] { return writer->file->Close(); });
  delete writer;
}

}  // namespace millrace
