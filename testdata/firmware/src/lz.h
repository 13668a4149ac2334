/* Byte-oriented LZ77 for load profiles and logs.
 *
 * A control byte holds eight flags, lowest first. 0: one literal byte. 1: two bytes, twelve bits of
 * distance - 1 and four bits of length - 3. */
#ifndef LZ_H
#define LZ_H

#include "common.h"

/* Both return the length written, or 0 when it does not fit or the input is malformed. */
size_t lz_compress(const uint8_t *in, size_t length, uint8_t *out, size_t room);
size_t lz_decompress(const uint8_t *in, size_t length, uint8_t *out, size_t room);

#endif
