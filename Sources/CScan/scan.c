#include "CScan.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/// Of 64 bytes: where line ends and delimiters are, whether a quote or CR is among them, whether all are ASCII.
struct Marks {
  uint64_t newlines, delimiters, rare, high;
};

CSCAN_INLINE struct Marks marks_baseline(const uint8_t *bytes, uint8_t delimiter, uint8_t quote) {
  const struct CScanBlock block = cscan_load(bytes);
  const struct Marks marks = {cscan_match(block, 10), cscan_match(block, delimiter), cscan_has_either(block, quote, 13),
                              cscan_high(block)};
  return marks;
}

#if defined(__x86_64__)
#define WIDE __attribute__((target("popcnt,bmi,avx2")))

WIDE static inline uint64_t match_wide(__m256i low, __m256i high, uint8_t byte) {
  const __m256i needle = _mm256_set1_epi8((char)byte);
  return (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, needle)) |
         (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, needle)) << 32;
}

WIDE static inline struct Marks marks_wide(const uint8_t *bytes, uint8_t delimiter, uint8_t quote) {
  const __m256i low = _mm256_loadu_si256((const __m256i *)(const void *)bytes);
  const __m256i high = _mm256_loadu_si256((const __m256i *)(const void *)(bytes + 32));
  const __m256i x = _mm256_set1_epi8((char)quote), y = _mm256_set1_epi8(13);
  const __m256i rare = _mm256_or_si256(_mm256_or_si256(_mm256_cmpeq_epi8(low, x), _mm256_cmpeq_epi8(high, x)),
                                       _mm256_or_si256(_mm256_cmpeq_epi8(low, y), _mm256_cmpeq_epi8(high, y)));
  const struct Marks marks = {match_wide(low, high, 10), match_wide(low, high, delimiter),
                              (uint64_t)(uint32_t)_mm256_movemask_epi8(rare),
                              (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_or_si256(low, high))};
  return marks;
}
#endif

// The body is compiled twice where the processor may have AVX2 and count bits in one instruction (popcnt, tzcnt, blsr: every
// x86-64 since 2013): the loop spends half of its instructions on that, and the baseline has none of them.
CSCAN_INLINE void run_body(struct Marks (*find)(const uint8_t *, uint8_t, uint8_t), const uint8_t *base, int64_t to, uint8_t delimiter, uint8_t quote, uint32_t *ends,
                           uint32_t *row_first, uint32_t *row_start, int64_t row_room, struct CScanRun *run) {
  int64_t position = run->position, fields = run->fields, rows = run->rows;
  uint64_t high = run->high;
  while (to - position >= 64 && rows + 66 <= row_room) {
    const struct Marks marks = find(base + position, delimiter, quote);
    if (marks.rare) break;
    high |= marks.high;
    const uint64_t newlines = marks.newlines;
    uint64_t stops = newlines | marks.delimiters;
    const int count = __builtin_popcountll(stops);
    uint64_t rest = newlines;
    while (rest != 0) {
      const int bit = __builtin_ctzll(rest);
      // rest ^ (rest - 1): all bits up to the lowest one of rest.
      rows++;
      row_first[rows] = (uint32_t)(fields + __builtin_popcountll(stops & (rest ^ (rest - 1))));
      row_start[rows] = (uint32_t)(position + bit + 1);
      rest &= rest - 1;
    }
    uint32_t *out = ends + fields;
    // Most blocks hold fewer than nine stops: eight stores without a branch, the rare rest behind. A count of zero bits
    // gives 64 or anything else; what is stored then is overwritten.
    for (int i = 0; i < 8; i++) {
      out[i] = (uint32_t)(position + __builtin_ctzll(stops | (1ull << 63)));
      stops &= stops - 1;
    }
    if (count > 8) {
      for (int i = 8; i < count; i++) {
        out[i] = (uint32_t)(position + __builtin_ctzll(stops));
        stops &= stops - 1;
      }
    }
    fields += count;
    position += 64;
  }
  run->position = position;
  run->fields = fields;
  run->rows = rows;
  run->high = high;
}

#if defined(__x86_64__)
WIDE static void run_wide(
    const uint8_t *base, int64_t to, uint8_t delimiter, uint8_t quote, uint32_t *ends, uint32_t *row_first,
    uint32_t *row_start, int64_t row_room, struct CScanRun *run) {
  run_body(marks_wide, base, to, delimiter, quote, ends, row_first, row_start, row_room, run);
}
#endif

void cscan_run(const uint8_t *base, int64_t to, uint8_t delimiter, uint8_t quote, uint32_t *ends, uint32_t *row_first,
               uint32_t *row_start, int64_t row_room, struct CScanRun *run) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("popcnt") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("avx2")) {
    run_wide(base, to, delimiter, quote, ends, row_first, row_start, row_room, run);
    return;
  }
#endif
  run_body(marks_baseline, base, to, delimiter, quote, ends, row_first, row_start, row_room, run);
}
