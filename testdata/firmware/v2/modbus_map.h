/* What the Modbus registers mean; the protocol itself is in modbus.c. */
#ifndef MODBUS_MAP_H
#define MODBUS_MAP_H

#include "modbus.h"

uint16_t modbus_input(const app_t *a, uint32_t address);
uint16_t modbus_holding(const app_t *a, uint32_t address);
enum modbus_exception modbus_write_holding(app_t *a, uint32_t address, uint16_t value);

#endif
