/* The commands of the console. */
#include "console.h"

#include "board.h"
#include "calendar.h"
#include "crc.h"
#include "display.h"
#include "dlms.h"
#include "events.h"
#include "expr.h"
#include "flash.h"
#include "fmt.h"
#include "forth.h"
#include "hdlc.h"
#include "modbus.h"
#include "registers.h"
#include "sha256.h"
#include "store.h"
#include "str.h"
#include "ticks.h"
#include "uart.h"

static bool command_help(app_t *a, int count, char *words[])
{
    (void)a;
    for (size_t i = 0; i < command_count; i++) {
        if (count == 1 || str_prefix(commands[i].name, words[1])) {
            print("%-10s %-24s %s\n", commands[i].name, commands[i].arguments, commands[i].help);
        }
    }
    return true;
}

static bool command_version(app_t *a, int count, char *words[])
{
    (void)count;
    (void)words;
    print("sealift-demo-firmware %s, serial %s, boot %u\n", FIRMWARE_NAME, a->serial, a->boots);
    return true;
}

static bool command_time(app_t *a, int count, char *words[])
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

static bool command_events(app_t *a, int count, char *words[])
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

static bool command_store(app_t *a, int count, char *words[])
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

static bool command_serial(app_t *a, int count, char *words[])
{
    (void)count;
    size_t length = strlen(words[1]);
    if (length >= APP_SERIAL_LENGTH || !store_write(STORE_KEY_SERIAL, words[1], (uint8_t)length)) {
        return false;
    }
    str_copy(a->serial, sizeof a->serial, words[1]);
    return true;
}

static bool command_eval(app_t *a, int count, char *words[])
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

static bool command_alarm(app_t *a, int count, char *words[])
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

static bool command_forth(app_t *a, int count, char *words[])
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

static bool command_modbus(app_t *a, int count, char *words[])
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

static bool command_dlms(app_t *a, int count, char *words[])
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

static bool command_hash(app_t *a, int count, char *words[])
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

static bool command_tasks(app_t *a, int count, char *words[])
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

static bool command_run(app_t *a, int count, char *words[])
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

static bool command_reset(app_t *a, int count, char *words[])
{
    (void)count;
    (void)words;
    (void)app_save_energy(a);
    SCB_AIRCR = SCB_AIRCR_RESET;
    return true;
}

static void print_phase(size_t index, const phase_values_t *v)
{
    print("L%u  %8m V %8m A %10m W %10m var  pf %m\n", (uint32_t)index + 1u, v->voltage_mv, v->current_ma, v->active_mw,
          v->reactive_mvar, v->power_factor);
}

static bool command_values(app_t *a, int count, char *words[])
{
    (void)count;
    (void)words;
    for (size_t p = 0; p < PHASES; p++) {
        print_phase(p, &a->meter.values.phase[p]);
    }
    print("all %m W, %m var, %m VA, %m Hz, %d C\n", a->meter.values.active_mw, a->meter.values.reactive_mvar,
          a->meter.values.apparent_mva, a->meter.values.frequency_mhz, a->temperature >> 16);
    return true;
}

static bool command_energy(app_t *a, int count, char *words[])
{
    (void)count;
    (void)words;
    for (uint32_t t = 0; t < TARIFFS; t++) {
        print("%c tariff %u: import %llu Wh, export %llu Wh\n", t == a->meter.tariff ? '*' : ' ', t + 1u,
              a->meter.energy.import_wh[t], a->meter.energy.export_wh[t]);
    }
    print("  reactive %llu varh\n", a->meter.energy.reactive_varh);
    return true;
}

static bool command_registers(app_t *a, int count, char *words[])
{
    char code[24], value[32];
    uint8_t wanted[6];
    if (count == 2 && !register_parse(words[1], wanted)) {
        return false;
    }
    for (size_t i = 0; i < register_count; i++) {
        const register_t *r = &registers[i];
        if (count == 2 && memcmp(r->code, wanted, sizeof wanted) != 0) {
            continue;
        }
        (void)register_code_text(r->code, code, sizeof code);
        (void)unit_format(r->read(a, r->argument), r->scaler, r->unit, value, sizeof value);
        print("%-18s %-24s %s\n", code, r->name, value);
    }
    return true;
}

static bool command_calibrate(app_t *a, int count, char *words[])
{
    int32_t phase, real;
    (void)count;
    if (!str_to_i32(words[2], &phase) || phase < 1 || phase > PHASES || !str_to_i32(words[3], &real) || real <= 0) {
        return false;
    }
    calibration_t *c = &a->meter.calibration[phase - 1];
    const phase_values_t *v = &a->meter.values.phase[phase - 1];
    if (str_eq(words[1], "u") && v->voltage_mv) {
        c->voltage_gain = (int32_t)((int64_t)c->voltage_gain * real / v->voltage_mv);
    } else if (str_eq(words[1], "i") && v->current_ma) {
        c->current_gain = (int32_t)((int64_t)c->current_gain * real / v->current_ma);
    } else if (str_eq(words[1], "shift")) {
        c->phase_shift = clamp_i32(real, 0, FIX_ONE);
    } else {
        return false;
    }
    events_add(a->clock, EVENT_CONFIG_CHANGED, STORE_KEY_CALIBRATION);
    return store_write(STORE_KEY_CALIBRATION, a->meter.calibration, sizeof a->meter.calibration);
}

