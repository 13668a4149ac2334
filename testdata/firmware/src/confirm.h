/* Tells a bootloader that this image works.
 *
 * The boot mailbox is the last 32 bytes of RAM, which survive a warm reset. The application writes
 * one record there once its self-tests have passed. A bootloader that finds no record after a trial
 * boot reverts. `boot_confirm` is weak: a product that links a bootloader's own library replaces it. */
#ifndef CONFIRM_H
#define CONFIRM_H

#include "common.h"

#define BOOT_CONFIRM_MAGIC 0x4D524643u /* "CFRM" in memory order */

typedef struct {
    uint32_t magic;    /* BOOT_CONFIRM_MAGIC */
    uint32_t version;  /* FIRMWARE_VERSION of the image that confirms */
    uint32_t check;    /* magic ^ version ^ 0xFFFFFFFF */
} boot_mailbox_t;

void boot_confirm(void);

#endif
