#include "confirm.h"

__attribute__((section(".mailbox"), used)) static volatile boot_mailbox_t mailbox;

__attribute__((weak)) void boot_confirm(void)
{
    mailbox.magic = 0; /* never valid while half written */
    mailbox.version = FIRMWARE_VERSION;
    mailbox.check = BOOT_CONFIRM_MAGIC ^ FIRMWARE_VERSION ^ UINT32_MAX;
    mailbox.magic = BOOT_CONFIRM_MAGIC;
}
