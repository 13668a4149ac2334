/* Self-tests of checksums, ciphers, encodings and text. */
#include "aes128.h"
#include "cbor.h"
#include "cobs.h"
#include "crc.h"
#include "expr.h"
#include "fmt.h"
#include "forth.h"
#include "hdlc.h"
#include "lz.h"
#include "prng.h"
#include "ring.h"
#include "selftest.h"
#include "sha256.h"
#include "str.h"

static const uint8_t digits[] = "123456789";

static bool test_crc(void)
{
    CHECK(crc32_update(0, digits, 9) == 0xCBF43926u);
    CHECK(crc32_update(crc32_update(0, digits, 4), digits + 4, 5) == 0xCBF43926u);
    CHECK(crc16_modbus(digits, 9) == 0x4B37u);
    CHECK(crc16_x25(digits, 9) == 0x906Eu);
    CHECK(crc8_dallas(digits, 9) == 0xA1u);
    return true;
}

static bool test_sha256(void)
{
    sha256_t s;
    uint8_t digest[SHA256_SIZE];
    sha256_init(&s);
    sha256_update(&s, "abc", 3);
    sha256_finish(&s, digest);
    CHECK(selftest_bytes(digest, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    sha256_hmac((const uint8_t *)"Jefe", 4, "what do ya want for nothing?", 28, digest);
    CHECK(selftest_bytes(digest, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"));
    return true;
}

static bool test_aes128(void)
{
    aes128_t a;
    uint8_t key[16], block[16], mac[16];
    size_t n;
    CHECK(str_to_bytes("000102030405060708090a0b0c0d0e0f", key, 16, &n));
    CHECK(str_to_bytes("00112233445566778899aabbccddeeff", block, 16, &n));
    aes128_init(&a, key);
    aes128_encrypt(&a, block, block);
    CHECK(selftest_bytes(block, 16, "69c4e0d86a7b0430d8cdb78070b4c55a"));
    CHECK(str_to_bytes("2b7e151628aed2a6abf7158809cf4f3c", key, 16, &n));
    CHECK(str_to_bytes("6bc1bee22e409f96e93d7e117393172a", block, 16, &n));
    aes128_init(&a, key);
    aes128_cmac(&a, block, 0, mac);
    CHECK(selftest_bytes(mac, 16, "bb1d6929e95937287fa37d129b756746"));
    aes128_cmac(&a, block, 16, mac);
    CHECK(selftest_bytes(mac, 16, "070a16b46b4d4144f79bdd9dd04a287c"));
    return true;
}

static bool test_cobs(void)
{
    static uint8_t in[300], coded[310], out[300];
    prng_t p;
    prng_seed(&p, 7);
    for (size_t length = 0; length <= sizeof in; length += 25) {
        for (size_t i = 0; i < length; i++) {
            in[i] = (uint8_t)(prng_next(&p) >> 28); /* many zeros */
        }
        size_t n = cobs_encode(in, length, coded, sizeof coded);
        CHECK(n > 0 && cobs_decode(coded, n, out, sizeof out) == length && memcmp(in, out, length) == 0);
        for (size_t i = 0; i < n; i++) {
            CHECK(coded[i] != 0);
        }
    }
    return true;
}

static bool test_cbor(void)
{
    uint8_t data[48];
    cbor_writer_t w;
    cbor_writer(&w, data, sizeof data);
    cbor_map(&w, 3);
    cbor_text(&w, "u");
    cbor_int(&w, 230000);
    cbor_text(&w, "p");
    cbor_int(&w, -1500);
    cbor_text(&w, "x");
    cbor_array(&w, 3);
    cbor_bool(&w, true);
    cbor_null(&w);
    cbor_tag(&w, 1);
    cbor_bytes(&w, digits, 2);
    CHECK(!w.overflow && selftest_bytes(data, w.used, "a36175 1a00038270 6170 3905db 6178 83f5f6c1423132"));
    cbor_reader_t r;
    cbor_item_t item;
    int64_t v;
    cbor_reader(&r, data, w.used);
    CHECK(cbor_next(&r, &item) && item.type == CBOR_MAP && item.value == 3);
    CHECK(cbor_skip(&r) && cbor_next_int(&r, &v) && v == 230000);
    CHECK(cbor_skip(&r) && cbor_next_int(&r, &v) && v == -1500);
    CHECK(cbor_skip(&r) && cbor_skip(&r) && r.at == w.used && !cbor_skip(&r));
    return true;
}

static bool test_lz(void)
{
    static uint8_t in[600], packed[700], out[600];
    for (size_t i = 0; i < sizeof in; i++) {
        in[i] = (uint8_t)"the quick brown fox "[i % 20u];
    }
    in[300] = 'X';
    size_t n = lz_compress(in, sizeof in, packed, sizeof packed);
    CHECK(n > 0 && n < 120 && lz_decompress(packed, n, out, sizeof out) == sizeof in);
    CHECK(memcmp(in, out, sizeof in) == 0);
    CHECK(lz_decompress(packed, n, out, sizeof out - 1u) == 0);
    return true;
}

static bool test_hdlc(void)
{
    static hdlc_t h;
    static uint8_t frame[HDLC_MAX_FRAME];
    const uint8_t payload[] = {0x7E, 0x01, 0x7D, 0x5E, 0x00};
    memset(&h, 0, sizeof h);
    size_t n = hdlc_frame(payload, sizeof payload, frame, sizeof frame), got = 0;
    for (size_t i = 0; i < n; i++) {
        size_t length = hdlc_feed(&h, frame[i]);
        got = length ? length : got;
    }
    CHECK(got == sizeof payload && memcmp(h.data, payload, got) == 0 && h.good == 1);
    frame[3] ^= 1u;
    for (size_t i = 0; i < n; i++) {
        CHECK(hdlc_feed(&h, frame[i]) == 0);
    }
    return h.bad == 1;
}

static bool test_ring(void)
{
    uint8_t data[8], byte;
    ring_t r;
    ring_init(&r, data, sizeof data);
    CHECK(ring_write(&r, digits, 9) == 8 && r.dropped == 1 && ring_used(&r) == 8);
    CHECK(ring_peek(&r, 7, &byte) && byte == '8' && !ring_peek(&r, 8, &byte));
    CHECK(ring_get(&r, &byte) && byte == '1' && ring_put(&r, '9'));
    uint8_t out[9];
    CHECK(ring_read(&r, out, sizeof out) == 8 && memcmp(out, digits + 1, 8) == 0);
    return true;
}

static bool test_format(void)
{
    char text[40];
    CHECK(fmt_text(text, sizeof text, "%5d|%-5u|%05d|%+d", -42, 7u, -42, 5) == 20);
    CHECK(str_eq(text, "  -42|7    |-0042|+5"));
    (void)fmt_text(text, sizeof text, "%m %m %x %lld", -5, 230123, 0xBEEFu, (int64_t)-10000000000);
    CHECK(str_eq(text, "-0.005 230.123 beef -10000000000"));
    CHECK(fmt_text(text, 4, "%s", "abcdef") == 6 && str_eq(text, "abc"));
    int32_t v;
    CHECK(str_to_i32("-2147483648", &v) && v == INT32_MIN && !str_to_i32("2147483648", &v));
    CHECK(str_to_i32("0xffffffff", &v) && v == -1 && !str_to_i32("12a", &v) && !str_to_i32("", &v));
    return true;
}

static bool lookup_x(void *context, const char *name, int32_t *value)
{
    *value = *(int32_t *)context;
    return str_eq(name, "x");
}

static bool test_expression(void)
{
    int32_t x = 7, v;
    CHECK(expr_evaluate("1 + 2 * 3 - -4", NULL, NULL, &v) == EXPR_OK && v == 11);
    CHECK(expr_evaluate("(x > 5 && x != 6) ? max(x, 9) << 1 : 0", lookup_x, &x, &v) == EXPR_OK && v == 18);
    CHECK(expr_evaluate("sqrt(x*x + 24*24) % 10", lookup_x, &x, &v) == EXPR_OK && v == 5);
    CHECK(expr_evaluate("1 / (x - 7)", lookup_x, &x, &v) == EXPR_DIVISION);
    CHECK(expr_evaluate("y", lookup_x, &x, &v) == EXPR_NAME);
    CHECK(expr_evaluate("(1 + 2", NULL, NULL, &v) == EXPR_SYNTAX);
    return true;
}

static void collect(void *context, const char *text)
{
    char *to = context;
    size_t used = strlen(to);
    str_copy(to + used, 40u - used, text);
}

static bool test_forth(void)
{
    static forth_t f;
    char out[40] = "";
    forth_init(&f, collect, out);
    CHECK(forth_line(&f, ": square dup * ;"));
    CHECK(forth_line(&f, ": fact 1 swap 1 + 1 do i * loop ;"));
    CHECK(forth_line(&f, ": sign dup 0 < if drop -1 else 0 > if 1 else 0 then then ;"));
    CHECK(forth_line(&f, "7 square . 6 fact . -3 sign . 100000 3 ! 3 @ ."));
    CHECK(str_eq(out, "49 720 -1 100000 "));
    CHECK(!forth_line(&f, "1 0 /") && f.depth == 0 && !forth_line(&f, "nonsense") && !forth_line(&f, "+"));
    CHECK(forth_line(&f, "2 3 swap - .") && str_eq(out, "49 720 -1 100000 1 "));
    CHECK(!forth_line(&f, "begin 0 until") && str_eq(f.error, "runs too long"));
    return true;
}

const selftest_t selftests_codec[] = {
    {"crc", test_crc},   {"sha256", test_sha256}, {"aes128", test_aes128}, {"cobs", test_cobs},
    {"cbor", test_cbor}, {"lz", test_lz},         {"hdlc", test_hdlc},     {"ring", test_ring},
    {"format", test_format}, {"expression", test_expression}, {"forth", test_forth},
};

const size_t selftests_codec_count = ARRAY_LEN(selftests_codec);
