#!/usr/bin/env bash
# Builds the demo firmware: testdata/images/app-{1.0,1.1,2.0}.bin and SHA256SUMS.
#
#   build.sh           writes the images
#   build.sh --check   builds into a temporary directory and compares with the committed images
#
# Needs the Debian packages gcc-arm-none-eabi (12.2.rel1-1) and binutils-arm-none-eabi, no C library.
# The same compiler gives the same bytes: no time, path or file order enters the images.
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
images=$here/../images
cc=arm-none-eabi-gcc
command -v "$cc" >/dev/null || {
  echo "build.sh: $cc not found: install the Debian package gcc-arm-none-eabi" >&2
  exit 1
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cflags=(-mcpu=cortex-m3 -mthumb -Os -std=c11 -ffreestanding -fno-common
  -ffunction-sections -fdata-sections -fno-tree-loop-distribute-patterns
  -Wall -Wextra -Wconversion -Wshadow -Wundef -Wstrict-prototypes -Wmissing-prototypes -Werror
  -ffile-prefix-map="$here"=. -frandom-seed=sealift)

# build NAME VERSION-NUMBER OVERLAY: src/ is common to all releases, the overlay belongs to some
build() {
  local name=$1 number=$2 overlay=$3 file objects=()
  local out=$work/$name
  mkdir -p "$out"
  while read -r file; do
    local object=$out/$(basename "$file" .c).o
    "$cc" "${cflags[@]}" -I"$here/src" -I"$here/$overlay" \
      -DFIRMWARE_VERSION="$number" -DFIRMWARE_NAME="\"$name.0\"" -c "$file" -o "$object"
    objects+=("$object")
  done < <(find "$here/src" "$here/$overlay" -name '*.c' -printf '%f %p\n' | sort | cut -d' ' -f2-)
  "$cc" -mcpu=cortex-m3 -mthumb -nostdlib -static -Wl,--gc-sections -Wl,--build-id=none -Wl,--fatal-warnings \
    -T "$here/link.ld" "${objects[@]}" -lgcc -o "$out/app.elf"
  arm-none-eabi-objcopy -O binary "$out/app.elf" "$work/app-$name.bin"
  chmod 644 "$work/app-$name.bin"
  arm-none-eabi-size -A "$out/app.elf" | awk -v n="$name" '
    $1 == ".text" { code = $2 } $1 == ".rodata" { constants = $2 } $1 == ".bss" { ram = $2 }
    END { printf "app-%s: %d bytes of code, %d of constants, %d of RAM\n", n, code, constants, ram }'
}

build 1.0 0x0100 v1
build 1.1 0x0101 v1
build 2.0 0x0200 v2
(cd "$work" && sha256sum app-1.0.bin app-1.1.bin app-2.0.bin >SHA256SUMS)

if [ "${1:-}" = --check ]; then
  for file in app-1.0.bin app-1.1.bin app-2.0.bin SHA256SUMS; do
    cmp "$work/$file" "$images/$file" || {
      echo "build.sh: $file differs from the committed one. Another compiler ($("$cc" -dumpfullversion))," \
        "or changed sources: run testdata/firmware/build.sh and commit the result" >&2
      exit 1
    }
  done
  echo "images are what the sources build"
else
  mkdir -p "$images"
  for file in app-1.0.bin app-1.1.bin app-2.0.bin SHA256SUMS; do
    cp --no-preserve=mode,ownership "$work/$file" "$images/$file"
  done
  cat "$images/SHA256SUMS"
fi
