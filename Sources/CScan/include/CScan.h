/// Where in 64 bytes is a byte? One bit per position: bit i of a mask answers for bytes[i].
///
/// The loop over masks is in Swift (module Formats); only what Swift has no spelling for is here.
/// SSE2 is part of every x86-64 and NEON of every arm64, so nothing is chosen at run time.
#ifndef MILLRACE_CSCAN_H
#define MILLRACE_CSCAN_H

#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__ARM_NEON) && defined(__aarch64__)
#include <arm_neon.h>
#endif

#define CSCAN_INLINE static inline __attribute__((always_inline))

/// Four masks of the same 64 bytes. A mask that is not looked at costs nothing.
struct CScanMasks {
  uint64_t a, b, c, d;
};

#if defined(__SSE2__)

struct CScanBlock {
  __m128i part[4];
};

CSCAN_INLINE struct CScanBlock cscan_load(const uint8_t *_Nonnull bytes) {
  struct CScanBlock block;
  for (int i = 0; i < 4; i++) block.part[i] = _mm_loadu_si128((const __m128i *)(const void *)(bytes + 16 * i));
  return block;
}

CSCAN_INLINE uint64_t cscan_match(struct CScanBlock block, uint8_t byte) {
  const __m128i needle = _mm_set1_epi8((char)byte);
  uint64_t mask = 0;
  for (int i = 0; i < 4; i++)
    mask |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(block.part[i], needle)) << (16 * i);
  return mask;
}

/// Not 0 where one of two bytes is in the block.
CSCAN_INLINE uint64_t cscan_has_either(struct CScanBlock block, uint8_t a, uint8_t b) {
  const __m128i x = _mm_set1_epi8((char)a), y = _mm_set1_epi8((char)b);
  __m128i any = _mm_setzero_si128();
  for (int i = 0; i < 4; i++)
    any = _mm_or_si128(any, _mm_or_si128(_mm_cmpeq_epi8(block.part[i], x), _mm_cmpeq_epi8(block.part[i], y)));
  return (uint64_t)(uint32_t)_mm_movemask_epi8(any);
}

/// Not 0 where a byte is not ASCII.
CSCAN_INLINE uint64_t cscan_high(struct CScanBlock block) {
  const __m128i any = _mm_or_si128(_mm_or_si128(block.part[0], block.part[1]), _mm_or_si128(block.part[2], block.part[3]));
  return (uint64_t)(uint32_t)_mm_movemask_epi8(any);
}

#elif defined(__ARM_NEON) && defined(__aarch64__)

struct CScanBlock {
  uint8x16_t part[4];
};

CSCAN_INLINE struct CScanBlock cscan_load(const uint8_t *_Nonnull bytes) {
  struct CScanBlock block;
  for (int i = 0; i < 4; i++) block.part[i] = vld1q_u8(bytes + 16 * i);
  return block;
}

CSCAN_INLINE uint64_t cscan_match(struct CScanBlock block, uint8_t byte) {
  // Each matching lane keeps the bit of its place in its group of 8; three pairwise sums gather 64 lanes into 8 bytes.
  const uint8x16_t places = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
  const uint8x16_t needle = vdupq_n_u8(byte);
  uint8x16_t lanes[4];
  for (int i = 0; i < 4; i++) lanes[i] = vandq_u8(vceqq_u8(block.part[i], needle), places);
  const uint8x16_t halves = vpaddq_u8(vpaddq_u8(lanes[0], lanes[1]), vpaddq_u8(lanes[2], lanes[3]));
  return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(halves, halves)), 0);
}

/// Not 0 where one of two bytes is in the block.
CSCAN_INLINE uint64_t cscan_has_either(struct CScanBlock block, uint8_t a, uint8_t b) {
  const uint8x16_t x = vdupq_n_u8(a), y = vdupq_n_u8(b);
  uint8x16_t any = vdupq_n_u8(0);
  for (int i = 0; i < 4; i++) any = vorrq_u8(any, vorrq_u8(vceqq_u8(block.part[i], x), vceqq_u8(block.part[i], y)));
  return vmaxvq_u8(any);
}

