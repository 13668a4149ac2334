#!/usr/bin/env python3
"""Checks and makes the authentication blocks of Sealift packages with nothing of Sealift's: python-cwt, or cbor2 and cryptography.

usage: cose_blocks.py verify PACKAGE --key PUBLIC.pem [--key ...]
       cose_blocks.py make PACKAGE --key PRIVATE.pem --with cwt|cbor2 [--issuer TEXT] [--class UUID] [--until SECONDS] [--epoch N] -o BLOCK

`verify` asks python-cwt whether every block holds under one of the keys, over the detached digest; `make` writes one COSE_Sign1 block (RFC 9052): with --issuer
an approval, without it an OEM's. Exit status 0 when all is well, 1 when a block does not hold.
"""
import argparse
import hashlib
import pathlib
import sys
import warnings

warnings.filterwarnings("ignore")

import cbor2  # noqa: E402
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key  # noqa: E402
from cwt import COSE, COSEKey  # noqa: E402

ED25519 = -19
CRITICAL, KEY_ID, CLAIMS = 2, 4, 15
ISSUER, AUDIENCE, UNTIL, EPOCH = 1, 3, 4, -65537


def key_id(public):
    return hashlib.sha256(public.public_bytes_raw()).digest()[:8]


def wrapper_of(package):
    return cbor2.loads(cbor2.loads(package.read_bytes()).value[2])


def verify(arguments):
    keys = {}
    for path in arguments.key:
        identity = key_id(load_pem_public_key(path.read_bytes()))
        keys[identity] = COSEKey.from_pem(path.read_bytes(), kid=identity, alg="Ed25519")
    digest, *blocks = wrapper_of(arguments.package)
    for block in blocks:
        identity = cbor2.loads(cbor2.loads(block).value[0])[KEY_ID]
        if identity not in keys:
            sys.exit(f"no key {identity.hex()}")
        COSE.new().decode(block, keys[identity], detached_payload=digest)
        try:
            COSE.new().decode(block, keys[identity], detached_payload=digest[:-1] + bytes([digest[-1] ^ 1]))
        except Exception:
            print(f"block of key {identity.hex()} holds")
        else:
            sys.exit("holds over another digest as well")
    if not blocks:
        sys.exit("no block")


def make(arguments):
    secret = arguments.key[0].read_bytes()
    private = load_pem_private_key(secret, None)
    identity = key_id(private.public_key())
    digest = wrapper_of(arguments.package)[0]
    header = {1: ED25519, KEY_ID: identity}
    if arguments.issuer:
        claims = {ISSUER: arguments.issuer}
        if arguments.device_class:
            claims[AUDIENCE] = f"urn:uuid:{arguments.device_class}"
        if arguments.until:
            claims[UNTIL] = arguments.until
        if arguments.epoch is not None:
            claims[EPOCH] = arguments.epoch
        header = {1: ED25519, CRITICAL: [CLAIMS], KEY_ID: identity, CLAIMS: claims}
    if arguments.maker == "cwt":
        key = COSEKey.from_pem(secret, kid=identity, alg="Ed25519")
        sign1 = cbor2.loads(COSE.new().encode(digest, key, protected=header, unprotected={}))
        protected, unprotected, _, signature = sign1.value
        assert unprotected == {}
    else:
        protected = cbor2.dumps(header)
        signature = private.sign(cbor2.dumps(["Signature1", protected, b"", digest]))
    arguments.output.write_bytes(cbor2.dumps(cbor2.CBORTag(18, [protected, {}, None, signature])))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("act", choices=["verify", "make"])
    parser.add_argument("package", type=pathlib.Path)
    parser.add_argument("--key", action="append", type=pathlib.Path, required=True)
    parser.add_argument("--with", dest="maker", choices=["cwt", "cbor2"])
    parser.add_argument("--issuer")
    parser.add_argument("--class", dest="device_class")
    parser.add_argument("--until", type=int)
    parser.add_argument("--epoch", type=int)
    parser.add_argument("-o", dest="output", type=pathlib.Path)
    arguments = parser.parse_args()
    {"verify": verify, "make": make}[arguments.act](arguments)


if __name__ == "__main__":
    main()
