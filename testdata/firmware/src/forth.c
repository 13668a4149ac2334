#include "forth.h"

#include "fmt.h"
#include "str.h"

#define STEP_LIMIT 100000u

enum opcode {
    OP_RETURN, OP_LITERAL, OP_LITERAL32, OP_JUMP, OP_JUMP_ZERO, OP_DO, OP_LOOP, OP_INDEX, OP_CALL,
    OP_ADD, OP_SUB, OP_MUL, OP_DIV, OP_MOD, OP_AND, OP_OR, OP_XOR, OP_NEGATE, OP_EQ, OP_LT, OP_GT,
    OP_DUP, OP_DROP, OP_SWAP, OP_OVER, OP_ROT, OP_FETCH, OP_STORE, OP_DOT, OP_CR, OP_DEPTH,
};

static const struct {
    char name[7];
    uint8_t opcode;
} primitives[] = {
    {"+", OP_ADD},      {"-", OP_SUB},     {"*", OP_MUL},       {"/", OP_DIV},     {"mod", OP_MOD},
    {"and", OP_AND},    {"or", OP_OR},     {"xor", OP_XOR},     {"negate", OP_NEGATE}, {"=", OP_EQ},
    {"<", OP_LT},       {">", OP_GT},      {"dup", OP_DUP},     {"drop", OP_DROP}, {"swap", OP_SWAP},
    {"over", OP_OVER},  {"rot", OP_ROT},   {"@", OP_FETCH},     {"!", OP_STORE},   {".", OP_DOT},
    {"cr", OP_CR},      {"depth", OP_DEPTH}, {"i", OP_INDEX},
};

void forth_init(forth_t *f, forth_emit_t emit, void *context)
{
    memset(f, 0, sizeof *f);
    f->emit = emit;
    f->context = context;
}

static void fail(forth_t *f, const char *why)
{
    if (!f->error) {
        f->error = why;
    }
}

static void push(forth_t *f, int32_t v)
{
    if (f->depth == FORTH_STACK) {
        fail(f, "stack full");
        return;
    }
    f->stack[f->depth++] = v;
}

static int32_t pop(forth_t *f)
{
    if (f->depth == 0) {
        fail(f, "stack empty");
        return 0;
    }
    return f->stack[--f->depth];
}

static void push_return(forth_t *f, int32_t v)
{
    if (f->return_depth == FORTH_STACK) {
        fail(f, "nested too deeply");
        return;
    }
    f->returns[f->return_depth++] = v;
}

static void compile(forth_t *f, int32_t v)
{
    if (f->here == FORTH_CODE) {
        fail(f, "no room for code");
        return;
    }
    f->code[f->here++] = (int16_t)v;
}

static void compile_number(forth_t *f, int32_t v)
{
    if (v == (int16_t)v) {
        compile(f, OP_LITERAL);
    } else {
        compile(f, OP_LITERAL32);
        compile(f, v >> 16);
    }
    compile(f, v);
}

static void binary(forth_t *f, enum opcode op)
{
    int32_t b = pop(f), a = pop(f);
    uint32_t ua = (uint32_t)a, ub = (uint32_t)b;
    switch (op) {
    case OP_ADD: a = (int32_t)(ua + ub); break;
    case OP_SUB: a = (int32_t)(ua - ub); break;
    case OP_MUL: a = (int32_t)(ua * ub); break;
    case OP_AND: a &= b; break;
    case OP_OR: a |= b; break;
    case OP_XOR: a ^= b; break;
    case OP_EQ: a = a == b ? -1 : 0; break;
    case OP_LT: a = a < b ? -1 : 0; break;
    case OP_GT: a = a > b ? -1 : 0; break;
    default:
        if (b == 0 || (a == INT32_MIN && b == -1)) {
            fail(f, "division by zero");
            return;
        }
        a = op == OP_DIV ? a / b : a % b;
        break;
    }
    push(f, a);
}

static int32_t *cell(forth_t *f, int32_t address)
{
    if (address < 0 || address >= FORTH_CELLS) {
        fail(f, "no such cell");
        address = 0;
    }
    return &f->cells[address];
}

static void print_number(forth_t *f, int32_t v)
{
    char text[16];
    (void)fmt_text(text, sizeof text, "%d ", v);
    f->emit(f->context, text);
}

static void stack_word(forth_t *f, enum opcode op)
{
    int32_t a, b, c;
    switch (op) {
    case OP_DUP: a = pop(f); push(f, a); push(f, a); break;
    case OP_DROP: (void)pop(f); break;
    case OP_SWAP: b = pop(f); a = pop(f); push(f, b); push(f, a); break;
    case OP_OVER: b = pop(f); a = pop(f); push(f, a); push(f, b); push(f, a); break;
    case OP_ROT: c = pop(f); b = pop(f); a = pop(f); push(f, b); push(f, c); push(f, a); break;
    case OP_NEGATE: push(f, (int32_t)(0u - (uint32_t)pop(f))); break;
    case OP_FETCH: a = pop(f); push(f, *cell(f, a)); break;
    case OP_STORE: a = pop(f); b = pop(f); *cell(f, a) = b; break;
    case OP_DOT: print_number(f, pop(f)); break;
    case OP_CR: f->emit(f->context, "\n"); break;
    case OP_DEPTH: push(f, (int32_t)f->depth); break;
    default: binary(f, op); break;
    }
}

static void loop_step(forth_t *f, size_t *pc)
{
    if (f->return_depth < 2) {
        fail(f, "loop without do");
        return;
    }
    int32_t *index = &f->returns[f->return_depth - 1u];
    int32_t target = f->code[(*pc)++];
    if (++*index < f->returns[f->return_depth - 2u]) {
        *pc = (size_t)target;
    } else {
        f->return_depth -= 2;
    }
}

