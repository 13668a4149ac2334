/* A reference bootloader: holds a trust record, takes packages over a serial line, starts the image in the primary slot.
 *
 * After each reset it looks whether the image that ran before has confirmed itself, lets sealift_boot finish what was interrupted, and asks on the
 * link whether there is an update. It then starts the image; one on trial that does not confirm is taken back at the next reset.
 *
 * Everything is on the stack: what verifying needs is gone before the decoder's tables come, so that 21 KiB of RAM do for both, the serial line and its buffers among them. */
#include "board.h"
#include "flash.h"
#include "link.h"
#include "sealift.h"

int main(void);

extern const uint8_t identity_trust[], identity_trust_end[], identity_vendor[16], identity_class[16];

/* Most bytes of a package before its patch: one OEM signature and three approvals. */
enum { ENVELOPE = 1280 };

/* What the decoder needs for packages made with `ram = 16384` and `chunk = 1024`, in place too: these keep a longer header. */
enum { MEMORY = 11328 };

#define REGION(first, sectors) {.chip = 0, .start = (first) * FLASH_SECTOR, .end = ((first) + (sectors)) * FLASH_SECTOR}

static void device_open(sealift_device *device)
{
    *device = (sealift_device){
        .flash = &flash,
        .layout = {.primary = REGION(0, 64), .secondary = REGION(64, 64), .scratch = REGION(128, 4), .journal = REGION(132, 4), .states = REGION(136, 16)},
        .swap = 1,
        .save_every = 1,
        .trial_starts = 1,
        .trust = identity_trust,
        .trust_length = (size_t)(identity_trust_end - identity_trust),
    };
    for (size_t i = 0; i < 16; i++) {
        device->vendor[i] = identity_vendor[i];
        device->device_class[i] = identity_class[i];
    }
}

static void say(const char *text, sealift_code code)
{
    print(text);
    print_number(code);
    print("\n");
}

/* Writes the first image of a new device, and tells the device. All frames but the last have whole units. */
static __attribute__((noinline)) sealift_code factory(const sealift_device *device, struct link_frame *frame)
{
    sealift_installed_state installed;
    if (sealift_installed(device, &installed) == SEALIFT_OK) {
        return SEALIFT_ERROR_UPDATE_PENDING;
    }
    uint32_t size = link_word(frame->content), floor = link_word(frame->content + 4), counter = link_word(frame->content + 8);
    uint8_t digest[32];
    for (size_t i = 0; i < sizeof digest; i++) {
        digest[i] = frame->content[12 + i];
    }
    for (uint32_t at = 0; at < size;) {
        size_t length = link_data(at, frame);
        if (at % FLASH_SECTOR == 0 && flash_erase(NULL, 0, at) != 0) {
            return SEALIFT_ERROR_FLASH;
        }
        uint8_t units[LINK_DATA];
        for (size_t i = 0; i < sizeof units; i++) {
            units[i] = i < length ? frame->content[4 + i] : 0xFF;
        }
        size_t whole = (length + FLASH_UNIT - 1) / FLASH_UNIT * FLASH_UNIT;
        if (length > sizeof units || flash_program(NULL, 0, at, units, whole) != 0) {
            return SEALIFT_ERROR_FLASH;
        }
        at += (uint32_t)length;
    }
    return sealift_provision(device, size, digest, floor, counter);
}

/* Takes what comes before the patch, and verifies it. */
static __attribute__((noinline)) sealift_code envelope(const sealift_device *device, struct link_frame *frame, sealift_goal *goal)
{
    uint8_t bytes[ENVELOPE];
    size_t length = 0;
    for (;;) {
        size_t come = link_data((uint32_t)length, frame);
        for (size_t i = 0; i < come && length < sizeof bytes; i++) {
            bytes[length++] = frame->content[4 + i];
        }
        sealift_code code = sealift_verify(device, bytes, length, 0, 0, goal);
        /* Its end has not come yet. */
        if (code == SEALIFT_FORMAT_UNEXPECTED_END && length < sizeof bytes) {
            continue;
        }
        if (code == SEALIFT_OK && goal->patch_offset == UINT32_MAX) {
            return SEALIFT_ERROR_PAYLOAD_MISSING;
        }
        return code;
    }
}

/* Takes the patch. */
static __attribute__((noinline)) sealift_code install(const sealift_device *device, struct link_frame *frame, const sealift_goal *goal)
{
    _Alignas(SEALIFT_ALIGNMENT) uint8_t memory[MEMORY];
    sealift_update update;
    sealift_code code = sealift_update_begin(&update, device, goal, memory, sizeof memory);
    uint32_t offset;
    while (code == SEALIFT_OK && sealift_update_wants(&update, NULL, &offset) == SEALIFT_OK) {
        size_t length = link_data(goal->patch_offset + offset, frame);
        code = sealift_update_data(&update, frame->content + 4, length);
    }
    return code == SEALIFT_OK ? sealift_update_finish(&update) : code;
}

static sealift_code package(const sealift_device *device, struct link_frame *frame)
{
    sealift_goal goal;
    sealift_code code = envelope(device, frame, &goal);
    if (code == SEALIFT_OK) {
        print("verified\n");
        code = install(device, frame, &goal);
    }
    if (code == SEALIFT_OK) {
        print("received\n");
    }
    return code;
}

/* Whether there is an image to be started. */
static __attribute__((noinline)) bool boot(const sealift_device *device)
{
    sealift_boot_action action;
    sealift_code code = sealift_boot(device, &action);
    if (code != SEALIFT_OK) {
        say("flash: code ", code);
        return false;
    }
    switch (action.kind) {
    case SEALIFT_BOOT_START:
        print(action.trial == SEALIFT_TRIAL_REVERTS ? "image on trial\n"
              : action.trial == SEALIFT_TRIAL_FINAL ? "image not confirmed\n"
              : action.reverted                     ? "image, the update was taken back\n"
                                                    : "image\n");
        return true;
    case SEALIFT_BOOT_UNFINISHED:
        print("update unfinished\n");
        return false;
    case SEALIFT_BOOT_NOT_PROVISIONED:
        print("not provisioned\n");
        return false;
    default:
        print("nothing to start\n");
        return false;
    }
}

int main(void)
{
    sealift_device device;
    struct link_frame frame;
    uart_start(CONSOLE);
    uart_start(LINK);
    print("sealift bootloader (c)\n");
    device_open(&device);
    if (mailbox_take()) {
        sealift_code code = sealift_confirm(&device);
        if (code == SEALIFT_OK) {
            print("confirmed\n");
        } else {
            say("not confirmed: code ", code);
        }
    }
    for (;;) {
        bool startable = boot(&device);
        link_send('R', NULL, 0);
        link_request(&frame);
        sealift_code code = SEALIFT_ERROR_NOT_PROVISIONED;
        if (frame.kind == 'F') {
            code = factory(&device, &frame);
        } else if (frame.kind == 'P') {
            code = package(&device, &frame);
        } else if (startable) {
            start_image(FLASH_ADDRESS);
        }
        if (code == SEALIFT_OK) {
            link_send('O', NULL, 0);
        } else {
            uint8_t number[2] = {(uint8_t)(code & 0xFF), (uint8_t)(code >> 8)};
            say("refused: code ", code);
            link_send('X', number, sizeof number);
        }
    }
}
