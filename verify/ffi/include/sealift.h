/* The device side of Sealift: verifies packages, applies patches, starts images. Made from the Rust source of verify/ffi: do not edit.
 *
 * All state is the caller's: no heap, no globals. A pointer is null, which is refused with SEALIFT_ERROR_NULL_POINTER, or points to what its
 * type says, for as many items as stated. A state is in one call at a time. Functions return SEALIFT_OK, SEALIFT_NEEDS_CONSENT, or one of
 * enum sealift_error. Every call returns after work that the sizes of its arguments and of the flash bound.
 *
 * A bootloader calls, after each reset, sealift_boot, and starts what it says. With a package it calls sealift_verify with the first bytes,
 * then sealift_update_begin, sealift_update_data with the patch, sealift_update_finish, and sealift_boot again. An image that works is made
 * to stay by sealift_confirm.
 */


#ifndef SEALIFT_H
#define SEALIFT_H

#include <stddef.h>
#include <stdint.h>
/* Why something was refused or failed. Codes are stable: never renumbered, never reused. */
enum sealift_error {
    SEALIFT_OK = 0,
    /* The input ends inside an item. */
    SEALIFT_FORMAT_UNEXPECTED_END = 1,
    /* Bytes follow the item that should be the last. */
    SEALIFT_FORMAT_TRAILING_BYTES = 2,
    /* A varint has more than 10 bytes or a value of 2^64 or more. */
    SEALIFT_FORMAT_VARINT_TOO_LONG = 3,
    /* A varint ends with a byte that adds nothing. */
    SEALIFT_FORMAT_VARINT_NOT_SHORTEST = 4,
    /* A CBOR head could be shorter. */
    SEALIFT_FORMAT_HEAD_NOT_SHORTEST = 10,
    /* A CBOR item of indefinite length. */
    SEALIFT_FORMAT_INDEFINITE_LENGTH = 11,
    /* A CBOR head with reserved additional information (28 to 30). */
    SEALIFT_FORMAT_RESERVED_HEAD = 12,
    /* A CBOR item of another type than the format asks for. */
    SEALIFT_FORMAT_WRONG_TYPE = 13,
    /* The keys of a map do not ascend. */
    SEALIFT_FORMAT_KEY_ORDER = 14,
    /* A key is twice in a map. */
    SEALIFT_FORMAT_DUPLICATE_KEY = 15,
    /* CBOR nested deeper than 8 items. */
    SEALIFT_FORMAT_TOO_DEEP = 16,
    /* A text string that is not UTF-8. */
    SEALIFT_FORMAT_NOT_UTF8 = 17,
    /* A floating point number, or a simple value other than false, true and null. */
    SEALIFT_FORMAT_UNSUPPORTED_SIMPLE = 18,
    /* An integer that does not fit its field. */
    SEALIFT_FORMAT_INTEGER_RANGE = 19,
    /* An array, map or string of another length than the format asks for. */
    SEALIFT_FORMAT_WRONG_LENGTH = 20,
    /* A key that the format does not have. */
    SEALIFT_FORMAT_UNKNOWN_KEY = 21,
    /* A key that must be there is not. */
    SEALIFT_FORMAT_MISSING_KEY = 22,
    /* The input does not start with CBOR tag 107. */
    SEALIFT_FORMAT_NOT_AN_ENVELOPE = 30,
    /* The bytes before the payload exceed 4,096. */
    SEALIFT_FORMAT_ENVELOPE_TOO_LONG = 31,
    /* More than 8 authentication blocks. */
    SEALIFT_FORMAT_TOO_MANY_BLOCKS = 32,
    /* A digest by another algorithm than SHA-256. */
    SEALIFT_FORMAT_UNSUPPORTED_DIGEST = 33,
    /* A block that is not a COSE_Sign1 (CBOR tag 18). */
    SEALIFT_FORMAT_NOT_SIGN1 = 50,
    /* A signature by another algorithm than Ed25519. */
    SEALIFT_FORMAT_UNSUPPORTED_ALGORITHM = 51,
    /* A header parameter that this format does not have. */
    SEALIFT_FORMAT_UNKNOWN_HEADER = 52,
    /* crit names something else than the CWT claims. */
    SEALIFT_FORMAT_UNKNOWN_CRITICAL = 53,
    /* Claims without crit, or crit without claims. */
    SEALIFT_FORMAT_CLAIMS_NOT_CRITICAL = 54,
    /* The unprotected header is not empty. */
    SEALIFT_FORMAT_UNPROTECTED_HEADER = 55,
    /* An audience that is not urn:uuid: and a lower-case UUID. */
    SEALIFT_FORMAT_AUDIENCE_FORM = 56,
    /* A claim that this format does not have. */
    SEALIFT_FORMAT_UNKNOWN_CLAIM = 57,
    /* The protected header is longer than any that can be written. */
    SEALIFT_FORMAT_HEADER_TOO_LONG = 58,
    /* Another manifest version than 1. */
    SEALIFT_FORMAT_MANIFEST_VERSION = 70,
    /* A command sequence, or a part of the manifest, that is not one of the templates. */
    SEALIFT_FORMAT_NOT_THE_TEMPLATE = 71,
    /* A digest or size that occurs twice is not the same both times. */
    SEALIFT_FORMAT_CONTRADICTION = 72,
    /* A component name that is not printable ASCII. */
    SEALIFT_FORMAT_COMPONENT_NAME = 73,
    /* The arguments of apply patch are of another patch version than 1. */
    SEALIFT_FORMAT_APPLY_VERSION = 74,
    /* The arguments of apply patch have a value that no patch header can have. */
    SEALIFT_FORMAT_APPLY_RANGE = 75,
    /* A manifest of several components, where one of a single component is asked for. */
    SEALIFT_FORMAT_SEVERAL_COMPONENTS = 76,
    /* More than 8 components. */
    SEALIFT_FORMAT_TOO_MANY_COMPONENTS = 77,
    /* Two components have the same name. */
    SEALIFT_FORMAT_COMPONENT_TWICE = 78,
    /* The file does not start with sealift-trust. */
    SEALIFT_FORMAT_NOT_ATRUST_FILE = 100,
    /* Another version of the trust record than 1. */
    SEALIFT_FORMAT_TRUST_VERSION = 101,
    /* No key, or more than 16. */
    SEALIFT_FORMAT_KEY_COUNT = 102,
    /* No policy, or more than 8. */
    SEALIFT_FORMAT_POLICY_COUNT = 103,
    /* Keys, roles or policies not in ascending order, or one of them twice. */
    SEALIFT_FORMAT_ENTRY_ORDER = 104,
    /* One public key under two key ids. */
    SEALIFT_FORMAT_DUPLICATE_PUBLIC_KEY = 105,
    /* A role that is none of the known ones. */
    SEALIFT_FORMAT_ROLE_NAME = 106,
    /* A policy that does not ask for an OEM signature. */
    SEALIFT_FORMAT_POLICY_WITHOUT_OEM = 107,
    /* More than 2,048 bytes. */
    SEALIFT_FORMAT_TRUST_RECORD_TOO_LONG = 108,
    /* The patch does not start with SLP. */
    SEALIFT_FORMAT_PATCH_MAGIC = 130,
    /* Another patch version than 1. */
    SEALIFT_FORMAT_PATCH_VERSION = 131,
    /* A profile that is neither fast nor compact. */
    SEALIFT_FORMAT_UNKNOWN_PROFILE = 132,
    /* An instruction set that is not in the table. */
    SEALIFT_FORMAT_UNKNOWN_INSTRUCTION_SET = 133,
    /* A header field is out of range. */
    SEALIFT_FORMAT_HEADER_RANGE = 134,
    /* An extension that must be understood and is not. */
    SEALIFT_FORMAT_UNSUPPORTED_EXTENSION = 135,
    /* Extensions out of order, too many, or too long. */
    SEALIFT_FORMAT_EXTENSION_FORM = 136,
    /* Chunks of another length or number than the format allows. */
    SEALIFT_FORMAT_CHUNK_FORM = 137,
    /* A segment outside an image, empty, or overlapping another. */
    SEALIFT_FORMAT_SEGMENT_RANGE = 138,
    /* More segments than the reader has room for. */
    SEALIFT_FORMAT_TOO_MANY_SEGMENTS = 139,
    /* The parameters of a profile are malformed. */
    SEALIFT_FORMAT_PROFILE_PARAMETERS = 140,
    /* chunk_log2 is neither 0 nor 8 to 24. */
    SEALIFT_FORMAT_CHUNK_LOG2 = 141,
    /* group_log2 is not 8 to 30. */
    SEALIFT_FORMAT_GROUP_LOG2 = 142,
    /* ram_log2 is neither 0 nor 13 to 22. */
    SEALIFT_FORMAT_RAM_LOG2 = 143,
    /* More than 64 bytes of profile parameters. */
    SEALIFT_FORMAT_PARAMETERS_SIZE = 144,
    /* The patch header has more than 4,352 bytes, or does not end in chunk 0. */
    SEALIFT_FORMAT_PATCH_HEADER_TOO_LONG = 145,
    /* window_log of profile fast is not 10 to 27. */
    SEALIFT_FORMAT_WINDOW_LOG = 146,
    /* A projection that is not in the table. */
    SEALIFT_FORMAT_UNKNOWN_PROJECTION = 147,
    /* Count and sizes of the segment list contradict each other, or what came out does not have the size announced. */
    SEALIFT_FORMAT_SEGMENT_LIST_FORM = 148,
    /* A zstd frame with a dictionary, content size or checksum, or no zstd frame at all. */
    SEALIFT_FORMAT_FRAME_HEAD = 149,
    /* A zstd frame with a larger window than the parameters say. */
    SEALIFT_FORMAT_FRAME_WINDOW = 150,
    /* A group without a byte from a frame has packed bytes of it, or the other way round. */
    SEALIFT_FORMAT_GROUP_FORM = 151,
    /* A zstd frame gives fewer bytes than it should. */
    SEALIFT_FORMAT_FRAME_TOO_SHORT = 152,
    /* A zstd frame gives more bytes than it should. */
    SEALIFT_FORMAT_FRAME_TOO_LONG = 153,
    /* A zstd frame does not end where its last bytes are, or goes on after its end. */
    SEALIFT_FORMAT_FRAME_END = 154,
    /* A zstd frame that does not decode. */
    SEALIFT_FORMAT_FRAME_CORRUPT = 155,
    /* The payload ends before the new image is complete, or after. */
    SEALIFT_FORMAT_PAYLOAD_SIZE = 156,
    /* Sectors of an in-place patch are not of 2^8 to 2^17 bytes. */
    SEALIFT_FORMAT_IN_PLACE_SECTOR = 157,
    /* The in-place layout is too long, has too many runs or no scratch. */
    SEALIFT_FORMAT_IN_PLACE_FORM = 158,
    /* The in-place layout lists a sector twice or outside the new image, or does not list one that the old image does not have. */
    SEALIFT_FORMAT_IN_PLACE_LIST = 159,
    /* An in-place layout in a patch that cannot have one: of another profile than compact, with groups of another size than sectors, or with type information. */
    SEALIFT_FORMAT_IN_PLACE_PROFILE = 160,
    /* The in-place layout keeps bytes that the old image does not have. */
    SEALIFT_FORMAT_IN_PLACE_KEPT = 161,
    /* A number of the table of executables is out of its range. */
    SEALIFT_FORMAT_EXECUTABLE_FORM = 162,
    /* An executable outside an image, before the end of the one before it, or with too long a span. */
    SEALIFT_FORMAT_EXECUTABLE_RANGE = 163,
    /* The file does not start with sealift-capabilities. */
    SEALIFT_FORMAT_NOT_ACAPABILITY_FILE = 180,
    /* Another version of the capability record than 1. */
    SEALIFT_FORMAT_CAPABILITY_VERSION = 181,
    /* A value of the capability record is out of range. */
    SEALIFT_FORMAT_CAPABILITY_RANGE = 182,
    /* The manifest does not have the digest that the envelope says. */
    SEALIFT_ERROR_MANIFEST_DIGEST = 200,
    /* The package has no authentication block at all. */
    SEALIFT_ERROR_UNSIGNED = 201,
    /* A signature by a known OEM key does not hold. */
    SEALIFT_ERROR_OEM_SIGNATURE = 202,
    /* A signature by a known key of another role does not hold: the approval is for another manifest, or was changed. */
    SEALIFT_ERROR_APPROVAL_SIGNATURE = 203,
    /* Fewer OEM keys have signed than the policy asks for. */
    SEALIFT_ERROR_OEM_THRESHOLD = 204,
    /* The text does not have the digest that the manifest says. */
    SEALIFT_ERROR_TEXT_DIGEST = 205,
    /* There is a text, but the manifest has no digest for it. */
    SEALIFT_ERROR_TEXT_UNSIGNED = 206,
    /* A chunk of the patch is not the one that was signed. */
    SEALIFT_ERROR_CHUNK_DIGEST = 207,
    /* The patch as a whole is not the one that was signed. */
    SEALIFT_ERROR_PATCH_DIGEST = 208,
    /* The new image is not the one that was signed. */
    SEALIFT_ERROR_NEW_IMAGE_DIGEST = 209,
    /* The new image does not have the CRC that the patch header says. */
    SEALIFT_ERROR_NEW_IMAGE_CRC = 210,
    /* A new trust record was not signed by enough keys of the record in force. */
    SEALIFT_ERROR_TRUST_THRESHOLD_CURRENT = 220,
    /* A new trust record was not signed by enough of its own keys. */
    SEALIFT_ERROR_TRUST_THRESHOLD_NEW = 221,
    /* A signature over a trust record by a known key does not hold. */
    SEALIFT_ERROR_TRUST_SIGNATURE = 222,
    /* A signature over a capability record by the key asked for does not hold. */
    SEALIFT_ERROR_CAPABILITY_SIGNATURE = 223,
    /* The trust record has no policy for this class. */
    SEALIFT_ERROR_NO_POLICY = 300,
    /* The package is for a device of another vendor. */
    SEALIFT_ERROR_OTHER_VENDOR = 301,
    /* The package is for another class of devices. */
    SEALIFT_ERROR_OTHER_CLASS = 302,
    /* The sequence number is below the floor. */
    SEALIFT_ERROR_SEQUENCE_BELOW_FLOOR = 303,
    /* Another manifest has the same sequence number already. */
    SEALIFT_ERROR_SEQUENCE_REUSED = 304,
    /* The security counter is below the device's. */
    SEALIFT_ERROR_SECURITY_COUNTER = 305,
    /* Keys of a role are missing, and no approval was there that failed another check. */
    SEALIFT_ERROR_APPROVAL_MISSING = 310,
    /* An approval was made with an OEM's key. */
    SEALIFT_ERROR_APPROVAL_BY_OEM_KEY = 311,
    /* A key that approves has signed without the claims of an approval. */
    SEALIFT_ERROR_APPROVAL_WITHOUT_CLAIMS = 312,
    /* An approval is for another class of devices. */
    SEALIFT_ERROR_APPROVAL_OTHER_CLASS = 313,
    /* An approval is not valid yet. */
    SEALIFT_ERROR_APPROVAL_NOT_YET_VALID = 314,
    /* An approval has expired. */
    SEALIFT_ERROR_APPROVAL_EXPIRED = 315,
    /* An approval's epoch is below the floor for its key. */
    SEALIFT_ERROR_APPROVAL_STALE_EPOCH = 316,
    /* The image on the device is not the one that the patch is for. */
    SEALIFT_ERROR_OTHER_OLD_IMAGE = 320,
    /* The patch header says otherwise than the signed manifest. */
    SEALIFT_ERROR_HEADER_CONTRADICTS_MANIFEST = 321,
    /* A package of several components whose names, or their order, are not those of the device. */
    SEALIFT_ERROR_OTHER_COMPONENTS = 322,
    /* The patch is for the envelope's payload, and there is none. */
    SEALIFT_ERROR_PAYLOAD_MISSING = 330,
    /* The envelope has a payload, and the patch is to come from elsewhere. */
    SEALIFT_ERROR_PAYLOAD_NOT_NAMED = 331,
    /* The payload has another size than the manifest says. */
    SEALIFT_ERROR_PAYLOAD_SIZE = 332,
    /* A new trust record does not have a higher number than the one in force. */
    SEALIFT_ERROR_TRUST_NUMBER = 340,
    /* A new trust record lowers the sequence number floor. */
    SEALIFT_ERROR_TRUST_FLOOR = 341,
    /* The patch has a larger chunk than this device has room for. */
    SEALIFT_ERROR_CHUNK_TOO_LARGE = 400,
    /* The patch has a larger group than this device has room for. */
    SEALIFT_ERROR_GROUP_TOO_LARGE = 401,
    /* The patch has more segments than this device has room for. */
    SEALIFT_ERROR_TOO_MANY_SEGMENTS = 402,
    /* The patch needs a larger window than this device has room for. */
    SEALIFT_ERROR_WINDOW_TOO_LARGE = 403,
    /* The patch is of a RAM class above this device's. */
    SEALIFT_ERROR_RAM_CLASS = 404,
    /* The image is larger than the slot. */
    SEALIFT_ERROR_IMAGE_TOO_LARGE = 405,
    /* A profile or instruction set that this build has no code for. */
    SEALIFT_ERROR_NOT_BUILT_IN = 406,
    /* The patch is of a later version than the device's applier reads. */
    SEALIFT_ERROR_APPLIER_VERSION = 407,
    /* The device's applier has no code for the patch's profile. */
    SEALIFT_ERROR_PROFILE_UNSUPPORTED = 408,
    /* The device's applier has no code for the patch's instruction set. */
    SEALIFT_ERROR_INSTRUCTION_SET_UNSUPPORTED = 409,
    /* The patch is to be applied in place, which the device cannot do. */
    SEALIFT_ERROR_IN_PLACE_UNSUPPORTED = 410,
    /* The patch is to be applied in place, for sectors of another size. */
    SEALIFT_ERROR_SECTOR_SIZE = 411,
    /* The state of the decoder needs more flash than there is for it. */
    SEALIFT_ERROR_STATE_TOO_LARGE = 412,
    /* The patch is to be applied in place with more scratch than there is. */
    SEALIFT_ERROR_SCRATCH_TOO_SMALL = 413,
    /* The update needs a second slot, or a scratch, that the device has not. */
    SEALIFT_ERROR_NO_SLOT = 414,
    /* The old image could not be read. */
    SEALIFT_ERROR_OLD_IMAGE_READ = 500,
    /* The new image's storage could not be written. */
    SEALIFT_ERROR_NEW_IMAGE_WRITE = 501,
    /* The new image's storage could not be erased. */
    SEALIFT_ERROR_NEW_IMAGE_ERASE = 502,
    /* The new image could not be read back. */
    SEALIFT_ERROR_NEW_IMAGE_READ = 503,
    /* The flash could not be read or written. */
    SEALIFT_ERROR_FLASH = 504,
    /* A saved state is not what was saved. */
    SEALIFT_ERROR_STATE_DAMAGED = 505,
    /* A call after one that failed. */
    SEALIFT_ERROR_AFTER_ERROR = 600,
    /* A call after the end. */
    SEALIFT_ERROR_AFTER_END = 601,
    /* The end was asked for before all bytes were there. */
    SEALIFT_ERROR_UNFINISHED = 602,
    /* A buffer is smaller than its documentation asks for. */
    SEALIFT_ERROR_BUFFER_TOO_SMALL = 603,
    /* A range outside the slot, or against its alignment. */
    SEALIFT_ERROR_OUT_OF_BOUNDS = 604,
    /* The device does not know which image it has: it was not provisioned. */
    SEALIFT_ERROR_NOT_PROVISIONED = 605,
    /* An update waits for the next start, for confirmation, or to be taken back. */
    SEALIFT_ERROR_UPDATE_PENDING = 606,
    /* Regions of the flash overlap, are not whole sectors, or are too small for their use. */
    SEALIFT_ERROR_LAYOUT = 607,
    /* A pointer of the C interface is null where there must be something. */
    SEALIFT_ERROR_NULL_POINTER = 608,
    /* A state of the C interface was not begun, or has ended. */
    SEALIFT_ERROR_NOT_BEGUN = 609,
    /* All is right but for an approval, and the policy leaves it to the user. */
    SEALIFT_NEEDS_CONSENT = 1000
};

