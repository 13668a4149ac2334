/* Cooperative scheduler: a fixed set of tasks, each with a period, and one-shot software timers. */
#ifndef SCHED_H
#define SCHED_H

#include "common.h"

#define SCHED_TASKS 12
#define SCHED_TIMERS 8

typedef void (*sched_fn_t)(void *context);

typedef struct {
    const char *name;
    sched_fn_t run;
    void *context;
    uint32_t period_ms;
    uint32_t due;
    uint32_t runs;
    uint32_t late; /* times it started more than one period late */
} sched_task_t;

typedef struct {
    sched_task_t tasks[SCHED_TASKS];
    size_t task_count;
    struct {
        sched_fn_t fire;
        void *context;
        uint32_t deadline;
        bool armed;
    } timers[SCHED_TIMERS];
} sched_t;

void sched_init(sched_t *s);
bool sched_add(sched_t *s, const char *name, sched_fn_t run, void *context, uint32_t period_ms, uint32_t now);
/* Returns a timer number, or -1 when all are armed. */
int sched_after(sched_t *s, sched_fn_t fire, void *context, uint32_t delay_ms, uint32_t now);
void sched_cancel(sched_t *s, int timer);
/* Runs everything that is due at `now`; returns how many functions ran. */
size_t sched_poll(sched_t *s, uint32_t now);

#endif
