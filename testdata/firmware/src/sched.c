#include "sched.h"

#include "str.h"
#include "ticks.h"

void sched_init(sched_t *s)
{
    memset(s, 0, sizeof *s);
}

bool sched_add(sched_t *s, const char *name, sched_fn_t run, void *context, uint32_t period_ms, uint32_t now)
{
    if (s->task_count == SCHED_TASKS || period_ms == 0) {
        return false;
    }
    s->tasks[s->task_count++] = (sched_task_t){
        .name = name, .run = run, .context = context, .period_ms = period_ms, .due = now + period_ms};
    return true;
}

int sched_after(sched_t *s, sched_fn_t fire, void *context, uint32_t delay_ms, uint32_t now)
{
    for (int i = 0; i < SCHED_TIMERS; i++) {
        if (!s->timers[i].armed) {
            s->timers[i].fire = fire;
            s->timers[i].context = context;
            s->timers[i].deadline = now + delay_ms;
            s->timers[i].armed = true;
            return i;
        }
    }
    return -1;
}

void sched_cancel(sched_t *s, int timer)
{
    if (timer >= 0 && timer < SCHED_TIMERS) {
        s->timers[timer].armed = false;
    }
}

size_t sched_poll(sched_t *s, uint32_t now)
{
    size_t ran = 0;
    for (size_t i = 0; i < SCHED_TIMERS; i++) {
        if (s->timers[i].armed && ticks_reached(now, s->timers[i].deadline)) {
            s->timers[i].armed = false; /* before the call, which may arm it again */
            s->timers[i].fire(s->timers[i].context);
            ran++;
        }
    }
    for (size_t i = 0; i < s->task_count; i++) {
        sched_task_t *t = &s->tasks[i];
        if (!ticks_reached(now, t->due)) {
            continue;
        }
        if (now - t->due > t->period_ms) {
            t->late++;
            t->due = now;
        }
        t->due += t->period_ms;
        t->runs++;
        t->run(t->context);
        ran++;
    }
    return ran;
}
