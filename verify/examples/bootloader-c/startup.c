/* Reset and faults, and what a compiler may call. */
#include "board.h"

extern uint32_t stack_top[], data_load[], data_start[], data_end[], bss_start[], bss_end[];

int main(void);
_Noreturn void reset_handler(void);
_Noreturn void fault_handler(void);
void *memcpy(void *restrict to, const void *restrict from, size_t length);
void *memset(void *to, int value, size_t length);

__attribute__((section(".vectors"), used)) static const struct {
    uint32_t *initial_sp;
    void (*handlers[6])(void);
} vectors = {stack_top, {reset_handler, fault_handler, fault_handler, fault_handler, fault_handler, fault_handler}};

_Noreturn void reset_handler(void)
{
    const uint32_t *from = data_load;
    for (uint32_t *to = data_start; to < data_end; to++) {
        *to = *from++;
    }
    for (uint32_t *to = bss_start; to < bss_end; to++) {
        *to = 0;
    }
    (void)main();
    stop();
}

_Noreturn void fault_handler(void)
{
    print("fault\n");
    stop();
}
