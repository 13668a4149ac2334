/* The parts of the MPS2 AN385 (Cortex-M3) that this bootloader uses. */
#ifndef BOARD_H
#define BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The console, and the line that packages come on. */
enum uart { CONSOLE, LINK };

void uart_start(enum uart uart);
void uart_put(enum uart uart, uint8_t byte);
/* Waits for it. */
uint8_t uart_get(enum uart uart);

void print(const char *text);
void print_number(uint32_t number);

/* Starts the image whose vector table is at `address`. */
_Noreturn void start_image(uint32_t address);

/* How an image says that it works (testdata/firmware/src/confirm.h). Takes the record away. */
bool mailbox_take(void);

/* Ends the emulation. */
_Noreturn void stop(void);

#endif
