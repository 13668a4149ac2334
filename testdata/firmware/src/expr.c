#include "expr.h"

#include "fix.h"
#include "str.h"

#define NAME_MAX 12
#define MAX_DEPTH 16

typedef struct {
    const char *at;
    expr_lookup_t lookup;
    void *context;
    enum expr_error error;
    int depth;
} parser_t;

enum operation { OR, AND, BIT_OR, BIT_XOR, BIT_AND, EQ, NE, LE, GE, LT, GT, SHL, SHR, ADD, SUB, MUL, DIV, MOD };

/* Longer spellings stand before their prefixes. */
static const struct {
    char text[3];
    uint8_t level;
    uint8_t operation;
} operators[] = {
    {"||", 1, OR},  {"&&", 2, AND}, {"==", 6, EQ},  {"!=", 6, NE},  {"<=", 7, LE},     {">=", 7, GE},
    {"<<", 8, SHL}, {">>", 8, SHR}, {"|", 3, BIT_OR}, {"^", 4, BIT_XOR}, {"&", 5, BIT_AND}, {"<", 7, LT},
    {">", 7, GT},   {"+", 9, ADD},  {"-", 9, SUB},  {"*", 10, MUL}, {"/", 10, DIV},    {"%", 10, MOD},
};

static int32_t conditional(parser_t *p);

static int32_t fail(parser_t *p, enum expr_error e)
{
    if (p->error == EXPR_OK) {
        p->error = e;
    }
    return 0;
}

static void skip_space(parser_t *p)
{
    while (str_is_space(*p->at)) {
        p->at++;
    }
}

static bool accept(parser_t *p, char c)
{
    skip_space(p);
    if (*p->at != c) {
        return false;
    }
    p->at++;
    return true;
}

static int32_t apply(parser_t *p, enum operation op, int32_t a, int32_t b)
{
    uint32_t ua = (uint32_t)a, ub = (uint32_t)b;
    switch (op) {
    case OR: return a || b;
    case AND: return a && b;
    case BIT_OR: return a | b;
    case BIT_XOR: return a ^ b;
    case BIT_AND: return a & b;
    case EQ: return a == b;
    case NE: return a != b;
    case LE: return a <= b;
    case GE: return a >= b;
    case LT: return a < b;
    case GT: return a > b;
    case SHL: return (int32_t)(ua << (ub & 31u));
    case SHR: return a >> (ub & 31u);
    case ADD: return (int32_t)(ua + ub);
    case SUB: return (int32_t)(ua - ub);
    case MUL: return (int32_t)(ua * ub);
    case DIV:
    case MOD:
        if (b == 0 || (a == INT32_MIN && b == -1)) {
            return fail(p, EXPR_DIVISION);
        }
        return op == DIV ? a / b : a % b;
    }
    return 0;
}

static int32_t call(parser_t *p, const char *name)
{
    int32_t arguments[3] = {0};
    size_t n = 0;
    if (!accept(p, ')')) {
        do {
            int32_t v = conditional(p);
            if (n == ARRAY_LEN(arguments)) {
                return fail(p, EXPR_ARGUMENTS);
            }
            arguments[n++] = v;
        } while (accept(p, ','));
        if (!accept(p, ')')) {
            return fail(p, EXPR_SYNTAX);
        }
    }
    int32_t a = arguments[0], b = arguments[1];
    if (n == 1 && str_eq(name, "abs")) {
        return a < 0 ? (int32_t)(0u - (uint32_t)a) : a;
    }
    if (n == 1 && str_eq(name, "sqrt")) {
        return a < 0 ? fail(p, EXPR_ARGUMENTS) : (int32_t)fix_isqrt((uint32_t)a);
    }
    if (n == 2 && str_eq(name, "min")) {
        return min_i32(a, b);
    }
    if (n == 2 && str_eq(name, "max")) {
        return max_i32(a, b);
    }
    if (n == 3 && str_eq(name, "clamp")) {
        return clamp_i32(a, b, arguments[2]);
    }
    return fail(p, EXPR_NAME);
}

static int32_t number(parser_t *p)
{
    char text[NAME_MAX];
    size_t n = 0;
    while (str_is_digit(*p->at) || str_is_alpha(*p->at)) {
        if (n + 1 == sizeof text) {
            return fail(p, EXPR_SYNTAX);
        }
        text[n++] = *p->at++;
    }
    text[n] = 0;
    int32_t v;
    return str_to_i32(text, &v) ? v : fail(p, EXPR_SYNTAX);
}

static int32_t name_or_call(parser_t *p)
{
    char name[NAME_MAX];
    size_t n = 0;
    while (str_is_alpha(*p->at) || str_is_digit(*p->at)) {
        if (n + 1 == sizeof name) {
            return fail(p, EXPR_NAME);
        }
        name[n++] = *p->at++;
    }
    name[n] = 0;
    if (accept(p, '(')) {
        return call(p, name);
    }
    int32_t v;
    return p->lookup && p->lookup(p->context, name, &v) ? v : fail(p, EXPR_NAME);
}

static int32_t unary(parser_t *p)
{
    if (++p->depth > MAX_DEPTH) {
        return fail(p, EXPR_DEPTH);
    }
    int32_t v;
    skip_space(p);
    if (accept(p, '-')) {
        v = (int32_t)(0u - (uint32_t)unary(p));
    } else if (accept(p, '!')) {
        v = !unary(p);
    } else if (accept(p, '~')) {
        v = ~unary(p);
    } else if (accept(p, '(')) {
        v = conditional(p);
        if (!accept(p, ')')) {
            v = fail(p, EXPR_SYNTAX);
        }
    } else if (str_is_digit(*p->at)) {
        v = number(p);
    } else if (str_is_alpha(*p->at)) {
        v = name_or_call(p);
    } else {
        v = fail(p, EXPR_SYNTAX);
    }
    p->depth--;
    return v;
}

/* Precedence climbing: everything that binds at least as tightly as `level`. */
static int32_t binary(parser_t *p, uint8_t level)
{
    int32_t left = unary(p);
    while (p->error == EXPR_OK) {
        skip_space(p);
        size_t i = 0;
        while (i < ARRAY_LEN(operators) && !str_prefix(p->at, operators[i].text)) {
            i++;
        }
        if (i == ARRAY_LEN(operators) || operators[i].level < level) {
            break;
        }
        p->at += strlen(operators[i].text);
        int32_t right = binary(p, (uint8_t)(operators[i].level + 1u));
        left = apply(p, (enum operation)operators[i].operation, left, right);
    }
    return left;
}

static int32_t conditional(parser_t *p)
{
    int32_t condition = binary(p, 1);
    if (!accept(p, '?')) {
        return condition;
    }
    int32_t yes = conditional(p);
    if (!accept(p, ':')) {
        return fail(p, EXPR_SYNTAX);
    }
    int32_t no = conditional(p);
    return condition ? yes : no;
}

enum expr_error expr_evaluate(const char *text, expr_lookup_t lookup, void *context, int32_t *value)
{
    parser_t p = {.at = text, .lookup = lookup, .context = context};
    *value = conditional(&p);
    skip_space(&p);
    if (*p.at) {
        (void)fail(&p, EXPR_SYNTAX);
    }
    return p.error;
}

const char *expr_error_text(enum expr_error e)
{
    static const char *const texts[] = {"ok",          "syntax error",    "unknown name",
                                        "division by zero", "wrong arguments", "nested too deeply"};
    return texts[e];
}
