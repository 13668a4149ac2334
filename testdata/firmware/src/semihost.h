/* Ends the emulation when a debugger or emulator listens for semihosting calls. */
#ifndef SEMIHOST_H
#define SEMIHOST_H

#include "common.h"

/* Encoding of `bkpt 0xab`, the ARMv7-M semihosting trap. */
#define SEMIHOST_BKPT 0xBEABu

/* Returns only when nobody listens. */
void semihost_exit(bool success);

#endif
