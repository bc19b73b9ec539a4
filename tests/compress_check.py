#!/usr/bin/env python3
"""Encodes a file after docs/compress.md, and compares with what `b2s6 compress` writes.

    compress_check.py PROGRAM MODEL.b2s6 FILE [FILE ...]

The scores come from `b2s6 run`; all the rest is done here once more, in another language. Slow: for files of some thousand bytes.
"""
import os
import subprocess
import sys
import tempfile
import zlib

import numpy as np

TOTAL = 1 << 24


def scores_of(program, model, content, folder):
    """Rows of scores (length, 256), row i for byte i"""
    tokens, rows = os.path.join(folder, "tokens.npy"), os.path.join(folder, "rows.npy")
    np.save(tokens, np.frombuffer((b"\n" + content)[:len(content)], np.uint8).astype(np.int32))
    subprocess.run([program, "run", model, "--in", tokens, "--out", rows], check=True)
    return np.load(rows)


def weights_of(scores):
    limited = np.where(np.isnan(scores), np.float32(-8192), np.clip(scores, np.float32(-8192), np.float32(8192)))
    q = np.trunc(limited.astype(np.float64) * 65536).astype(np.int64)
    halvings = (q.max() - q).astype(np.uint64) * np.uint64(24204406)
    n, f = halvings >> np.uint64(40), (halvings >> np.uint64(8)) & np.uint64(0xffffffff)
    p = np.uint64(39538603) - (f * np.uint64(4058330) >> np.uint64(32))
    for c in (237500346, 1031565859, 2977029614):
        p = np.uint64(c) - (f * p >> np.uint64(32))
    g = np.uint64(1 << 32) - (f * p >> np.uint64(32))
    return np.where(n > 31, np.uint64(0), g >> np.minimum(n + np.uint64(1), np.uint64(63)))


def frequencies_of(weights, flat):
    each = ((TOTAL - 256 * flat) << 39) // int(weights.sum())
    frequencies = flat + (weights * np.uint64(each) >> np.uint64(39)).astype(np.int64)
    frequencies[int(weights.argmax())] += TOTAL - int(frequencies.sum())
    return frequencies


