/* Supply quality after EN 50160: sags, swells and interruptions, extremes, and the share of time in bounds. */
#ifndef QUALITY_H
#define QUALITY_H

#include "meter.h"
#include "stats.h"

enum quality_state { QUALITY_NORMAL, QUALITY_SAG, QUALITY_SWELL, QUALITY_INTERRUPTED };

typedef struct {
    int32_t nominal_mv;
    enum quality_state state[PHASES];
    uint32_t lasted[PHASES]; /* windows in that state */
    uint32_t sags, swells, interruptions;
    int32_t lowest_mv, highest_mv;
    uint32_t in_bounds, windows; /* of all phases within 10 % */
    histogram_t histogram;       /* of the voltage of phase 1, in volts */
} quality_t;

void quality_init(quality_t *q, int32_t nominal_mv);
void quality_step(quality_t *q, const values_t *v, uint32_t time);
/* Per mille of the windows in which all phases were in bounds. */
uint32_t quality_availability(const quality_t *q);
const char *quality_text(enum quality_state s);

#endif