static void run(forth_t *f, size_t pc)
{
    size_t base = f->return_depth;
    while (!f->error) {
        if (f->steps_left-- == 0) {
            fail(f, "runs too long");
            return;
        }
        enum opcode op = (enum opcode)f->code[pc++];
        int32_t a;
        switch (op) {
        case OP_RETURN:
            if (f->return_depth == base) {
                return;
            }
            pc = (size_t)f->returns[--f->return_depth];
            break;
        case OP_LITERAL:
            push(f, f->code[pc++]);
            break;
        case OP_LITERAL32:
            push(f, (int32_t)((uint32_t)(uint16_t)f->code[pc] << 16 | (uint16_t)f->code[pc + 1u]));
            pc += 2;
            break;
        case OP_JUMP:
            pc = (size_t)f->code[pc];
            break;
        case OP_JUMP_ZERO:
            pc = pop(f) == 0 ? (size_t)f->code[pc] : pc + 1u;
            break;
        case OP_DO:
            a = pop(f);
            push_return(f, pop(f));
            push_return(f, a);
            break;
        case OP_LOOP:
            loop_step(f, &pc);
            break;
        case OP_INDEX:
            push(f, f->return_depth ? f->returns[f->return_depth - 1u] : 0);
            break;
        case OP_CALL:
            push_return(f, (int32_t)pc + 1);
            pc = (size_t)f->code[pc];
            break;
        default:
            stack_word(f, op);
            break;
        }
    }
}

static void open_control(forth_t *f, size_t at)
{
    if (f->control_depth == ARRAY_LEN(f->control)) {
        fail(f, "nested too deeply");
        return;
    }
    f->control[f->control_depth++] = at;
}

static size_t close_control(forth_t *f)
{
    if (f->control_depth == 0) {
        fail(f, "unmatched word");
        return 0;
    }
    return f->control[--f->control_depth];
}

static void jump_forward(forth_t *f, enum opcode op)
{
    compile(f, op);
    compile(f, 0);
    open_control(f, f->here - 1u);
}

static bool control_word(forth_t *f, const char *word)
{
    if (str_eq(word, "if")) {
        jump_forward(f, OP_JUMP_ZERO);
    } else if (str_eq(word, "else")) {
        size_t from = close_control(f);
        jump_forward(f, OP_JUMP);
        f->code[from] = (int16_t)f->here;
    } else if (str_eq(word, "then")) {
        f->code[close_control(f)] = (int16_t)f->here;
    } else if (str_eq(word, "begin")) {
        open_control(f, f->here);
    } else if (str_eq(word, "until")) {
        compile(f, OP_JUMP_ZERO);
        compile(f, (int32_t)close_control(f));
    } else if (str_eq(word, "do")) {
        compile(f, OP_DO);
        open_control(f, f->here);
    } else if (str_eq(word, "loop")) {
        compile(f, OP_LOOP);
        compile(f, (int32_t)close_control(f));
    } else {
        return false;
    }
    return true;
}

static bool compile_word(forth_t *f, const char *word)
{
    for (size_t i = f->word_count; i > 0; i--) {
        if (str_eq(f->words[i - 1u].name, word)) {
            compile(f, OP_CALL);
            compile(f, f->words[i - 1u].start);
            return true;
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(primitives); i++) {
        if (str_eq(primitives[i].name, word)) {
            compile(f, primitives[i].opcode);
            return true;
        }
    }
    int32_t v;
    if (control_word(f, word)) {
        return true;
    }
    if (str_to_i32(word, &v)) {
        compile_number(f, v);
        return true;
    }
    return false;
}

static bool next_word(const char **line, char word[FORTH_NAME])
{
    while (str_is_space(**line)) {
        (*line)++;
    }
    size_t n = 0;
    while (**line && !str_is_space(**line)) {
        if (n + 1 < FORTH_NAME) {
            word[n++] = *(*line);
        }
        (*line)++;
    }
    word[n] = 0;
    return n != 0;
}

static void define(forth_t *f, const char **line)
{
    char name[FORTH_NAME];
    if (f->word_count == FORTH_WORDS || !next_word(line, name)) {
        fail(f, "cannot define");
        return;
    }
    str_copy(f->words[f->word_count].name, FORTH_NAME, name);
    f->words[f->word_count].start = (uint16_t)f->here;
    f->compiling = true;
}

bool forth_line(forth_t *f, const char *line)
{
    char word[FORTH_NAME];
    f->error = NULL;
    f->steps_left = STEP_LIMIT;
    size_t line_start = f->here;
    while (!f->error && next_word(&line, word)) {
        if (str_eq(word, ":")) {
            if (f->here != line_start || f->compiling) {
                fail(f, "definition inside a line");
            } else {
                define(f, &line);
            }
        } else if (str_eq(word, ";") && f->compiling) {
            compile(f, OP_RETURN);
            f->compiling = false;
            f->word_count++;
            line_start = f->here;
        } else if (!compile_word(f, word)) {
            fail(f, "unknown word");
        }
    }
    if (!f->error && !f->compiling) {
        compile(f, OP_RETURN);
        if (f->control_depth) {
            fail(f, "unfinished control structure");
        } else {
            run(f, line_start);
        }
        f->here = line_start; /* the line itself is not kept, definitions are */
    }
    if (f->error) {
        f->here = line_start;
        f->depth = f->return_depth = f->control_depth = 0;
        f->compiling = false;
        return false;
    }
    return true;
}
