/* Byte queue with one producer and one consumer; safe between an interrupt and the main loop. */
#ifndef RING_H
#define RING_H

#include "common.h"

typedef struct {
    uint8_t *data;
    uint32_t mask;           /* capacity - 1; capacity is a power of two */
    volatile uint32_t head;  /* next to write, free running */
    volatile uint32_t tail;  /* next to read, free running */
    uint32_t dropped;
} ring_t;

void ring_init(ring_t *r, uint8_t *data, uint32_t capacity);
bool ring_put(ring_t *r, uint8_t byte);
bool ring_get(ring_t *r, uint8_t *byte);
bool ring_peek(const ring_t *r, uint32_t index, uint8_t *byte);
uint32_t ring_used(const ring_t *r);
uint32_t ring_write(ring_t *r, const uint8_t *data, uint32_t length);
uint32_t ring_read(ring_t *r, uint8_t *data, uint32_t length);

#endif
