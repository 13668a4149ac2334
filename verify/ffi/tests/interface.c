/* The C interface in the hands of a careless caller, and of one who does it right. Prints what failed; exit code 0 when nothing did. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sealift.h"

static int failures;

#define CHECK(condition)                                                     \
    do {                                                                     \
        if (!(condition)) {                                                  \
            (void)printf("%s:%d: %s\n", __FILE__, __LINE__, #condition);     \
            failures++;                                                      \
        }                                                                    \
    } while (false)

/* NOR flash in memory. */
enum { SECTOR = 1024, UNIT = 8, SECTORS = 64 };
static uint8_t cells[SECTORS * SECTOR];
static bool broken;

static int32_t flash_read(void *context, uint8_t chip, uint32_t offset, uint8_t *bytes, size_t length)
{
    CHECK(context == cells && chip == 0 && length <= sizeof cells && offset <= sizeof cells - length);
    memcpy(bytes, cells + offset, length);
    return broken ? -5 : 0;
}

static int32_t flash_erase(void *context, uint8_t chip, uint32_t offset)
{
    CHECK(context == cells && chip == 0 && offset % SECTOR == 0 && offset < sizeof cells);
    memset(cells + offset, 0xFF, SECTOR);
    return 0;
}

static int32_t flash_program(void *context, uint8_t chip, uint32_t offset, const uint8_t *bytes, size_t length)
{
    CHECK(context == cells && chip == 0 && offset % UNIT == 0 && length % UNIT == 0 && offset <= sizeof cells - length);
    for (size_t i = 0; i < length; i++) {
        CHECK(cells[offset + i] == 0xFF);
    }
    memcpy(cells + offset, bytes, length);
    return 0;
}

static const sealift_flash flash = {
    .context = cells,
    .read = flash_read,
    .erase = flash_erase,
    .program = flash_program,
    .chips = {{.read_unit = 1, .program_unit = UNIT, .sector = SECTOR, .capacity = SECTORS * SECTOR, .erased = 0xFF}},
};

static sealift_device device(void)
{
    static const uint8_t trust[] = {0xA0};
    return (sealift_device){
        .flash = &flash,
        .layout =
            {
                .primary = {0, 0, 16 * SECTOR},
                .secondary = {0, 16 * SECTOR, 32 * SECTOR},
                .scratch = {0, 32 * SECTOR, 33 * SECTOR},
                .journal = {0, 34 * SECTOR, 36 * SECTOR},
                .states = {0, 36 * SECTOR, 60 * SECTOR},
            },
        .swap = 1,
        .save_every = 1,
        .trial_starts = 1,
        .trust = trust,
        .trust_length = sizeof trust,
    };
}

static void nothing_is_null(void)
{
    sealift_device d = device();
    sealift_boot_action action;
    sealift_installed_state state;
    sealift_goal goal = {0};
    static sealift_update update;
    uint8_t byte[32] = {0};

    CHECK(sealift_provision(NULL, 1, byte, 0, 0) == SEALIFT_ERROR_NULL_POINTER);
    CHECK(sealift_provision(&d, 1, NULL, 0, 0) == SEALIFT_ERROR_NULL_POINTER);
    CHECK(sealift_boot(NULL, &action) == SEALIFT_ERROR_NULL_POINTER);
    CHECK(sealift_boot(&d, NULL) == SEALIFT_ERROR_NULL_POINTER);
    CHECK(sealift_confirm(NULL) == SEALIFT_ERROR_NULL_POINTER);
    CHECK(sealift_reject(NULL) == SEALIFT_ERROR_NULL_POINTER);
    CHECK(sealift_abandon(NULL) == SEALIFT_ERROR_NULL_POINTER);
    CHECK(sealift_installed(NULL, &state) == SEALIFT_ERROR_NULL_POINTER);
    CHECK(sealift_installed(&d, NULL) == SEALIFT_ERROR_NULL_POINTER);
    CHECK(sealift_verify(NULL, byte, 1, 0, 0, &goal) == SEALIFT_ERROR_NULL_POINTER);
    CHECK(sealift_verify(&d, NULL, 1, 0, 0, &goal) == SEALIFT_ERROR_NULL_POINTER);
    CHECK(sealift_verify(&d, byte, 1, 0, 0, NULL) == SEALIFT_ERROR_NULL_POINTER);
    CHECK(sealift_update_begin(NULL, &d, &goal, byte, 1) == SEALIFT_ERROR_NULL_POINTER);
    CHECK(sealift_update_begin(&update, NULL, &goal, byte, 1) == SEALIFT_ERROR_NULL_POINTER);
    CHECK(sealift_update_begin(&update, &d, NULL, byte, 1) == SEALIFT_ERROR_NULL_POINTER);
    CHECK(sealift_update_begin(&update, &d, &goal, NULL, 1) == SEALIFT_ERROR_NULL_POINTER);
    CHECK(sealift_update_wants(NULL, NULL, NULL) == SEALIFT_ERROR_NULL_POINTER);
    CHECK(sealift_update_data(NULL, byte, 1) == SEALIFT_ERROR_NULL_POINTER);
    CHECK(sealift_update_finish(NULL) == SEALIFT_ERROR_NULL_POINTER);

    d.flash = NULL;
    CHECK(sealift_boot(&d, &action) == SEALIFT_ERROR_NULL_POINTER);
    sealift_flash half = flash;
    half.erase = NULL;
    d.flash = &half;
    CHECK(sealift_boot(&d, &action) == SEALIFT_ERROR_NULL_POINTER);
    d = device();
    d.trust = NULL;
    CHECK(sealift_verify(&d, byte, 1, 0, 0, &goal) != SEALIFT_OK);
}

