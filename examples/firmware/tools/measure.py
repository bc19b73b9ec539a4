#!/usr/bin/env python3
"""What the library costs in a linked budget program: one line of figures.

    measure.py --prefix arm-none-eabi- --elf budget.elf --program budget.o --stack 1536 [--show] OBJECT...

The figures are bytes: code, constants, writable data and bss of the library and what it needs of the compiler's
library, without the program; and the worst stack of open, state and step. Fails if the library has writable data, needs a
function beyond the four of memory_functions.c and the compiler's own, calls anything in the inner loop of an integer
product, or takes more stack than it promises.
"""
import argparse
import os
import re
import subprocess
import sys

import objdump

HERE = os.path.dirname(os.path.abspath(__file__))
MEMORY = {'memcpy', 'memmove', 'memset', 'memcmp'}
COMPILER = re.compile(r'__(aeabi_\w+|\w+[sdt]i\d?|\w+[sdt]f\d?|\w+sisf|gnu_\w+)$')
CALLS = ['b2s6_model_place', 'b2s6_state_place', 'b2s6_step_features']


def run(*command):
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if result.returncode != 0:
        sys.exit(f'measure.py: {os.path.basename(command[0])} failed')
    return result.stdout


def sections(size, path):
    """Bytes by section."""
    found = {}
    for line in run(size, '-A', path).splitlines():
        parts = line.split()
        if len(parts) == 3 and parts[1].isdigit():
            found[parts[0]] = int(parts[1])
    return found


def sum_of(found, *prefixes):
    return sum(n for name, n in found.items() if name.startswith(prefixes))


def symbols(nm, objects):
    """(defined, undefined, writable) names over all objects."""
    defined, undefined, writable = set(), set(), set()
    for path in objects:
        for line in run(nm, path).splitlines():
            *_, kind, name = line.split()
            if kind == 'U':
                undefined.add(name)
            elif kind.isupper() or kind in 'tr':
                defined.add(name)
            if kind in 'dDbBsSgGcC':
                writable.add(name)
    return defined, undefined, writable


def check_needs(nm, objects):
    defined, undefined, writable = symbols(nm, objects)
    if writable:
        sys.exit('measure.py: the library has writable data: ' + ' '.join(sorted(writable)))
    foreign = {n for n in undefined - defined if n not in MEMORY and not COMPILER.match(n)}
    if foreign:
        sys.exit('measure.py: the library needs ' + ' '.join(sorted(foreign)))


def check_integer_loop(prefix, elf, defined):
    """The sums of integer products take no call, of float functions least of all."""
    loops = objdump.loops_with(prefix + 'objdump', elf, 'product_q8|sum_q8|integer_', ('ldrsb', 'ldrsb.w', 'lb'))
    calls = {f'{name} {rest}' for loop in loops for name, rest in loop if objdump.CALL.match(name)}
    if calls:
        sys.exit('measure.py: the inner loop of product_q8 calls ' + ', '.join(calls))
    if 'product_q8' in defined and not loops:
        sys.exit('measure.py: product_q8 has no loop that loads bytes')


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('--prefix', required=True)
    parser.add_argument('--elf', required=True)
    parser.add_argument('--program', required=True)
    parser.add_argument('--stack', required=True, type=int, help='B2S6_STACK_SIZE')
    parser.add_argument('--show', action='store_true')
    parser.add_argument('objects', nargs='+')
    o = parser.parse_args()
    check_needs(o.prefix + 'nm', o.objects)
    check_integer_loop(o.prefix, o.elf, symbols(o.prefix + 'nm', [o.elf])[0])
    whole, program = sections(o.prefix + 'size', o.elf), sections(o.prefix + 'size', o.program)
    graphs = [re.sub(r'\.o$', '.ci', path) for path in o.objects]
    stack = run(sys.executable, os.path.join(HERE, 'stack.py'), '--objdump', o.prefix + 'objdump', '--elf', o.elf,
                *(['--show'] if o.show else []), *graphs, os.path.join(os.path.dirname(o.program), 'memory_functions.ci'), '--', *CALLS)
    if o.show:
        print(stack)
    worst = [int(line.split()[1]) for line in stack.splitlines() if line.startswith('b2s6_')]
    if max(worst) > o.stack:
        sys.exit(f'measure.py: {max(worst)} bytes of stack, B2S6_STACK_SIZE promises {o.stack}')
    print(sum_of(whole, '.text') - sum_of(program, '.text'), sum_of(whole, '.rodata') - sum_of(program, '.rodata'),
          sum_of(whole, '.data', '.bss') - sum_of(program, '.data', '.bss'), *worst)


if __name__ == '__main__':
    main()
