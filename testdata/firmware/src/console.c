#include "console.h"

#include "fmt.h"
#include "str.h"
#include "uart.h"

enum { BACKSPACE = 8, CANCEL = 3, ESCAPE = 27, DELETE = 127 };

void console_init(console_t *c, bool echo)
{
    memset(c, 0, sizeof *c);
    c->echo = echo;
}

static void say(const console_t *c, const char *text)
{
    if (c->echo) {
        uart_write_text(text);
    }
}

static void erase_line(console_t *c)
{
    while (c->length) {
        c->length--;
        say(c, "\b \b");
    }
}

static void recall(console_t *c, bool older)
{
    uint32_t oldest = c->entered > CONSOLE_HISTORY ? c->entered - CONSOLE_HISTORY : 0;
    if (older ? c->recall == oldest : c->recall >= c->entered) {
        return;
    }
    c->recall = older ? c->recall - 1u : c->recall + 1u;
    erase_line(c);
    if (c->recall < c->entered) {
        c->length = str_copy(c->line, sizeof c->line, c->history[c->recall % CONSOLE_HISTORY]);
        c->line[c->length] = 0;
        say(c, c->line);
    }
}

static bool escape_sequence(console_t *c, uint8_t byte)
{
    if (byte == ESCAPE) {
        c->escape = 1;
        return true;
    }
    if (c->escape == 1) {
        c->escape = byte == '[' ? 2 : 0;
        return true;
    }
    if (c->escape == 2) {
        c->escape = 0;
        if (byte == 'A' || byte == 'B') {
            recall(c, byte == 'A');
        }
        return true;
    }
    return false;
}

bool console_execute(app_t *a, char *line)
{
    char *words[CONSOLE_WORDS];
    int count = str_split(line, words, CONSOLE_WORDS);
    if (count == 0) {
        return true;
    }
    for (size_t i = 0; i < command_count; i++) {
        const command_t *c = &commands[i];
        if (!str_eq(c->name, words[0])) {
            continue;
        }
        if (count < c->min_words || count > c->max_words || !c->run(a, count, words)) {
            print("usage: %s %s\n", c->name, c->arguments);
            return false;
        }
        return true;
    }
    print("no command %s, try help\n", words[0]);
    return false;
}

static void enter(console_t *c, app_t *a)
{
    say(c, "\r\n");
    c->line[c->length] = 0;
    if (c->length) {
        str_copy(c->history[c->entered % CONSOLE_HISTORY], CONSOLE_LINE, c->line);
        c->entered++;
    }
    c->recall = c->entered;
    c->length = 0;
    (void)console_execute(a, c->line);
    say(c, "> ");
}

void console_feed(console_t *c, app_t *a, uint8_t byte)
{
    if (escape_sequence(c, byte)) {
        return;
    }
    if (byte == '\r' || byte == '\n') {
        enter(c, a);
    } else if (byte == BACKSPACE || byte == DELETE) {
        if (c->length) {
            c->length--;
            say(c, "\b \b");
        }
    } else if (byte == CANCEL) {
        c->length = 0;
        say(c, "^C\r\n> ");
    } else if (byte >= ' ' && byte < DELETE && c->length + 1u < CONSOLE_LINE) {
        char text[2] = {(char)byte, 0};
        c->line[c->length++] = (char)byte;
        say(c, text);
    }
}
