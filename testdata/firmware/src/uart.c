#include "uart.h"

#include "board.h"
#include "ring.h"

static uint8_t rx_data[256];
static ring_t rx;

void uart_init(void)
{
    ring_init(&rx, rx_data, sizeof rx_data);
    UART0_BAUDDIV = BOARD_CPU_HZ / BOARD_UART_BAUD;
    UART0_CTRL = UART_CTRL_TX_ENABLE | UART_CTRL_RX_ENABLE | UART_CTRL_RX_IRQ;
    NVIC_ISER0 = 1u << UART0_RX_IRQ;
}

void uart_rx_handler(void)
{
    UART0_INTCLEAR = UART_INT_RX;
    while (UART0_STATE & UART_STATE_RX_FULL) {
        (void)ring_put(&rx, (uint8_t)UART0_DATA);
    }
}

void uart_put(char c)
{
    while (UART0_STATE & UART_STATE_TX_FULL) {
    }
    UART0_DATA = (uint8_t)c;
}

void uart_write(const uint8_t *data, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        uart_put((char)data[i]);
    }
}

void uart_write_text(const char *text)
{
    while (*text) {
        uart_put(*text++);
    }
}

bool uart_get(uint8_t *byte)
{
    return ring_get(&rx, byte);
}

uint32_t uart_overruns(void)
{
    return rx.dropped;
}
