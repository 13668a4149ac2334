/* Fixed-size block allocator. */
#ifndef POOL_H
#define POOL_H

#include "common.h"

typedef struct pool_block {
    struct pool_block *next;
} pool_block_t;

typedef struct {
    pool_block_t *free;
    uint8_t *base;
    size_t block_size, blocks, used, peak;
} pool_t;

/* `block_size` is a multiple of the size of a pointer. */
void pool_init(pool_t *p, void *memory, size_t block_size, size_t blocks);
void *pool_take(pool_t *p);
/* False when the block is not from this pool. */
bool pool_give(pool_t *p, void *block);

#endif
