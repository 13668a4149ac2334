/* JSON writer into a caller's buffer. */
#ifndef JSON_H
#define JSON_H

#include "common.h"

typedef struct {
    char *to;
    size_t room, used; /* used counts also what did not fit */
    bool comma;
} json_t;

void json_start(json_t *j, char *to, size_t room);
void json_open(json_t *j, const char *name, char bracket);
void json_close(json_t *j, char bracket);
void json_text(json_t *j, const char *name, const char *value);
void json_number(json_t *j, const char *name, int64_t value);
/* A number of thousandths, with three decimals. */
void json_milli(json_t *j, const char *name, int32_t value);
void json_bool(json_t *j, const char *name, bool value);
/* Ends the text with 0; false when it did not fit. */
bool json_finish(json_t *j);

#endif
