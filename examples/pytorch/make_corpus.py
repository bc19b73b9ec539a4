#!/usr/bin/env python3
"""Plain text for byte-level language models, from the documentation that Debian ships under free licences.

    make_corpus.py --out corpus                 apt-get download, extract, convert, clean, split

Writes train.txt, heldout-all.txt (2 % of the whole documents), heldout.txt (the held-out megabyte: exactly
1,000,000 bytes of it), valid.txt (held-out documents after those: for choosing a recipe, so that the megabyte is
for the final figure alone), and manifest.tsv (package, version, licences, documents and bytes on each side).

Which document is held out depends on nothing but its name, so a newer package version keeps the split. Both sides
are cleaned of each other: see `disjoint`. Needs Debian 12's apt-get and dpkg, mandoc, col (bsdextrautils), pod2text.
"""
import argparse
import collections
import gzip
import hashlib
import html.parser
import multiprocessing
import os
import re
import subprocess
import sys
import tempfile

PACKAGES = """
anarchism apache2-doc apt autoconf-doc bash-doc binutils-doc buildbot-doc btrfs-progs clang-14-doc cmake-doc
coreutils cppreference-doc-en-html cryptsetup-bin curl cvs debhelper debian-faq debian-handbook
debian-kernel-handbook debian-policy debian-reference-en debmake-doc developers-reference dict-foldoc diffutils-doc
docutils-doc dpkg dpkg-dev e2fsprogs erlang-doc exim4-doc-html ffmpeg flex-doc gcc-12 gimp-help-en git-doc
gnome-user-docs gnupg gnuplot-doc golang-1.19-doc gpg harden-doc installation-guide-amd64 iproute2 iptables
jargon-text krb5-doc ledger libboost1.81-doc libbsd-dev libcurl4-doc libglib2.0-doc libgtk-3-doc libgtk-4-doc
libpcap0.8-dev libssl-doc libtool-doc libvirt-doc linux-doc-6.1 llvm-14-doc lvm2 m4-doc maint-guide manpages
manpages-dev maxima-doc mercurial-common mount mutt ncurses-doc neomutt nmap nodejs-doc octave-doc openssh-client
openssl perl-doc postfix-doc postgresql-client-15 postgresql-doc-15 procps python-django-doc python-pandas-doc
python-scipy-doc python-sklearn-doc python-sqlalchemy-doc python-sympy-doc python3.11-doc qtbase5-doc-html
r-doc-html r-doc-info rsync rsyslog-doc rust-doc samba-common-bin screen smbclient sox sphinx-doc sqlite3-doc
subversion swi-prolog-doc systemd tcl8.6-doc tcpdump tk8.6-doc tmux twisted-doc util-linux vim-doc wireshark-common
x11-utils xen-doc xserver-xorg-core zsh-doc
""".split()

HELD_OUT_ONE_IN = 50
PACKAGE_CAP = 4_000_000         # bytes of text: no single API reference may dominate
SAMPLE_BYTES = 1_000_000
SAMPLE_DOCUMENT = 65_536        # a longer document is left out of the sample, which one could otherwise dominate
PARAGRAPH = 64                  # shorter paragraphs say nothing about copying

LANGUAGES = set("""
ar ast be bg bn bs ca ca_ES cs cs_CZ cy da da_DK de de-de de_DE el eo es es-es es_ES et eu fa fi fi_FI fr fr-fr
fr_FR gl he hi hr hu hu_HU id is it it_IT ja ja_JP ka kab kk km kn ko ko_KR ko-kr lt lv mk ml mr ms nb ne nl nl_NL
nn no oc pa pl pl_PL pt pt-br pt-BR pt_BR pt_PT ro ro_RO ru ru_RU si sk sl sq sr sr_Latn sr@latin sv sv_SE ta te th
tr tr_TR uk vi vi_VN zh zh-cn zh_CN zh-CN zh_TW zh-TW zh-tw zh-hans zh_HK en_GB id_ID translations
""".split())