#if UINTPTR_MAX <= 0xFFFFFFFFu
#define SEALIFT_UPDATE_WORDS 336
#else
#define SEALIFT_UPDATE_WORDS 400
#endif
#define SEALIFT_ALIGNMENT 8


/*
 `kind` of an action: it starts the image in the primary slot.
 */
#define SEALIFT_BOOT_START 0

/*
 `kind` of an action: the primary slot is partly rebuilt in place: the rest of the update with manifest `manifest` is needed.
 */
#define SEALIFT_BOOT_UNFINISHED 1

/*
 `kind` of an action: the device was not provisioned, or its journal is gone. It starts nothing.
 */
#define SEALIFT_BOOT_NOT_PROVISIONED 2

/*
 `kind` of an action: no slot holds an image that the device knows. It starts nothing.
 */
#define SEALIFT_BOOT_NOTHING 3

/*
 `trial` of an action: the image was confirmed.
 */
#define SEALIFT_TRIAL_NONE 0

/*
 `trial` of an action: the image is taken back unless it is confirmed within the starts left.
 */
#define SEALIFT_TRIAL_REVERTS 1

/*
 `trial` of an action: there is nothing to go back to; sequence floor and security counter wait for the confirmation.
 */
#define SEALIFT_TRIAL_FINAL 2

