#!/usr/bin/env python3
"""Compare `b2s6 compress` with general compressors on a text that its model was not trained on: the table in README.

    compare_compressors.py --model examples/models/bytes.b2s6 --text heldout.txt [--program build/b2s6]

Compresses the text whole and cut into pieces of 4096 bytes, checks that every result comes back as it was, and prints a
Markdown table: bits per byte, speed on the whole text (the best of three; of b2s6 one), peak memory of the process.

Every file that a compressor writes counts whole, with its header and checksums. The pieces follow one another from the
first byte of the text; what is left behind the last whole one is not used. Each is compressed by a process of its own that has
seen none of the others, and their files are added up.

examples/pytorch/make_corpus.py makes heldout.txt. Needs gzip, bzip2, xz, zstd and brotli, and for b2s6 some minutes a
megabyte.
"""
import argparse
import os
import subprocess
import sys
import tempfile
import time

GENERAL = [
    ("gzip -9", ["gzip", "-9", "-c"], ["gzip", "-d", "-c"]),
    ("bzip2 -9", ["bzip2", "-9", "-c"], ["bzip2", "-d", "-c"]),
    ("xz -9e", ["xz", "-9e", "-c"], ["xz", "-d", "-c"]),
    ("zstd --ultra -22", ["zstd", "--ultra", "-22", "-q", "-c"], ["zstd", "-d", "-q", "-c"]),
    ("brotli -q 11", ["brotli", "-q", "11", "-c"], ["brotli", "-d", "-c"]),
]


def peak_memory(pid):
    """Bytes, so far; 0 if the process is gone. (What wait4 tells counts this interpreter in, before exec.)"""
    try:
        with open("/proc/%d/status" % pid) as file:
            return next((int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM:")), 0)
    except OSError:
        return 0


def run(command, source, target):
    """Runs a filter from one file to another: seconds and peak memory in bytes, as seen every few milliseconds"""
    memory = 0
    with open(source, "rb") as stdin, open(target, "wb") as stdout:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdin=stdin, stdout=stdout)
        while process.poll() is None:
            memory = max(memory, peak_memory(process.pid))
            time.sleep(0.002)
        seconds = time.perf_counter() - start
    if process.returncode != 0:
        sys.exit("failed: " + " ".join(command))
    return seconds, memory


def read(path):
    with open(path, "rb") as file:
        return file.read()


def there_and_back(compress, decompress, path, folder, repeat):
    """Compressed size, and seconds (the best of `repeat`) and memory each way"""
    small, back = os.path.join(folder, "small"), os.path.join(folder, "back")
    there = [run(compress, path, small) for _ in range(repeat)]
    again = [run(decompress, small, back) for _ in range(repeat)]
    if read(back) != read(path):
        sys.exit("not what it was: " + " ".join(compress))
    return os.path.getsize(small), min(t for t, _ in there), min(t for t, _ in again), max(m for _, m in there), max(m for _, m in again)


def pieces_of(text, size, every, folder):
    """Files with the whole pieces of a text, or every Nth of them"""
    paths = []
    for i, at in enumerate(range(0, len(text) - size + 1, size)):
        if i % every == 0:
            paths.append(os.path.join(folder, "piece%d" % i))
            with open(paths[-1], "wb") as file:
                file.write(text[at:at + size])
    return paths


def speed(size, seconds):
    rate = size / seconds
    return "%.1f MB/s" % (rate / 1e6) if rate >= 1e6 else "%.1f kB/s" % (rate / 1e3)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/b2s6")
    parser.add_argument("--model", required=True)
    parser.add_argument("--text", required=True)
    parser.add_argument("--piece", type=int, default=4096, help="bytes a piece")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only every Nth piece")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="only these: gzip, bzip2, xz, zstd, brotli, b2s6")
    args = parser.parse_args()
    text = read(args.text)
    ours = ("b2s6 compress", [args.program, "compress", args.model, "-", "-"],
            [args.program, "decompress", args.model, "-", "-"])
    print("| | whole, bits per byte | %d-byte pieces, bits per byte | compress | decompress | memory |" % args.piece)
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        pieces = pieces_of(text, args.piece, args.every, folder)
        for name, compress, decompress in GENERAL + [ours]:
            if args.only and name.split()[0] not in args.only:
                continue
            repeat = 1 if name == ours[0] else 3
            size, there, back, memory, memory_back = there_and_back(compress, decompress, args.text, folder, repeat)
            small = sum(there_and_back(compress, decompress, path, folder, 1)[0] for path in pieces)
            print("| %s | %.3f | %.3f | %s | %s | %.0f / %.0f MB |" % (
                name, 8 * size / len(text), 8 * small / (args.piece * len(pieces)), speed(len(text), there),
                speed(len(text), back), memory / 1e6, memory_back / 1e6), flush=True)


if __name__ == "__main__":
    main()
