#!/usr/bin/env python3
"""Worst stack of functions: gcc's call graph (-fcallgraph-info=su, files *.ci), walked along its deepest path.

    stack.py --objdump OBJDUMP --elf IMAGE [--show] CI_FILE... -- FUNCTION...

Prints one line a function: its name and bytes. --show adds the path. Indirect calls are followed by what the source
says at the place of the call; what the compiler's own library adds is read from the image's code. A recursion, a
frame of no fixed size, or an indirect call that this program does not know is an error.
"""
import argparse
import collections
import re
import sys

import objdump

NODE = re.compile(r'node: \{ title: "([^"]*)" label: "([^"]*)"')
EDGE = re.compile(r'edge: \{ sourcename: "([^"]*)" targetname: "([^"]*)"(?: label: "([^"]*)")?')
FRAME = re.compile(r'(\d+) bytes \(([^)]*)\)')

# A section is called by b2s6_pass_section, on behalf of the function that hands it over.
SECTION = re.compile(r'b2s6_pass_section\([^,]*,\s*(\w+)\s*,')
# Callbacks: the stack that they take is the host's to count.
OF_THE_HOST = re.compile(r'(?:\.|->)(?:allocate|release|run|write|read|see)\(')
# A block's functions, by the member of struct block that names them; block_*.c defines each as KIND_MEMBER.
BLOCK = re.compile(r'block->(check|bind|place|pass|mix)\($')
KERNEL = re.compile(r'(?:kernels|\bk)->(\w+)(\[[^\]]*\])?\(')


def bare(title):
    """The function's name of "file.c:name"."""
    return title.rsplit(':', 1)[-1]


class Graph:
    def __init__(self):
        self.frame = {}                            # title -> bytes
        self.calls = collections.defaultdict(set)  # title -> titles
        self.indirect = []                         # (title, file:line:column)
        self.sections = set()                      # names of functions

    def read(self, path):
        for line in open(path, encoding='utf-8'):
            node = NODE.match(line)
            if node:
                frame = FRAME.search(node.group(2))
                if frame:
                    if frame.group(2) not in ('static', 'dynamic,bounded'):
                        sys.exit(f'stack.py: {node.group(1)} has a frame of no fixed size')
                    self.frame[node.group(1)] = int(frame.group(1))
            edge = EDGE.match(line)
            if edge and edge.group(2) == '__indirect_call':
                self.indirect.append((edge.group(1), edge.group(3)))
            elif edge and edge.group(2) == 'b2s6_pass_section':
                section = edge.group(3).split(':')[0] + ':' + SECTION.match(text_at(edge.group(3))).group(1)
                self.calls[edge.group(1)].add(f'b2s6_pass_section({section})')
                self.sections.add(section)
            elif edge:
                self.calls[edge.group(1)].add(edge.group(2))

    def titles(self, name, file=''):
        """Functions of this name, as the compiler may have split them: name, name.constprop.0, name.part.0. file: in which
        source file, if the name is a static function's."""
        found = [t for t in self.frame if re.fullmatch(name + r'(\.\w+)*', bare(t)) and file in t]
        return found or [name]  # a name without a function is an error as soon as it is called


def text_at(place):
    path, line, column = place.rsplit(':', 2)
    lines = open(path, encoding='utf-8').read().splitlines()
    return ' '.join(lines[int(line) - 1:int(line) + 1])[int(column) - 1:]


def resolve(graph):
    """Edges for the indirect calls."""
    for section in graph.sections:
        graph.frame[f'b2s6_pass_section({section})'] = graph.frame['b2s6_pass_section']
        graph.calls[f'b2s6_pass_section({section})'].update(graph.titles(bare(section), section))
    for caller, place in graph.indirect:
        text = text_at(place)
        call = text[:text.find('(') + 1]
        kernel = KERNEL.search(call)
        if kernel:
            name = kernel.group(1) + (r'_\w+' if kernel.group(2) else '') + '_portable'  # one of a table by type
            graph.calls[caller].update(graph.titles(name, '/kernels'))
            continue
        elif re.search(r'\bsection\($', call) and bare(caller) in ('b2s6_pass_section', 'run_part'):
            targets = []  # the first is above, the second runs on the host's threads
        elif BLOCK.search(call):
            targets = [t for t in graph.frame if re.fullmatch(r'[a-z0-9]+_' + BLOCK.search(call).group(1), bare(t).split('.')[0])
                       and '/block_' in t]
            graph.calls[caller].update(targets)
            continue
        elif re.search(r'->is_available\($', call):
            targets = ['always']
        elif re.search(r'->prepare\($', call):
            targets = []  # the portable kernels have nothing to prepare, and a board has no others
        elif OF_THE_HOST.search(call):
            targets = []
        else:
            sys.exit(f'stack.py: {place}: an indirect call to who knows what: {call}')
        for name in targets:
            graph.calls[caller].update(graph.titles(name))


def worst(graph, code, title, memo, path):
    """(bytes, path) from the call of title on."""
    if title in memo:
        return memo[title]
    if title in path:
        sys.exit('stack.py: recursion: ' + ' '.join(path + [title]))
    if title in graph.frame:
        own, callees = graph.frame[title], graph.calls[title]
    elif title in code:
        own, callees = code[title].frame, code[title].calls
    elif title.startswith('__'):
        return 0, []  # the compiler thought of a function of its library, and then found another way: it is not linked
    else:
        sys.exit(f'stack.py: {title} (called by {path[-1]}) is neither in the call graph nor in the image')
    deepest = max((worst(graph, code, c, memo, path + [title]) for c in callees), default=(0, []))
    memo[title] = (own + deepest[0], [(title.rsplit('/', 1)[-1], own)] + deepest[1])
    return memo[title]


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('--objdump', required=True)
    parser.add_argument('--elf', required=True)
    parser.add_argument('--show', action='store_true')
    parser.add_argument('names', nargs='*')
    split = sys.argv.index('--')
    o = parser.parse_args(sys.argv[1:split])
    graph = Graph()
    for path in o.names:
        graph.read(path)
    code = objdump.functions(o.objdump, o.elf)
    resolve(graph)
    memo = {}
    for name in sys.argv[split + 1:]:
        total, path = max(worst(graph, code, t, memo, []) for t in graph.titles(name))
        print(name, total, *(f'\n    {own:5} {title}' for title, own in path) if o.show else '')


if __name__ == '__main__':
    main()
