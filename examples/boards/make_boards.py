"""make_boards.py - the packages for boards, from the amalgamation and the templates beside this file; called by make boards."""

import argparse
import pathlib
import shutil
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
TREE = HERE.parent.parent
# Of each package: its folder of templates here, where the library goes, and where the example goes.
PACKAGES = {
    "arduino": ("src", "examples/Digits"),
    "esp-idf": (".", "examples/digits/main"),
    "zephyr": (".", "samples/digits/src"),
    "cmsis": (".", "template"),
}
MADE = "/* Made by make boards of libb2s6 {version}: what this package builds is in b2s6_build.h. */\n#include \"b2s6_build.h\"\n\n"


def seven():
    """seven.h: the image that the README's host reads, as an array."""
    numbers = (TREE / "examples/host/seven.txt").read_text().split()
    assert len(numbers) == 64
    rows = ["    " + ", ".join(f"{float(n):.4f}f" for n in numbers[i:i + 8]) + "," for i in range(0, 64, 8)]
    return "/* seven.h - 8 x 8 pixels, row by row, 0 to 1 */\nstatic const float seven[64] = {\n" + "\n".join(rows) + "\n};\n"


def put_library(folder, library, version):
    """The library as one file; what it leaves out is read first, by the library and by those that include its header."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("b2s6.c", "b2s6.h"):
        (folder / name).write_text(MADE.format(version=version) + (library / name).read_text())
    shutil.copyfile(HERE / "demo/b2s6_build.h", folder / "b2s6_build.h")


def put_example(folder, model):
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("digits_demo.c", "digits_demo.h"):
        shutil.copyfile(HERE / "demo" / name, folder / name)
    for name in ("digits.c", "digits.h"):
        shutil.copyfile(model / name, folder / name)
    (folder / "seven.h").write_text(seven())


def put_templates(package, folder, version, date):
    for source in sorted((HERE / package).rglob("*")):
        if source.is_file():
            to = folder / source.relative_to(HERE / package)
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_text(source.read_text().replace("@VERSION@", version).replace("@DATE@", date))


def pack(folder, archive, inside):
    """A zip of the same bytes every time; inside: the folder that all names begin with, or nothing."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as z:
        for f in sorted(p for p in folder.rglob("*") if p.is_file()):
            entry = zipfile.ZipInfo(str(pathlib.PurePosixPath(inside) / f.relative_to(folder).as_posix()), (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            z.writestr(entry, f.read_bytes())


def main():
    arguments = argparse.ArgumentParser()
    for name in ("version", "date", "library", "model", "out"):
        arguments.add_argument("--" + name, required=True)
    a = arguments.parse_args()
    out = pathlib.Path(a.out)
    shutil.rmtree(out, ignore_errors=True)
    for package, (library, example) in PACKAGES.items():
        folder = out / package / "b2s6"
        put_templates(package, folder, a.version, a.date)
        put_library(folder / library, pathlib.Path(a.library), a.version)
        put_example(folder / example, pathlib.Path(a.model))
        shutil.copyfile(TREE / "LICENSE", folder / "LICENSE")
        shutil.copyfile(HERE / "README.md", folder / "README.md")
    pack(out / "arduino/b2s6", out / f"b2s6-{a.version}-arduino.zip", "b2s6")
    pack(out / "cmsis/b2s6", out / f"libb2s6.b2s6.{a.version}.pack", "")


if __name__ == "__main__":
    main()
