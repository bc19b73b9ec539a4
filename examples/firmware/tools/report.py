#!/usr/bin/env python3
"""The tables of figures in docs/firmware.md: checks them against what was measured, or writes them.

    report.py --folder BUILD/firmware --document docs/firmware.md --builds "..." [--write] BOARD...

Fails where a figure is above what is promised, or the stack that was used above what was computed. Without --write
also where a figure is more than 3 % above the document's, or is missing there.
"""
import argparse
import re
import sys

BEGIN, END = '<!-- figures: make firmware-report -->\n', '<!-- end of figures -->\n'
HEAD = ['target', 'build', 'code', 'constants', 'code + constants', 'data, bss', 'stack: open', 'stack: state', 'stack: step',
        'instructions: open', 'a step']
TARGETS = {'mps2_an386': 'Cortex-M4F', 'microbit': 'Cortex-M0', 'rv32imafc': 'RV32IMAFC', 'rv32imac': 'RV32IMAC'}
GROWTH = 1.03
MODEL_HEAD = ['digits model', 'model', 'handle', 'state']

# What docs/firmware.md promises: (target, build, what) -> bytes. Of every target and build: no writable data.
PROMISES = {('Cortex-M4F', 'f32', 'code + constants'): 16384, ('Cortex-M4F', 'q8', 'code + constants'): 20480,
            **{('Cortex-M4F', build, f'stack: {what}'): 1200 for build in ('f32', 'q8') for what in ('open', 'state', 'step')}}
MODEL_PROMISES = {('q8', 'model'): 24576}


def measured(folder, boards, builds):
    """Rows: [target, build, figures...]."""
    rows = []
    for board in boards:
        for build in builds:
            output = open(f'{folder}/{board}/{build}/output.txt', encoding='utf-8').read()
            counts = [int(re.search(rf'^# instructions {what}: (\d+)$', output, re.M).group(1)) for what in ('to open', 'a step')]
            text, rodata, data, *stack = map(int, open(f'{folder}/{board}/{build}/figures.txt', encoding='utf-8').read().split())
            rows.append([TARGETS[board], build, text, rodata, text + rodata, data, *stack, *counts])
    return rows


def models(folder, boards, builds):
    """Rows: [type, model, handle, state], the same on every board."""
    found = {}
    for board in boards:
        for build in builds:
            output = open(f'{folder}/{board}/{build}/output.txt', encoding='utf-8').read()
            sizes = tuple(map(int, re.search(r'^# model (\d+) handle (\d+) state (\d+)$', output, re.M).groups()))
            found.setdefault('q8' if build == 'q8' else 'f32', set()).add(sizes)
    for kind, sizes in found.items():
        if len(sizes) > 1:
            sys.exit(f'firmware-size: boards differ in the sizes of the {kind} model: {sorted(sizes)}')
    return [[kind, *found[kind].pop()] for kind in sorted(found)]


def table(head, n_words, rows):
    lines = ['| ' + ' | '.join(head) + ' |', '|' + '---|' * n_words + '--:|' * (len(head) - n_words)]
    for row in rows:
        lines.append('| ' + ' | '.join(row[:n_words] + [f'{n:,}' for n in row[n_words:]]) + ' |')
    return '\n'.join(lines) + '\n'


def documented(text, head, n_words):
    rows = {}
    for line in text.splitlines():
        cells = [c.strip() for c in line.strip('|').split('|')]
        if len(cells) == len(head) and re.match(r'[\d,]+$', cells[-1]):
            rows[tuple(cells[:n_words])] = [int(c.replace(',', '')) for c in cells[n_words:]]
    return rows


def grown(rows, head, n_words, text):
    """One line for each figure that is too large."""
    old = documented(text, head, n_words)
    for row in rows:
        name = ', '.join(row[:n_words])
        was = old.get(tuple(row[:n_words]))
        if was is None:
            yield f'{name}: not in the document'
            continue
        for what, before, now in zip(head[n_words:], was, row[n_words:]):
            if now > before * GROWTH:
                yield f'{name}, {what}: {before} in the document, {now} now'


def broken(rows, head, n_words, promises):
    """One line for each promise that does not hold."""
    for row in rows:
        for what, now in zip(head[n_words:], row[n_words:]):
            promised = 0 if what == 'data, bss' else promises.get((*row[:n_words], what))
            if promised is not None and now > promised:
                yield f'{", ".join(row[:n_words])}, {what}: {promised} promised, {now} now'


def deeper(folder, boards, builds):
    """One line for each image that used more stack than was computed for it."""
    for board in boards:
        for build in builds:
            output = open(f'{folder}/{board}/{build}/output.txt', encoding='utf-8').read()
            stack = list(map(int, open(f'{folder}/{board}/{build}/figures.txt', encoding='utf-8').read().split()[3:]))
            for what, computed in ('open and state', max(stack[:2])), ('steps', max(stack)):
                used = int(re.search(rf'^# stack of {what}: (\d+)$', output, re.M).group(1))
                if used > computed:
                    yield f'{board}, {build}: {what} used {used} bytes of stack, computed were {computed}'


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('--folder', required=True)
    parser.add_argument('--document', required=True)
    parser.add_argument('--builds', required=True)
    parser.add_argument('--write', action='store_true')
    parser.add_argument('boards', nargs='+')
    o = parser.parse_args()
    builds = o.builds.split()
    targets = measured(o.folder, o.boards, builds), HEAD, 2
    sizes = models(o.folder, o.boards, builds), MODEL_HEAD, 1
    new = table(MODEL_HEAD, 1, sizes[0]) + '\n' + table(HEAD, 2, targets[0])
    text = open(o.document, encoding='utf-8').read()
    before, old, after = text.partition(BEGIN)[0], *text.partition(BEGIN)[2].partition(END)[::2]
    print(new, end='')
    complaints = [*broken(*targets, PROMISES), *broken(*sizes, MODEL_PROMISES), *deeper(o.folder, o.boards, builds)]
    if o.write:
        with open(o.document, 'w', encoding='utf-8') as f:
            f.write(before + BEGIN + new + END + after)
    else:
        complaints += [*grown(*targets, old), *grown(*sizes, old)]
    if complaints:
        sys.exit('firmware-size: ' + '\n'.join(complaints))


if __name__ == '__main__':
    main()
