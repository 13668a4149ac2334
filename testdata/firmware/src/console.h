/* Console: line editor with history, and the command table. */
#ifndef CONSOLE_H
#define CONSOLE_H

#include "app.h"

#define CONSOLE_LINE 96u
#define CONSOLE_HISTORY 4u
#define CONSOLE_WORDS 12

typedef struct {
    const char *name;
    const char *arguments;
    const char *help;
    int min_words, max_words; /* the name counts */
    /* False when the arguments make no sense. */
    bool (*run)(app_t *a, int count, char *words[]);
} command_t;

extern const command_t commands[];
extern const size_t command_count;

typedef struct {
    char line[CONSOLE_LINE];
    size_t length;
    char history[CONSOLE_HISTORY][CONSOLE_LINE];
    uint32_t entered, recall;
    uint8_t escape; /* progress of an escape sequence: 0 none, 1 ESC, 2 ESC [ */
    bool echo;
} console_t;

void console_init(console_t *c, bool echo);
void console_feed(console_t *c, app_t *a, uint8_t byte);
/* Runs one command line; false when there is no such command or its arguments make no sense. */
bool console_execute(app_t *a, char *line);

#endif
