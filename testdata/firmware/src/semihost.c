#include "semihost.h"

#define SYS_EXIT 0x18u
#define REASON_APPLICATION_EXIT 0x20026u
#define REASON_RUNTIME_ERROR 0x20023u

void semihost_exit(bool success)
{
    register uint32_t operation __asm("r0") = SYS_EXIT;
    register uint32_t reason __asm("r1") = success ? REASON_APPLICATION_EXIT : REASON_RUNTIME_ERROR;
    __asm volatile("bkpt 0xab" : "+r"(operation) : "r"(reason) : "memory");
}
