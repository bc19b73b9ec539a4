#!/usr/bin/env python3
"""The release: one tarball with the tree, the amalgamation, checksums and a list of licences; always the same bytes.

    make_dist.py TREE AMALGAMATION VERSION FOLDER

AMALGAMATION is the folder of b2s6.c and b2s6.h. FOLDER gets b2s6-VERSION.tar.gz, its .sha256, and b2s6-VERSION.spdx (which is in
the tarball, too). The tree is a clean checkout, or an unpacked tarball whose files are as they were: it makes the same tarball.
Owners, modes, order and times are fixed; every file has the time of the last change of CHANGELOG.md.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import subprocess
import sys
import tarfile
import time

SUMS = "SHA256SUMS"
# What is not MIT, by where it is. README.md and docs/models.md name the sources.
LICENCES = {
    "examples/models/digits-test.bin": "CC-BY-4.0",
    "examples/speech/clips/": "CC-BY-SA-4.0",
}
COPYRIGHT = {
    "MIT": "Copyright (c) 2026 the libb2s6 authors",
    "CC-BY-4.0": "E. Alpaydin, C. Kaynak (UCI Machine Learning Repository)",
    "CC-BY-SA-4.0": "Zohar Jackson and contributors (Free Spoken Digit Dataset)",
}


def stop(reason: str) -> None:
    sys.exit(f"make dist: {reason}")


def git(tree: str, *arguments: str) -> str:
    try:
        return subprocess.run(["git", "-C", tree, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        stop("this is neither a checkout of the repository nor an unpacked tarball of it")


def read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def checkout(tree: str) -> tuple[list[str], int]:
    """The files of the commit, and its time."""
    changed = git(tree, "status", "--porcelain").splitlines()
    if changed:
        stop(f"{changed[0][3:]} is not committed as it is: commit or put aside what has changed")
    return [name for name in git(tree, "ls-files", "-z").split("\0") if name], int(
        git(tree, "log", "-1", "--format=%ct", "--", "CHANGELOG.md"))


def unpacked(tree: str, derived: set[str]) -> tuple[list[str], int]:
    """The same of an unpacked tarball, whose files must be those of its checksums."""
    names = []
    for line in read(os.path.join(tree, SUMS)).decode().splitlines():
        digest, name = line.split("  ", 1)
        if not os.path.exists(os.path.join(tree, name)) or hashlib.sha256(read(os.path.join(tree, name))).hexdigest() != digest:
            stop(f"{name} is not as it was released, by {SUMS}: releases are made from a checkout")
        if name not in derived:
            names.append(name)
    return names, int(os.stat(os.path.join(tree, SUMS)).st_mtime)


def licence_of(name: str) -> str:
    return next((licence for place, licence in LICENCES.items() if name.startswith(place)), "MIT")


def spdx(version: str, files: dict[str, bytes], moment: int) -> bytes:
    """SPDX 2.3, tags and values."""
    sums = {name: hashlib.sha1(content).hexdigest() for name, content in files.items()}
    code = hashlib.sha1("".join(sorted(sums.values())).encode()).hexdigest()
    licences = sorted({licence_of(name) for name in files}, key=lambda licence: (licence != "MIT", licence))
    lines = [
        "SPDXVersion: SPDX-2.3", "DataLicense: CC0-1.0", "SPDXID: SPDXRef-DOCUMENT", f"DocumentName: b2s6-{version}",
        f"DocumentNamespace: https://spdx.org/spdxdocs/b2s6-{version}-{code}", "Creator: Tool: make_dist.py",
        time.strftime("Created: %Y-%m-%dT%H:%M:%SZ", time.gmtime(moment)), "",
        "PackageName: b2s6", "SPDXID: SPDXRef-Package", f"PackageVersion: {version}", "PackageDownloadLocation: NOASSERTION",
        "FilesAnalyzed: true", f"PackageVerificationCode: {code} (excludes: ./b2s6-{version}.spdx, ./{SUMS})",
        f"PackageLicenseConcluded: {' AND '.join(licences)}", *(f"PackageLicenseInfoFromFiles: {name}" for name in licences),
        f"PackageLicenseDeclared: {' AND '.join(licences)}", f"PackageCopyrightText: <text>{COPYRIGHT['MIT']}</text>",
        "Relationship: SPDXRef-DOCUMENT DESCRIBES SPDXRef-Package",
    ]
    for i, (name, content) in enumerate(files.items()):
        licence = licence_of(name)
        lines += ["", f"FileName: ./{name}", f"SPDXID: SPDXRef-File-{i + 1}", f"FileChecksum: SHA1: {sums[name]}",
                  f"FileChecksum: SHA256: {hashlib.sha256(content).hexdigest()}", f"LicenseConcluded: {licence}",
                  f"LicenseInfoInFile: {licence}", f"FileCopyrightText: <text>{COPYRIGHT[licence]}</text>"]
    return ("\n".join(lines) + "\n").encode()


def tarball(top: str, files: dict[str, bytes], programs: set[str], moment: int) -> bytes:
    """Plain ustar headers, in order, of nobody in particular."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"{top}/{name}")
            entry.size, entry.mtime, entry.mode = len(content), moment, 0o755 if name in programs else 0o644
            entry.uname = entry.gname = "root"
            tar.addfile(entry, io.BytesIO(content))
    return gzip.compress(plain.getvalue(), 9, mtime=0)


def main() -> None:
    tree, amalgamation, version, folder = sys.argv[1:]
    top, derived = f"b2s6-{version}", {SUMS, f"b2s6-{version}.spdx", "amalgamation/b2s6.c", "amalgamation/b2s6.h"}
    if os.path.exists(os.path.join(tree, SUMS)):
        names, moment = unpacked(tree, derived)
    else:
        names, moment = checkout(tree)
    missing = [place for place in LICENCES if not any(name.startswith(place) for name in names)]
    if missing:
        stop(f"{missing[0]} is gone: mend the table of licences in make_dist.py")
    files = {name: read(os.path.join(tree, name)) for name in names}
    for name in ("b2s6.c", "b2s6.h"):
        files[f"amalgamation/{name}"] = read(os.path.join(amalgamation, name))
    files = dict(sorted(files.items()))
    files[f"{top}.spdx"] = spdx(version, files, moment)
    files[SUMS] = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in files.items()).encode()
    programs = {name for name in names if os.access(os.path.join(tree, name), os.X_OK)}
    packed = tarball(top, dict(sorted(files.items())), programs, moment)

    os.makedirs(folder, exist_ok=True)
    for name, content in ((f"{top}.tar.gz", packed), (f"{top}.spdx", files[f"{top}.spdx"]),
                          (f"{top}.tar.gz.sha256", f"{hashlib.sha256(packed).hexdigest()}  {top}.tar.gz\n".encode())):
        with open(os.path.join(folder, name), "wb") as file:
            file.write(content)


if __name__ == "__main__":
    main()