static void a_layout_must_be_sound(void)
{
    sealift_boot_action action;
    sealift_device d = device();
    d.layout.secondary.start -= SECTOR;
    CHECK(sealift_boot(&d, &action) == SEALIFT_ERROR_LAYOUT);
    d = device();
    d.layout.journal.chip = 7;
    CHECK(sealift_boot(&d, &action) == SEALIFT_ERROR_LAYOUT);
    d = device();
    d.layout.journal.chip = 1;
    CHECK(sealift_boot(&d, &action) == SEALIFT_ERROR_LAYOUT);
    d = device();
    d.layout.primary.end = d.layout.primary.start;
    CHECK(sealift_boot(&d, &action) == SEALIFT_ERROR_LAYOUT);
}

static void nothing_goes_on_that_was_not_begun(void)
{
    static sealift_update update;
    sealift_goal goal = {0};
    sealift_device d = device();
    static uint8_t memory[65536];
    uint8_t byte = 0;
    CHECK(sealift_update_wants(&update, NULL, NULL) == SEALIFT_ERROR_NOT_BEGUN);
    CHECK(sealift_update_data(&update, &byte, 1) == SEALIFT_ERROR_NOT_BEGUN);
    CHECK(sealift_update_finish(&update) == SEALIFT_ERROR_NOT_BEGUN);
    CHECK(sealift_update_begin(&update, &d, &goal, memory, sizeof memory) == SEALIFT_ERROR_NOT_BEGUN);
    goal.mark = 1;
    CHECK(sealift_update_begin(&update, &d, &goal, memory, sizeof memory) == SEALIFT_ERROR_NOT_BEGUN);
    CHECK(sealift_update_finish(&update) == SEALIFT_ERROR_NOT_BEGUN);
}

/* SHA-256 of 1000 bytes 0x5A, by another program. */
static const uint8_t digest_of_the_image[32] = {DIGEST};

/* An engine that says what it is told to, and counts. */
struct engine {
    uint8_t answer;
    unsigned calls;
};

static uint8_t engine_verify(void *context, const uint8_t *public_key, const uint8_t *message, size_t length, const uint8_t *signature)
{
    struct engine *engine = context;
    uint8_t sum = 0;
    engine->calls++;
    for (size_t i = 0; i < length; i++) {
        sum = (uint8_t)(sum ^ message[i]);
    }
    /* All of what it is handed can be read. */
    sum = (uint8_t)(sum ^ public_key[31] ^ signature[63]);
    (void)sum;
    CHECK(length > 0);
    return engine->answer;
}

static void a_device_has_its_own_engine(const sealift_device *provisioned)
{
    static const uint8_t package[] = {PACKAGE};
    struct engine engine = {.answer = 1};
    const sealift_signatures signatures = {.context = &engine, .verify = engine_verify};
    const sealift_signatures none = {.context = &engine};
    sealift_device d = *provisioned;
    sealift_goal goal;

    CHECK(sealift_verify_with(&d, NULL, package, sizeof package, TIME, 0, &goal) == SEALIFT_ERROR_NULL_POINTER);
    CHECK(sealift_verify_with(&d, &none, package, sizeof package, TIME, 0, &goal) == SEALIFT_ERROR_NULL_POINTER);
    CHECK(sealift_verify_with(&d, &signatures, NULL, sizeof package, TIME, 0, &goal) == SEALIFT_ERROR_NULL_POINTER);
    CHECK(sealift_verify_with(&d, &signatures, package, sizeof package, TIME, 0, NULL) == SEALIFT_ERROR_NULL_POINTER);

    /* It is another vendor's: refused, after the signature held. */
    CHECK(sealift_verify_with(&d, &signatures, package, sizeof package, TIME, 0, &goal) == SEALIFT_ERROR_OTHER_VENDOR && goal.mark == 0);
    CHECK(engine.calls > 0);
    memset(d.vendor, 0x11, sizeof d.vendor);
    memset(d.device_class, 0x22, sizeof d.device_class);
    /* All holds; its patch is of profile fast, which is not for this interface. */
    CHECK(sealift_verify(&d, package, sizeof package, TIME, 0, &goal) == SEALIFT_ERROR_PROFILE_UNSUPPORTED && goal.mark == 0);
    engine.calls = 0;
    CHECK(sealift_verify_with(&d, &signatures, package, sizeof package, TIME, 0, &goal) == SEALIFT_ERROR_PROFILE_UNSUPPORTED && goal.mark == 0);
    CHECK(engine.calls > 0);
    /* Neither no nor an error of the engine's is a yes. */
    engine.answer = 0;
    CHECK(sealift_verify_with(&d, &signatures, package, sizeof package, TIME, 0, &goal) == SEALIFT_ERROR_OEM_SIGNATURE && goal.mark == 0);
    engine.answer = 2;
    CHECK(sealift_verify_with(&d, &signatures, package, sizeof package, TIME, 0, &goal) == SEALIFT_ERROR_OEM_SIGNATURE && goal.mark == 0);
}

