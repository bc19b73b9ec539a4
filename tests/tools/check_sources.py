#!/usr/bin/env python3
"""Two rules of the library's sources: no circle of files, no function longer than a screen.

    check_sources.py [FOLDER]        src by default
    check_sources.py --test          shows on small made-up sources that each rule is noticed when it is broken

A file needs another that it includes, and the file that defines an external function or object that its code uses: inside
braces, where declarations do not count. A header and the source of the same name are two halves of one thing, so the header
may use what that source defines. Comments, strings and what the preprocessor leaves out are not asked about: a name that stands
in any branch counts. Prints each offence with its place; exit status 1 if there is one.
"""
import os
import re
import sys
import tempfile

MOST_LINES = 60
NOISE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+"([^"]+)"', re.M)
WORD = re.compile(r'[A-Za-z_]\w*')


def blank(text):
    """Comments, strings and lines of the preprocessor as spaces; lines stay where they are."""
    spaces = lambda m: re.sub(r'[^\n]', ' ', m.group(0))
    text = NOISE.sub(spaces, text)
    return re.sub(r'^[ \t]*#(?:[^\n]*\\\n)*[^\n]*', spaces, text, flags=re.M)


def pieces(text):
    """What stands at file scope: (head, body, first line, last line); body is what is between braces, or None."""
    depth = begin = 0
    head = None
    for m in re.finditer(r'[{};]', text):
        if m.group(0) == '{':
            depth += 1
            if depth == 1:
                head, inside = text[begin:m.start()], m.end()
        elif m.group(0) == '}':
            depth -= 1
            # a function ends here; an initialiser or a structure goes on to its semicolon
            if depth == 0 and is_function(head):
                yield piece(text, begin, head, text[inside:m.start()], m.end())
                begin, head = m.end(), None
        elif depth == 0:
            if head is None:
                yield piece(text, begin, text[begin:m.start()], None, m.end())
            else:
                yield piece(text, begin, head, text[inside:m.start()], m.end())
            begin, head = m.end(), None


def piece(text, begin, head, body, end):
    first = begin + len(head) - len(head.lstrip())
    return head.strip(), body, text.count('\n', 0, first) + 1, text.count('\n', 0, end) + 1


def is_function(head):
    return head is not None and head.rstrip().endswith(')') and '=' not in head


def name_of(head):
    """The name that a function's or an object's head gives."""
    found = re.search(r'(\w+)\s*\((?:[^()]|\([^()]*\))*\)\s*$', head) if is_function(head) else \
        re.search(r'(\w+)\s*(?:\[[^\]]*\]\s*)*=', head)
    return found.group(1) if found else None


class Source:
    def __init__(self, folder, path):
        raw = open(os.path.join(folder, path), encoding='utf-8').read()
        self.path = path
        self.includes = {os.path.normpath(os.path.join(os.path.dirname(path), name)) for name in INCLUDE.findall(raw)}
        self.defines, self.uses, self.functions = set(), set(), []
        for head, body, first, last in pieces(blank(raw)):
            if body is None:
                continue
            if is_function(head):
                self.functions.append((name_of(head), first, last - first + 1))
            elif '=' not in head:
                continue  # a structure or an enumeration
            if not re.search(r'\bstatic\b', head) and path.endswith('.c'):
                self.defines.add(name_of(head))
            self.uses |= set(WORD.findall(body)) | set(WORD.findall(head.partition('=')[2]))


def read(folder):
    sources = {}
    for at, _, names in sorted(os.walk(folder)):
        for name in sorted(names):
            if name.endswith(('.c', '.h')):
                path = os.path.relpath(os.path.join(at, name), folder)
                sources[path] = Source(folder, path)
    return sources


def needs(sources):
    """path -> {path it needs: why}"""
    owner = {}
    for path, source in sources.items():
        for name in source.defines:
            owner.setdefault(name, set()).add(path)
    graph = {}
    for path, source in sources.items():
        graph[path] = {other: 'includes' for other in source.includes if other in sources}
        for name in source.uses & owner.keys():
            for other in owner[name] - {path}:
                if not (path.endswith('.h') and path[:-2] == other[:-2]):
                    graph[path].setdefault(other, name)
    return graph


def circles(graph):
    """Each circle once, as the list of its paths: the shortest way back to each file that has one, no file twice."""
    told = set()
    for start in sorted(graph):
        if start in told:
            continue
        ways, queue = {start: [start]}, [start]
        while queue:
            at = queue.pop(0)
            if start in graph[at]:
                told |= set(ways[at])
                yield ways[at]
                break
            for other in sorted(graph[at]):
                if other not in ways:
                    ways[other] = ways[at] + [other]
                    queue.append(other)


def offences(folder):
    sources = read(folder)
    if not sources:
        sys.exit(f'check_sources.py: no sources in {folder}')
    graph = needs(sources)
    for way in circles(graph):
        steps = [f'{a} -> {b} ({graph[a][b]})' for a, b in zip(way, way[1:] + way[:1])]
        yield 'a circle of files: ' + ', '.join(steps)
    for path, source in sources.items():
        for name, line, n in source.functions:
            if n > MOST_LINES:
                yield f'{folder}/{path}:{line}: {name} has {n} lines, at most {MOST_LINES} fit a screen'


def test():
    """What is right passes; each rule, broken in each way, is an offence."""
    right = {'low.h': 'int low(int x);\n', 'low.c': '#include "low.h"\nint low(int x) { return x; }\n',
             'high.h': '#include "low.h"\n/* high() { low } */\nstatic inline int twice(int x)\n{\n    return low(x) + shared(x);\n}\n',
             'high.c': '#include "high.h"\nint shared(int x) { return x; }\nconst int table[2] = { 1, 2 };\n'}
    up = {'low.c': '#include "low.h"\nint shared(int x);\nint low(int x) { return shared(x); }\n'}
    loop = {'low.h': '#include "high.h"\nint low(int x);\n'}
    data = {'low.c': '#include "low.h"\nextern const int table[2];\nint low(int x) { return table[x]; }\n'}
    screen = {'low.c': '#include "low.h"\nint low(int x)\n{\n' + '    x++;\n' * (MOST_LINES - 4) + '    return x;\n}\n'}
    long = {'low.c': screen['low.c'].replace('{\n', '{\n\n')}
    for name, change, wanted in (('right', {}, 0), ('function', up, 1), ('include', loop, 1), ('data', data, 1), ('a screen', screen, 0),
                                 ('long', long, 1)):
        with tempfile.TemporaryDirectory() as folder:
            for path, text in {**right, **change}.items():
                open(os.path.join(folder, path), 'w', encoding='utf-8').write(text)
            found = list(offences(folder))
            if bool(found) != bool(wanted):
                sys.exit(f'check_sources.py: {name}: {found}')


def main():
    if sys.argv[1:] == ['--test']:
        test()
        return
    found = list(offences(sys.argv[1] if len(sys.argv) > 1 else 'src'))
    if found:
        sys.exit('\n'.join(found))


if __name__ == '__main__':
    main()
