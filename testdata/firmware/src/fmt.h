/* Formatted output without a C library.
 *
 * %d %u %x %X %s %c %% with flags '-' '0' '+', a width (or *), and l / ll; and
 * %m  an int32_t number of thousandths, printed with three decimals ("12.345"). */
#ifndef FMT_H
#define FMT_H

#include <stdarg.h>

#include "common.h"

typedef void (*fmt_sink_t)(void *context, char c);

size_t fmt_to_sink(fmt_sink_t sink, void *context, const char *format, va_list args);
/* Always ends the text with 0; returns the length that it would have had with room enough. */
size_t fmt_text(char *to, size_t room, const char *format, ...);
/* To the console. */
void print(const char *format, ...);
void print_hex(const uint8_t *data, size_t length);

#endif