class Trust:
    def __init__(self, share):
        self.share, self.judgements = share, 2

    def hear(self, frequencies, expected):
        """expected: pairs of byte and count. Returns how to judge: byte -> None"""
        part = frequencies * self.share >> 16
        frequencies -= part
        taken, counts = int(part.sum()), sum(c for _, c in expected)
        gains = [taken * c // counts for _, c in expected]
        gains[0] += taken - sum(gains)
        after = {}
        for (byte, _), gain in zip(expected, gains):
            frequencies[byte] += gain
            after[byte] = (gain, int(frequencies[byte]))

        def judge(byte):
            gain, now = after.get(byte, (0, 1))
            share = (self.share * self.judgements + gain * 65536 // now) // (self.judgements + 1)
            self.share = min(max(share, 16), 65504)
            self.judgements = min(self.judgements + 1, 24)

        return judge


class Context:
    def __init__(self, order):
        self.order = order
        self.slots = {}  # slot -> (tag, [[byte, count], ..])
        self.trusts = [[Trust(3277) for _ in range(4)] for _ in range(7)]

    def hear(self, last, frequencies):
        value = (last & ((1 << 8 * self.order) - 1)) * 2654435761 % (1 << 32)
        slot, tag = value >> 16, value % 65536
        if self.slots.get(slot, (0, []))[0] != tag or slot not in self.slots:
            self.slots[slot] = (tag, [])
        self.seen = self.slots[slot][1]
        if not self.seen:
            return None
        total, n = sum(c for _, c in self.seen), len(self.seen)
        by_sum = next(i for i, most in enumerate((1, 2, 4, 8, 16, 64, 1 << 30)) if total <= most)
        trust = self.trusts[by_sum][0 if n == 1 else 1 if n == 2 else 2 if n <= 4 else 3]
        return trust.hear(frequencies, [tuple(s) for s in self.seen])

    def take(self, byte):
        seen = self.seen
        place = next((k for k, s in enumerate(seen) if s[0] == byte), None)
        if place is None:
            if len(seen) < 8:
                seen.append(None)
                place = len(seen) - 1
            else:
                place = min(range(8), key=lambda k: seen[k][1])
            seen[place] = [byte, 0]
        for k, s in enumerate(seen):
            if k != place:
                s[1] -= s[1] // 4
        seen[place][1] = min(seen[place][1] + 1, 255)


class Match:
    SIZE = 1 << 22

    def __init__(self):
        self.ring, self.at, self.heads = bytearray(self.SIZE), 0, {}
        self.place, self.length, self.misses = None, 0, 0
        self.trusts = [[Trust(13107) for _ in range(22)] for _ in range(2)]

    def hear(self, frequencies):
        if self.place is None:
            return None
        n = self.length
        by_length = n if n < 16 else 16 + (n - 16) // 4 if n < 32 else 20 if n < 1024 else 21
        return self.trusts[self.misses > 0][by_length].hear(frequencies, [(self.ring[self.place], 1)])

    def equal(self, place):
        n = 0
        while n < 32 and self.ring[(place - 1 - n) % self.SIZE] == self.ring[(self.at - 1 - n) % self.SIZE]:
            n += 1
        return n

    def take(self, byte, last):
        if self.place is not None:
            if self.ring[self.place] == byte:
                self.length += 1
                if self.length >= 16:
                    self.misses = 0
            else:
                self.length, self.misses = 0, self.misses + 1
            self.place = None if self.misses > 8 else (self.place + 1) % self.SIZE
        self.ring[self.at] = byte
        self.at = (self.at + 1) % self.SIZE
        head = (last << 16) % (1 << 64) * 11400714819323198485 % (1 << 64) >> 46
        if head in self.heads and (self.place is None or (self.misses > 0 and self.length < 16)):
            k = self.equal(self.heads[head])
            if k >= 6 and (self.place is None or k > self.length):
                self.place, self.length, self.misses = self.heads[head], k, 0
        self.heads[head] = self.at


def coded(content, rows):
    contexts, match, flat, last = [Context(m) for m in (1, 2, 4)], Match(), 16, 0
    low, size, bits = 0, 1 << 56, 56  # the whole number that has been written so far; Python needs no carry
    for byte, row in zip(content, rows):
        frequencies = frequencies_of(weights_of(row), flat)
        by_model = int(frequencies[byte])
        judges = [c.hear(last, frequencies) for c in contexts] + [match.hear(frequencies)]
        assert frequencies.min() > 0 and frequencies.sum() == TOTAL
        unit = size >> 24
        low, size = low + unit * int(frequencies[:byte].sum()), unit * int(frequencies[byte])
        while size < 1 << 48:
            low, size, bits = low << 8, size << 8, bits + 8
        for judge in judges:
            if judge:
                judge(byte)
        flat = 16 + 65504 * flat // by_model
        for c in contexts:
            c.take(byte)
        last = (last << 8 | byte) % (1 << 64)
        match.take(byte, last)
    done = bits - 56  # bits that were put out before the end; the last bytes settle the other 56
    tail = 0
    while True:
        unit = 1 << (56 - 8 * tail)
        x = -(-low // unit)
        if x * unit < low + size:
            return x.to_bytes(done // 8 + tail, "big")
        tail += 1


def length_of(n):
    groups = [n & 127]
    while n >> 7:
        n >>= 7
        groups.append(n & 127)
    return bytes(g | (128 if i + 1 < len(groups) else 0) for i, g in enumerate(groups))[::-1]


def compressed(program, model, content, fingerprint):
    with tempfile.TemporaryDirectory() as folder:
        rows = scores_of(program, model, content, folder) if content else []
    data = b"\x89BZ\x01" + fingerprint.to_bytes(8, "little") + coded(content, rows)
    data += zlib.crc32(content).to_bytes(4, "little") + length_of(len(content))
    return data + zlib.crc32(data).to_bytes(4, "little")


def main():
    program, model, paths = sys.argv[1], sys.argv[2], sys.argv[3:]
    with open(model, "rb") as file:
        header = file.read(32)
    fingerprint = int.from_bytes(header[24:28], "little") << 32 | int.from_bytes(header[28:32], "little")
    for path in paths:
        with open(path, "rb") as file:
            content = file.read()
        theirs = subprocess.run([program, "compress", model, path, "-"], stdout=subprocess.PIPE, check=True).stdout
        ours = compressed(program, model, content, fingerprint)
        if ours != theirs:
            at = next((i for i, (a, b) in enumerate(zip(ours, theirs)) if a != b), min(len(ours), len(theirs)))
            sys.exit("%s: differs from byte %d on (%d bytes here, %d there)" % (path, at, len(ours), len(theirs)))
        print("%s: %d bytes, equal" % (path, len(ours)))


if __name__ == "__main__":
    main()
