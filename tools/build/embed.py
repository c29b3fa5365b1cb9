#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a C file with a file's bytes in it: embed.py INPUT OUTPUT NAME.

Defines `const unsigned char NAME[]` and `const unsigned long NAME_size`.
"""
import sys


def main():
    source, target, name = sys.argv[1:]
    try:
        data = open(source, "rb").read()
    except OSError as error:
        sys.exit(f"embed: {error}; ./cryptos build fetches what is missing")
    lines = [", ".join(str(b) for b in data[at:at + 20]) for at in range(0, len(data), 20)]
    with open(target, "w") as out:
        out.write(f"extern const unsigned char {name}[];\nextern const unsigned long {name}_size;\n")
        out.write(f"const unsigned char {name}[] = {{\n" + ",\n".join(lines) + "\n};\n")
        out.write(f"const unsigned long {name}_size = {len(data)};\n")


main()
