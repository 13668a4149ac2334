/* Millisecond time base. */
#ifndef TICKS_H
#define TICKS_H

#include "common.h"

void ticks_init(void);
void ticks_handler(void);
/* Milliseconds since start; wraps after 49 days, so compare with ticks_reached. */
uint32_t ticks_now(void);
bool ticks_reached(uint32_t now, uint32_t deadline);

#endif