static void a_device_lives(void)
{
    sealift_device d = device();
    sealift_boot_action action;
    sealift_installed_state state;
    sealift_goal goal;
    uint8_t garbage[64] = {0xD8, 0x6B};

    memset(cells, 0xFF, sizeof cells);
    CHECK(sealift_boot(&d, &action) == SEALIFT_OK && action.kind == SEALIFT_BOOT_NOT_PROVISIONED);
    CHECK(sealift_installed(&d, &state) == SEALIFT_ERROR_NOT_PROVISIONED);
    CHECK(sealift_confirm(&d) == SEALIFT_ERROR_NOT_PROVISIONED);
    CHECK(sealift_verify(&d, garbage, sizeof garbage, 0, 0, &goal) == SEALIFT_ERROR_NOT_PROVISIONED);

    memset(cells, 0x5A, 1000);
    CHECK(sealift_provision(&d, 999, digest_of_the_image, 7, 3) == SEALIFT_ERROR_NEW_IMAGE_DIGEST);
    CHECK(sealift_provision(&d, 1000, digest_of_the_image, 7, 3) == SEALIFT_OK);
    CHECK(sealift_provision(&d, 1000, digest_of_the_image, 7, 3) != SEALIFT_OK);
    CHECK(sealift_boot(&d, &action) == SEALIFT_OK && action.kind == SEALIFT_BOOT_START && action.size == 1000);
    CHECK(action.trial == SEALIFT_TRIAL_NONE && !action.reverted && memcmp(action.digest, digest_of_the_image, 32) == 0);
    CHECK(sealift_installed(&d, &state) == SEALIFT_OK && state.sequence_floor == 7 && state.security_counter == 3 && !state.pending);
    CHECK(sealift_confirm(&d) == SEALIFT_OK);
    CHECK(sealift_reject(&d) == SEALIFT_ERROR_NO_SLOT);
    CHECK(sealift_abandon(&d) == SEALIFT_OK);

    /* A trust record that is none, then a package that is none. */
    CHECK(sealift_verify(&d, garbage, sizeof garbage, 0, 0, &goal) != SEALIFT_OK && goal.mark == 0);
    static const uint8_t trust[] = {TRUST};
    d.trust = trust;
    d.trust_length = sizeof trust;
    sealift_code code = sealift_verify(&d, garbage, sizeof garbage, 0, 0, &goal);
    CHECK(code > SEALIFT_FORMAT_UNEXPECTED_END && code < SEALIFT_ERROR_MANIFEST_DIGEST && goal.mark == 0);
    CHECK(sealift_verify(&d, garbage, 1, 0, 0, &goal) == SEALIFT_FORMAT_UNEXPECTED_END);

    a_device_has_its_own_engine(&d);

    broken = true;
    CHECK(sealift_boot(&d, &action) == SEALIFT_ERROR_FLASH);
    broken = false;
    cells[3] ^= 1;
    CHECK(sealift_boot(&d, &action) == SEALIFT_OK && action.kind == SEALIFT_BOOT_NOTHING);
}

static void codes_have_texts(void)
{
    uint8_t text[32];
    memset(text, 'x', sizeof text);
    size_t length = sealift_error_text(SEALIFT_ERROR_NULL_POINTER, text, 8);
    CHECK(length > 8 && text[7] == 0 && text[8] == 'x' && memcmp(text, "A point", 7) == 0);
    CHECK(sealift_error_text(SEALIFT_OK, text, sizeof text) == 9 && strcmp((const char *)text, "No error.") == 0);
    CHECK(sealift_error_text(9999, text, sizeof text) == 0 && text[0] == 0);
    CHECK(sealift_error_text(SEALIFT_ERROR_LAYOUT, NULL, 0) > 0);
    CHECK(sealift_error_text(SEALIFT_ERROR_LAYOUT, NULL, 100) > 0);
}

int main(void)
{
    nothing_is_null();
    a_layout_must_be_sound();
    nothing_goes_on_that_was_not_begun();
    a_device_lives();
    codes_have_texts();
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
