/* Integer expressions for alarms and the console: "u1 > 207000 && (p < 0 || i1 * 3 > 20000)".
 *
 * Operators, loosest first: ?:  ||  &&  |  ^  &  == !=  < <= > >=  << >>  + -  * / %  unary - ! ~
 * Functions: abs(x) min(a,b) max(a,b) clamp(x,lo,hi) sqrt(x). Names are looked up by the caller. */
#ifndef EXPR_H
#define EXPR_H

#include "common.h"

enum expr_error { EXPR_OK, EXPR_SYNTAX, EXPR_NAME, EXPR_DIVISION, EXPR_ARGUMENTS, EXPR_DEPTH };

typedef bool (*expr_lookup_t)(void *context, const char *name, int32_t *value);

enum expr_error expr_evaluate(const char *text, expr_lookup_t lookup, void *context, int32_t *value);
const char *expr_error_text(enum expr_error e);

#endif
