/* Commands for the node itself. */
#include "commands.h"

#include "board.h"
#include "calendar.h"
#include "crc.h"
#include "dlms.h"
#include "events.h"
#include "expr.h"
#include "flash.h"
#include "fmt.h"
#include "forth.h"
#include "hdlc.h"
#include "modbus.h"
#include "sha256.h"
#include "store.h"
#include "str.h"
#include "ticks.h"
#include "uart.h"

bool command_help(app_t *a, int count, char *words[])
{
    (void)a;
    for (size_t i = 0; i < command_count; i++) {
        if (count == 1 || str_prefix(commands[i].name, words[1])) {
            print("%-10s %-24s %s\n", commands[i].name, commands[i].arguments, commands[i].help);
        }
    }
    return true;
}

bool command_version(app_t *a, int count, char *words[])
{
    (void)count;
    (void)words;
    print("sealift-demo-firmware %s, serial %s, boot %u\n", FIRMWARE_NAME, a->serial, a->boots);
    return true;
}

bool command_time(app_t *a, int count, char *words[])
{
    datetime_t t;
    char text[24];
    if (count == 3) {
        (void)fmt_text(text, sizeof text, "%s %s", words[1], words[2]);
        if (!calendar_parse(text, &t)) {
            return false;
        }
        a->clock = calendar_to_seconds(&t);
        events_add(a->clock, EVENT_CLOCK_SET, 0);
    } else if (count == 2) {
        return false;
    }
    calendar_from_seconds(a->clock, &t);
    calendar_text(&t, text);
    print("%s UTC, summer time %s, tariff %u\n", text, calendar_summer_time(a->clock) ? "yes" : "no",
          (uint32_t)tariff_at(&tariff_standard, a->clock) + 1u);
    return true;
}

bool command_events(app_t *a, int count, char *words[])
{
    (void)a;
    int32_t limit = (int32_t)EVENTS_KEPT;
    if (count == 2 && !str_to_i32(words[1], &limit)) {
        return false;
    }
    event_t e;
    for (int32_t i = 0; i < limit && events_newest((uint32_t)i, &e); i++) {
        datetime_t t;
        char text[20];
        calendar_from_seconds(e.time, &t);
        calendar_text(&t, text);
        print("%s  %-34s %d\n", text, events_text(e.kind), e.detail);
    }
    return true;
}

bool command_store(app_t *a, int count, char *words[])
{
    (void)a;
    uint8_t value[STORE_MAX_VALUE];
    int32_t key;
    size_t length;
    if (count == 1) {
        print("sequence %u, %u bytes free, erases", store_sequence(), store_free_bytes());
        for (uint32_t i = 0; i < FLASH_SECTORS; i++) {
            print(" %u", flash_erase_count(i));
        }
        print("\n");
        return true;
    }
    if (!str_to_i32(words[1], &key) || key < 1 || key > 254) {
        return false;
    }
    if (count == 3) {
        return str_to_bytes(words[2], value, sizeof value, &length) &&
               store_write((uint8_t)key, value, (uint8_t)length);
    }
    print_hex(value, store_read((uint8_t)key, value, sizeof value));
    print("\n");
    return true;
}

bool command_serial(app_t *a, int count, char *words[])
{
    (void)count;
    size_t length = strlen(words[1]);
    if (length >= APP_SERIAL_LENGTH || !store_write(STORE_KEY_SERIAL, words[1], (uint8_t)length)) {
        return false;
    }
    str_copy(a->serial, sizeof a->serial, words[1]);
    return true;
}

bool command_eval(app_t *a, int count, char *words[])
{
    (void)count;
    int32_t value;
    enum expr_error e = expr_evaluate(words[1], app_lookup, a, &value);
    if (e == EXPR_OK) {
        print("%d\n", value);
    } else {
        print("%s\n", expr_error_text(e));
    }
    return true;
}

bool command_alarm(app_t *a, int count, char *words[])
{
    int32_t value;
    if (count == 2) {
        if (words[1][0] && expr_evaluate(words[1], app_lookup, a, &value) != EXPR_OK) {
            return false;
        }
        str_copy(a->alarm, sizeof a->alarm, words[1]);
    }
    print("alarm \"%s\" is %s\n", a->alarm, a->alarm_active ? "active" : "quiet");
    return true;
}

static void forth_to_console(void *context, const char *text)
{
    (void)context;
    print("%s", text);
}

bool command_forth(app_t *a, int count, char *words[])
{
    static forth_t forth;
    static bool ready;
    (void)a;
    (void)count;
    if (!ready) {
        forth_init(&forth, forth_to_console, NULL);
        ready = true;
    }
    print("%s\n", forth_line(&forth, words[1]) ? "ok" : forth.error);
    return true;
}

bool command_modbus(app_t *a, int count, char *words[])
{
    (void)count;
    uint8_t request[MODBUS_MAX_FRAME], answer[MODBUS_MAX_FRAME];
    size_t length;
    if (!str_to_bytes(words[1], request, sizeof request - 2u, &length) || length == 0) {
        return false;
    }
    uint16_t crc = crc16_modbus(request, length);
    request[length] = (uint8_t)crc;
    request[length + 1u] = (uint8_t)(crc >> 8);
    print_hex(answer, modbus_answer(a, request[0], request, length + 2u, answer));
    print("\n");
    return true;
}

bool command_dlms(app_t *a, int count, char *words[])
{
    (void)count;
    uint8_t request[13], answer[DLMS_MAX_ANSWER], frame[2u * DLMS_MAX_ANSWER + 8u];
    size_t length;
    if (!str_to_bytes(words[1], request, sizeof request, &length)) {
        return false;
    }
    length = dlms_answer(a, request, length, answer, sizeof answer);
    print_hex(frame, hdlc_frame(answer, length, frame, sizeof frame));
    print("\n");
    return true;
}

bool command_hash(app_t *a, int count, char *words[])
{
    (void)a;
    (void)count;
    sha256_t s;
    uint8_t digest[SHA256_SIZE];
    sha256_init(&s);
    sha256_update(&s, words[1], strlen(words[1]));
    sha256_finish(&s, digest);
    print_hex(digest, sizeof digest);
    print("\n");
    return true;
}

bool command_tasks(app_t *a, int count, char *words[])
{
    (void)count;
    (void)words;
    for (size_t i = 0; i < a->sched.task_count; i++) {
        const sched_task_t *t = &a->sched.tasks[i];
        print("%-10s every %5u ms, %6u runs, %u late\n", t->name, t->period_ms, t->runs, t->late);
    }
    print("console overruns %u\n", uart_overruns());
    return true;
}

bool command_run(app_t *a, int count, char *words[])
{
    (void)count;
    int32_t seconds;
    if (!str_to_i32(words[1], &seconds) || seconds < 1 || seconds > 86400) {
        return false;
    }
    for (int32_t i = 0; i < seconds; i++) {
        app_simulate_second(a, ticks_now());
    }
    return true;
}

bool command_reset(app_t *a, int count, char *words[])
{
    (void)count;
    (void)words;
    (void)app_save_energy(a);
    SCB_AIRCR = SCB_AIRCR_RESET;
    return true;
}