TEXT_NAMES = re.compile(r"(README|NEWS|HACKING|INSTALL|FAQ|HOWTO|CONTRIBUTING|TUTORIAL|GUIDE|NOTES)[\w.-]*$", re.I)
TEXT_ENDS = (".txt", ".md", ".rst", ".yaml", ".info", ".dict")
PAGE_ENDS = (".html", ".htm", ".xhtml", ".page")
SKIP_NAMES = re.compile(r"^(changelog|copyright|AUTHORS|THANKS|genindex|search|py-modindex|general-index|ix\d|bookindex|index-all)"
                        r"|\.(rs|c|h|cpp|py)\.html$|LICENSE|COPYING|-members\.html$|^source-", re.I)


def digest(text):
    return hashlib.sha256(text.encode()).digest()


# ---- conversion ---------------------------------------------------------------------------------------------

BLOCKS = set("address article aside blockquote body dd div dl dt figure form h1 h2 h3 h4 h5 h6 hr li main ol p pre "
             "section table tbody tfoot thead tr ul caption title".split())
SILENT = set("script style nav head template svg math button select noscript iframe footer".split())
SILENT_CLASS = re.compile(r"sidebar|navheader|navfooter|navigation|breadcrumb|headerlink|footer|\brelated\b|toplang|"
                          r"bottomlang|\bnav\b|^toc$|page-header|search|skip", re.I)
VOID = set("area base br col embed hr img input link meta param source track wbr".split())


