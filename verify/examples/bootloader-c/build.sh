#!/usr/bin/env bash
# Builds the bootloader in C: build.sh OUTPUT.elf
# Needs arm-none-eabi-gcc (Debian: gcc-arm-none-eabi), no C library, and what verify/bare-metal/install-targets installs.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
output=$1
bare=$here/../../bare-metal
library=${SEALIFT_BARE_TARGET_DIR:-$here/../../../target/bare-metal}/thumbv7m-none-eabi/release/libsealift.a
"$bare/cargo" build --release --quiet --locked -p sealift-staticlib --no-default-features --features isa-thumb --target thumbv7m-none-eabi
arm-none-eabi-gcc -mcpu=cortex-m3 -mthumb -Os -std=c11 -ffreestanding -ffunction-sections -fdata-sections \
  -Wall -Wextra -Wconversion -Wshadow -Wundef -Wstrict-prototypes -Wmissing-prototypes -Werror \
  -I"$here/../../ffi/include" -Wa,-I"$here/../identity" \
  -nostdlib -static -Wl,--gc-sections -Wl,--build-id=none -Wl,--no-warn-rwx-segments -T "$here/link.ld" \
  "$here"/{main,link,flash,board,startup}.c "$here/identity.S" "$library" -lgcc -o "$output"
arm-none-eabi-size "$output"
