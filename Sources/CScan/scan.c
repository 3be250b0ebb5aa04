#include "CScan.h"

// The body is compiled twice where the processor may count bits in one instruction (popcnt, tzcnt, blsr: every x86-64 since
// 2013): the loop spends half of its instructions on that, and the baseline has none of them.
CSCAN_INLINE void run_body(const uint8_t *base, int64_t to, uint8_t delimiter, uint8_t quote, uint32_t *ends,
                           uint32_t *row_first, uint32_t *row_start, int64_t row_room, struct CScanRun *run) {
  int64_t position = run->position, fields = run->fields, rows = run->rows;
  uint64_t high = run->high;
  while (to - position >= 64 && rows + 66 <= row_room) {
    const struct CScanBlock block = cscan_load(base + position);
    if (cscan_has_either(block, quote, 13)) break;
    high |= cscan_high(block);
    const uint64_t newlines = cscan_match(block, 10);
    uint64_t stops = newlines | cscan_match(block, delimiter);
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
__attribute__((target("popcnt,bmi,avx"))) static void run_bits(
    const uint8_t *base, int64_t to, uint8_t delimiter, uint8_t quote, uint32_t *ends, uint32_t *row_first,
    uint32_t *row_start, int64_t row_room, struct CScanRun *run) {
  run_body(base, to, delimiter, quote, ends, row_first, row_start, row_room, run);
}
#endif

void cscan_run(const uint8_t *base, int64_t to, uint8_t delimiter, uint8_t quote, uint32_t *ends, uint32_t *row_first,
               uint32_t *row_start, int64_t row_room, struct CScanRun *run) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("popcnt") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("avx")) {
    run_bits(base, to, delimiter, quote, ends, row_first, row_start, row_room, run);
    return;
  }
#endif
  run_body(base, to, delimiter, quote, ends, row_first, row_start, row_room, run);
}