/*
 Words of `opaque` in a goal.
 */
#define SEALIFT_GOAL_WORDS 32

/*
 0, or one of `enum sealift_error`. Codes are stable: never renumbered, never reused.
 */
typedef uint16_t sealift_code;

/*
 What a chip asks of its user. All sizes in bytes.
 */
typedef struct sealift_geometry {
  /*
   Reads begin at multiples of it and have whole ones: a power of two, at most 32.
   */
  uint32_t read_unit;
  /*
   Programs begin at multiples of it and have whole ones: a power of two, at most 32. A unit is programmed once between erases.
   */
  uint32_t program_unit;
  /*
   What is erased at once: at least 256, whole units. 0: there is no such chip.
   */
  uint32_t sector;
  /*
   The whole chip.
   */
  uint32_t capacity;
  /*
   What a byte reads after an erase: 0xFF or 0x00.
   */
  uint8_t erased;
} sealift_geometry;

/*
 The device's flash: one chip or two, and their driver. Calls keep to the geometry; nothing is read while something is erased or
 programmed. The driver must not call this library.
 */
typedef struct sealift_flash {
  /*
   Handed to the driver as it is.
   */
  void *context;
  /*
   Fills `length` bytes from `offset` of a chip on. 0, or the driver's own error. Not null.
   */
  int32_t (*read)(void *context, uint8_t chip, uint32_t offset, uint8_t *bytes, size_t length);
  /*
   Erases the sector at `offset` of a chip. 0, or the driver's own error. Not null.
   */
  int32_t (*erase)(void *context, uint8_t chip, uint32_t offset);
  /*
   Programs `length` bytes at `offset` of a chip, where everything is erased. 0, or the driver's own error. Not null.
   */
  int32_t (*program)(void *context, uint8_t chip, uint32_t offset, const uint8_t *bytes, size_t length);
  /*
   Chip 0 and chip 1.
   */
  struct sealift_geometry chips[2];
} sealift_flash;

