#include "ticks.h"

#include "board.h"

static volatile uint32_t milliseconds;

void ticks_init(void)
{
    SYST_RVR = BOARD_CPU_HZ / 1000u - 1u;
    SYST_CVR = 0;
    SYST_CSR = 7u; /* processor clock, interrupt, enable */
}

void ticks_handler(void)
{
    milliseconds++;
}

uint32_t ticks_now(void)
{
    return milliseconds;
}

bool ticks_reached(uint32_t now, uint32_t deadline)
{
    return (int32_t)(now - deadline) >= 0;
}