static bool command_relay(app_t *a, int count, char *words[])
{
    if (count == 3 && str_eq(words[1], "limit")) {
        int32_t watts;
        if (!str_to_i32(words[2], &watts) || watts < 1000 || watts > 100000) {
            return false;
        }
        a->relay.limit_mw = watts * 1000;
        return store_write(STORE_KEY_RELAY_LIMIT, &a->relay.limit_mw, sizeof a->relay.limit_mw);
    }
    if (count == 2) {
        bool on = str_eq(words[1], "on");
        if (!on && !str_eq(words[1], "off")) {
            return false;
        }
        relay_remote(&a->relay, on, ticks_now());
        events_add(a->clock, on ? EVENT_RELAY_CLOSED : EVENT_RELAY_OPENED, 0);
    }
    print("relay %s, limit %m W, %u trips\n", relay_text(a->relay.state), a->relay.limit_mw, a->relay.trips);
    return true;
}

static bool command_source(app_t *a, int count, char *words[])
{
    int32_t phase, value;
    (void)count;
    if (!str_to_i32(words[2], &phase) || phase < 1 || phase > PHASES || !str_to_i32(words[3], &value) || value < 0) {
        return false;
    }
    if (str_eq(words[1], "u")) { /* volts */
        a->waveform.voltage_peak[phase - 1] = (uint16_t)min_i32(value * 11314 / 100, 32767);
    } else if (str_eq(words[1], "i")) { /* milliamperes */
        a->waveform.current_peak[phase - 1] = (uint16_t)min_i32(value * 707 / 1000, 32767);
    } else if (str_eq(words[1], "lag")) { /* degrees */
        a->waveform.lag[phase - 1] = (uint32_t)value * 11930465u;
    } else if (str_eq(words[1], "noise")) { /* counts */
        a->waveform.noise = (uint16_t)min_i32(value, 1000);
    } else {
        return false;
    }
    return true;
}

static bool command_profile(app_t *a, int count, char *words[])
{
    (void)count;
    (void)words;
    uint8_t packed[PROFILE_PACKED];
    for (uint32_t i = 0; i < a->profile.count; i++) {
        print("%6u%s", a->profile.values[i], i % 12u == 11u ? "\n" : "");
    }
    print("\n%u values, %u bytes packed\n", a->profile.count, (uint32_t)profile_pack(&a->profile, packed, sizeof packed));
    return true;
}

static bool command_page(app_t *a, int count, char *words[])
{
    static display_t d;
    int32_t page;
    (void)count;
    if (!str_to_i32(words[1], &page) || page < 0) {
        return false;
    }
    display_page(&d, a, (uint32_t)page);
    for (uint32_t y = 0; y < DISPLAY_HEIGHT; y++) {
        for (uint32_t x = 0; x < DISPLAY_WIDTH; x++) {
            print("%c", display_pixel(&d, x, y) ? '#' : ' ');
        }
        print("\n");
    }
    return true;
}

const command_t commands[] = {
    {"alarm", "[\"expression\"]", "shows or sets the alarm", 1, 2, command_alarm},
    {"calibrate", "u|i|shift PHASE VALUE", "to a reference value in mV or mA", 4, 4, command_calibrate},
    {"dlms", "HEX", "answers a get-request", 2, 2, command_dlms},
    {"energy", "", "energy registers", 1, 1, command_energy},
    {"eval", "\"expression\"", "evaluates an expression", 2, 2, command_eval},
    {"events", "[COUNT]", "newest events first", 1, 2, command_events},
    {"forth", "\"line\"", "interprets a line of Forth", 2, 2, command_forth},
    {"hash", "TEXT", "SHA-256 of a text", 2, 2, command_hash},
    {"help", "[PREFIX]", "this list", 1, 2, command_help},
    {"modbus", "HEX", "answers a request, CRC added", 2, 2, command_modbus},
    {"page", "NUMBER", "draws a page of the display", 2, 2, command_page},
    {"profile", "", "load profile of the day", 1, 1, command_profile},
    {"registers", "[CODE]", "OBIS registers", 1, 2, command_registers},
    {"relay", "[on|off|limit WATTS]", "supply relay", 1, 3, command_relay},
    {"reset", "", "restarts", 1, 1, command_reset},
    {"run", "SECONDS", "simulates time without waiting", 2, 2, command_run},
    {"serial", "TEXT", "sets the serial number", 2, 2, command_serial},
    {"source", "u|i|lag|noise PHASE VALUE", "changes the simulated mains", 4, 4, command_source},
    {"store", "[KEY [HEX]]", "configuration store", 1, 3, command_store},
    {"tasks", "", "scheduler", 1, 1, command_tasks},
    {"time", "[DATE TIME]", "shows or sets the clock", 1, 3, command_time},
    {"values", "", "measured values", 1, 1, command_values},
    {"version", "", "what is running", 1, 1, command_version},
};

const size_t command_count = ARRAY_LEN(commands);
