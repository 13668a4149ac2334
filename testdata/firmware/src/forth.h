/* A small Forth for commissioning scripts: numbers, arithmetic, stack words, memory cells, definitions,
 * if/else/then, begin/until, do/loop, and output to the console or to a test. */
#ifndef FORTH_H
#define FORTH_H

#include "common.h"

#define FORTH_STACK 32
#define FORTH_CODE 512
#define FORTH_WORDS 32
#define FORTH_NAME 12
#define FORTH_CELLS 16

typedef void (*forth_emit_t)(void *context, const char *text);

typedef struct {
    int32_t stack[FORTH_STACK];
    int32_t returns[FORTH_STACK];
    size_t depth, return_depth;
    int32_t cells[FORTH_CELLS];
    int16_t code[FORTH_CODE];
    size_t here;
    struct {
        char name[FORTH_NAME];
        uint16_t start;
    } words[FORTH_WORDS];
    size_t word_count;
    size_t control[8]; /* open if / begin / do while compiling */
    size_t control_depth;
    bool compiling;
    uint32_t steps_left;
    const char *error;
    forth_emit_t emit;
    void *context;
} forth_t;

void forth_init(forth_t *f, forth_emit_t emit, void *context);
/* Interprets one line. False on an error, which `error` names; the stacks are then empty. */
bool forth_line(forth_t *f, const char *line);

#endif
