// Reads and writes Parquet files.
#include <arrow/c/bridge.h>
#include <arrow/io/file.h>
#include <arrow/record_batch.h>
#include <arrow/util/compression.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/arrow/writer.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>

#include <numeric>

#include "Functions.hpp"
#include "Remote.hpp"

struct MillraceParquetReader {
  std::shared_ptr<arrow::io::RandomAccessFile> file;
  std::shared_ptr<parquet::FileMetaData> metadata;
};

struct MillraceParquetWriter {
  std::shared_ptr<arrow::Schema> schema;
  std::shared_ptr<arrow::io::FileOutputStream> file;
  std::unique_ptr<parquet::arrow::FileWriter> rows;
};

namespace {

using FileReader = std::shared_ptr<parquet::arrow::FileReader>;

/// A reader of its own for each use, on the metadata read once: Arrow's is not meant for several threads.
arrow::Result<FileReader> make_reader(const MillraceParquetReader &opened, int64_t batch_rows) {
  auto properties = parquet::default_arrow_reader_properties();
  properties.set_use_threads(false);
  properties.set_pre_buffer(false);
  properties.set_batch_size(batch_rows > 0 ? batch_rows : 65536);
  parquet::arrow::FileReaderBuilder builder;
  ARROW_RETURN_NOT_OK(builder.Open(opened.file, parquet::default_reader_properties(), opened.metadata));
  ARROW_ASSIGN_OR_RAISE(auto reader, builder.properties(properties)->Build());
  return FileReader(std::move(reader));
}

void add_leaves(const parquet::arrow::SchemaField &field, std::vector<int> &leaves) {
  if (field.column_index >= 0) leaves.push_back(field.column_index);
  for (const auto &child : field.children) add_leaves(child, leaves);
}

/// A stream that owns its file, and checks what it passes on: Parquet does not promise UTF-8 where it says string.
class CheckedRows : public arrow::RecordBatchReader {
 public:
  CheckedRows(FileReader file, std::shared_ptr<arrow::RecordBatchReader> rows)
      : file_(std::move(file)), rows_(std::move(rows)) {}

  std::shared_ptr<arrow::Schema> schema() const override { return millrace::simplified(*rows_->schema()); }

  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch> *batch) override {
    try {
      ARROW_RETURN_NOT_OK(rows_->ReadNext(batch));
    } catch (const std::exception &exception) {  // parquet::ParquetException
      return arrow::Status::IOError(exception.what());
    }
    if (*batch == nullptr) return arrow::Status::OK();
    ARROW_RETURN_NOT_OK((*batch)->ValidateFull());
    return millrace::simplified(**batch).Value(batch);
  }

 private:
  FileReader file_;
  std::shared_ptr<arrow::RecordBatchReader> rows_;
};

/// Pages are unpacked whole: a footer that promises far more than is there is not followed. Tables seldom pass a ratio of
/// 50; small columns of equal values do.
arrow::Status check_unpacked(const MillraceParquetReader &reader, int64_t group, const std::vector<int> &leaves) {
  constexpr int64_t floor = 64 << 20, ratio = 1000;
  const auto rows = reader.metadata->RowGroup(static_cast<int>(group));
  for (const int leaf : leaves) {
    if (leaf < 0 || leaf >= rows->num_columns()) continue;
    const auto column = rows->ColumnChunk(leaf);
    const int64_t unpacked = column->total_uncompressed_size(), packed = column->total_compressed_size();
    if (unpacked > floor && unpacked / ratio > packed) {
      return arrow::Status::CapacityError("column \"", column->path_in_schema()->ToDotString(), "\" unpacks from ", packed,
                                          " to ", unpacked, " bytes, more than ", ratio, " times");
    }
  }
  return arrow::Status::OK();
}

arrow::Status check_group(const MillraceParquetReader &reader, int64_t group) {
  const int groups = reader.metadata->num_row_groups();
  if (group >= 0 && group < groups) return arrow::Status::OK();
  return arrow::Status::IndexError("row group ", group, " of a file with ", groups, " row groups");
}

}  // namespace

