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

#endif
