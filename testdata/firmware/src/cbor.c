#include "cbor.h"

#include "str.h"

#define MAX_DEPTH 16

void cbor_writer(cbor_writer_t *w, uint8_t *to, size_t room)
{
    *w = (cbor_writer_t){to, room, 0, false};
}

static void put(cbor_writer_t *w, const void *data, size_t length)
{
    if (length > w->room - w->used) {
        w->overflow = true;
        return;
    }
    memcpy(w->to + w->used, data, length);
    w->used += length;
}

static void head(cbor_writer_t *w, enum cbor_type type, uint64_t value)
{
    uint8_t bytes[9];
    size_t extra = value < 24 ? 0 : value <= UINT8_MAX ? 1 : value <= UINT16_MAX ? 2 : value <= UINT32_MAX ? 4 : 8;
    static const uint8_t additional[9] = {[1] = 24, [2] = 25, [4] = 26, [8] = 27};
    bytes[0] = (uint8_t)(type << 5 | (extra ? additional[extra] : (uint8_t)value));
    for (size_t i = 0; i < extra; i++) {
        bytes[1 + i] = (uint8_t)(value >> (8u * (extra - 1u - i)));
    }
    put(w, bytes, 1 + extra);
}

void cbor_int(cbor_writer_t *w, int64_t value)
{
    if (value >= 0) {
        head(w, CBOR_UINT, (uint64_t)value);
    } else {
        head(w, CBOR_NEGATIVE, ~(uint64_t)value);
    }
}

void cbor_bytes(cbor_writer_t *w, const uint8_t *data, size_t length)
{
    head(w, CBOR_BYTES, length);
    put(w, data, length);
}

void cbor_text(cbor_writer_t *w, const char *text)
{
    size_t length = strlen(text);
    head(w, CBOR_TEXT, length);
    put(w, text, length);
}

void cbor_array(cbor_writer_t *w, size_t items)
{
    head(w, CBOR_ARRAY, items);
}

void cbor_map(cbor_writer_t *w, size_t pairs)
{
    head(w, CBOR_MAP, pairs);
}

void cbor_tag(cbor_writer_t *w, uint32_t tag)
{
    head(w, CBOR_TAG, tag);
}

void cbor_bool(cbor_writer_t *w, bool value)
{
    head(w, CBOR_SIMPLE, value ? 21u : 20u);
}

void cbor_null(cbor_writer_t *w)
{
    head(w, CBOR_SIMPLE, 22u);
}

void cbor_reader(cbor_reader_t *r, const uint8_t *from, size_t length)
{
    *r = (cbor_reader_t){from, length, 0};
}

bool cbor_next(cbor_reader_t *r, cbor_item_t *item)
{
    if (r->at >= r->length) {
        return false;
    }
    uint8_t first = r->from[r->at++];
    uint32_t info = first & 31u;
    item->type = (enum cbor_type)(first >> 5);
    item->value = info;
    item->data = NULL;
    if (info > 27) {
        return false;
    }
    if (info >= 24) {
        size_t extra = (size_t)1 << (info - 24u);
        if (extra > r->length - r->at) {
            return false;
        }
        item->value = 0;
        while (extra--) {
            item->value = item->value << 8 | r->from[r->at++];
        }
    }
    if (item->type == CBOR_BYTES || item->type == CBOR_TEXT) {
        if (item->value > r->length - r->at) {
            return false;
        }
        item->data = r->from + r->at;
        r->at += (size_t)item->value;
    }
    return true;
}

bool cbor_next_int(cbor_reader_t *r, int64_t *value)
{
    cbor_item_t item;
    if (!cbor_next(r, &item) || item.type > CBOR_NEGATIVE || item.value > INT64_MAX) {
        return false;
    }
    *value = item.type == CBOR_UINT ? (int64_t)item.value : -1 - (int64_t)item.value;
    return true;
}

static bool skip(cbor_reader_t *r, int depth)
{
    cbor_item_t item;
    if (depth == 0 || !cbor_next(r, &item)) {
        return false;
    }
    uint64_t children = 0;
    if (item.type == CBOR_ARRAY) {
        children = item.value;
    } else if (item.type == CBOR_MAP) {
        children = item.value > r->length ? r->length + 1u : item.value * 2u;
    } else if (item.type == CBOR_TAG) {
        children = 1;
    }
    while (children--) {
        if (!skip(r, depth - 1)) {
            return false;
        }
    }
    return true;
}

bool cbor_skip(cbor_reader_t *r)
{
    return skip(r, MAX_DEPTH);
}
