#!/usr/bin/env python3
"""The table of figures in docs/firmware.md: checks it against what was measured, or writes it.

    report.py --folder BUILD/firmware --document docs/firmware.md --builds "..." [--write] BOARD...

Without --write, fails where a measured figure is more than 3 % above the document's, or is missing there.
"""
import argparse
import re
import sys

BEGIN, END = '<!-- figures: make firmware-report -->\n', '<!-- end of figures -->\n'
HEAD = ['target', 'build', 'code', 'constants', 'code + constants', 'data, bss', 'stack: open', 'stack: state', 'stack: step',
        'instructions: open', 'a step']
TARGETS = {'mps2_an386': 'Cortex-M4F', 'microbit': 'Cortex-M0', 'rv32imafc': 'RV32IMAFC', 'rv32imac': 'RV32IMAC'}
GROWTH = 1.03


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


def table(rows):
    lines = ['| ' + ' | '.join(HEAD) + ' |', '|---|---|' + '--:|' * (len(HEAD) - 2)]
    for row in rows:
        lines.append('| ' + ' | '.join(row[:2] + [f'{n:,}' for n in row[2:]]) + ' |')
    return '\n'.join(lines) + '\n'


def documented(text):
    rows = {}
    for line in text.splitlines():
        cells = [c.strip() for c in line.strip('|').split('|')]
        if len(cells) == len(HEAD) and cells[0] in TARGETS.values():
            rows[cells[0], cells[1]] = [int(c.replace(',', '')) for c in cells[2:]]
    return rows


def grown(rows, old):
    """One line for each figure that is too large."""
    for row in rows:
        was = old.get((row[0], row[1]))
        if was is None:
            yield f'{row[0]}, {row[1]}: not in the document'
            continue
        for what, before, now in zip(HEAD[2:], was, row[2:]):
            if now > before * GROWTH:
                yield f'{row[0]}, {row[1]}, {what}: {before} in the document, {now} now'


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('--folder', required=True)
    parser.add_argument('--document', required=True)
    parser.add_argument('--builds', required=True)
    parser.add_argument('--write', action='store_true')
    parser.add_argument('boards', nargs='+')
    o = parser.parse_args()
    rows = measured(o.folder, o.boards, o.builds.split())
    text = open(o.document, encoding='utf-8').read()
    before, old, after = text.partition(BEGIN)[0], *text.partition(BEGIN)[2].partition(END)[::2]
    print(table(rows), end='')
    if o.write:
        with open(o.document, 'w', encoding='utf-8') as f:
            f.write(before + BEGIN + table(rows) + END + after)
        return
    complaints = list(grown(rows, documented(old)))
    if complaints:
        sys.exit('firmware-size: ' + '\n'.join(complaints))


if __name__ == '__main__':
    main()
