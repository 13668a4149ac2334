/* CBOR (RFC 8949): writer and pull reader for definite lengths. */
#ifndef CBOR_H
#define CBOR_H

#include "common.h"

typedef struct {
    uint8_t *to;
    size_t room, used;
    bool overflow;
} cbor_writer_t;

void cbor_writer(cbor_writer_t *w, uint8_t *to, size_t room);
void cbor_int(cbor_writer_t *w, int64_t value);
void cbor_bytes(cbor_writer_t *w, const uint8_t *data, size_t length);
void cbor_text(cbor_writer_t *w, const char *text);
void cbor_array(cbor_writer_t *w, size_t items);
void cbor_map(cbor_writer_t *w, size_t pairs);
void cbor_tag(cbor_writer_t *w, uint32_t tag);
void cbor_bool(cbor_writer_t *w, bool value);
void cbor_null(cbor_writer_t *w);

enum cbor_type { CBOR_UINT, CBOR_NEGATIVE, CBOR_BYTES, CBOR_TEXT, CBOR_ARRAY, CBOR_MAP, CBOR_TAG, CBOR_SIMPLE };

typedef struct {
    enum cbor_type type;
    uint64_t value;      /* number, length, count, tag or simple value */
    const uint8_t *data; /* of bytes and text */
} cbor_item_t;

typedef struct {
    const uint8_t *from;
    size_t length, at;
} cbor_reader_t;

void cbor_reader(cbor_reader_t *r, const uint8_t *from, size_t length);
/* The next item; for containers and tags only the head. False at the end or when malformed. */
bool cbor_next(cbor_reader_t *r, cbor_item_t *item);
bool cbor_next_int(cbor_reader_t *r, int64_t *value);
/* Passes over one whole item. */
bool cbor_skip(cbor_reader_t *r);

#endif
