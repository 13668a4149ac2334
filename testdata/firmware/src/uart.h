/* Console UART: interrupt-driven input, polled output. */
#ifndef UART_H
#define UART_H

#include "common.h"

void uart_init(void);
void uart_rx_handler(void);
void uart_put(char c);
void uart_write(const uint8_t *data, size_t length);
void uart_write_text(const char *text);
bool uart_get(uint8_t *byte);
uint32_t uart_overruns(void);

#endif
