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
/// them a few bytes long: they are put together. The file is made when more come than are to be held.
class SeenFile : public arrow::io::OutputStream {
 public:
  SeenFile(std::string path, int64_t held, MillraceWritten written, void *context)
      : path_(std::move(path)), most_held_(written == nullptr ? 0 : held), written_(written), context_(context) {}

  arrow::Status Write(const void *bytes, int64_t count) override {
    if (file_ == nullptr) {
      if (Held() + count > most_held_) ARROW_RETURN_NOT_OK(Make());
    }
    if (file_ != nullptr && count >= small) {
      ARROW_RETURN_NOT_OK(Flush());
      return Pass(bytes, count);
    }
    held_.append(static_cast<const char *>(bytes), static_cast<size_t>(count));
    return file_ == nullptr || held_.size() < room ? arrow::Status::OK() : Flush();
  }
  /// Does nothing while there is no file.
  arrow::Status Flush() override {
    if (file_ == nullptr || held_.empty()) return arrow::Status::OK();
    const std::string held = std::exchange(held_, {});
    return Pass(held.data(), static_cast<int64_t>(held.size()));
  }
  arrow::Status Close() override {
    is_closed_ = true;
    if (file_ == nullptr) {
      if (most_held_ == 0) return arrow::Status::OK();
      See(held_.data(), Held());
      return arrow::Status::OK();
    }
    const auto flushed = Flush();
    ARROW_RETURN_NOT_OK(file_->Close());
    return flushed;
  }
  arrow::Status Abort() override {
    is_closed_ = true;
    return file_ == nullptr ? arrow::Status::OK() : file_->Close();
  }
  arrow::Status Synchronize() { return file_ == nullptr ? arrow::Status::OK() : millrace::synchronize(file_->file_descriptor()); }
  arrow::Result<int64_t> Tell() const override { return passed_ + Held(); }
  bool closed() const override { return is_closed_; }
  arrow::Status Make() {
    ARROW_ASSIGN_OR_RAISE(file_, arrow::io::FileOutputStream::Open(path_));
    return arrow::Status::OK();
  }

 private:
  static constexpr int64_t small = 4 << 10;
  static constexpr size_t room = 64 << 10;

  int64_t Held() const { return static_cast<int64_t>(held_.size()); }
  void See(const void *bytes, int64_t count) {
    if (written_ != nullptr && count > 0) written_(context_, bytes, count);
  }
  arrow::Status Pass(const void *bytes, int64_t count) {
    See(bytes, count);
    passed_ += count;
    return file_->Write(bytes, count);
  }

  const std::string path_;
  const int64_t most_held_;
  MillraceWritten written_;
  void *context_;
  std::shared_ptr<arrow::io::FileOutputStream> file_;
  std::string held_;
  int64_t passed_ = 0;
  bool is_closed_ = false;
};

}  // namespace

struct MillraceIPCWriter {
  std::shared_ptr<arrow::Schema> schema;
  std::shared_ptr<SeenFile> file;
  std::shared_ptr<arrow::ipc::RecordBatchWriter> batches;
};

namespace millrace {

int ipc_writer_open(const char *path, ArrowSchema *schema, const char *compression, int64_t held, MillraceWritten written,
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
    writer->file = std::make_shared<SeenFile>(path, held, written, context);
    if (held == 0) ARROW_RETURN_NOT_OK(writer->file->Make());
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
    if (durably != 0) ARROW_RETURN_NOT_OK(owned->file->Synchronize());
    ARROW_RETURN_NOT_OK(owned->file->Close());
    if (bytes != nullptr) *bytes = end;
    return arrow::Status::OK();
  });
}

void ipc_writer_abort(MillraceIPCWriter *writer) {
  char ignored[1];
  guarded(ignored, sizeof ignored, [&] { return writer->file->Abort(); });
  delete writer;
}

}  // namespace millrace
