#!/usr/bin/env bash
# Builds the pair rootfs-arm64-ext4: two states of one root file system, 640 MiB each, from Debian packages in the versions of old.txt and new.txt beside this script, each with a kernel.
# usage: build.sh FOLDER [old] [new]      writes FOLDER/{old,new}.bin; packages stay in FOLDER/packages
#
# Old versions leave the archive in time: a package that is gone is named, and its line may be changed to a version that is there. The bytes then differ from those listed in corpus.toml, as they do with
# another version of e2fsprogs.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=${1:?usage: build.sh FOLDER [old] [new]}
shift
mkdir -p "$folder/packages" "$folder/apt/state/lists/partial" "$folder/apt/cache/archives/partial"
folder=$(cd "$folder" && pwd)
[ $# -gt 0 ] || set -- old new

missing=""
for tool in mkfs.ext4:e2fsprogs debugfs:e2fsprogs dpkg-deb:dpkg apt-get:apt python3:python3; do
  command -v "${tool%:*}" >/dev/null || missing="$missing ${tool#*:}"
done
if [ -n "$missing" ]; then
  # shellcheck disable=SC2086
  if [ "$(id -u)" = 0 ]; then apt-get install -y -qq $missing; else echo "install:$missing" >&2 && exit 1; fi
fi
# Files of root, as in an image: only root can unpack them so.
[ "$(id -u)" = 0 ] || { echo "run as root" >&2; exit 1; }

# A private apt configuration for the other architecture; the sources are the machine's own.
: >"$folder/apt/status"
cat >"$folder/apt/apt.conf" <<END
APT::Architecture "arm64"; APT::Architectures {"arm64";}; APT::Sandbox::User "";
Dir::State "$folder/apt/state"; Dir::State::status "$folder/apt/status"; Dir::Cache "$folder/apt/cache"; Acquire::Languages "none";
END
apt() { APT_CONFIG="$folder/apt/apt.conf" apt-get -qq "$@"; }
[ -n "$(ls "$folder/apt/state/lists" | grep -v partial || true)" ] || apt update

package() { # NAME=VERSION -> its file, if it is there
  local name=${1%%=*} version=${1#*=}
  version=${version//:/%3a}
  for file in "$folder/packages/${name}_${version}"_{arm64,all}.deb; do
    if [ -s "$file" ]; then echo "$file"; fi
  done
}

download() { # LIST...
  local wanted=()
  for line in "$@"; do
    [ -n "$(package "$line")" ] || wanted+=("$line")
  done
  [ ${#wanted[@]} = 0 ] || (cd "$folder/packages" && apt download "${wanted[@]}")
}

# Every change time is the same: mkfs.ext4 copies those of the build machine.
fix_times() { # IMAGE
  python3 - "$1" >"$folder/times" <<'END'
import struct, sys
image = open(sys.argv[1], "rb")
image.seek(1024)
block = image.read(1024)
(inodes,), (per_group,) = struct.unpack_from("<I", block, 0), struct.unpack_from("<I", block, 40)
(inode_size,), (entry_size,) = struct.unpack_from("<H", block, 88), struct.unpack_from("<H", block, 254)
for group in range((inodes + per_group - 1) // per_group):
    image.seek(4096 + group * entry_size)
    entry = image.read(entry_size)
    table = struct.unpack_from("<I", entry, 8)[0] | (struct.unpack_from("<I", entry, 40)[0] << 32 if entry_size >= 64 else 0)
    image.seek(table * 4096)
    rows = image.read(per_group * inode_size)
    for place in range(per_group):
        number = group * per_group + place + 1
        if (number >= 11 or number == 2) and rows[place * inode_size:place * inode_size + 2] != b"\0\0":
            for field in ("atime", "ctime"):
                print(f"sif <{number}> {field} @1750000000")
                print(f"sif <{number}> {field}_extra 0")
END
  debugfs -w -f "$folder/times" "$1" >/dev/null 2>&1
}

build() { # STATE KERNEL-ABI KERNEL-VERSION
  local list=$here/$1.txt root=$folder/root kernel="linux-image-$2-arm64-unsigned=$3"
  mapfile -t lines <"$list"
  download "${lines[@]}" "$kernel"
  rm -rf "$root"
  mkdir -p "$root"/usr/{bin,sbin,lib}
  ln -s usr/bin "$root/bin"; ln -s usr/sbin "$root/sbin"; ln -s usr/lib "$root/lib"
  for line in "${lines[@]}" "$kernel"; do
    dpkg-deb --fsys-tarfile "$(package "$line")" | tar -x --keep-directory-symlink -C "$root"
  done
  # What an appliance has no use for.
  local modules="$root/usr/lib/modules/$2-arm64/kernel"
  rm -rf "$modules"/drivers/{gpu,media,infiniband,scsi,staging,net/ethernet,net/wireless,iio,isdn,message,target,block,md,hid,ata,nvme,video} "$modules/../kernel/sound" "$root"/usr/lib/linux-image-*
  rm -rf "$root"/usr/share/{doc,man,locale,info,lintian,bug,i18n} "$root"/usr/lib/*/perl/*/unicore "$root"/var/lib/dpkg
  cp "$list" "$root/etc/package-manifest.txt"
  touch -d @1750000000 "$root/etc/package-manifest.txt"
  find "$root" -type d -exec touch -d @1750000000 {} +
  touch -h -d @1750000000 "$root"/{bin,sbin,lib}
  rm -f "$folder/$1.bin"
  truncate -s 640M "$folder/$1.bin"
  E2FSPROGS_FAKE_TIME=1750000000 SOURCE_DATE_EPOCH=1750000000 mkfs.ext4 -q -F -b 4096 -O ^has_journal -U 7f9c2d3e-0000-4000-8000-000000000001 \
    -E hash_seed=7f9c2d3e-0000-4000-8000-000000000002,root_owner=0:0 -L rootfs -d "$root" "$folder/$1.bin"
  E2FSPROGS_FAKE_TIME=1750000000 fix_times "$folder/$1.bin"
  rm -rf "$root" "$folder/times"
  sha256sum "$folder/$1.bin"
}

for state in "$@"; do
  case $state in
    old) build old 6.1.0-55 6.1.192-1 ;;
    new) build new 6.1.0-56 6.1.192-2 ;;
    *) echo "no such state: $state" >&2; exit 1 ;;
  esac
done
