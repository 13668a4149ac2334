#include "pool.h"

#include "str.h"

void pool_init(pool_t *p, void *memory, size_t block_size, size_t blocks)
{
    *p = (pool_t){.base = memory, .block_size = block_size, .blocks = blocks};
    for (size_t i = blocks; i > 0; i--) {
        pool_block_t *b = (pool_block_t *)(void *)(p->base + (i - 1u) * block_size);
        b->next = p->free;
        p->free = b;
    }
}

void *pool_take(pool_t *p)
{
    pool_block_t *b = p->free;
    if (!b) {
        return NULL;
    }
    p->free = b->next;
    p->used++;
    if (p->used > p->peak) {
        p->peak = p->used;
    }
    memset(b, 0, p->block_size);
    return b;
}

bool pool_give(pool_t *p, void *block)
{
    size_t offset = (size_t)((uint8_t *)block - p->base);
    if ((uint8_t *)block < p->base || offset >= p->block_size * p->blocks || offset % p->block_size) {
        return false;
    }
    pool_block_t *b = block;
    b->next = p->free;
    p->free = b;
    p->used--;
    return true;
}
