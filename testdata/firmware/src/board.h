/* The parts of the MPS2 AN385 (Cortex-M3) that this application uses. */
#ifndef BOARD_H
#define BOARD_H

#include <stdint.h>

#define BOARD_CPU_HZ 25000000u
#define BOARD_UART_BAUD 115200u

#define REG32(address) (*(volatile uint32_t *)(address))

/* CMSDK APB UART 0 */
#define UART0_DATA REG32(0x40004000u)
#define UART0_STATE REG32(0x40004004u)
#define UART0_CTRL REG32(0x40004008u)
#define UART0_INTCLEAR REG32(0x4000400Cu)
#define UART0_BAUDDIV REG32(0x40004010u)
#define UART_STATE_TX_FULL 0x01u
#define UART_STATE_RX_FULL 0x02u
#define UART_CTRL_TX_ENABLE 0x01u
#define UART_CTRL_RX_ENABLE 0x02u
#define UART_CTRL_RX_IRQ 0x08u
#define UART_INT_RX 0x02u
#define UART0_RX_IRQ 0u

/* ARMv7-M system control space */
#define SYST_CSR REG32(0xE000E010u)
#define SYST_RVR REG32(0xE000E014u)
#define SYST_CVR REG32(0xE000E018u)
#define NVIC_ISER0 REG32(0xE000E100u)
#define SCB_VTOR REG32(0xE000ED08u)
#define SCB_AIRCR REG32(0xE000ED0Cu)
#define SCB_AIRCR_RESET 0x05FA0004u

static inline uint32_t irq_save(void)
{
    uint32_t state;
    __asm volatile("mrs %0, primask\n\tcpsid i" : "=r"(state) : : "memory");
    return state;
}

static inline void irq_restore(uint32_t state)
{
    __asm volatile("msr primask, %0" : : "r"(state) : "memory");
}

#endif
