/* Modbus RTU server: input registers with the measured values, holding registers with settings.
 *
 * Input 0..  three values of 32 bits a phase and totals, high word first (see modbus.c for the map).
 * Holding 0  relay (1 closed), 1 load limit in watts, 2 address, 3..5 voltage gain of a phase. */
#ifndef MODBUS_H
#define MODBUS_H

#include "app.h"

#define MODBUS_MAX_FRAME 256u
#define MODBUS_INPUTS 32u
#define MODBUS_HOLDINGS 6u

enum modbus_exception { MODBUS_OK, MODBUS_FUNCTION = 1, MODBUS_ADDRESS = 2, MODBUS_VALUE = 3 };

/* Answers one request frame. Returns the length of the answer, 0 for none (not for us, broadcast, bad CRC). */
size_t modbus_answer(app_t *a, uint8_t address, const uint8_t *request, size_t length, uint8_t *answer);

#endif
