#include "report.h"

#include "aes128.h"
#include "calendar.h"
#include "events.h"
#include "json.h"
#include "str.h"

#define NONCE 12u
#define MAC AES128_BLOCK
#define PACKET_MAX (NONCE + REPORT_MAX + MAC)

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t base64_encode(const uint8_t *in, size_t length, char *out, size_t room)
{
    if (room < BASE64_SIZE(length)) {
        return 0;
    }
    size_t n = 0;
    for (size_t i = 0; i < length; i += 3) {
        size_t left = length - i;
        uint32_t group = (uint32_t)in[i] << 16 | (left > 1 ? (uint32_t)in[i + 1u] << 8 : 0u) | (left > 2 ? in[i + 2u] : 0u);
        out[n++] = alphabet[group >> 18];
        out[n++] = alphabet[group >> 12 & 63u];
        out[n++] = left > 1 ? alphabet[group >> 6 & 63u] : '=';
        out[n++] = left > 2 ? alphabet[group & 63u] : '=';
    }
    out[n] = 0;
    return n;
}

static int digit(char c)
{
    for (int i = 0; i < 64; i++) {
        if (alphabet[i] == c) {
            return i;
        }
    }
    return -1;
}

size_t base64_decode(const char *in, uint8_t *out, size_t room)
{
    size_t n = 0;
    uint32_t bits = 0, have = 0;
    for (; *in && *in != '='; in++) {
        int v = digit(*in);
        if (v < 0) {
            return 0;
        }
        bits = bits << 6 | (uint32_t)v;
        have += 6;
        if (have >= 8) {
            if (n == room) {
                return 0;
            }
            have -= 8;
            out[n++] = (uint8_t)(bits >> have);
        }
    }
    return n;
}

size_t report_json(const app_t *a, char *out, size_t room)
{
    json_t j;
    datetime_t t;
    char time[20];
    calendar_from_seconds(a->clock, &t);
    calendar_text(&t, time);
    json_start(&j, out, room);
    json_open(&j, NULL, '{');
    json_text(&j, "serial", a->serial);
    json_text(&j, "firmware", FIRMWARE_NAME);
    json_text(&j, "time", time);
    json_number(&j, "import_wh", (int64_t)meter_total_import(&a->meter));
    json_number(&j, "export_wh", (int64_t)meter_total_export(&a->meter));
    json_open(&j, "phases", '[');
    for (size_t p = 0; p < PHASES; p++) {
        const phase_values_t *v = &a->meter.values.phase[p];
        json_open(&j, NULL, '{');
        json_milli(&j, "u", v->voltage_mv);
        json_milli(&j, "i", v->current_ma);
        json_milli(&j, "p", v->active_mw);
        json_milli(&j, "pf", v->power_factor);
        json_text(&j, "supply", quality_text(a->quality.state[p]));
        json_close(&j, '}');
    }
    json_close(&j, ']');
    json_number(&j, "thd", a->harmonics.distortion);
    json_number(&j, "availability", quality_availability(&a->quality));
    json_bool(&j, "relay", relay_is_closed(&a->relay));
    json_open(&j, "events", '[');
    event_t e;
    for (uint32_t i = 0; i < 4 && events_newest(i, &e); i++) {
        json_text(&j, NULL, events_text(e.kind));
    }
    json_close(&j, ']');
    json_close(&j, '}');
    size_t length = j.used;
    return json_finish(&j) ? length : 0;
}

size_t report_seal(const uint8_t key[16], const uint8_t nonce[12], const char *json, char *out, size_t room)
{
    static uint8_t packet[PACKET_MAX];
    size_t length = strlen(json);
    if (length > REPORT_MAX) {
        return 0;
    }
    aes128_t aes;
    aes128_init(&aes, key);
    memcpy(packet, nonce, NONCE);
    memcpy(packet + NONCE, json, length);
    aes128_ctr(&aes, nonce, 1, packet + NONCE, length);
    aes128_cmac(&aes, packet, NONCE + length, packet + NONCE + length);
    return base64_encode(packet, NONCE + length + MAC, out, room);
}

size_t report_unseal(const uint8_t key[16], const char *sealed, char *out, size_t room)
{
    static uint8_t packet[PACKET_MAX];
    uint8_t mac[MAC];
    size_t length = base64_decode(sealed, packet, sizeof packet);
    if (length < NONCE + MAC || length - NONCE - MAC >= room) {
        return 0;
    }
    length -= NONCE + MAC;
    aes128_t aes;
    aes128_init(&aes, key);
    aes128_cmac(&aes, packet, NONCE + length, mac);
    if (!bytes_equal_ct(mac, packet + NONCE + length, MAC)) {
        return 0;
    }
    aes128_ctr(&aes, packet, 1, packet + NONCE, length);
    memcpy(out, packet + NONCE, length);
    out[length] = 0;
    return length;
}
