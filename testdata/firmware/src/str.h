/* Memory and text helpers. The compiler may call the mem* functions by itself. */
#ifndef STR_H
#define STR_H

#include "common.h"

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int value, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);

bool str_eq(const char *a, const char *b);
bool str_prefix(const char *text, const char *prefix);
bool str_is_digit(char c);
bool str_is_alpha(char c);
bool str_is_space(char c);
char str_lower(char c);
int str_hex_digit(char c); /* -1 when it is none */
size_t str_copy(char *to, size_t room, const char *from);
/* Decimal with sign, or 0x hexadecimal. The whole text must be a number in range. */
bool str_to_i32(const char *s, int32_t *value);
/* Pairs of hexadecimal digits, with optional blanks between pairs. */
bool str_to_bytes(const char *s, uint8_t *out, size_t room, size_t *length);
/* Splits at blanks in place, keeping "quoted parts" together; returns the number of words. */
int str_split(char *line, char *words[], int max);
/* Compares in time that depends on the length only. */
bool bytes_equal_ct(const uint8_t *a, const uint8_t *b, size_t n);

#endif
