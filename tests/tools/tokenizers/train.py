#!/usr/bin/env python3
"""Trains the small tokenizers of the tests on this project's own documents: tests/tokenizers/bytes.json and characters.json.

    python3 tests/tools/tokenizers/train.py FOLDER
"""
import collections
import glob
import json
import re
import sys

MERGES = 400


def alphabet():
    """Byte to the character that byte-level vocabularies write for it."""
    plain = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    others = [b for b in range(256) if b not in plain]
    return {**{b: chr(b) for b in plain}, **{b: chr(256 + i) for i, b in enumerate(others)}}


def train(words, vocabulary):
    """Plain byte pair encoding: the most frequent pair, of equal ones the first in order, becomes a token."""
    words = {tuple(w): n for w, n in words.items()}
    merges = []
    while len(merges) < MERGES:
        pairs = collections.Counter()
        for word, n in words.items():
            for pair in zip(word, word[1:]):
                pairs[pair] += n
        best = min(pairs, key=lambda p: (-pairs[p], p))
        merges.append(best)
        if best[0] + best[1] not in vocabulary:
            vocabulary.append(best[0] + best[1])
        merged = {}
        for word, n in words.items():
            out = []
            for symbol in word:
                if out and (out[-1], symbol) == best:
                    out[-1] = best[0] + best[1]
                else:
                    out.append(symbol)
            merged[tuple(out)] = n
        words = merged
    return merges


def added(names, first, special):
    return [{"id": first + i, "content": n, "single_word": False, "lstrip": False, "rstrip": False,
             "normalized": not special, "special": special} for i, n in enumerate(names)]


text = "".join(open(f, encoding="utf-8").read() for f in sorted(glob.glob("docs/*.md")) + ["README.md", "b2s6.h"])
folder = sys.argv[1]

letters = alphabet()
words = collections.Counter(re.findall(r" ?[^\W\d_]+| ?\d+| ?[^\s\w]+|\s+", text))
words = {"".join(letters[b] for b in w.encode()): n for w, n in words.items()}
vocabulary = [letters[b] for b in range(256)]
merges = train(words, vocabulary)
byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
json.dump({
    "version": "1.0", "truncation": None, "padding": None,
    "added_tokens": added(["<|end|>"], len(vocabulary), True) + added(["  ", "    ", "e\u0301!"], len(vocabulary) + 1, False),
    "normalizer": {"type": "NFC"}, "pre_tokenizer": byte_level, "post_processor": None, "decoder": byte_level,
    "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
              "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
              "vocab": {t: i for i, t in enumerate(vocabulary)}, "merges": ["%s %s" % m for m in merges]},
}, open(folder + "/bytes.json", "w"), ensure_ascii=True, indent=0)

MARK = "\u2581"
words = collections.Counter(w.replace(" ", MARK) for w in re.findall(r" ?[^ \n]+", text))
vocabulary = ["<unk>", "<s>", "</s>"] + ["<0x%02X>" % b for b in range(256)]
vocabulary += sorted({c for w in words for c in w if ord(c) < 0x3000})
merges = train(words, vocabulary)
json.dump({
    "version": "1.0", "truncation": None, "padding": None, "added_tokens": added(["<unk>", "<s>", "</s>"], 0, True),
    "normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": MARK},
                                                       {"type": "Replace", "pattern": {"String": " "}, "content": MARK}]},
    "pre_tokenizer": None,
    "post_processor": {"type": "TemplateProcessing",
                       "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
                       "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
                       "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}},
    "decoder": {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": MARK}, "content": " "},
                                                 {"type": "ByteFallback"}, {"type": "Fuse"},
                                                 {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
    "model": {"type": "BPE", "dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": None,
              "end_of_word_suffix": None, "fuse_unk": True, "byte_fallback": True,
              "vocab": {t: i for i, t in enumerate(vocabulary)}, "merges": ["%s %s" % m for m in merges]},
}, open(folder + "/characters.json", "w"), ensure_ascii=True, indent=0)
