// Calls functions of Arrow's compute registry.
#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/c/bridge.h>
#include <arrow/chunked_array.h>
#include <arrow/compute/api_scalar.h>
#include <arrow/compute/exec.h>
#include <arrow/datum.h>
#include <arrow/record_batch.h>

#include <cstring>
#include <vector>

#include "Functions.hpp"
#include "Options.hpp"

namespace millrace {

namespace {

/// Releases what was not imported because something before it failed.
struct Unclaimed {
  ArrowArray **arrays;
  ArrowSchema **schemas;
  int32_t count;
  const MillraceOptions *options;

  static void release(ArrowArray *array) {
    if (array != nullptr && array->release != nullptr) array->release(array);
  }
  static void release(ArrowSchema *schema) {
    if (schema != nullptr && schema->release != nullptr) schema->release(schema);
  }
  ~Unclaimed() {
    for (int32_t i = 0; i < count; i++) {
      if (arrays != nullptr) release(arrays[i]);
      if (schemas != nullptr) release(schemas[i]);
    }
    if (options != nullptr) {
      release(options->values);
      release(options->values_schema);
    }
  }
};

arrow::Result<arrow::Datum> argument(ArrowArray *array, ArrowSchema *schema, bool is_scalar) {
  if (schema == nullptr) return arrow::Status::Invalid("an argument without a type");
  if (array == nullptr) {
    ARROW_ASSIGN_OR_RAISE(const auto type, arrow::ImportType(schema));
    if (is_scalar) return arrow::Datum(arrow::MakeNullScalar(type));
    ARROW_ASSIGN_OR_RAISE(const auto empty, arrow::MakeEmptyArray(type));
    return arrow::Datum(empty);
  }
  ARROW_ASSIGN_OR_RAISE(const auto imported, arrow::ImportArray(array, schema));
  if (!is_scalar) return arrow::Datum(imported);
  if (imported->length() != 1) return arrow::Status::Invalid("a scalar argument of length ", imported->length());
  ARROW_ASSIGN_OR_RAISE(const auto scalar, imported->GetScalar(0));
  return arrow::Datum(scalar);
}

/// case_when wants its conditions as one struct.
arrow::Status gather_conditions(std::vector<arrow::Datum> &arguments, int64_t conditions) {
  if (conditions < 1 || conditions > static_cast<int64_t>(arguments.size())) {
    return arrow::Status::Invalid("case_when with ", conditions, " conditions");
  }
  const auto end = arguments.begin() + conditions;
  const std::vector<arrow::Datum> gathered(arguments.begin(), end);
  std::vector<std::string> names;
  for (int64_t i = 0; i < conditions; i++) names.push_back(std::to_string(i));
  const arrow::compute::MakeStructOptions options(names);
  ARROW_ASSIGN_OR_RAISE(const auto all, arrow::compute::CallFunction("make_struct", gathered, &options));
  arguments.erase(arguments.begin(), end);
  arguments.insert(arguments.begin(), all);
  return arrow::Status::OK();
}

arrow::Result<std::shared_ptr<arrow::Array>> array_of(const arrow::Datum &result, int64_t length) {
  switch (result.kind()) {
    case arrow::Datum::ARRAY:
      return result.make_array();
    case arrow::Datum::SCALAR:
      return arrow::MakeArrayFromScalar(*result.scalar(), length);
    case arrow::Datum::CHUNKED_ARRAY: {
      const auto &chunks = result.chunked_array()->chunks();
      if (chunks.empty()) return arrow::MakeEmptyArray(result.type());
      return arrow::Concatenate(chunks);
    }
    default:
      return arrow::Status::NotImplemented("a result that is no column");
  }
}

}  // namespace

int call(const char *function, const MillraceOptions *options, ArrowArray **arguments,
         ArrowSchema **argument_schemas, int32_t count, uint64_t scalars, int64_t length, ArrowArray *out,
         ArrowSchema *out_schema, char *error, size_t error_size) {
  return guarded(error, error_size, [&]() -> arrow::Status {
    const Unclaimed unclaimed{arguments, argument_schemas, count, options};
    ARROW_RETURN_NOT_OK(register_kernels());
    if (count < 0 || (count > 0 && argument_schemas == nullptr) || (scalars != 0 && count > 64) || length < 0) {
      return arrow::Status::Invalid("a call with ", count, " arguments and length ", length);
    }
    ARROW_ASSIGN_OR_RAISE(const auto made, make_options(options));
    std::vector<arrow::Datum> values;
    for (int32_t i = 0; i < count; i++) {
      const bool is_scalar = i < 64 && ((scalars >> i) & 1) != 0;
      ARROW_ASSIGN_OR_RAISE(auto value,
                            argument(arguments == nullptr ? nullptr : arguments[i], argument_schemas[i], is_scalar));
      values.push_back(std::move(value));
    }
    if (options != nullptr && options->kind != nullptr && std::strcmp(options->kind, "case_when") == 0) {
      ARROW_RETURN_NOT_OK(gather_conditions(values, options->integer1));
    }
    arrow::Datum result;
    if (values.empty()) {
      ARROW_ASSIGN_OR_RAISE(result, arrow::compute::CallFunction(function, arrow::compute::ExecBatch({}, length), made.get()));
    } else {
      ARROW_ASSIGN_OR_RAISE(result, arrow::compute::CallFunction(function, values, made.get()));
    }
    ARROW_ASSIGN_OR_RAISE(const auto array, array_of(result, length));
    return arrow::ExportArray(*array, out, out_schema);
  });
}

}  // namespace millrace
