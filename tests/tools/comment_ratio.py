#!/usr/bin/env python3
"""Comment lines a code line, of each source file and of all: comment_ratio.py FILE...

A line with code and a comment counts as both; empty lines count as neither.
"""
import re
import sys

TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|//[^\n]*|/\*.*?\*/', re.S)


def count(text):
    comments, code = set(), set()
    line = 1
    at = 0
    for match in TOKEN.finditer(text):
        before = text[at:match.start()]
        for i, part in enumerate(before.split('\n')):
            if part.strip():
                code.add(line + i)
        line += before.count('\n')
        is_comment = match.group().startswith('/')
        for i, part in enumerate(match.group().split('\n')):
            if part.strip(' /*'):
                (comments if is_comment else code).add(line + i)
        line += match.group().count('\n')
        at = match.end()
    for i, part in enumerate(text[at:].split('\n')):
        if part.strip():
            code.add(line + i)
    return len(comments), len(code)


def main():
    total = [0, 0]
    for path in sys.argv[1:]:
        with open(path, encoding='utf-8') as file:
            comments, code = count(file.read())
        total[0] += comments
        total[1] += code
        print(f'{comments / max(code, 1):5.2f} {comments:5} {code:5}  {path}')
    print(f'{total[0] / max(total[1], 1):5.2f} {total[0]:5} {total[1]:5}  all')


if __name__ == '__main__':
    main()
