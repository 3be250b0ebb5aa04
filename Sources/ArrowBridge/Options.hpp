#pragma once

#include <MillraceArrow.h>
#include <arrow/compute/function_options.h>
#include <arrow/result.h>

#include <memory>

namespace millrace {

/// The options of a compute function; null for the function's own defaults. Takes `values` over, on failure too.
arrow::Result<std::unique_ptr<arrow::compute::FunctionOptions>> make_options(const MillraceOptions *options);

}  // namespace millrace