/*
 A part of a chip: whole sectors, from `start` to before `end`, in bytes into the chip. `start` = `end`: there is none.
 */
typedef struct sealift_region {
  /*
   0 or 1.
   */
  uint8_t chip;
  /*
   Its first byte.
   */
  uint32_t start;
  /*
   The byte behind its last.
   */
  uint32_t end;
} sealift_region;

/*
 Where everything is. Regions do not overlap.
 */
typedef struct sealift_layout {
  /*
   The slot that the image runs from.
   */
  struct sealift_region primary;
  /*
   The slot that updates are streamed to. None: in-place updates only.
   */
  struct sealift_region secondary;
  /*
   For swaps, one sector or more; for in-place updates, what `--scratch` said when the patch was made.
   */
  struct sealift_region scratch;
  /*
   The journal: two halves of whole sectors, each at least 256 bytes.
   */
  struct sealift_region journal;
  /*
   Two halves of whole sectors for saved states of the decoder. None: no updates in place, and others start again after a reset.
   */
  struct sealift_region states;
} sealift_layout;

/*
 A device. Nothing in it changes; it is read in every call.
 */
typedef struct sealift_device {
  /*
   The flash. Not null.
   */
  const struct sealift_flash *flash;
  /*
   Where everything is.
   */
  struct sealift_layout layout;
  /*
   0: a new image is copied over the old one. 1: the slots are swapped; without confirmation they are swapped back.
   */
  uint8_t swap;
  /*
   The decoder's state is saved at least every so many groups; 0: never.
   */
  uint32_t save_every;
  /*
   How often an image on trial is started before it is taken back; 0 counts as 1.
   */
  uint32_t trial_starts;
  /*
   UUID of the vendor.
   */
  uint8_t vendor[16];
  /*
   UUID of the class of devices.
   */
  uint8_t device_class[16];
  /*
   The trust record (not the file with the signatures over it). Not null.
   */
  const uint8_t *trust;
  /*
   Bytes of the trust record.
   */
  size_t trust_length;
} sealift_device;

