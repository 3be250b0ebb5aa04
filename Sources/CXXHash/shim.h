// XXH3 in 64 and 128 bits, one-shot and streaming (XXH3_128bits_reset, _update, _digest).
// XXH3_createState makes a state of the alignment it needs.
#include <xxhash.h>

// XXH3_128bits_update in the widest vectors that the processor has, where the library was built with the choice.
#if defined(__x86_64__) && defined(__linux__) && __has_include(<xxh_x86dispatch.h>)
XXH_errorcode XXH3_128bits_update_dispatch(XXH3_state_t *state, const void *bytes, size_t count);
static inline void millrace_xxh3_update(XXH3_state_t *state, const void *bytes, size_t count) {
  XXH3_128bits_update_dispatch(state, bytes, count);
}
#else
static inline void millrace_xxh3_update(XXH3_state_t *state, const void *bytes, size_t count) {
  XXH3_128bits_update(state, bytes, count);
}
#endif

// Once more, inlined: a text of a few bytes is hashed in less time than a call into the library takes.
#define XXH_INLINE_ALL
#include <xxhash.h>

struct MillraceHash128 {
  uint64_t low64, high64;
};

// XXH3_128bits of a short text; a seed of 0 is none.
static inline struct MillraceHash128 millrace_xxh3_128_seeded(const void *bytes, size_t count, uint64_t seed) {
  const XXH128_hash_t hash = XXH3_128bits_withSeed(bytes, count, seed);
  const struct MillraceHash128 words = {hash.low64, hash.high64};
  return words;
}
