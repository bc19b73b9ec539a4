#!/usr/bin/env python3
"""Writes examples/cli/text/tokenizer/unicode_tables.h from Python's unicodedata.

    python3.13 tests/tools/unicode_tables.py >examples/cli/text/tokenizer/unicode_tables.h

The file names the Unicode version that this Python has. For each code point 4 bits: its class (0 other, 1 letter, 2 number,
3 white space) and 4 where composition to NFC has to look (a combining class, or not stable under NFC).
"""
import sys
import unicodedata as u

LAST = 0x110000
BLOCK = 128
SPACES = set([0x20, 0x85, 0xA0, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000] + list(range(9, 14)) +
             list(range(0x2000, 0x200B)))  # the property White_Space


def is_surrogate(c):
    return 0xD800 <= c < 0xE000


def canonical(c):
    """The code points that c decomposes into in one step; empty for none, and for Hangul, which is computed."""
    d = "" if is_surrogate(c) or 0xAC00 <= c < 0xD7A4 else u.decomposition(chr(c))
    return [] if not d or d.startswith("<") else [int(x, 16) for x in d.split()]


pairs = {c: canonical(c) for c in range(LAST) if canonical(c)}
composed = {tuple(d): c for c, d in pairs.items() if len(d) == 2 and u.normalize("NFC", chr(c)) == chr(c)}
seconds = {b for _, b in composed} | set(range(0x1161, 0x1176)) | set(range(0x11A8, 0x11C3))


def nibble(c):
    if is_surrogate(c):
        return 0
    category = u.category(chr(c))[0]
    kind = 3 if c in SPACES else {"L": 1, "N": 2}.get(category, 0)
    unstable = u.combining(chr(c)) or u.normalize("NFC", chr(c)) != chr(c) or c in seconds
    return kind | (4 if unstable else 0)


def rows(values, form, per_line):
    for i in range(0, len(values), per_line):
        print("    " + " ".join(form % v + "," for v in values[i:i + per_line]))


blocks, index = {}, []
for start in range(0, LAST, BLOCK):
    block = tuple(nibble(c) for c in range(start, start + BLOCK))
    index.append(blocks.setdefault(block, len(blocks)))
assert len(blocks) <= 256
packed = [b[i] | b[i + 1] << 4 for b in blocks for i in range(0, BLOCK, 2)]

combining = []  # runs of code points of one combining class
for c in range(LAST):
    k = 0 if is_surrogate(c) else u.combining(chr(c))
    if k and combining and combining[-1][2] == k and combining[-1][0] + combining[-1][1] == c and combining[-1][1] < 255:
        combining[-1][1] += 1
    elif k:
        combining.append([c, 1, k])
order = {c: i for i, c in enumerate(sorted(pairs))}
compositions = [order[composed[p]] for p in sorted(composed)]

print("""/*
 * unicode_tables.h - properties of Unicode %s: for unicode.c alone
 *
 * Written by tests/tools/unicode_tables.py; not to be changed by hand.
 */
#define UNICODE_TABLES_VERSION "%s"

/* Which block of 128 code points stands for c: class_index[c / 128]. */
static const uint8_t class_index[%d] = {""" % (u.unidata_version, u.unidata_version, len(index)))
rows(index, "%d", 24)
print("""};

/* 4 bits a code point, (blocks, 64 bytes), the even one lower: class, and 4 where composition has to look. */
static const uint8_t class_blocks[%d] = {""" % len(packed))
rows(packed, "0x%02x", 20)
print("""};

/* Combining classes: code points first .. first + count - 1 have this one; ascending. */
static const struct { uint32_t first; uint8_t count, combining; } combining_runs[%d] = {""" % len(combining))
rows([tuple(r) for r in combining], "{ 0x%x, %d, %d }", 5)
print("""};

/* What a code point decomposes into in one step; second is 0 if there is one part only. Ascending. */
static const struct { uint32_t whole, first, second; } decompositions[%d] = {""" % len(pairs))
rows([(c, pairs[c][0], (pairs[c] + [0])[1]) for c in sorted(pairs)], "{ 0x%x, 0x%x, 0x%x }", 4)
print("""};

/* Those of them that compose again: places in decompositions, ascending by first, then second. */
static const uint16_t compositions[%d] = {""" % len(compositions))
rows(compositions, "%d", 20)
print("};")
