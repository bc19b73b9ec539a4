"""What is read out of b2s6.h is what a C compiler reads there."""

from __future__ import annotations

import ctypes
import os
import subprocess
from pathlib import Path

import pytest
from conftest import TREE

import b2s6
from b2s6 import _header


def numbers_by_compiler(folder: Path) -> "dict[str, int]":
    """Sizes and offsets of all structures, and all enumerations and constants, printed by a C program."""
    lines = []
    for name, structure in _header.STRUCTURES.items():
        lines.append(f'printf("{name} %zu\\n", sizeof({name}));')
        for member, *_ in structure._fields_:
            lines.append(f'printf("{name}.{member} %zu\\n", offsetof({name}, {member}));')
            lines.append(f'printf("{name}.{member}.size %zu\\n", sizeof((({name} *)0)->{member}));')
    for name, enumeration in _header.ENUMERATIONS.items():
        lines.append(f'printf("{name} %zu\\n", sizeof({name}));')
        for value in enumeration:
            lines.append(f'printf("{name}.{value.name} %d\\n", (int){c_name(name, value.name)});')
    for name in constants():
        lines.append(f'printf("{name} %lld\\n", (long long)B2S6_{name});')
    source = folder / "numbers.c"
    source.write_text("#include <stdio.h>\n#include <stddef.h>\n#include \"b2s6.h\"\nint main(void)\n{\n" + "\n".join(lines) +
                      "\nreturn 0;\n}\n")
    program = folder / "numbers"
    subprocess.run([*os.environ.get("CC", "cc").split(), "-std=c99", "-I", TREE, "-o", program, source], check=True)
    printed = subprocess.run([program], check=True, stdout=subprocess.PIPE, text=True).stdout
    return {name: int(number) for name, number in (line.split() for line in printed.splitlines())}


def c_name(enumeration: str, value: str) -> str:
    """The one of the names that value may have in C that the header has."""
    text = (TREE / "b2s6.h").read_text()
    names = [prefix + value for prefix in (enumeration.upper() + "_", "B2S6_ERROR_", "B2S6_")]
    return next(name for name in names if f"{name} =" in text)


def constants() -> "list[str]":
    return [name for name, value in vars(_header).items() if name.isupper() and isinstance(value, int)]


@pytest.fixture(scope="module")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> "dict[str, int]":
    return numbers_by_compiler(tmp_path_factory.mktemp("numbers"))


def test_structures(numbers: "dict[str, int]") -> None:
    assert len(_header.STRUCTURES) >= 9
    for name, structure in _header.STRUCTURES.items():
        assert numbers[name] == ctypes.sizeof(structure), name
        for member, *_ in structure._fields_:
            field = getattr(structure, member)
            assert (field.offset, field.size) == (numbers[f"{name}.{member}"],
                                                  numbers[f"{name}.{member}.size"]), (name, member)


def test_enumerations(numbers: "dict[str, int]") -> None:
    assert _header.Status.UNSUPPORTED == 40 and len(_header.Status) >= 22
    for name, enumeration in _header.ENUMERATIONS.items():
        assert numbers[name] == ctypes.sizeof(ctypes.c_int)
        for value in enumeration:
            assert numbers[f"{name}.{value.name}"] == value, (name, value)


def test_constants(numbers: "dict[str, int]") -> None:
    assert {"RUN_LAST", "OPEN_TRUST", "ALIGNMENT", "PART_Q4"} <= set(constants())
    for name in constants():
        assert numbers[name] == getattr(_header, name)


def test_every_function_of_the_library_is_declared() -> None:
    library = Path(b2s6.__file__).with_name("libb2s6.so")
    exported = subprocess.run(["nm", "-D", "--defined-only", library], check=True, stdout=subprocess.PIPE, text=True).stdout
    assert sorted(line.split()[2] for line in exported.splitlines()) == sorted(_header.FUNCTIONS)


def test_version() -> None:
    lines = (TREE / "b2s6.h").read_text().splitlines()
    parts = [line.split()[2] for line in lines if line.startswith("#define B2S6_VERSION_")]
    assert b2s6.__version__ == ".".join(parts[:3])


def test_a_line_that_cannot_be_read_is_an_error() -> None:
    import sys
    sys.path.insert(0, str(TREE / "examples" / "python"))
    try:
        import translate_header
    finally:
        sys.path.pop(0)
    header = (TREE / "b2s6.h").read_text()
    for old, new in (("uint32_t top_k;", "long top_k;"), ("B2S6_F32 = 1", "B2S6_F32 = OTHER"),
                     ("B2S6_API uint32_t b2s6_parts(void);", "B2S6_API uint32_t (*b2s6_parts(void))(void);")):
        assert old in header
        with pytest.raises(ValueError):
            translate_header.translated(header.replace(old, new))
