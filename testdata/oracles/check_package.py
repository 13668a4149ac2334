#!/usr/bin/env python3
"""Checks a Sealift package with nothing of Sealift's: cbor2, cryptography, hashlib.

usage: check_package.py PACKAGE --key PUBLIC.pem [--key ...] [--cddl SUIT.cddl] [--spec SPEC.md]

Recomputes the manifest digest, every COSE_Sign1 signature (each must hold under one of the given keys, and each given key must have signed), the digest and size
of the integrated patch, its chain of chunks, and that the encoding is deterministic. Prints one line a check; exit status 0 when all hold, 1 when one does not.
With --cddl the package must also match the SUIT CDDL, by cddl-verifier; with --spec the CDDL of sections 5 and 6 of our own SPEC.
"""
import argparse
import hashlib
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_pem_public_key

ED25519 = -19
SHA_256 = -16


def check(name, holds, detail=""):
    print(f"{'ok  ' if holds else 'FAIL'} {name}{': ' + detail if detail else ''}")
    if not holds:
        sys.exit(1)


def commands(sequence):
    """A command sequence as (command, argument) pairs."""
    items = cbor2.loads(sequence)
    return list(zip(items[0::2], items[1::2]))


def image_of(parameters):
    algorithm, digest = cbor2.loads(parameters[3])
    check("image digest algorithm is SHA-256", algorithm == SHA_256)
    return digest, parameters[14]


def components(entries, manifest):
    """The components of a manifest (SPEC sections 5.2 and 5.3), found by walking its sequences as a SUIT processor would: each command is about the component
    whose index was set last."""
    images = [entry for entry in entries if len(entry) == 1 and entry != [b"patch"]]
    check("one to eight components, by different names", 1 <= len(images) <= 8 and len({bytes(image[0]) for image in images}) == len(images))

    def walk(sequence, about):
        index = None
        for command, argument in commands(sequence):
            if command == 12:
                index = argument
            elif command == 15:
                for branch in argument:
                    walk(branch, about)
            else:
                about(index, command, argument)

    facts = {index: {} for index in range(len(entries))}

    def note(index, command, argument):
        if command == 20:
            said = {"image": image_of(argument), "uri": argument.get(21), "source": argument.get(22)}
            for name, value in said.items():
                if value is not None:
                    check(f"{name} of component {index} is said the same each time", facts[index].setdefault(name, value) == value)
        elif command == -257:
            facts[index]["argument"] = cbor2.loads(argument)

    for key in (7, 16, 20):
        walk(manifest[key], note)
    index = 0
    for image in images:
        name = image[0]
        check(f"{name.decode()} has its place in the list", entries[index] == image)
        check("its patch follows", entries[index + 1] == ([b"patch"] if len(images) == 1 else [name, b"patch"]))
        is_delta = entries[index + 2:index + 3] == [[name, b"old"]]
        check("its source is its old image", facts[index].get("source") == (index + 2 if is_delta else None))
        yield {"name": name.decode(), "patch": facts[index + 1]["image"], "uri": facts[index + 1]["uri"], "argument": facts[index]["argument"]}
        index += 3 if is_delta else 2
    check("no entry is left over", index == len(entries))


def check_chain(patch, log2, first):
    """SPEC section 2.1: each chunk is known by the digest at the end of the one before."""
    size = len(patch) if log2 == 0 else 1 << log2
    at, expected, count = 0, first, 0
    while True:
        chunk = patch[at:at + size]
        check(f"chunk {count} matches its digest", hashlib.sha256(chunk).digest() == expected)
        at += size
        count += 1
        if at >= len(patch):
            return
        expected = chunk[-32:]


def matches(cddl, rule, package):
    """Whether a package matches a rule, by cddl-verifier; and what that says."""
    tool = pathlib.Path(sys.executable).parent / "cddl-verify"
    run = subprocess.run([tool, "-t", rule, cddl, package], capture_output=True, text=True)
    return run.returncode == 0, (run.stdout + run.stderr).strip()[-400:] if run.returncode else ""


