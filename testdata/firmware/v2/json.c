#include "json.h"

#include "fmt.h"

void json_start(json_t *j, char *to, size_t room)
{
    *j = (json_t){to, room, 0, false};
}

static void put(json_t *j, char c)
{
    if (j->used < j->room) {
        j->to[j->used] = c;
    }
    j->used++;
}

static void put_text(json_t *j, const char *text)
{
    while (*text) {
        put(j, *text++);
    }
}

static void put_quoted(json_t *j, const char *text)
{
    put(j, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') {
            put(j, '\\');
            put(j, *text);
        } else if ((uint8_t)*text < 0x20u) {
            char escape[8];
            (void)fmt_text(escape, sizeof escape, "\\u%04x", (uint32_t)(uint8_t)*text);
            put_text(j, escape);
        } else {
            put(j, *text);
        }
    }
    put(j, '"');
}

/* Comma and name of the next member; array elements and the outermost value have no name. */
static void member(json_t *j, const char *name)
{
    if (j->comma) {
        put(j, ',');
    }
    j->comma = true;
    if (name) {
        put_quoted(j, name);
        put(j, ':');
    }
}

void json_open(json_t *j, const char *name, char bracket)
{
    member(j, name);
    put(j, bracket);
    j->comma = false;
}

void json_close(json_t *j, char bracket)
{
    put(j, bracket);
    j->comma = true;
}

void json_text(json_t *j, const char *name, const char *value)
{
    member(j, name);
    put_quoted(j, value);
}

void json_number(json_t *j, const char *name, int64_t value)
{
    char text[24];
    (void)fmt_text(text, sizeof text, "%lld", value);
    member(j, name);
    put_text(j, text);
}

void json_milli(json_t *j, const char *name, int32_t value)
{
    char text[16];
    (void)fmt_text(text, sizeof text, "%m", value);
    member(j, name);
    put_text(j, text);
}

void json_bool(json_t *j, const char *name, bool value)
{
    member(j, name);
    put_text(j, value ? "true" : "false");
}

bool json_finish(json_t *j)
{
    bool fits = j->used < j->room;
    put(j, 0);
    if (!fits && j->room) {
        j->to[j->room - 1u] = 0;
    }
    return fits;
}