/*
 What the bootloader does now.
 */
typedef struct sealift_boot_action {
  /*
   `SEALIFT_BOOT_...`
   */
  uint8_t kind;
  /*
   `SEALIFT_TRIAL_...`, when started.
   */
  uint8_t trial;
  /*
   1: the update before was taken back.
   */
  uint8_t reverted;
  /*
   Starts left of an image on trial after this one.
   */
  uint32_t starts_left;
  /*
   Bytes of the image to be started.
   */
  uint32_t size;
  /*
   SHA-256 of the image to be started, which was compared just now.
   */
  uint8_t digest[32];
  /*
   SHA-256 of the manifest whose update is unfinished.
   */
  uint8_t manifest[32];
} sealift_boot_action;

/*
 What the device knows about itself.
 */
typedef struct sealift_installed_state {
  /*
   Bytes of the image that was confirmed last.
   */
  uint32_t size;
  /*
   Its SHA-256.
   */
  uint8_t digest[32];
  /*
   Sequence numbers below are refused.
   */
  uint64_t sequence_floor;
  /*
   Security counters below are refused.
   */
  uint64_t security_counter;
  /*
   1: an update goes on, or its image is on trial.
   */
  uint8_t pending;
  /*
   1: the last update was taken back.
   */
  uint8_t reverted;
} sealift_installed_state;

