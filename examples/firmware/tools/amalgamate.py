#!/usr/bin/env python3
"""The library as one file: b2s6.c, to be compiled beside b2s6.h.

    amalgamate.py REPOSITORY FOLDER

Every source file follows with its headers in place. Names that a file keeps to itself, but that another has too, get
the file's name before them; so does everything that is compiled once for each instruction set.
"""
import collections
import os
import re
import sys

INCLUDE = re.compile(r'\s*#\s*include\s+"([^"]+)"')
TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|//[^\n]*|/\*.*?\*/|[A-Za-z_]\w*|.', re.S)
WORD = re.compile(r'[A-Za-z_]\w*$')
FEATURE = re.compile(r'\s*#\s*define\s+(_\w+_SOURCE)\b\s*(\w*)')
GUARD = re.compile(r'#\s*(if|ifdef|ifndef|endif)\b')

# Texts that belong to one instruction set and come again for the next.
PER_ISA = re.compile(r'(vec_\w+|vec|elementary|isa_end|stored\w*|pairs\w*|dot|amx|integer)\.h$|kernel/\w+\.h$')


def words(text):
    """Tokens of C, comments and strings as one each."""
    return TOKEN.findall(text)


def without_comments(text):
    return re.sub(r'/\*.*?\*/', ' ', text, flags=re.S)


def local_names(text):
    """(names, tags, macros) that a text defines at file scope for itself."""
    text = without_comments(text)
    macros = set(re.findall(r'^\s*#\s*define\s+(\w+)', text, re.M))
    names = set(re.findall(r'^(?:VF_\w+|static)\b[^;{}=()]*?\b(\w+)(?:\[[^\]]*\])*\s*(?:\(|=|;)', text, re.M))
    names |= set(re.findall(r'^(?:VF_\w+|static)\b[^;{}=]*?\b(\w+)\([^;{}]*\)\s*(?:\{|$)', text, re.M))
    names |= set(re.findall(r'^(?:typedef\b[^;{]*?|\} )(\w+);', text, re.M))
    for body in re.findall(r'^enum(?: \w+)?\s*\{([^}]*)\}', text, re.M):
        names |= set(re.findall(r'(?:^|,)\s*(\w+)', body))
    names |= set(re.findall(r'^typedef\b[^;]*?\b(\w+) __attribute__', text, re.M))
    tags = set(re.findall(r'^(?:typedef )?(?:struct|union|enum) (\w+)\s*\{', text, re.M))
    tags |= set(re.findall(r'^static const struct (\w+) \w+', text, re.M)) & tags
    return names - {'__attribute__', 'KERNEL', 'INTEGER'}, tags, macros


def rename(text, names, tags, prefix):
    """The text with names and tags made its own; members of structures keep theirs."""
    out, before = [], ['', '']
    for token in words(text):
        if WORD.match(token):
            after_tag = before[-1] in ('struct', 'union', 'enum')
            member = before[-1] in ('.', '>') and (before[-1] == '.' or before[-2] == '-')
            if token in tags if after_tag else token in names and not member:
                token = prefix + token
        out.append(token)
        if not token.isspace() and not token.startswith(('/*', '//')):
            before = [before[-1], token]
    return ''.join(out)


