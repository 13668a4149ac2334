#!/usr/bin/env python3
"""Holds the JSON Schema of release files (2020-12) against what `sealift pack` says of them, with an implementation that is not ours.

Usage: check_release_file.py SCHEMA CASES.JSON

CASES is a list of {"name", "document", "valid"}: the file as JSON, and whether the schema must accept it (true), refuse it (false), or may do either
(null). Every case that is judged wrongly is printed; the exit code is then 1.
"""
import json
import sys

from jsonschema import Draft202012Validator


def main():
    schema = json.load(open(sys.argv[1], encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    cases = json.load(open(sys.argv[2], encoding="utf-8"))
    counts, wrong = {True: 0, False: 0, None: 0}, []
    for case in cases:
        errors = [error.message[:200] for error in validator.iter_errors(case["document"])]
        counts[case["valid"]] += 1
        if case["valid"] is not None and case["valid"] != (not errors):
            wrong.append(f"{case['name']}: {errors[0] if errors else 'accepted'}")
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"{counts[True]} accepted, {counts[False]} refused, {counts[None]} that the schema cannot know")


if __name__ == "__main__":
    main()