def cddl_of(spec):
    """The CDDL of SPEC sections 5 and 6: their blocks, and the text, which stands in a line. The command sequences are templates there, and checked above."""
    part = spec[spec.index("## 5. Package"):spec.index("## 7. Trust record")]
    blocks = re.findall(r"```cddl\n(.*?)```", part, re.S)
    text = re.search(r"`(text = \{.*?\})`", part, re.S).group(1)
    return "\n".join([*blocks, text, "language = tstr", *(f"{name} = [ + any ]" for name in ("validate", "payload-fetch", "install"))]) + "\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("package", type=pathlib.Path)
    parser.add_argument("--key", action="append", type=pathlib.Path, required=True)
    parser.add_argument("--cddl", type=pathlib.Path)
    parser.add_argument("--spec", type=pathlib.Path)
    arguments = parser.parse_args()
    raw = arguments.package.read_bytes()

    tagged = cbor2.loads(raw)
    check("tag 107", isinstance(tagged, cbor2.CBORTag) and tagged.tag == 107)
    envelope = tagged.value
    check("deterministic encoding", cbor2.dumps(tagged, canonical=False) == raw)

    wrapper = cbor2.loads(envelope[2])
    algorithm, digest = cbor2.loads(wrapper[0])
    check("digest algorithm is SHA-256", algorithm == SHA_256)
    check("manifest digest", hashlib.sha256(cbor2.dumps(envelope[3])).digest() == digest, digest.hex())

    keys = {}
    for path in arguments.key:
        key = load_pem_public_key(path.read_bytes())
        keys[hashlib.sha256(key.public_bytes_raw()).digest()[:8]] = key
    signed = set()
    for block in wrapper[1:]:
        sign1 = cbor2.loads(block)
        check("COSE_Sign1 tag", sign1.tag == 18)
        protected, unprotected, payload, signature = sign1.value
        header = cbor2.loads(protected)
        check("Ed25519 by its own number", header[1] == ED25519)
        check("payload detached, nothing unprotected", payload is None and unprotected == {})
        check("key is one of those given", header[4] in keys, header[4].hex())
        try:
            keys[header[4]].verify(signature, cbor2.dumps(["Signature1", protected, b"", wrapper[0]]))
            holds = True
        except InvalidSignature:
            holds = False
        check(f"signature of {header[4].hex()}", holds, f"approval {header[15]}" if 15 in header else "")
        check("claims are critical", (15 in header) == (header.get(2) == [15]))
        signed.add(bytes(header[4]))
    check("every given key has signed", signed == set(keys))

    manifest = cbor2.loads(envelope[3])
    check("manifest version", manifest[1] == 1)
    common = cbor2.loads(manifest[3])
    keys_of_payloads = [key for key in envelope if isinstance(key, str)]
    found = list(components(common[2], manifest))
    check("payloads are those of the components", keys_of_payloads == [one["uri"] for one in found if one["uri"].startswith("#")])
    for one in found:
        if one["uri"] in envelope:
            patch = envelope[one["uri"]]
            check(f"patch size of {one['name']}", len(patch) == one["patch"][1], str(len(patch)))
            check(f"patch digest of {one['name']}", hashlib.sha256(patch).digest() == one["patch"][0], one["patch"][0].hex())
            check_chain(patch, one["argument"][1], one["argument"][2])
    if 23 in envelope:
        check("text digest", hashlib.sha256(cbor2.dumps(envelope[23])).digest() == manifest[23][1])

    if arguments.cddl:
        check("SUIT CDDL", *matches(arguments.cddl, "SUIT_Envelope_Tagged", arguments.package))
    if arguments.spec:
        with tempfile.NamedTemporaryFile("w", suffix=".cddl") as cddl:
            cddl.write(cddl_of(arguments.spec.read_text()))
            cddl.flush()
            check("CDDL of the SPEC", *matches(cddl.name, "package", arguments.package))
    print(json.dumps({"sequence": manifest[2], "signatures": len(signed), "bytes": len(raw)}))


if __name__ == "__main__":
    main()
