#include "ring.h"

void ring_init(ring_t *r, uint8_t *data, uint32_t capacity)
{
    r->data = data;
    r->mask = capacity - 1u;
    r->head = 0;
    r->tail = 0;
    r->dropped = 0;
}

uint32_t ring_used(const ring_t *r)
{
    return r->head - r->tail;
}

bool ring_put(ring_t *r, uint8_t byte)
{
    if (ring_used(r) > r->mask) {
        r->dropped++;
        return false;
    }
    r->data[r->head & r->mask] = byte;
    r->head++;
    return true;
}

bool ring_get(ring_t *r, uint8_t *byte)
{
    if (ring_used(r) == 0) {
        return false;
    }
    *byte = r->data[r->tail & r->mask];
    r->tail++;
    return true;
}

bool ring_peek(const ring_t *r, uint32_t index, uint8_t *byte)
{
    if (index >= ring_used(r)) {
        return false;
    }
    *byte = r->data[(r->tail + index) & r->mask];
    return true;
}

uint32_t ring_write(ring_t *r, const uint8_t *data, uint32_t length)
{
    uint32_t done = 0;
    while (done < length && ring_put(r, data[done])) {
        done++;
    }
    return done;
}

uint32_t ring_read(ring_t *r, uint8_t *data, uint32_t length)
{
    uint32_t done = 0;
    while (done < length && ring_get(r, &data[done])) {
        done++;
    }
    return done;
}