/// Not 0 where a byte is not ASCII.
CSCAN_INLINE uint64_t cscan_high(struct CScanBlock block) {
  return vmaxvq_u8(vorrq_u8(vorrq_u8(block.part[0], block.part[1]), vorrq_u8(block.part[2], block.part[3]))) & 0x80;
}

#else

struct CScanBlock {
  uint64_t part[8];
};

CSCAN_INLINE struct CScanBlock cscan_load(const uint8_t *_Nonnull bytes) {
  struct CScanBlock block;
  memcpy(block.part, bytes, 64);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  for (int i = 0; i < 8; i++) block.part[i] = __builtin_bswap64(block.part[i]);
#endif
  return block;
}

CSCAN_INLINE uint64_t cscan_match(struct CScanBlock block, uint8_t byte) {
  const uint64_t low7 = 0x7f7f7f7f7f7f7f7f;
  const uint64_t needle = 0x0101010101010101 * byte;
  uint64_t mask = 0;
  for (int i = 0; i < 8; i++) {
    const uint64_t x = block.part[i] ^ needle;
    const uint64_t zeros = ~(((x & low7) + low7) | x | low7);  // 0x80 in every byte of x that is zero, exactly
    mask |= (((zeros >> 7) * 0x0102040810204080) >> 56) << (8 * i);
  }
  return mask;
}

/// Not 0 where one of two bytes is in the block.
CSCAN_INLINE uint64_t cscan_has_either(struct CScanBlock block, uint8_t a, uint8_t b) {
  return cscan_match(block, a) | cscan_match(block, b);
}

/// Not 0 where a byte is not ASCII.
CSCAN_INLINE uint64_t cscan_high(struct CScanBlock block) {
  uint64_t any = 0;
  for (int i = 0; i < 8; i++) any |= block.part[i];
  return any & 0x8080808080808080;
}

#endif

/// Places of one byte in bytes[0 ..< 64].
CSCAN_INLINE uint64_t cscan_mask(const uint8_t *_Nonnull bytes, uint8_t a) { return cscan_match(cscan_load(bytes), a); }

/// Places of four bytes (for CSV: quote, delimiter, LF, CR) in bytes[0 ..< 64], which is read once.
CSCAN_INLINE struct CScanMasks cscan_masks(const uint8_t *_Nonnull bytes, uint8_t a, uint8_t b, uint8_t c, uint8_t d) {
  const struct CScanBlock block = cscan_load(bytes);
  const struct CScanMasks masks = {cscan_match(block, a), cscan_match(block, b), cscan_match(block, c),
                                   cscan_match(block, d)};
  return masks;
}

/// Bit i = parity of bits 0 ... i: of the quotes' mask, 1 inside quotes (the opening quote counts as inside).
/// 0b00100100 → 0b00011100
CSCAN_INLINE uint64_t cscan_prefix_xor(uint64_t bits) {
  bits ^= bits << 1;
  bits ^= bits << 2;
  bits ^= bits << 4;
  bits ^= bits << 8;
  bits ^= bits << 16;
  bits ^= bits << 32;
  return bits;
}

/// Not 0 where a byte of bytes[0 ..< 64] is not ASCII.
CSCAN_INLINE uint64_t cscan_has_high(const uint8_t *_Nonnull bytes) { return cscan_high(cscan_load(bytes)); }

/// How far a scan has come.
struct CScanRun {
  int64_t position, fields, rows;
  /// Not 0 once a byte was not ASCII.
  uint64_t high;
};

/// Goes through whole blocks of 64 bytes that hold neither quote nor CR, from run->position up to the first other block
/// or the last whole one before `to`, and stops where `row_room` may not do for another block. Field j ends at ends[j]
/// (8 more may be written); row r + 1 has its first field at row_first[r + 1] and begins at row_start[r + 1].
void cscan_run(const uint8_t *_Nonnull base, int64_t to, uint8_t delimiter, uint8_t quote, uint32_t *_Nonnull ends,
               uint32_t *_Nonnull row_first, uint32_t *_Nonnull row_start, int64_t row_room, struct CScanRun *_Nonnull run);

#endif
