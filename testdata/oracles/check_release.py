#!/usr/bin/env python3
"""Validates release.json files against their JSON Schema (2020-12), with an implementation that is not ours.

Usage: check_release.py SCHEMA RELEASE.JSON...

With each document it also tries what the schema must refuse (each required field taken away, each value replaced by one of another type), and
whether the schema knows every field that there is.
"""
import copy
import json
import sys

from jsonschema import Draft202012Validator


def closed(schema):
    """The same schema, which refuses fields that it does not know."""
    if isinstance(schema, dict):
        made = {key: closed(value) for key, value in schema.items()}
        if schema.get("type") == "object" and "properties" in schema:
            made["additionalProperties"] = False
        return made
    return [closed(value) for value in schema] if isinstance(schema, list) else schema


def places(value, path=()):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield path + (key,)
            yield from places(inner, path + (key,))
    if isinstance(value, list):
        for index, inner in enumerate(value[:1]):
            yield from places(inner, path + (index,))


def with_change(document, path, change):
    other = copy.deepcopy(document)
    inner = other
    for step in path[:-1]:
        inner = inner[step]
    change(inner, path[-1])
    return other


def main():
    schema = json.load(open(sys.argv[1], encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    open_schema, strict = Draft202012Validator(schema), Draft202012Validator(closed(schema))
    refused = 0
    for name in sys.argv[2:]:
        document = json.load(open(name, encoding="utf-8"))
        for validator in (open_schema, strict):
            for error in validator.iter_errors(document):
                sys.exit(f"{name}: {'/'.join(map(str, error.absolute_path))}: {error.message[:300]}")

        def retype(inner, key):
            inner[key] = [] if not isinstance(inner[key], list) else "text"

        for path in places(document):
            if open_schema.is_valid(with_change(document, path, retype)):
                sys.exit(f"{name}: another type is accepted at {'/'.join(map(str, path))}")
            refused += 1
        for key in schema["required"]:
            if open_schema.is_valid(with_change(document, (key,), lambda inner, key: inner.pop(key))):
                sys.exit(f"{name}: accepted without {key}")
            refused += 1
    print(f"{len(sys.argv) - 2} valid, {refused} changes refused")


if __name__ == "__main__":
    main()
