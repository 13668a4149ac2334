#include "str.h"

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
    uint8_t *t = to;
    const uint8_t *f = from;
    if ((((uintptr_t)t | (uintptr_t)f) & 3u) == 0) {
        while (n >= 4) {
            *(uint32_t *)(void *)t = *(const uint32_t *)(const void *)f;
            t += 4;
            f += 4;
            n -= 4;
        }
    }
    while (n--) {
        *t++ = *f++;
    }
    return to;
}

void *memmove(void *to, const void *from, size_t n)
{
    uint8_t *t = to;
    const uint8_t *f = from;
    if (t == f) {
        return to;
    }
    if (t < f) {
        while (n--) {
            *t++ = *f++;
        }
    } else {
        while (n--) {
            t[n] = f[n];
        }
    }
    return to;
}

void *memset(void *to, int value, size_t n)
{
    uint8_t *t = to;
    while (n--) {
        *t++ = (uint8_t)value;
    }
    return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const uint8_t *x = a;
    const uint8_t *y = b;
    for (size_t i = 0; i < n; i++) {
        if (x[i] != y[i]) {
            return x[i] - y[i];
        }
    }
    return 0;
}

size_t strlen(const char *s)
{
    size_t n = 0;
    while (s[n]) {
        n++;
    }
    return n;
}

bool str_eq(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

bool str_prefix(const char *text, const char *prefix)
{
    while (*prefix) {
        if (*text++ != *prefix++) {
            return false;
        }
    }
    return true;
}

bool str_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

char str_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool str_is_alpha(char c)
{
    c = str_lower(c);
    return (c >= 'a' && c <= 'z') || c == '_';
}

bool str_is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

int str_hex_digit(char c)
{
    c = str_lower(c);
    if (str_is_digit(c)) {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

size_t str_copy(char *to, size_t room, const char *from)
{
    size_t n = 0;
    while (n + 1 < room && from[n]) {
        to[n] = from[n];
        n++;
    }
    if (room) {
        to[n] = 0;
    }
    return n;
}

bool str_to_i32(const char *s, int32_t *value)
{
    bool negative = *s == '-';
    if (*s == '-' || *s == '+') {
        s++;
    }
    uint32_t base = 10;
    if (s[0] == '0' && str_lower(s[1]) == 'x') {
        base = 16;
        s += 2;
    }
    if (!*s) {
        return false;
    }
    uint64_t sum = 0;
    for (; *s; s++) {
        int digit = str_hex_digit(*s);
        if (digit < 0 || (uint32_t)digit >= base) {
            return false;
        }
        sum = sum * base + (uint32_t)digit;
        if (sum > UINT32_MAX) {
            return false;
        }
    }
    if (base == 10 && sum > (negative ? 0x80000000u : 0x7FFFFFFFu)) {
        return false;
    }
    uint32_t bits = (uint32_t)sum;
    *value = (int32_t)(negative ? 0u - bits : bits);
    return true;
}

bool str_to_bytes(const char *s, uint8_t *out, size_t room, size_t *length)
{
    size_t n = 0;
    while (*s) {
        if (str_is_space(*s)) {
            s++;
            continue;
        }
        int high = str_hex_digit(s[0]);
        int low = high < 0 ? -1 : str_hex_digit(s[1]);
        if (low < 0 || n == room) {
            return false;
        }
        out[n++] = (uint8_t)(high << 4 | low);
        s += 2;
    }
    *length = n;
    return true;
}

int str_split(char *line, char *words[], int max)
{
    int count = 0;
    while (*line && count < max) {
        while (str_is_space(*line)) {
            line++;
        }
        if (!*line) {
            break;
        }
        char quote = 0;
        if (*line == '"') {
            quote = *line++;
        }
        words[count++] = line;
        while (*line && (quote ? *line != quote : !str_is_space(*line))) {
            line++;
        }
        if (*line) {
            *line++ = 0;
        }
    }
    return count;
}

bool bytes_equal_ct(const uint8_t *a, const uint8_t *b, size_t n)
{
    uint8_t difference = 0;
    for (size_t i = 0; i < n; i++) {
        difference |= (uint8_t)(a[i] ^ b[i]);
    }
    return difference == 0;
}
