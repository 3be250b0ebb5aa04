// XXH3 in 64 and 128 bits, one-shot and streaming (XXH3_128bits_reset, _update, _digest).
// XXH3_createState makes a state of the alignment it needs.
#include <xxhash.h>
