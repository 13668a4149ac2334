#include "fmt.h"

#include "str.h"
#include "uart.h"

typedef struct {
    bool left, zero, plus;
    int width;
    int longs;
} spec_t;

typedef struct {
    fmt_sink_t sink;
    void *context;
    size_t count;
} out_t;

static void emit(out_t *o, char c)
{
    o->sink(o->context, c);
    o->count++;
}

static void pad(out_t *o, char c, int n)
{
    while (n-- > 0) {
        emit(o, c);
    }
}

static void emit_field(out_t *o, const spec_t *s, const char *sign, const char *body, int length)
{
    int sign_length = (int)strlen(sign);
    int fill = s->width - length - sign_length;
    if (!s->left && !s->zero) {
        pad(o, ' ', fill);
    }
    for (int i = 0; i < sign_length; i++) {
        emit(o, sign[i]);
    }
    if (!s->left && s->zero) {
        pad(o, '0', fill);
    }
    for (int i = 0; i < length; i++) {
        emit(o, body[i]);
    }
    if (s->left) {
        pad(o, ' ', fill);
    }
}

/* Writes digits backwards from the end of the buffer; returns where they start. */
static char *digits(char *end, uint64_t value, uint32_t base, bool upper)
{
    const char *set = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    if (value <= UINT32_MAX) {
        uint32_t small = (uint32_t)value;
        do {
            *--end = set[small % base];
            small /= base;
        } while (small);
    } else {
        do {
            *--end = set[value % base];
            value /= base;
        } while (value);
    }
    return end;
}

static void emit_number(out_t *o, const spec_t *s, uint64_t value, bool negative, uint32_t base, bool upper)
{
    char buffer[24];
    char *end = buffer + sizeof buffer;
    char *start = digits(end, value, base, upper);
    emit_field(o, s, negative ? "-" : s->plus ? "+" : "", start, (int)(end - start));
}

static void emit_milli(out_t *o, const spec_t *s, int32_t value)
{
    char buffer[16];
    char *end = buffer + sizeof buffer;
    uint32_t magnitude = value < 0 ? 0u - (uint32_t)value : (uint32_t)value;
    char *start = end;
    for (int i = 0; i < 3; i++) {
        *--start = (char)('0' + magnitude % 10u);
        magnitude /= 10u;
    }
    *--start = '.';
    start = digits(start, magnitude, 10, false);
    emit_field(o, s, value < 0 ? "-" : s->plus ? "+" : "", start, (int)(end - start));
}

static const char *parse_spec(const char *f, spec_t *s, va_list *args)
{
    *s = (spec_t){0};
    for (;; f++) {
        if (*f == '-') {
            s->left = true;
        } else if (*f == '0') {
            s->zero = true;
        } else if (*f == '+') {
            s->plus = true;
        } else {
            break;
        }
    }
    if (*f == '*') {
        s->width = va_arg(*args, int);
        f++;
    }
    while (str_is_digit(*f)) {
        s->width = s->width * 10 + (*f++ - '0');
    }
    while (*f == 'l') {
        s->longs++;
        f++;
    }
    return f;
}

size_t fmt_to_sink(fmt_sink_t sink, void *context, const char *format, va_list list)
{
    out_t o = {sink, context, 0};
    va_list args;
    va_copy(args, list);
    for (const char *f = format; *f; f++) {
        if (*f != '%') {
            emit(&o, *f);
            continue;
        }
        spec_t s;
        f = parse_spec(f + 1, &s, &args);
        switch (*f) {
        case 'd': {
            int64_t v = s.longs > 1 ? va_arg(args, int64_t) : va_arg(args, int32_t);
            emit_number(&o, &s, v < 0 ? 0u - (uint64_t)v : (uint64_t)v, v < 0, 10, false);
            break;
        }
        case 'u':
        case 'x':
        case 'X': {
            uint64_t v = s.longs > 1 ? va_arg(args, uint64_t) : va_arg(args, uint32_t);
            emit_number(&o, &s, v, false, *f == 'u' ? 10 : 16, *f == 'X');
            break;
        }
        case 'm':
            emit_milli(&o, &s, va_arg(args, int32_t));
            break;
        case 's': {
            const char *text = va_arg(args, const char *);
            s.zero = false;
            emit_field(&o, &s, "", text, (int)strlen(text));
            break;
        }
        case 'c': {
            char c = (char)va_arg(args, int);
            emit_field(&o, &s, "", &c, 1);
            break;
        }
        case 0:
            f--;
            break;
        default:
            emit(&o, *f);
            break;
        }
    }
    va_end(args);
    return o.count;
}

typedef struct {
    char *to;
    size_t room, used;
} text_t;

static void text_sink(void *context, char c)
{
    text_t *t = context;
    if (t->used + 1 < t->room) {
        t->to[t->used++] = c;
    }
}

size_t fmt_text(char *to, size_t room, const char *format, ...)
{
    text_t t = {to, room, 0};
    va_list args;
    va_start(args, format);
    size_t length = fmt_to_sink(text_sink, &t, format, args);
    va_end(args);
    if (room) {
        to[t.used] = 0;
    }
    return length;
}

static void console_sink(void *context, char c)
{
    (void)context;
    if (c == '\n') {
        uart_put('\r');
    }
    uart_put(c);
}

void print(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)fmt_to_sink(console_sink, NULL, format, args);
    va_end(args);
}

void print_hex(const uint8_t *data, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        print("%02x", data[i]);
    }
}