/*
 A package that was verified. Only `sealift_verify` makes one. It holds no pointer into the package, and may be copied.
 */
typedef struct sealift_goal {
  /*
   Where the patch begins in the package; `UINT32_MAX`: it is not in the package.
   */
  uint32_t patch_offset;
  /*
   Bytes of the patch.
   */
  uint32_t patch_size;
  /*
   Bytes of memory that `sealift_update_begin` needs for it.
   */
  uint32_t memory_size;
  /*
   Who may install it: the library's own mark.
   */
  uint32_t mark;
  /*
   The library's own.
   */
  uint64_t opaque[SEALIFT_GOAL_WORDS];
} sealift_goal;

/*
 A crypto engine of the device, in the place of the library's Ed25519.
 */
typedef struct sealift_signatures {
  /*
   Handed to the engine as it is.
   */
  void *context;
  /*
   Whether an Ed25519 signature (RFC 8032, 64 bytes) over `length` bytes holds under a public key (32 bytes): 1, or anything else when it does not, or when
   the engine fails. It must be strict: refuse a signature whose `S` is not below the group order, whose `R` is not canonical, and a public key or `R` of
   small order. It must not call this library. Not null.
   */
  uint8_t (*verify)(void *context,
                    const uint8_t *public_key,
                    const uint8_t *message,
                    size_t length,
                    const uint8_t *signature);
} sealift_signatures;