class Amalgamation:
    def __init__(self, root):
        self.root = root
        self.done = set()   # headers that are in already
        self.features = {}  # _POSIX_C_SOURCE and the like: they must come before every header of the system

    def is_guarded(self, path):
        return '\n#ifndef B2S6_' in open(os.path.join(self.root, path), encoding='utf-8').read()

    def expand(self, path, depth, own, shared=False):
        """A file with its headers in place: pieces (text, is it a header that all share). own: headers that come once for
        each instruction set, as met."""
        out = []
        for line in open(os.path.join(self.root, path), encoding='utf-8').read().splitlines(keepends=True):
            guard = GUARD.match(line.strip())
            if guard:
                depth += -1 if guard.group(1) == 'endif' else 1
            include = INCLUDE.match(line)
            feature = FEATURE.match(line)
            if feature:
                self.features[feature.group(1)] = feature.group(2)
            elif not include:
                if not out or out[-1][1] != shared:
                    out.append(('', shared))
                out[-1] = (out[-1][0] + line, shared)
            if not include:
                continue
            header = os.path.normpath(os.path.join(os.path.dirname(path), include.group(1)))
            if header == 'b2s6.h':
                if header not in self.done:
                    out.append(('#include "b2s6.h"\n', True))
                    self.done.add(header)
            elif PER_ISA.search(header):
                if header not in own or not self.is_guarded(header):
                    own.append(header)
                    out += self.expand(header, depth, own)
            elif header not in self.done:
                if depth > (1 if path.endswith('.h') else 0) + sum(map(self.is_guarded, own)):
                    sys.exit(f'amalgamate.py: {path} is the first to include {header}, and only on a condition')
                self.done.add(header)
                out += self.expand(header, 0, own, True)
        return out


def sources(root):
    """All source files, those with conditions around their headers last."""
    found = []
    for folder, _, files in os.walk(os.path.join(root, 'src')):
        found += [os.path.relpath(os.path.join(folder, f), root) for f in files if f.endswith('.c')]
    order = {'src': 1, 'src/portable': 2}
    return sorted(found, key=lambda p: (p != 'src/file.c', order.get(os.path.dirname(p), 3), p))


def prefix_of(path):
    name = os.path.basename(path)[:-2]
    if name in ('kernels', 'isas'):
        name = os.path.basename(os.path.dirname(path)) + ('' if name == 'kernels' else '_isas')
    return name.replace('kernels_', '') + '_'


def collect(root):
    """(path, pieces, is it compiled once for each instruction set) of every source file, and the features they ask for."""
    amalgamation, parts = Amalgamation(root), []
    for path in sources(root):
        own = []
        parts.append((path, amalgamation.expand(path, 0, own), bool(own)))
    return parts, amalgamation.features


def own_names(pieces):
    return local_names('\n'.join(text for text, shared in pieces if not shared))


def write_part(out, path, pieces, per_isa, counts):
    names, tags, macros = own_names(pieces)
    if per_isa:
        names |= macros
    else:
        names = {n for n in names if counts[n] > 1}
        tags = {t for t in tags if counts[t] > 1}
    out.write(f'\n/* {"-" * (110 - len(path))} {path} */\n\n')
    for text, shared in pieces:
        out.write(text if shared else rename(text, names, tags, prefix_of(path)))
    if not per_isa:
        out.writelines(f'#undef {m}\n' for m in sorted(macros) if not m.startswith('_'))


def main():
    root, folder = sys.argv[1:]
    parts, features = collect(root)
    counts = collections.Counter()  # in how many parts a word is met
    for _, pieces, _ in parts:
        counts.update({w for text, _ in pieces for w in words(text) if WORD.match(w)})
    version = re.findall(r'define B2S6_VERSION_\w+ (\d+)', open(os.path.join(root, 'b2s6.h'), encoding='utf-8').read())
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, 'b2s6.c'), 'w', encoding='utf-8') as out:
        out.write(f'/*\n * b2s6.c - libb2s6 {".".join(version)} as one file, made by make amalgamation; compile it with b2s6.h beside it, with\n'
                  ' * -std=c99 (or later) -ffp-contract=off -fno-math-errno. Switches that leave parts out stand below, at switches.h.\n'
                  ' * License: MIT (see b2s6.h).\n */\n'
                  '#if defined(__clang__)\n#pragma clang diagnostic ignored "-Wunused-function" /* headers stand in this file */\n#endif\n')
        out.writelines(f'#if !defined({name})\n#  define {name} {value}\n#endif\n' for name, value in sorted(features.items()))
        for path, pieces, per_isa in parts:
            write_part(out, path, pieces, per_isa, counts)
    with open(os.path.join(root, 'b2s6.h'), encoding='utf-8') as header, \
            open(os.path.join(folder, 'b2s6.h'), 'w', encoding='utf-8') as out:
        out.write(header.read())


if __name__ == '__main__':
    main()
