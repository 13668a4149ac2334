#!/usr/bin/env python3
"""Reads and verifies the provenance of a release with implementations that are not ours: the envelope with securesystemslib, the statement with
in-toto-attestation, the digests with hashlib.

Usage: check_provenance.py DIST PUBLIC_KEY.PEM
"""
import hashlib
import json
import pathlib
import sys

from cryptography.hazmat.primitives.serialization import load_pem_public_key
from google.protobuf.json_format import ParseDict
from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
from in_toto_attestation.v1.statement import Statement
from in_toto_attestation.v1 import statement_pb2
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey

folder, pem = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]).read_bytes()
data = json.loads((folder / "provenance.intoto.json").read_text())
public = load_pem_public_key(pem).public_bytes_raw()
# Key ids as SPEC section 6 has them.
key = SSlibKey(hashlib.sha256(public).hexdigest()[:16], "ed25519", "ed25519", {"public": public.hex()})
envelope = Envelope.from_dict(data)
envelope.verify([key], 1)
assert envelope.payload_type == "application/vnd.in-toto+json", envelope.payload_type
content = json.loads(envelope.payload)
statement = ParseDict(content, statement_pb2.Statement())
Statement.copy_from_pb(statement).validate()
predicate = ParseDict(content["predicate"], provenance_pb2.Provenance())
assert predicate.build_definition.build_type and predicate.run_details.builder.id
names = set()
for subject in content["subject"]:
    name, digest = subject["name"], subject["digest"]["sha256"]
    if "#" not in name:
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, name
        names.add(name)
there = {path.name for path in folder.iterdir()} - {"provenance.intoto.json"}
assert names == there, names ^ there
print(f"verified: {len(names)} files, {len(content['subject']) - len(names)} parts")