/*
 The state of an update, in the caller's memory. Before `sealift_update_begin` it must be zero for any other call. It stays where it is, and is not
 copied, while an update goes on.
 */
typedef struct sealift_update {
  /*
   The library's own mark of an update that goes on.
   */
  uint32_t mark;
  /*
   The library's own.
   */
  uint64_t opaque[SEALIFT_UPDATE_WORDS];
} sealift_update;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/*
 What a code means, as a sentence that ends with NUL, cut to `size` bytes with it. Returns the length of the whole sentence without NUL; 0
 for a code that there is not. `buffer` may be null when `size` is 0.
 */
size_t sealift_error_text(sealift_code code,
                          uint8_t *buffer,
                          size_t size);

/*
 Tells a new device which image its primary slot holds: `size` bytes with SHA-256 `digest`. For the factory: a device that was provisioned
 before refuses.
 */
sealift_code sealift_provision(const struct sealift_device *device,
                               uint32_t size,
                               const uint8_t *digest,
                               uint64_t sequence_floor,
                               uint64_t security_counter);

/*
 Brings to an end what a power cut or a reset interrupted, installs what waits to be, takes back what was not confirmed, and says what to
 start. Call it once after each reset. A power cut at any instant does no harm: the next call goes on.
 */
sealift_code sealift_boot(const struct sealift_device *device,
                          struct sealift_boot_action *action);

