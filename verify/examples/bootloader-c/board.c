#include "board.h"

#define REG32(address) (*(volatile uint32_t *)(address))

/* CMSDK APB UARTs. */
static uint32_t base(enum uart uart)
{
    return uart == CONSOLE ? 0x40004000u : 0x40005000u;
}
#define UART_DATA 0u
#define UART_STATE 4u
#define UART_CONTROL 8u
#define UART_DIVIDER 16u
#define STATE_TRANSMITTER_FULL 1u
#define STATE_RECEIVER_FULL 2u

void uart_start(enum uart uart)
{
    REG32(base(uart) + UART_DIVIDER) = 217;
    REG32(base(uart) + UART_CONTROL) = 3;
}

void uart_put(enum uart uart, uint8_t byte)
{
    while (REG32(base(uart) + UART_STATE) & STATE_TRANSMITTER_FULL) {
    }
    REG32(base(uart) + UART_DATA) = byte;
}

uint8_t uart_get(enum uart uart)
{
    while (!(REG32(base(uart) + UART_STATE) & STATE_RECEIVER_FULL)) {
    }
    return (uint8_t)REG32(base(uart) + UART_DATA);
}

void print(const char *text)
{
    while (*text) {
        uart_put(CONSOLE, (uint8_t)*text++);
    }
}

void print_number(uint32_t number)
{
    uint8_t digits[10];
    size_t count = 0;
    do {
        digits[count++] = (uint8_t)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    while (count > 0) {
        uart_put(CONSOLE, digits[--count]);
    }
}

_Noreturn void start_image(uint32_t address)
{
    const volatile uint32_t *table = (const volatile uint32_t *)address;
    uint32_t stack = table[0], entry = table[1];
    __asm volatile("msr msp, %0\n\tbx %1" : : "r"(stack), "r"(entry));
    __builtin_unreachable();
}

bool mailbox_take(void)
{
    enum { MAGIC, VERSION, CHECK, WORDS };
    const uint32_t magic = 0x4D524643u;
    volatile uint32_t *record = (volatile uint32_t *)0x2000FFE0u;
    uint32_t found[WORDS];
    for (size_t i = 0; i < WORDS; i++) {
        found[i] = record[i];
        record[i] = 0;
    }
    return found[MAGIC] == magic && found[CHECK] == (magic ^ found[VERSION] ^ UINT32_MAX);
}

_Noreturn void stop(void)
{
    register uint32_t operation __asm("r0") = 0x18;
    register uint32_t reason __asm("r1") = 0x20023;
    __asm volatile("bkpt 0xab" : "+r"(operation) : "r"(reason) : "memory");
    for (;;) {
    }
}
