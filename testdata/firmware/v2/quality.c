#include "quality.h"

#include "events.h"
#include "str.h"

/* Per cent of the nominal voltage; leaving a state needs two per cent more. */
enum { INTERRUPTION_BELOW = 5, SAG_BELOW = 90, SWELL_ABOVE = 110, HYSTERESIS = 2 };

void quality_init(quality_t *q, int32_t nominal_mv)
{
    memset(q, 0, sizeof *q);
    q->nominal_mv = nominal_mv;
    q->lowest_mv = INT32_MAX;
    histogram_init(&q->histogram, nominal_mv / 1000 * 84 / 100, max_i32(nominal_mv / 1000 * 2 / 100, 1));
}

static enum quality_state classify(const quality_t *q, enum quality_state before, int32_t mv)
{
    int32_t percent = mv / (q->nominal_mv / 100);
    int32_t slack = before == QUALITY_NORMAL ? 0 : HYSTERESIS;
    if (percent < INTERRUPTION_BELOW + (before == QUALITY_INTERRUPTED ? slack : 0)) {
        return QUALITY_INTERRUPTED;
    }
    if (percent < SAG_BELOW + (before == QUALITY_SAG ? slack : 0)) {
        return QUALITY_SAG;
    }
    if (percent >= SWELL_ABOVE - (before == QUALITY_SWELL ? slack : 0)) {
        return QUALITY_SWELL;
    }
    return QUALITY_NORMAL;
}

static void enter(quality_t *q, enum quality_state state, int32_t mv, uint32_t time)
{
    switch (state) {
    case QUALITY_SAG:
        q->sags++;
        events_add(time, EVENT_VOLTAGE_SAG, mv);
        break;
    case QUALITY_SWELL:
        q->swells++;
        events_add(time, EVENT_VOLTAGE_SWELL, mv);
        break;
    case QUALITY_INTERRUPTED:
        q->interruptions++;
        events_add(time, EVENT_INTERRUPTION, mv);
        break;
    case QUALITY_NORMAL:
        break;
    }
}

void quality_step(quality_t *q, const values_t *v, uint32_t time)
{
    bool all = true;
    for (size_t p = 0; p < PHASES; p++) {
        int32_t mv = v->phase[p].voltage_mv;
        enum quality_state state = classify(q, q->state[p], mv);
        if (state != q->state[p]) {
            enter(q, state, mv, time);
            q->state[p] = state;
            q->lasted[p] = 0;
        }
        q->lasted[p]++;
        q->lowest_mv = min_i32(q->lowest_mv, mv);
        q->highest_mv = max_i32(q->highest_mv, mv);
        all = all && state == QUALITY_NORMAL;
    }
    q->windows++;
    q->in_bounds += all;
    histogram_add(&q->histogram, v->phase[0].voltage_mv / 1000);
}

uint32_t quality_availability(const quality_t *q)
{
    return q->windows ? (uint32_t)((uint64_t)q->in_bounds * 1000u / q->windows) : 1000u;
}

const char *quality_text(enum quality_state s)
{
    static const char *const texts[] = {"normal", "sag", "swell", "interrupted"};
    return texts[s];
}