namespace millrace {

int parquet_reader_open(const char *path, MillraceParquetReader **out, ArrowSchema *schema, int64_t *groups,
                        int64_t *rows, char *error, size_t error_size) {
  return guarded(error, error_size, [&]() -> arrow::Status {
    ARROW_RETURN_NOT_OK(register_kernels());
    auto opened = std::make_unique<MillraceParquetReader>();
    if (is_remote(path)) {
      ARROW_ASSIGN_OR_RAISE(opened->file, open_remote(path));
    } else {
      ARROW_ASSIGN_OR_RAISE(opened->file, arrow::io::ReadableFile::Open(path));
    }
    opened->metadata = parquet::ReadMetaData(opened->file);
    ARROW_ASSIGN_OR_RAISE(const auto reader, make_reader(*opened, 0));
    std::shared_ptr<arrow::Schema> arrow_schema;
    ARROW_RETURN_NOT_OK(reader->GetSchema(&arrow_schema));
    *groups = opened->metadata->num_row_groups();
    *rows = opened->metadata->num_rows();
    ARROW_RETURN_NOT_OK(arrow::ExportSchema(*simplified(*arrow_schema), schema));
    *out = opened.release();
    return arrow::Status::OK();
  });
}

int parquet_reader_rows(MillraceParquetReader *reader, int64_t group, int64_t *rows, char *error, size_t error_size) {
  return guarded(error, error_size, [&]() -> arrow::Status {
    ARROW_RETURN_NOT_OK(check_group(*reader, group));
    *rows = reader->metadata->RowGroup(static_cast<int>(group))->num_rows();
    return arrow::Status::OK();
  });
}

int parquet_reader_group(MillraceParquetReader *reader, int64_t group, const int32_t *columns, int32_t column_count,
                         int64_t batch_rows, ArrowArrayStream *out, char *error, size_t error_size) {
  return guarded(error, error_size, [&]() -> arrow::Status {
    ARROW_RETURN_NOT_OK(check_group(*reader, group));
    ARROW_ASSIGN_OR_RAISE(const auto file, make_reader(*reader, batch_rows));
    const std::vector<int> groups = {static_cast<int>(group)};
    std::shared_ptr<arrow::RecordBatchReader> rows;
    if (columns == nullptr) {
      std::vector<int> all(static_cast<size_t>(reader->metadata->num_columns()));
      std::iota(all.begin(), all.end(), 0);
      ARROW_RETURN_NOT_OK(check_unpacked(*reader, group, all));
      ARROW_ASSIGN_OR_RAISE(rows, file->GetRecordBatchReader(groups));
    } else {
      const auto &fields = file->manifest().schema_fields;
      std::vector<int> leaves;
      for (int32_t i = 0; i < column_count; i++) {
        if (columns[i] < 0 || static_cast<size_t>(columns[i]) >= fields.size()) {
          return arrow::Status::IndexError("column ", columns[i], " of a file with ", fields.size(), " columns");
        }
        add_leaves(fields[static_cast<size_t>(columns[i])], leaves);
      }
      ARROW_RETURN_NOT_OK(check_unpacked(*reader, group, leaves));
      ARROW_ASSIGN_OR_RAISE(rows, file->GetRecordBatchReader(groups, leaves));
    }
    return arrow::ExportRecordBatchReader(std::make_shared<CheckedRows>(file, rows), out);
  });
}

void parquet_reader_close(MillraceParquetReader *reader) { delete reader; }

int parquet_writer_open(const char *path, ArrowSchema *schema, const char *compression, int64_t group_rows,
                        MillraceParquetWriter **out, char *error, size_t error_size) {
  return guarded(error, error_size, [&]() -> arrow::Status {
    auto writer = std::make_unique<MillraceParquetWriter>();
    ARROW_ASSIGN_OR_RAISE(writer->schema, arrow::ImportSchema(schema));
    ARROW_RETURN_NOT_OK(register_kernels());
    std::string name = compression == nullptr || *compression == 0 ? "snappy" : compression;
    if (name == "lz4") name = "lz4_raw";  // Parquet's LZ4 has no frame; "lz4" is Arrow's with one
    auto codec = arrow::Compression::UNCOMPRESSED;
    if (name != "none") {
      ARROW_ASSIGN_OR_RAISE(codec, arrow::util::Codec::GetCompressionType(name));
    }
    parquet::WriterProperties::Builder properties;
    properties.compression(codec)->max_row_group_length(group_rows > 0 ? group_rows : 1 << 20);
    // The Arrow schema goes along, so that zones and dictionaries come back as they were.
    const auto arrow_properties = parquet::ArrowWriterProperties::Builder().store_schema()->build();
    ARROW_ASSIGN_OR_RAISE(writer->file, arrow::io::FileOutputStream::Open(path));
    ARROW_ASSIGN_OR_RAISE(writer->rows,
                          parquet::arrow::FileWriter::Open(*writer->schema, arrow::default_memory_pool(), writer->file,
                                                           properties.build(), arrow_properties));
    *out = writer.release();
    return arrow::Status::OK();
  });
}

int parquet_writer_append(MillraceParquetWriter *writer, ArrowArray *batch, char *error, size_t error_size) {
  return guarded(error, error_size, [&]() -> arrow::Status {
    ARROW_ASSIGN_OR_RAISE(const auto rows, arrow::ImportRecordBatch(batch, writer->schema));
    ARROW_RETURN_NOT_OK(rows->Validate());
    return writer->rows->WriteRecordBatch(*rows);
  });
}

int parquet_writer_close(MillraceParquetWriter *writer, int64_t *bytes, char *error, size_t error_size) {
  const std::unique_ptr<MillraceParquetWriter> owned(writer);
  return guarded(error, error_size, [&]() -> arrow::Status {
    ARROW_RETURN_NOT_OK(owned->rows->Close());
    ARROW_ASSIGN_OR_RAISE(const int64_t end, owned->file->Tell());
    ARROW_RETURN_NOT_OK(synchronize(owned->file->file_descriptor()));
    ARROW_RETURN_NOT_OK(owned->file->Close());
    if (bytes != nullptr) *bytes = end;
    return arrow::Status::OK();
  });
}

void parquet_writer_abort(MillraceParquetWriter *writer) {
  char ignored[1];
  // Arrow's writer would write a footer when it is destroyed; the file is of no use, so its errors are of no interest.
  guarded(ignored, sizeof ignored, [&] {
    const std::unique_ptr<MillraceParquetWriter> owned(writer);
    (void)owned->rows->Close();
    return owned->file->Close();
  });
}

}  // namespace millrace
