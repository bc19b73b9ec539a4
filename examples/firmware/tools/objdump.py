"""Frames and calls of functions, read from machine code: for the compiler's own library, which brings no call graph.

Every push and every subtraction from the stack pointer in a function counts, so that a frame is never less than it is.
"""
import collections
import re
import subprocess

Function = collections.namedtuple('Function', 'frame calls')

HEAD = re.compile(r'^([0-9a-f]+) <([^>]+)>:$')
LINE = re.compile(r'^\s*[0-9a-f]+:\s+(\S+)\s*(.*)$')
TARGET = re.compile(r'<([^>+]+)>')
CALL = re.compile(r'(bl|blx|jal|jalr|call)(\.\w)?$')
RETURN = re.compile(r'(b|bx|j|jr|ret|tail|pop|ldmia)\b')


def registers(listed):
    """How many words "r4-r7, lr" or "d8-d9" are."""
    words = 0
    for part in listed.split(','):
        ends = re.findall(r'([a-z]+)(\d*)', part.strip())
        n = int(ends[1][1]) - int(ends[0][1]) + 1 if '-' in part else 1
        words += n * (2 if part.strip().startswith('d') else 1)
    return words


def growth(name, operands):
    """Bytes by which one instruction moves the stack pointer down."""
    if name.startswith(('push', 'vpush')) or name.startswith(('stmdb', 'vstmdb')) and operands.startswith('sp!'):
        return 4 * registers(re.search(r'\{([^}]*)\}', operands).group(1))
    for pattern in (r'sub(?:\.w|w|s)? sp, (?:sp, )?#(\d+)', r'(?:c\.)?addi(?:16sp)? sp,(?:sp,)?-(\d+)', r'.*\[sp, #-(\d+)\]!'):
        m = re.match(pattern, name + ' ' + operands)
        if m:
            return int(m.group(1))
    return 0


def loops_with(objdump, elf, names, loads):
    """The innermost loops with one of these instructions, of functions whose names match: lists of (instruction, operands)."""
    text = subprocess.run([objdump, '-d', '--no-show-raw-insn', elf], check=True, capture_output=True, text=True).stdout
    found = []
    for name, body in re.findall(rf'^[0-9a-f]+ <((?:{names})[.\w]*)>:\n((?:.+\n)*)', text, re.M):
        code = [(int(a, 16), n, rest) for a, n, rest in re.findall(r'^\s*([0-9a-f]+):\s+(\S+)\s*(.*)$', body, re.M)]
        loops = []
        for at, instruction, rest in code:
            target = re.search(rf'\b([0-9a-f]+) <{re.escape(name)}(?:\+0x[0-9a-f]+)?>', rest)
            if target and int(target.group(1), 16) <= at and not CALL.match(instruction):
                loop = [(n, r) for a, n, r in code if int(target.group(1), 16) <= a <= at]
                if any(n in loads for n, _ in loop):
                    loops.append(loop)
        if loops:
            found.append(min(loops, key=len))
    return found


def aliases(nm, elf):
    """Every name of the function at an address."""
    names = collections.defaultdict(set)
    for line in subprocess.run([nm, elf], check=True, capture_output=True, text=True).stdout.splitlines():
        parts = line.split()
        if len(parts) == 3 and parts[1] in 'tTwW':
            names[int(parts[0], 16) & ~1].add(parts[2])
    return names


def functions(objdump, elf):
    """Function by name, for every name."""
    text = subprocess.run([objdump, '-d', '--no-show-raw-insn', elf], check=True, capture_output=True, text=True).stdout
    names = aliases(objdump.replace('objdump', 'nm'), elf)
    found, frame, calls, last = {}, 0, set(), ''

    for line in text.splitlines():
        head, instruction = HEAD.match(line), LINE.match(line)
        if head:
            if found and not RETURN.match(last):
                calls.add(head.group(2))  # it runs on into this one
            frame, calls = 0, set()
            for name in names[int(head.group(1), 16)] | {head.group(2)}:
                found[name] = [0, calls]
            here = [found[name] for name in names[int(head.group(1), 16)] | {head.group(2)}]
        elif instruction and found:
            if not re.match(r"nop|mov r8, r8|\.", instruction.group(1) + " " + instruction.group(2)):
                last = instruction.group(1) + ' ' + instruction.group(2)
            frame += growth(*instruction.groups())
            for entry in here:
                entry[0] = frame
            target = TARGET.search(instruction.group(2))
            if target:
                calls.add(target.group(1))
    for name, entry in found.items():
        entry[1] = {c for c in entry[1] if c in found and found[c][1] is not entry[1]}
    return {name: Function(*entry) for name, entry in found.items()}