class Page(html.parser.HTMLParser):
    """Text of a page without its navigation; a paragraph becomes one line, preformatted text stays as it is."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.out, self.line, self.stack, self.silent, self.pre = [], [], [], 0, 0

    def flush(self, blank=False):
        if self.line == ["* "]:                 # a list item's text may come in a paragraph of its own
            return
        text = re.sub(r"\s+", " ", "".join(self.line)).strip()
        self.line = []
        if text:
            self.out.append(text + "\n")
        if blank:
            self.out.append("\n")

    def handle_starttag(self, tag, attrs):
        if tag in VOID:
            if tag in ("br", "hr") and not self.silent:
                self.out.append("\n") if self.pre else self.flush()
            return
        marks = " ".join(v or "" for k, v in attrs if k in ("class", "id", "role"))
        silent = tag in SILENT or (tag not in ("html", "body") and bool(SILENT_CLASS.search(marks)))
        self.stack.append((tag, silent))
        self.silent += silent
        if self.silent:
            return
        if tag in BLOCKS and not self.pre:
            self.flush(blank=tag in ("p", "pre", "h1", "h2", "h3", "h4", "h5", "h6", "table", "dl", "ul", "ol"))
        if tag == "pre":
            self.pre += 1
        elif tag == "li":
            self.line.append("* ")

    def handle_endtag(self, tag):
        if all(tag != open_tag for open_tag, _ in self.stack):
            return
        while True:
            open_tag, silent = self.stack.pop()
            self.silent -= silent
            if open_tag == "pre" and not self.silent and self.pre:
                self.pre -= 1
                self.out.append("\n\n")
            if open_tag == tag:
                break
        if self.silent or self.pre:
            return
        if tag in BLOCKS:
            self.flush(blank=tag in ("p", "h1", "h2", "h3", "h4", "h5", "h6", "table", "dl", "ul", "ol"))
        elif tag in ("td", "th"):
            self.line.append("  ")

    def handle_data(self, data):
        if not self.silent:
            (self.out if self.pre else self.line).append(data)


def from_html(raw):
    page = Page()
    page.feed(decode(raw))
    page.close()
    page.flush()
    return "".join(page.out)


def decode(raw):
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def piped(raw, *command):
    return subprocess.run(command, input=raw, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


def from_man(raw):
    if raw.lstrip()[:4] == b".so ":             # an alias of another page
        return ""
    return piped(piped(raw, "mandoc", "-T", "utf8", "-O", "width=78"), "col", "-bx").decode("utf-8", "replace")


def from_pod(raw):
    return piped(raw, "pod2text", "--utf8", "--width=78").decode("utf-8", "replace")


def tidy(text):
    """Line ends and blank lines; None for what is no English text."""
    text = text.replace("\r\n", "\n").replace("\u00a0", " ").replace("\u00b6", "").replace("\ufeff", "")
    text = re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", "", text)
    text = re.sub(r"[ \t]+\n", "\n", text)
    text = re.sub(r"\n{3,}", "\n\n", text).strip("\n") + "\n"
    if len(text) < 200 or sum(c > "\x7f" for c in text) > 0.08 * len(text):
        return None
    letters = sum(c.isalpha() or c == " " for c in text)
    return text if letters > 0.55 * len(text) else None


def kind_of(path):
    """(order among the formats of one package, converter), or None"""
    name = path.rsplit("/", 1)[1]
    plain = re.sub(r"\.(gz|dz)$", "", name)
    if SKIP_NAMES.search(plain):
        return None
    parts = path.split("/")
    if any(p in LANGUAGES for p in parts) or any(p in LANGUAGES for p in plain.split(".")[1:]):
        return None
    if "/man/man" in path:
        return 1, from_man
    if plain.endswith(PAGE_ENDS) or plain.endswith(".html.en"):
        return 0, from_html
    if plain.endswith(".pod"):
        return 2, from_pod
    if plain.endswith(TEXT_ENDS) and "/usr/share/" in path or TEXT_NAMES.match(plain):
        return 3, decode
    return None


# ---- packages -----------------------------------------------------------------------------------------------

def field(deb, name):
    return subprocess.check_output(["dpkg-deb", "-f", deb, name], text=True).strip()


def licences(root, package):
    path = os.path.join(root, "usr/share/doc", package, "copyright")
    if not os.path.exists(path):
        return "see the source package's copyright file"
    with open(path, encoding="utf-8", errors="replace") as f:
        text = f.read()
    names = sorted(set(re.findall(r"^License: *(\S[^\n]*)", text, re.M)))
    return "; ".join(names) if names else "free text, see usr/share/doc/%s/copyright" % package


def files(root):
    found = []
    for folder, subfolders, names in os.walk(root):
        subfolders.sort()
        for name in names:
            full = os.path.join(folder, name)
            if not os.path.islink(full):
                found.append("/" + os.path.relpath(full, root))
    return sorted(found)


def paragraphs(text):
    """Hashes and sizes of the paragraphs that are long enough to tell copying, whatever their line breaks."""
    for part in re.split(r"\n\s*\n", text):
        flat = " ".join(part.split())
        if len(flat) >= PARAGRAPH:
            yield hash_of(flat), len(part.encode()) + 2


def hash_of(flat):
    return digest(flat)[:8]


def read_package(deb):
    """(package, version, licences, [(document name, text)]): one format of each document, at most PACKAGE_CAP bytes"""
    package, version = field(deb, "Package"), field(deb, "Version")
    documents, seen, total = [], set(), 0
    with tempfile.TemporaryDirectory() as root:
        subprocess.check_call(["dpkg", "-x", deb, root])
        terms = licences(root, package)
        candidates = [(kind_of(p), p) for p in files(root)]
        candidates = [(k[0], digest(package + p), p, k[1]) for k, p in candidates if k]
        for _, _, path, convert in sorted(candidates, key=lambda c: c[:3]):
            if total > PACKAGE_CAP:
                break
            with open(root + path, "rb") as f:
                raw = f.read()
            if path.endswith((".gz", ".dz")):
                raw = gzip.decompress(raw)
            text = tidy(convert(raw)) if len(raw) < 8_000_000 else None
            if text is None:
                continue
            marks = list(paragraphs(text))
            repeated = sum(size for mark, size in marks if mark in seen)
            if repeated > 0.5 * sum(size for _, size in marks):     # the same page in another format, or an index
                continue
            seen.update(mark for mark, _ in marks)
            documents.append((package + path, text))
            total += len(text.encode())
    return package, version, terms, documents


# ---- the split ----------------------------------------------------------------------------------------------

def held_out(name):
    """By the path without numbers, so that versioned copies of a page fall on one side."""
    return int.from_bytes(digest(re.sub(r"\d+", "", name))[:4], "big") % HELD_OUT_ONE_IN == 0


def disjoint(train, held):
    """Keep copies of held-out text out of training.

    A held-out document that shares over 30 % of its paragraphs' bytes with training documents is a variant of one of
    them: it goes to training. Of the rest, a shared paragraph is cut from training unless it is boilerplate that
    four or more training documents carry.
    """
    carriers = collections.Counter()
    for _, text in train:
        carriers.update(set(mark for mark, _ in paragraphs(text)))
    kept, returned = [], []
    for name, text in held:
        marks = list(paragraphs(text))
        shared = sum(size for mark, size in marks if carriers[mark])
        (returned if shared > 0.3 * sum(size for _, size in marks) else kept).append((name, text))
    ours = set(mark for _, text in kept for mark, _ in paragraphs(text))
    cleaned = [(name, without(text, ours, carriers)) for name, text in train]
    return cleaned + returned, kept


def without(text, ours, carriers):
    parts = re.split(r"(\n\s*\n)", text)
    for i in range(0, len(parts), 2):
        flat = " ".join(parts[i].split())
        mark = hash_of(flat)
        if len(flat) >= PARAGRAPH and mark in ours and carriers[mark] < 4:
            parts[i] = ""
    return "".join(parts)


def write(folder, name, documents):
    data = "".join(text for _, text in documents).encode()
    with open(os.path.join(folder, name), "wb") as f:
        f.write(data)
    return data


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True)
    parser.add_argument("--debs", help="folder of downloaded packages (default: OUT/debs)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    args = parser.parse_args()
    debs = args.debs or os.path.join(args.out, "debs")
    os.makedirs(debs, exist_ok=True)
    os.makedirs(args.out, exist_ok=True)
    present = {f.split("_")[0]: os.path.join(debs, f) for f in sorted(os.listdir(debs)) if f.endswith(".deb")}
    for package in PACKAGES:
        if package not in present:
            subprocess.check_call(["apt-get", "download", "-q", package], cwd=debs)
    present = {f.split("_")[0]: os.path.join(debs, f) for f in sorted(os.listdir(debs)) if f.endswith(".deb")}

    with multiprocessing.Pool(args.jobs) as pool:
        packages = pool.map(read_package, [present[p] for p in sorted(PACKAGES)], 1)
    everything, seen = [], set()
    for _, _, _, documents in packages:
        for name, text in documents:
            if digest(text) not in seen:
                seen.add(digest(text))
                everything.append((name, text))
    everything.sort(key=lambda d: digest(d[0]))
    train, held = disjoint([d for d in everything if not held_out(d[0])], [d for d in everything if held_out(d[0])])
    train.sort(key=lambda d: digest(d[0]))
    train_bytes, held_bytes = write(args.out, "train.txt", train), write(args.out, "heldout-all.txt", held)
    sample, last = bytearray(), 0
    while last < len(held) and len(sample) < SAMPLE_BYTES:
        text = held[last][1].encode()
        sample += text if len(text) <= SAMPLE_DOCUMENT else b""
        last += 1
    sample = bytes(sample[:SAMPLE_BYTES])
    with open(os.path.join(args.out, "heldout.txt"), "wb") as f:
        f.write(sample)
    write(args.out, "valid.txt", held[last:])

    counts = collections.defaultdict(lambda: [0, 0, 0, 0])
    for side, documents in enumerate((train, held)):
        for name, text in documents:
            row = counts[name.split("/")[0]]
            row[2 * side] += 1
            row[2 * side + 1] += len(text.encode())
    with open(os.path.join(args.out, "manifest.tsv"), "w", encoding="utf-8") as f:
        f.write("package\tversion\ttraining documents\ttraining bytes\theld-out documents\theld-out bytes\tlicences\n")
        for package, version, terms, _ in packages:
            f.write("\t".join([package, version, *map(str, counts[package]), terms]) + "\n")
    known = set(mark for _, text in train for mark, _ in paragraphs(text))
    shared = sum(size for mark, size in paragraphs(sample.decode("utf-8", "replace")) if mark in known)
    print("train %d documents %d bytes, held out %d documents %d bytes, sample %d bytes of which %.1f %% lie in "
          "paragraphs that training has too" % (len(train), len(train_bytes), len(held), len(held_bytes), len(sample),
                                                100 * shared / max(1, len(sample))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
