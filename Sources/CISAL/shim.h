#include <isa-l/igzip_lib.h>
#include <stdlib.h>

// The state holds arrays that Swift cannot import; it sees a handle.

/// Bytes to read and room to write; `inflate` moves both on.
struct CISALStream {
  uint8_t *next_in;
  uint8_t *next_out;
  uint32_t avail_in;
  uint32_t avail_out;
};

static inline void *cisal_new(void) { return malloc(sizeof(struct inflate_state)); }

/// Makes ready for a gzip member, header first.
static inline void cisal_start(void *handle) {
  struct inflate_state *state = (struct inflate_state *)handle;
  isal_inflate_init(state);
  state->crc_flag = ISAL_GZIP;
}

/// Below 0: damaged (ISAL_INVALID_…). 1: the member's end, checksum and length were right. 0: goes on.
static inline int cisal_inflate(void *handle, struct CISALStream *stream) {
  struct inflate_state *state = (struct inflate_state *)handle;
  state->next_in = stream->next_in;
  state->avail_in = stream->avail_in;
  state->next_out = stream->next_out;
  state->avail_out = stream->avail_out;
  const int result = isal_inflate(state);
  stream->next_in = state->next_in;
  stream->avail_in = state->avail_in;
  stream->next_out = state->next_out;
  stream->avail_out = state->avail_out;
  return result < 0 ? result : state->block_state == ISAL_BLOCK_FINISH ? 1 : 0;
}
