"""Builds the wheel: a PEP 517 backend that needs Python, make and a C compiler, nothing else and no network.

The library is compiled by the Makefile of the tree that this folder is in, with its objects in the tree's build/python (pip's
--config-settings build=FOLDER, or B2S6_BUILD, names another, as seen from the top of the tree). CC and CFLAGS are taken from
the environment.
"""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import sysconfig
import tempfile
import zipfile

import translate_header

HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.path.dirname(os.path.dirname(HERE))
NAME = "b2s6"

METADATA = """\
Metadata-Version: 2.1
Name: b2s6
Version: {version}
Summary: State-space sequence models, token by token, with the same bits on every machine
License: MIT
Requires-Python: >=3.9
Requires-Dist: numpy
Description-Content-Type: text/markdown

"""


def text_of(*path: str) -> str:
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def header() -> str:
    try:
        return text_of(TREE, "b2s6.h")
    except FileNotFoundError:
        raise SystemExit("b2s6.h is not two folders above: install from examples/python inside the tree of libb2s6") from None


def version() -> str:
    return translate_header.version_of(header())


def dist_info() -> str:
    return f"{NAME}-{version()}.dist-info"


def platform_tag() -> str:
    return sysconfig.get_platform().replace("-", "_").replace(".", "_")


def wheel_file() -> str:
    return f"Wheel-Version: 1.0\nGenerator: libb2s6\nRoot-Is-Purelib: false\nTag: py3-none-{platform_tag()}\n"


def metadata_files() -> dict[str, bytes]:
    """What dist-info holds, but for RECORD."""
    return {
        "METADATA": (METADATA.format(version=version()) + text_of(HERE, "README.md")).encode(),
        "WHEEL": wheel_file().encode(),
        "LICENSE": text_of(TREE, "LICENSE").encode(),
    }


def compiled_library(config_settings: dict[str, str] | None) -> bytes:
    """The shared library, without the symbols that are for debuggers."""
    build = (config_settings or {}).get("build") or os.environ.get("B2S6_BUILD") or "build/python"
    # Of a make that may have started pip nothing is taken: its options are not meant for this one.
    environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    make = environment.get("MAKE", "make")
    subprocess.run([make, "-s", f"-j{os.cpu_count() or 1}", f"BUILD={build}", f"{build}/lib{NAME}.so"], cwd=TREE,
                   env=environment, check=True)
    with tempfile.TemporaryDirectory() as folder:
        copy = os.path.join(folder, f"lib{NAME}.so")
        shutil.copyfile(os.path.join(TREE, build, f"lib{NAME}.so"), copy)
        if shutil.which("strip"):
            subprocess.run(["strip", "--strip-unneeded", copy], check=True)
        with open(copy, "rb") as file:
            return file.read()


def package_files(config_settings: dict[str, str] | None) -> dict[str, bytes]:
    """What is installed, by its path; the module of the header and the library are made here."""
    files = {}
    for name in sorted(os.listdir(os.path.join(HERE, "src", NAME))):
        if (name.endswith(".py") and name != "_header.py") or name == "py.typed":
            files[f"{NAME}/{name}"] = text_of(HERE, "src", NAME, name).encode()
    files[f"{NAME}/_header.py"] = translate_header.translated(header()).encode()
    files[f"{NAME}/lib{NAME}.so"] = compiled_library(config_settings)
    return files


def record(files: dict[str, bytes]) -> bytes:
    lines = []
    for path, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        lines.append(f"{path},sha256={digest},{len(content)}\n")
    return ("".join(lines) + f"{dist_info()}/RECORD,,\n").encode()


def write_wheel(path: str, files: dict[str, bytes]) -> None:
    """Always the same bytes for the same files."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, content in files.items():
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = (0o100755 if name.endswith(".so") else 0o100644) << 16
            wheel.writestr(info, content)


# ------------------------------------------------------------------------------------------------- what pip calls (PEP 517)


def get_requires_for_build_wheel(config_settings: dict[str, str] | None = None) -> list[str]:
    return []


def prepare_metadata_for_build_wheel(metadata_directory: str, config_settings: dict[str, str] | None = None) -> str:
    folder = os.path.join(metadata_directory, dist_info())
    os.makedirs(folder, exist_ok=True)
    for name, content in metadata_files().items():
        with open(os.path.join(folder, name), "wb") as file:
            file.write(content)
    return dist_info()


def build_wheel(wheel_directory: str, config_settings: dict[str, str] | None = None,
                metadata_directory: str | None = None) -> str:
    files = package_files(config_settings)
    files.update((f"{dist_info()}/{name}", content) for name, content in metadata_files().items())
    files[f"{dist_info()}/RECORD"] = record(files)
    name = f"{NAME}-{version()}-py3-none-{platform_tag()}.whl"
    write_wheel(os.path.join(wheel_directory, name), files)
    return name


class UnsupportedOperation(Exception):
    """What PEP 517 calls an sdist that cannot be made."""


def build_sdist(sdist_directory: str, config_settings: dict[str, str] | None = None) -> str:
    raise UnsupportedOperation("an sdist would repeat the library's sources: build a wheel, or take the tarball of make dist")
