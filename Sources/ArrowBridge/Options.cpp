// From the words of MillraceOptions to Arrow's option classes; the table stands in MillraceArrow.h.
#include "Options.hpp"

#include <arrow/array.h>
#include <arrow/c/bridge.h>
#include <arrow/compute/api_aggregate.h>
#include <arrow/compute/api_scalar.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/cast.h>

#include <limits>
#include <map>
#include <string>

namespace millrace {

namespace {

using namespace arrow::compute;
using Options = std::unique_ptr<FunctionOptions>;

std::string text(const char *value, const char *otherwise = "") { return value == nullptr ? otherwise : value; }

template <typename Value>
arrow::Result<Value> choose(const std::string &word, const std::map<std::string, Value> &choices) {
  const auto found = choices.find(word);
  if (found != choices.end()) return found->second;
  return arrow::Status::Invalid("\"", word, "\" is no choice here");
}

/// A type from its format string in the C data interface.
arrow::Result<std::shared_ptr<arrow::DataType>> type_of(const char *format) {
  if (format == nullptr) return arrow::Status::Invalid("cast without a type");
  ArrowSchema schema = {};
  schema.format = format;
  schema.name = "";
  schema.release = [](ArrowSchema *released) { released->release = nullptr; };
  return arrow::ImportType(&schema);
}

arrow::Result<std::shared_ptr<arrow::Array>> values_of(const MillraceOptions &o) {
  if (o.values == nullptr || o.values_schema == nullptr) return arrow::Status::Invalid("a set without values");
  return arrow::ImportArray(o.values, o.values_schema);
}

const std::map<std::string, CalendarUnit> calendar_units = {
    {"nanosecond", CalendarUnit::NANOSECOND}, {"microsecond", CalendarUnit::MICROSECOND},
    {"millisecond", CalendarUnit::MILLISECOND}, {"second", CalendarUnit::SECOND},
    {"minute", CalendarUnit::MINUTE}, {"hour", CalendarUnit::HOUR},
    {"day", CalendarUnit::DAY}, {"week", CalendarUnit::WEEK},
    {"month", CalendarUnit::MONTH}, {"quarter", CalendarUnit::QUARTER},
    {"year", CalendarUnit::YEAR}};

const std::map<std::string, RoundMode> round_modes = {
    {"down", RoundMode::DOWN}, {"up", RoundMode::UP},
    {"towards_zero", RoundMode::TOWARDS_ZERO}, {"towards_infinity", RoundMode::TOWARDS_INFINITY},
    {"half_down", RoundMode::HALF_DOWN}, {"half_up", RoundMode::HALF_UP},
    {"half_towards_zero", RoundMode::HALF_TOWARDS_ZERO}, {"half_towards_infinity", RoundMode::HALF_TOWARDS_INFINITY},
    {"half_to_even", RoundMode::HALF_TO_EVEN}, {"half_to_odd", RoundMode::HALF_TO_ODD}};

const std::map<std::string, arrow::TimeUnit::type> time_units = {
    {"s", arrow::TimeUnit::SECOND}, {"ms", arrow::TimeUnit::MILLI},
    {"us", arrow::TimeUnit::MICRO}, {"ns", arrow::TimeUnit::NANO}};

using Maker = arrow::Result<Options> (*)(const MillraceOptions &);

template <typename Made, typename... Arguments>
arrow::Result<Options> make(Arguments &&...arguments) {
  return Options(new Made(std::forward<Arguments>(arguments)...));
}

const std::map<std::string, Maker> makers = {
    {"cast",
     [](const MillraceOptions &o) -> arrow::Result<Options> {
       ARROW_ASSIGN_OR_RAISE(const auto type, type_of(o.text1));
       return make<CastOptions>(o.integer1 != 0 ? CastOptions::Unsafe(type) : CastOptions::Safe(type));
     }},
    {"match", [](const MillraceOptions &o) { return make<MatchSubstringOptions>(text(o.text1), o.integer1 != 0); }},
    {"replace",
     [](const MillraceOptions &o) {
       return make<ReplaceSubstringOptions>(text(o.text1), text(o.text2), o.integer1 > 0 ? o.integer1 : -1);
     }},
    {"extract", [](const MillraceOptions &o) { return make<ExtractRegexOptions>(text(o.text1)); }},
    {"trim", [](const MillraceOptions &o) { return make<TrimOptions>(text(o.text1)); }},
    {"split",
     [](const MillraceOptions &o) {
       return make<SplitPatternOptions>(text(o.text1), o.integer1 > 0 ? o.integer1 : -1, o.integer2 != 0);
     }},
    {"slice",
     [](const MillraceOptions &o) {
       return make<SliceOptions>(o.integer1, o.integer2, o.integer3 == 0 ? 1 : o.integer3);
     }},
    {"pad", [](const MillraceOptions &o) { return make<PadOptions>(o.integer1, text(o.text1, " ")); }},
    {"replace_slice",
     [](const MillraceOptions &o) { return make<ReplaceSliceOptions>(o.integer1, o.integer2, text(o.text1)); }},
    {"join",
     [](const MillraceOptions &o) -> arrow::Result<Options> {
       ARROW_ASSIGN_OR_RAISE(const auto nulls, choose<JoinOptions::NullHandlingBehavior>(
                                                   text(o.text1, "emit_null"), {{"emit_null", JoinOptions::EMIT_NULL},
                                                                                {"skip", JoinOptions::SKIP},
                                                                                {"replace", JoinOptions::REPLACE}}));
       return make<JoinOptions>(nulls, text(o.text2));
     }},
    {"strptime",
     [](const MillraceOptions &o) -> arrow::Result<Options> {
       ARROW_ASSIGN_OR_RAISE(const auto unit, choose(text(o.text2, "us"), time_units));
       return make<StrptimeOptions>(text(o.text1), unit, o.integer1 != 0);
     }},
    {"strftime", [](const MillraceOptions &o) { return make<StrftimeOptions>(text(o.text1), text(o.text2, "C")); }},
    {"round",
     [](const MillraceOptions &o) -> arrow::Result<Options> {
       ARROW_ASSIGN_OR_RAISE(const auto mode, choose(text(o.text1, "half_to_even"), round_modes));
       return make<RoundOptions>(o.integer1, mode);
     }},
    {"round_temporal",
     [](const MillraceOptions &o) -> arrow::Result<Options> {
       ARROW_ASSIGN_OR_RAISE(const auto unit, choose(text(o.text1, "day"), calendar_units));
       if (o.integer1 < 0 || o.integer1 > std::numeric_limits<int>::max()) {
         return arrow::Status::Invalid("a multiple of ", o.integer1, " units");
       }
       return make<RoundTemporalOptions>(o.integer1 == 0 ? 1 : static_cast<int>(o.integer1), unit, o.integer2 == 0);
     }},
    {"assume_timezone",
     [](const MillraceOptions &o) -> arrow::Result<Options> {
       using Assume = AssumeTimezoneOptions;
       ARROW_ASSIGN_OR_RAISE(const auto ambiguous, choose<Assume::Ambiguous>(text(o.text2, "raise"),
                                                                             {{"raise", Assume::AMBIGUOUS_RAISE},
                                                                              {"earliest", Assume::AMBIGUOUS_EARLIEST},
                                                                              {"latest", Assume::AMBIGUOUS_LATEST}}));
       ARROW_ASSIGN_OR_RAISE(const auto missing, choose<Assume::Nonexistent>(text(o.text3, "raise"),
                                                                             {{"raise", Assume::NONEXISTENT_RAISE},
                                                                              {"earliest", Assume::NONEXISTENT_EARLIEST},
                                                                              {"latest", Assume::NONEXISTENT_LATEST}}));
       return make<Assume>(text(o.text1), ambiguous, missing);
     }},
    {"day_of_week",
     [](const MillraceOptions &o) -> arrow::Result<Options> {
       if (o.integer2 < 0 || o.integer2 > 7) return arrow::Status::Invalid("week start ", o.integer2, " is not in 1 ... 7");
       return make<DayOfWeekOptions>(o.integer1 == 0, o.integer2 == 0 ? 1u : static_cast<uint32_t>(o.integer2));
     }},
    {"week",
     [](const MillraceOptions &o) {
       return make<WeekOptions>(o.integer1 == 0, o.integer2 != 0, o.integer3 != 0);
     }},
    {"set",
     [](const MillraceOptions &o) -> arrow::Result<Options> {
       ARROW_ASSIGN_OR_RAISE(const auto values, values_of(o));
       ARROW_ASSIGN_OR_RAISE(const auto nulls, choose<SetLookupOptions::NullMatchingBehavior>(
                                                   text(o.text1, "match"), {{"match", SetLookupOptions::MATCH},
                                                                            {"skip", SetLookupOptions::SKIP},
                                                                            {"emit_null", SetLookupOptions::EMIT_NULL},
                                                                            {"inconclusive", SetLookupOptions::INCONCLUSIVE}}));
       return make<SetLookupOptions>(values, nulls);
     }},
    {"null", [](const MillraceOptions &o) { return make<NullOptions>(o.integer1 != 0); }},
    {"element_wise", [](const MillraceOptions &o) { return make<ElementWiseAggregateOptions>(o.integer1 == 0); }},
    {"aggregate",
     [](const MillraceOptions &o) -> arrow::Result<Options> {
       if (o.integer2 < 0 || o.integer2 > std::numeric_limits<uint32_t>::max()) {
         return arrow::Status::Invalid("a minimum count of ", o.integer2);
       }
       return make<ScalarAggregateOptions>(o.integer1 == 0, static_cast<uint32_t>(o.integer2));
     }},
    {"count",
     [](const MillraceOptions &o) -> arrow::Result<Options> {
       ARROW_ASSIGN_OR_RAISE(const auto mode,
                             choose<CountOptions::CountMode>(text(o.text1, "valid"), {{"valid", CountOptions::ONLY_VALID},
                                                                                      {"null", CountOptions::ONLY_NULL},
                                                                                      {"all", CountOptions::ALL}}));
       return make<CountOptions>(mode);
     }},
    {"case_when", [](const MillraceOptions &) -> arrow::Result<Options> { return Options(); }},
    {"field",
     [](const MillraceOptions &o) -> arrow::Result<Options> {
       if (o.integer1 < 0 || o.integer1 > std::numeric_limits<int>::max()) return arrow::Status::Invalid("field ", o.integer1);
       return make<StructFieldOptions>(std::vector<int>{static_cast<int>(o.integer1)});
     }},
    {"filter",
     [](const MillraceOptions &o) -> arrow::Result<Options> {
       ARROW_ASSIGN_OR_RAISE(const auto nulls,
                             choose<FilterOptions::NullSelectionBehavior>(
                                 text(o.text1, "drop"), {{"drop", FilterOptions::DROP}, {"emit_null", FilterOptions::EMIT_NULL}}));
       return make<FilterOptions>(nulls);
     }},
    {"take", [](const MillraceOptions &o) { return make<TakeOptions>(o.integer1 == 0); }},
    {"sort",
     [](const MillraceOptions &o) -> arrow::Result<Options> {
       ARROW_ASSIGN_OR_RAISE(const auto nulls,
                             choose<NullPlacement>(text(o.text1, "at_end"),
                                                   {{"at_end", NullPlacement::AtEnd}, {"at_start", NullPlacement::AtStart}}));
       return make<ArraySortOptions>(o.integer1 != 0 ? SortOrder::Descending : SortOrder::Ascending, nulls);
     }},
    {"dictionary",
     [](const MillraceOptions &o) -> arrow::Result<Options> {
       using Encode = DictionaryEncodeOptions;
       ARROW_ASSIGN_OR_RAISE(const auto nulls, choose<Encode::NullEncodingBehavior>(
                                                   text(o.text1, "mask"), {{"mask", Encode::MASK}, {"encode", Encode::ENCODE}}));
       return make<Encode>(nulls);
     }},
};

}  // namespace

arrow::Result<Options> make_options(const MillraceOptions *options) {
  if (options == nullptr || options->kind == nullptr || *options->kind == 0) return Options();
  const auto maker = makers.find(options->kind);
  if (maker == makers.end()) return arrow::Status::Invalid("options of unknown kind \"", options->kind, "\"");
  return maker->second(*options);
}

}  // namespace millrace
