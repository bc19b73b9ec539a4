"""Writes the Python form of b2s6.h: enumerations, option structures, constants and the types of all functions.

The package has no number, no member of a structure and no argument of its own: this module reads them out of the header, and
stops with an error at a line that it cannot read, so that nothing is left out in silence.

    python3 translate_header.py b2s6.h _header.py
"""

from __future__ import annotations

import re
import sys

SCALARS = {
    "int": "c_int", "float": "c_float", "size_t": "c_size_t", "int32_t": "c_int32", "uint32_t": "c_uint32",
    "uint64_t": "c_uint64",
}

HEAD = '''"""b2s6.h for ctypes. Written by translate_header.py: change nothing here."""

from __future__ import annotations

import ctypes
import enum
from typing import Any, Dict, List, Tuple

'''


def without_comments(text: str) -> str:
    return re.sub(r"/\*.*?\*/", " ", text, flags=re.DOTALL)


def class_name(c_name: str) -> str:
    """b2s6_input_kind -> InputKind"""
    return "".join(word.capitalize() for word in c_name[len("b2s6_"):].split("_"))


def value_name(c_name: str, enumeration: str) -> str:
    """B2S6_BLOCK_S4 of b2s6_block -> S4; B2S6_ERROR_FILE of b2s6_status -> FILE"""
    for prefix in (enumeration.upper() + "_", "B2S6_ERROR_", "B2S6_"):
        if c_name.startswith(prefix):
            return c_name[len(prefix):]
    raise ValueError(f"{c_name}: a value of {enumeration} that does not begin with B2S6_")


def enumerations(text: str) -> dict[str, list[tuple[str, int]]]:
    """The values of each enumeration by its C name; those that only fix its size are left out."""
    found = {}
    for body, name in re.findall(r"typedef enum b2s6_\w+ \{(.*?)\} (b2s6_\w+);", text, re.DOTALL):
        values = []
        for item in filter(None, (item.strip() for item in body.split(","))):
            match = re.fullmatch(r"(B2S6_\w+) = (\w+)", item)
            if not match:
                raise ValueError(f"{name}: '{item}' is not a name with a number")
            if not match[1].endswith("_PIN"):
                values.append((value_name(match[1], name), int(match[2], 0)))
        found[name] = values
    return found


def flags(text: str) -> list[tuple[str, int]]:
    """What is defined as a number: B2S6_OPEN_VERIFY 1u -> OPEN_VERIFY, 1."""
    found = {}
    for name, number in re.findall(r"^#\s*define B2S6_(\w+) (0x[0-9a-f]+|[0-9]+)u?[ \t]*$", text, re.MULTILINE):
        if name not in ("STACK_SIZE",):  # another number for each kind of build
            found[name] = int(number, 0)
    return list(found.items())


def ctype(declaration: str, enums: dict[str, list[tuple[str, int]]]) -> tuple[str, str]:
    """The ctypes type and the name of a member, an argument or a function."""
    declaration = " ".join(declaration.replace("*", " * ").split())
    if "(" in declaration:  # a pointer to a function
        match = re.search(r"\( \* (\w+)\)", declaration)
        if not match:
            raise ValueError(f"'{declaration}' is not a pointer to a function")
        return "c_void_p", match[1]
    match = re.fullmatch(r"(.*?)\s*(\w+)(?:\[(\d+)\])?", declaration)
    if not match:
        raise ValueError(f"'{declaration}' has no name")
    kind, name, length = match[1].replace("const", "").strip(), match[2], match[3]
    if kind.endswith("*"):
        return ("c_char_p" if kind == "char *" else "c_void_p"), name
    if kind == "char" and length:
        return f"c_char * {length}", name
    if kind in enums:
        return "c_int", name
    if kind in SCALARS and not length:
        return SCALARS[kind], name
    raise ValueError(f"'{declaration}' has a type that is not known here")


def structures(text: str, enums: dict[str, list[tuple[str, int]]]) -> dict[str, list[tuple[str, str]]]:
    """The members of each structure: name and ctypes type."""
    found = {}
    for body, name in re.findall(r"typedef struct b2s6_\w+ \{(.*?)\} (b2s6_\w+);", text, re.DOTALL):
        members = []
        for member in filter(None, (member.strip() for member in body.split(";"))):
            kind, member_name = ctype(member, enums)
            members.append((member_name, kind))
        found[name] = members
    return found


def functions(text: str, enums: dict[str, list[tuple[str, int]]]) -> list[tuple[str, str, list[str]]]:
    """Name, type of the result and types of the arguments of each function."""
    found = []
    for result, name, arguments in re.findall(r"^B2S6_API ([^;()]*?)(b2s6_\w+)\(([^;]*)\);", text, re.MULTILINE):
        result = result.replace("B2S6_CHECKED", "").strip()
        kind = "None" if result == "void" else "ctypes." + ctype(result + " result", enums)[0]
        types = [] if arguments.strip() == "void" else [ctype(a, enums)[0] for a in arguments.split(",")]
        found.append((name, kind, ["ctypes." + t for t in types]))
    if len(found) != len(re.findall(r"^B2S6_API ", text, re.MULTILINE)):
        raise ValueError("there are functions in b2s6.h that translate_header.py does not read")
    return found


def version_of(header: str) -> str:
    return ".".join(re.search(rf"^#define B2S6_VERSION_{part} (\d+)$", header, re.MULTILINE)[1]
                    for part in ("MAJOR", "MINOR", "PATCH"))


def translated(header: str) -> str:
    """The text of _header.py."""
    text = without_comments(header)
    enums = enumerations(text)
    lines = [HEAD + f'VERSION = "{version_of(header)}"\n']
    lines += [f"{name} = {number}" for name, number in flags(text)]
    for name, values in enums.items():
        lines.append(f'\n\nclass {class_name(name)}(enum.IntEnum):\n    """{name} of b2s6.h."""\n')
        lines += [f"    {value} = {number}" for value, number in values]
    structs = structures(text, enums)
    for name, members in structs.items():
        lines.append(f'\n\nclass {class_name(name)}Structure(ctypes.Structure):\n    """{name} of b2s6.h."""\n')
        lines.append("    _fields_ = [")
        lines += [f'        ("{member}", ctypes.{kind}),' for member, kind in members]
        lines.append("    ]")
    lines.append("\n\n# Every function: the type of its result, the types of its arguments.")
    lines.append("FUNCTIONS: Dict[str, Tuple[Any, List[Any]]] = {")
    lines += [f'    "{name}": ({result}, [{", ".join(types)}]),' for name, result, types in functions(text, enums)]
    lines.append("}\n\nENUMERATIONS = {")
    lines += [f'    "{name}": {class_name(name)},' for name in enums]
    lines.append("}\n\nSTRUCTURES = {")
    lines += [f'    "{name}": {class_name(name)}Structure,' for name in structs]
    return "\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as source, open(sys.argv[2], "w", encoding="utf-8") as target:
        target.write(translated(source.read()))