/*
 Confirms the new image: there is no way back from it. Sequence floor and security counter rise now. Does nothing when no image is on
 trial.
 */
sealift_code sealift_confirm(const struct sealift_device *device);

/*
 Takes an image on trial back: the next `sealift_boot` swaps the slots again.
 */
sealift_code sealift_reject(const struct sealift_device *device);

/*
 Forgets an update that has not touched the primary slot.
 */
sealift_code sealift_abandon(const struct sealift_device *device);

/*
 What the device knows about itself.
 */
sealift_code sealift_installed(const struct sealift_device *device, struct sealift_installed_state *installed);

/*
 Checks a package from its first `length` bytes, which hold all before the patch (at most 4,096 bytes), against the trust record and the device's state.

 `time`: seconds since 1970 from a source that an attacker cannot set back; 0: there is none. `consent`: 1 when the user has consented to a
 package that lacks an approval; ask only after a call with 0 has returned `SEALIFT_NEEDS_CONSENT`.

 Returns `SEALIFT_FORMAT_UNEXPECTED_END` while bytes are missing: try again with more of them, up to 4,096. On any error `goal` cannot be
 installed.

 Uses about 8.5 KiB of stack on a Cortex-M3. The bytes are not needed afterwards.
 */
sealift_code sealift_verify(const struct sealift_device *device,
                            const uint8_t *package,
                            size_t length,
                            uint64_t time,
                            uint8_t consent,
                            struct sealift_goal *goal);

/*
 The same with the device's own engine for signatures. A bootloader that calls only this function does not link the library's Ed25519.

 Arguments, results and errors are those of `sealift_verify`; of the stack it takes what the engine does not.
 */
sealift_code sealift_verify_with(const struct sealift_device *device,
                                 const struct sealift_signatures *signatures,
                                 const uint8_t *package,
                                 size_t length,
                                 uint64_t time,
                                 uint8_t consent,
                                 struct sealift_goal *goal);

/*
 Begins the update of a verified package, or goes on with it after a reset; then `sealift_update_wants` says from where.

 `memory` has at least `memory_size` bytes of the goal, at any address. State and memory are the library's until
 `sealift_update_finish` or an error other than `SEALIFT_ERROR_FLASH`; then nothing needs to be freed. An update that goes on in `state` is given up.
 */
sealift_code sealift_update_begin(struct sealift_update *state,
                                  const struct sealift_device *device,
                                  const struct sealift_goal *goal,
                                  uint8_t *memory,
                                  size_t memory_length);

/*
 Which byte of the patch is needed next: `offset`, and the number of its chunk. `SEALIFT_ERROR_AFTER_END`: none, the whole patch was
 taken. `chunk` and `offset` may be null.
 */
sealift_code sealift_update_wants(struct sealift_update *state,
                                  uint32_t *chunk,
                                  uint32_t *offset);

/*
 Takes the next bytes of the patch: any number, cut anywhere. A call may last long: it may read the whole old image, and decode and program many
 groups.
 */
sealift_code sealift_update_data(struct sealift_update *state,
                                 const uint8_t *bytes,
                                 size_t length);

/*
 Ends the update: the image in flash has matched its digest, and the journal says so. `sealift_boot` does the rest. State and memory are
 the caller's again, whatever this returns.
 */
sealift_code sealift_update_finish(struct sealift_update *state);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* SEALIFT_H */
