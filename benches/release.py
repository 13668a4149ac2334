#!/usr/bin/env python3
"""Times a release of 24 old images: one thread and two, without and with the cache, and what memory it takes.

    cargo build --release && benches/release.py [--profile fast|compact] [--sealift PROGRAM] [--olds 24]

The new image is that of the corpus pair `pybricks-primehub-b4-b5` (297 KB of Thumb code, fetched by `cargo run -p sealift-testdata -- fetch`); without the corpus, made-up bytes
of that size. Old images: that pair's, those of its sister products, and revisions made of them by moving, changing and inserting pieces (the same each time). Prints
one line a run. Times are those of whole processes; two threads are worth measuring on two idle cores alone.
"""

import argparse
import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAIRS = ["pybricks-primehub-b4-b5", "pybricks-technichub-31-36", "pybricks-cityhub-b4-b5", "pybricks-movehub-36-40"]


def corpus_images():
    """The new image first, then old ones."""
    images = []
    for pair in PAIRS:
        for name in ["new.bin", "old.bin"]:
            path = ROOT / "testdata/corpus" / pair / name
            if path.exists():
                images.append(path.read_bytes())
    if not images:
        source = random.Random(1)
        images = [bytes(source.choices(range(64), weights=range(64, 0, -1), k=297_000))]
    return images


def revision(image, seed):
    """A revision of an image: pieces of it moved by what was inserted and deleted, and some words changed."""
    source = random.Random(seed)
    bytes_ = bytearray(image)
    for _ in range(20):
        at = source.randrange(len(bytes_) - 4096)
        what = source.random()
        if what < 0.4:
            bytes_[at:at] = bytes_[at + 512 : at + 512 + 4 * source.randrange(1, 64)]
        elif what < 0.6:
            del bytes_[at : at + 4 * source.randrange(1, 64)]
        else:
            for _ in range(40):
                word = at + 4 * source.randrange(256)
                bytes_[word : word + 2] = source.randrange(1 << 16).to_bytes(2, "little")
    return bytes(bytes_)


def run(program, folder, *arguments):
    """Wall time in seconds and peak memory in MiB of one run."""
    started = time.monotonic()
    # The secret of the cache is the folder's own.
    environment = {**os.environ, "XDG_STATE_HOME": str(folder / "state")}
    child = subprocess.Popen([program, "pack", "release.toml", *arguments], cwd=folder, stdout=subprocess.DEVNULL, env=environment)
    _, status, usage = os.wait4(child.pid, 0)
    if status != 0:
        raise SystemExit(f"sealift pack {' '.join(arguments)} failed")
    child.returncode = 0
    return time.monotonic() - started, usage.ru_maxrss / 1024, usage.ru_utime + usage.ru_stime


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--profile", default="fast", choices=["fast", "compact"])
    arguments.add_argument("--sealift", default=str(ROOT / "target/release/sealift"))
    arguments.add_argument("--olds", type=int, default=24)
    arguments.add_argument("--memory", default="1GiB")
    given = arguments.parse_args()
    given.sealift = str(pathlib.Path(given.sealift).resolve())

    new, *olds = corpus_images()
    base = olds or [new]
    while len(olds) < given.olds:
        olds.append(revision(base[len(olds) % len(base)], len(olds)))
    olds = olds[: given.olds]
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sealift-bench-"))
    try:
        text = '[release]\nproduct = "hub"\nversion = "2.0"\nsequence = 2\ncomponent = "app"\nvendor = "example.com"\nclass = "hub"\nnew = "new.bin"\n\n'
        text += f'[delta]\nprofile = "{given.profile}"\n'
        (folder / "new.bin").write_bytes(new)
        for number, image in enumerate(olds):
            (folder / f"old-{number}.bin").write_bytes(image)
            text += f'\n[[old]]\nversion = "1.{number}"\npath = "old-{number}.bin"\n'
        (folder / "release.toml").write_text(text)
        print(f"{len(olds)} old images x 1 new one of {len(new)} bytes, profile {given.profile}")
        one, _, one_cpu = run(given.sealift, folder, "-o", "one", "--threads", "1", "--no-cache")
        two, peak, two_cpu = run(given.sealift, folder, "-o", "two", "--threads", "2", "--no-cache", "--memory", given.memory)
        first, _, _ = run(given.sealift, folder, "-o", "first", "--threads", "2")
        second, _, second_cpu = run(given.sealift, folder, "-o", "second", "--threads", "2")
        for other in ["two", "first", "second"]:
            subprocess.run(["diff", "-r", "one", other], cwd=folder, check=True)
        print(f"one thread              {one:8.2f} s   cpu {one_cpu:8.2f} s")
        print(f"two threads             {two:8.2f} s   cpu {two_cpu:8.2f} s   {one / two:.2f} x   peak {peak:.0f} MiB with --memory {given.memory}")
        print(f"into the cache          {first:8.2f} s")
        print(f"from the cache          {second:8.2f} s   cpu {second_cpu:8.2f} s   {100 * second / first:.1f} % of the first, by cpu {100 * second_cpu / two_cpu:.1f} %")
        print("the four trees are the same")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
