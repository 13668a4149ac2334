/* Vector table, reset, and the fault handler. */
#include "board.h"
#include "common.h"
#include "semihost.h"
#include "ticks.h"
#include "uart.h"

typedef void (*handler_t)(void);

extern uint32_t stack_top[];
extern uint32_t data_load[], data_start[], data_end[];
extern uint32_t bss_start[], bss_end[];

int main(void);
void reset_handler(void);
void fault_entry(void);
void fault_handler(uint32_t *frame);

static void idle_handler(void)
{
}

__attribute__((section(".vectors"), used)) static const struct {
    uint32_t *initial_sp;
    handler_t exceptions[15];
    handler_t irqs[32];
} vectors = {
    .initial_sp = stack_top,
    .exceptions =
        {
            reset_handler,    /* 1 reset */
            idle_handler,     /* 2 NMI */
            fault_entry,      /* 3 hard fault */
            fault_entry,      /* 4 memory management */
            fault_entry,      /* 5 bus fault */
            fault_entry,      /* 6 usage fault */
            NULL, NULL, NULL, NULL,
            idle_handler,     /* 11 SVC */
            idle_handler,     /* 12 debug monitor */
            NULL,
            idle_handler,     /* 14 PendSV */
            ticks_handler,    /* 15 SysTick */
        },
    .irqs = {[UART0_RX_IRQ] = uart_rx_handler, [1 ... 31] = idle_handler},
};

void reset_handler(void)
{
    const uint32_t *from = data_load;
    for (uint32_t *to = data_start; to < data_end; to++) {
        *to = *from++;
    }
    for (uint32_t *to = bss_start; to < bss_end; to++) {
        *to = 0;
    }
    SCB_VTOR = (uint32_t)&vectors;
    (void)main();
    for (;;) {
        __asm volatile("wfi");
    }
}

/* Hands the stacked registers to fault_handler. */
__attribute__((naked)) void fault_entry(void)
{
    __asm volatile("mrs r0, msp\n\t"
                   "b fault_handler\n\t");
}

/* A semihosting call with nobody listening ends here: skip it and report -1.
 * Anything else is a defect: say where and reset. */
void fault_handler(uint32_t *frame)
{
    enum { R0 = 0, PC = 6 };
    const uint16_t *pc = (const uint16_t *)frame[PC];
    if (*pc == SEMIHOST_BKPT) {
        frame[R0] = UINT32_MAX;
        frame[PC] += 2;
        return;
    }
    uart_write_text("fault, pc ");
    for (int shift = 28; shift >= 0; shift -= 4) {
        uart_put("0123456789abcdef"[(frame[PC] >> shift) & 15u]);
    }
    uart_write_text("\r\n");
    semihost_exit(false);
    SCB_AIRCR = SCB_AIRCR_RESET;
    for (;;) {
    }
}
