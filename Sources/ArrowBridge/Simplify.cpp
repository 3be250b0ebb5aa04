// Makes the columns of foreign files simpler without loss, so that the other side of the border meets few layouts:
// dictionaries of other things than text are decoded, half floats widened, times of day spelled, all binary types one,
// narrow and 256-bit decimals 128-bit; lists, structs and maps become JSON text. What stays is listed in ColumnType.
#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/extension_type.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include <charconv>
#include <cmath>

#include "Functions.hpp"

namespace millrace {

namespace {

using Type = std::shared_ptr<arrow::DataType>;
using Array = std::shared_ptr<arrow::Array>;

bool is_nested_type(arrow::Type::type id) {
  switch (id) {
    case arrow::Type::LIST:
    case arrow::Type::LARGE_LIST:
    case arrow::Type::FIXED_SIZE_LIST:
    case arrow::Type::LIST_VIEW:
    case arrow::Type::LARGE_LIST_VIEW:
    case arrow::Type::STRUCT:
    case arrow::Type::MAP:
      return true;
    default:
      return false;
  }
}

Type simple_type(const Type &type) {
  if (is_nested_type(type->id())) return arrow::utf8();
  switch (type->id()) {
    case arrow::Type::NA:
    case arrow::Type::TIME32:
    case arrow::Type::TIME64:
      return arrow::utf8();
    case arrow::Type::HALF_FLOAT:
      return arrow::float32();
    case arrow::Type::DATE64:
      return arrow::date32();
    case arrow::Type::LARGE_BINARY:
    case arrow::Type::FIXED_SIZE_BINARY:
    case arrow::Type::BINARY_VIEW:
      return arrow::binary();
    case arrow::Type::DECIMAL32:
    case arrow::Type::DECIMAL64:
    case arrow::Type::DECIMAL128:
    case arrow::Type::DECIMAL256: {
      const auto &decimal = static_cast<const arrow::DecimalType &>(*type);
      if (decimal.scale() < 0 || decimal.scale() > 18 || decimal.precision() > 38) return arrow::utf8();
      return type->id() == arrow::Type::DECIMAL128 ? type : arrow::decimal128(decimal.precision(), decimal.scale());
    }
    case arrow::Type::DICTIONARY: {
      const auto &value = static_cast<const arrow::DictionaryType &>(*type).value_type();
      return value->id() == arrow::Type::STRING ? type : simple_type(value);
    }
    case arrow::Type::RUN_END_ENCODED:
      return simple_type(static_cast<const arrow::RunEndEncodedType &>(*type).value_type());
    case arrow::Type::EXTENSION:
      return simple_type(static_cast<const arrow::ExtensionType &>(*type).storage_type());
    default:
      return type;
  }
}

void append_text(const std::string_view text, std::string &json) {
  static const char digits[] = "0123456789abcdef";
  json += '"';
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    if (letter == '"' || letter == '\\') {
      json += '\\';
      json += letter;
    } else if (byte < 32) {
      json += "\\u00";
      json += digits[byte >> 4];
      json += digits[byte & 15];
    } else {
      json += letter;
    }
  }
  json += '"';
}

void append_bytes(const std::string_view bytes, std::string &json) {
  static const char digits[] = "0123456789abcdef";
  json += '"';
  for (const char letter : bytes) {
    const auto byte = static_cast<unsigned char>(letter);
    json += digits[byte >> 4];
    json += digits[byte & 15];
  }
  json += '"';
}

template <typename Float>
void append_number(const Float value, std::string &json) {
  if (!std::isfinite(value)) {
    json += "null";
    return;
  }
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  json.append(text, end);
}

arrow::Status append_json(const arrow::Array &array, int64_t row, std::string &json);

arrow::Status append_list(const arrow::Array &values, int64_t from, int64_t count, std::string &json) {
  json += '[';
  for (int64_t i = 0; i < count; i++) {
    if (i > 0) json += ',';
    ARROW_RETURN_NOT_OK(append_json(values, from + i, json));
  }
  json += ']';
  return arrow::Status::OK();
}

template <typename List>
arrow::Status append_list_of(const arrow::Array &array, int64_t row, std::string &json) {
  const auto &list = static_cast<const List &>(array);
  return append_list(*list.values(), list.value_offset(row), list.value_length(row), json);
}

/// One cell. Maps become a list of [key, value], because keys may be anything and come twice.
arrow::Status append_json(const arrow::Array &array, int64_t row, std::string &json) {
  if (json.size() > (64u << 20)) return arrow::Status::CapacityError("a nested cell is longer than 64 MiB as text");
  if (array.IsNull(row)) {
    json += "null";
    return arrow::Status::OK();
  }
  switch (array.type_id()) {
    case arrow::Type::BOOL:
      json += static_cast<const arrow::BooleanArray &>(array).Value(row) ? "true" : "false";
      return arrow::Status::OK();
    case arrow::Type::FLOAT:
      append_number(static_cast<const arrow::FloatArray &>(array).Value(row), json);
      return arrow::Status::OK();
    case arrow::Type::DOUBLE:
      append_number(static_cast<const arrow::DoubleArray &>(array).Value(row), json);
      return arrow::Status::OK();
    case arrow::Type::STRING:
      append_text(static_cast<const arrow::StringArray &>(array).GetView(row), json);
      return arrow::Status::OK();
    case arrow::Type::LARGE_STRING:
      append_text(static_cast<const arrow::LargeStringArray &>(array).GetView(row), json);
      return arrow::Status::OK();
    case arrow::Type::STRING_VIEW:
      append_text(static_cast<const arrow::StringViewArray &>(array).GetView(row), json);
      return arrow::Status::OK();
    case arrow::Type::DICTIONARY: {
      const auto &dictionary = static_cast<const arrow::DictionaryArray &>(array);
      return append_json(*dictionary.dictionary(), dictionary.GetValueIndex(row), json);
    }
    case arrow::Type::EXTENSION:
      return append_json(*static_cast<const arrow::ExtensionArray &>(array).storage(), row, json);
    case arrow::Type::BINARY:
      append_bytes(static_cast<const arrow::BinaryArray &>(array).GetView(row), json);
      return arrow::Status::OK();
    case arrow::Type::FIXED_SIZE_BINARY:
      append_bytes(static_cast<const arrow::FixedSizeBinaryArray &>(array).GetView(row), json);
      return arrow::Status::OK();
    case arrow::Type::LIST:
      return append_list_of<arrow::ListArray>(array, row, json);
    case arrow::Type::LARGE_LIST:
      return append_list_of<arrow::LargeListArray>(array, row, json);
    case arrow::Type::FIXED_SIZE_LIST:
      return append_list_of<arrow::FixedSizeListArray>(array, row, json);
    case arrow::Type::LIST_VIEW:
      return append_list_of<arrow::ListViewArray>(array, row, json);
    case arrow::Type::LARGE_LIST_VIEW:
      return append_list_of<arrow::LargeListViewArray>(array, row, json);
    case arrow::Type::MAP: {
      const auto &map = static_cast<const arrow::MapArray &>(array);
      json += '[';
      for (int64_t i = 0; i < map.value_length(row); i++) {
        json += i > 0 ? ",[" : "[";
        ARROW_RETURN_NOT_OK(append_json(*map.keys(), map.value_offset(row) + i, json));
        json += ',';
        ARROW_RETURN_NOT_OK(append_json(*map.items(), map.value_offset(row) + i, json));
        json += ']';
      }
      json += ']';
      return arrow::Status::OK();
    }
    case arrow::Type::STRUCT: {
      const auto &record = static_cast<const arrow::StructArray &>(array);
      json += '{';
      for (int i = 0; i < record.num_fields(); i++) {
        if (i > 0) json += ',';
        append_text(record.type()->field(i)->name(), json);
        json += ':';
        ARROW_RETURN_NOT_OK(append_json(*record.field(i), row, json));
      }
      json += '}';
      return arrow::Status::OK();
    }
    default: {
      ARROW_ASSIGN_OR_RAISE(const auto cell, array.GetScalar(row));
      const auto text = cell->ToString();
      const auto id = array.type_id();
      if (arrow::is_integer(id) || arrow::is_decimal(id)) {
        json += text;
      } else {
        append_text(text, json);
      }
      return arrow::Status::OK();
    }
  }
}

arrow::Result<Array> as_json(const arrow::Array &array) {
  arrow::StringBuilder builder;
  std::string json;
  for (int64_t row = 0; row < array.length(); row++) {
    if (array.IsNull(row)) {
      ARROW_RETURN_NOT_OK(builder.AppendNull());
      continue;
    }
    json.clear();
    ARROW_RETURN_NOT_OK(append_json(array, row, json));
    ARROW_RETURN_NOT_OK(builder.Append(json));
  }
  return builder.Finish();
}

arrow::Result<Array> simple(const Array &array) {
  const auto wanted = simple_type(array->type());
  if (is_nested_type(array->type_id())) return as_json(*array);
  switch (array->type_id()) {
    case arrow::Type::NA:
      return arrow::MakeArrayOfNull(wanted, array->length());
    case arrow::Type::EXTENSION:
      return simple(static_cast<const arrow::ExtensionArray &>(*array).storage());
    case arrow::Type::DICTIONARY: {
      if (wanted->Equals(array->type())) return array;
      const auto &dictionary = static_cast<const arrow::DictionaryArray &>(*array);
      ARROW_ASSIGN_OR_RAISE(const auto values, arrow::compute::Take(*dictionary.dictionary(), *dictionary.indices()));
      return simple(values);
    }
    case arrow::Type::RUN_END_ENCODED: {
      ARROW_ASSIGN_OR_RAISE(const auto values, arrow::compute::RunEndDecode(array));
      return simple(values.make_array());
    }
    default:
      if (wanted->Equals(array->type())) return array;
      return arrow::compute::Cast(*array, wanted);
  }
}

}  // namespace

std::shared_ptr<arrow::Schema> simplified(const arrow::Schema &schema) {
  arrow::FieldVector fields;
  for (const auto &field : schema.fields()) {
    // What metadata says (of an extension, say) is of the old type.
    fields.push_back(arrow::field(field->name(), simple_type(field->type()), field->nullable()));
  }
  return arrow::schema(fields);
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> simplified(const arrow::RecordBatch &batch) {
  ARROW_RETURN_NOT_OK(register_kernels());
  arrow::ArrayVector columns;
  for (int i = 0; i < batch.num_columns(); i++) {
    const auto made = simple(batch.column(i));
    if (!made.ok()) {
      return made.status().WithMessage("column \"", batch.schema()->field(i)->name(), "\": ", made.status().message());
    }
    columns.push_back(*made);
  }
  return arrow::RecordBatch::Make(simplified(*batch.schema()), batch.num_rows(), columns);
}

}  // namespace millrace
