"""check_boards.py - the layouts of build/boards, by what Arduino, PlatformIO, ESP-IDF, Zephyr and CMSIS document; see check_boards.sh."""

import json
import pathlib
import re
import sys
import xml.etree.ElementTree
import zipfile

out, version = pathlib.Path(sys.argv[1]), sys.argv[2]
passed = failed = 0


def expect(what, holds):
    global passed, failed
    if holds:
        passed += 1
    else:
        failed += 1
        print(f"check_boards.py: not so: {what}", file=sys.stderr)


def properties(path):
    """KEY=VALUE lines."""
    return dict(line.split("=", 1) for line in path.read_text().splitlines() if line and not line.startswith("#"))


CATEGORIES = {"Display", "Communication", "Signal Input/Output", "Sensors", "Device Control", "Timing", "Data Storage",
              "Data Processing", "Other"}

# Arduino's library specification, revision 2.2
a = out / "arduino/b2s6"
p = properties(a / "library.properties")
for key in ("name", "version", "author", "maintainer", "sentence", "paragraph", "category", "url", "architectures"):
    expect(f"library.properties has {key}", p.get(key))
expect("name of letters, digits, blanks, _ . -, beginning with a letter or digit, at most 63",
       re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 _.-]{0,62}", p["name"]))
expect("the tree's version", p["version"] == version and re.fullmatch(r"\d+\.\d+\.\d+", version))
expect("a category of the list", p["category"] in CATEGORIES)
expect("the paragraph goes on where the sentence ends", not p["paragraph"].startswith(p["sentence"]))
expect("headers that exist", all((a / "src" / h.strip()).is_file() for h in p["includes"].split(",")))
expect("no folder utility beside src", not (a / "utility").exists())
sketches = [d for d in (a / "examples").iterdir()]
expect("sketches named as their folders", sketches and all((d / (d.name + ".ino")).is_file() for d in sketches))
expect("no symbolic links, no executables, no hidden files",
       not any(f.is_symlink() or f.name.startswith(".") or f.suffix in (".exe", ".so") for f in a.rglob("*")))

# PlatformIO's library.json
j = json.loads((a / "library.json").read_text())
expect("library.json: name and version", j["name"] == "b2s6" and j["version"] == version)
expect("a description of at most 255 characters", 0 < len(j["description"]) <= 255)
expect("an SPDX licence", j["license"] == "MIT")
expect("keywords in small letters", all(re.fullmatch(r"[a-z0-9 -]+", k) for k in j["keywords"]))
expect("folders and headers exist", (a / j["build"]["srcDir"]).is_dir() and
       all((a / j["build"]["includeDir"] / h).is_file() for h in j["headers"]))
expect("examples exist", all((a / e["base"] / f).is_file() for e in j["examples"] for f in e["files"]))

# ESP-IDF's component manager
e = out / "esp-idf/b2s6"
manifest = (e / "idf_component.yml").read_text()
for key in ("version", "description", "url", "license"):
    expect(f"idf_component.yml has {key}", re.search(rf"^{key}: \"[^\"]+\"$", manifest, re.M))
expect("its version", f'version: "{version}"' in manifest)
for f in re.findall(r"- path: (.*)", manifest):
    expect(f"example {f}", (e / f / "CMakeLists.txt").is_file() and (e / f / "main/CMakeLists.txt").is_file())

# Zephyr's modules
z = out / "zephyr/b2s6"
module = (z / "zephyr/module.yml").read_text()
expect("module.yml: name", re.search(r"^name: [a-z0-9_-]+$", module, re.M))
expect("cmake is a folder with CMakeLists.txt", (z / re.search(r"cmake: (\S+)", module)[1] / "CMakeLists.txt").is_file())
kconfig = (z / re.search(r"kconfig: (\S+)", module)[1]).read_text()
options = re.findall(r"^config (\w+)$", kconfig, re.M)
used = re.findall(r"CONFIG_(B2S6\w*)", (z / "zephyr/CMakeLists.txt").read_text())
expect("every option is used, every used one is there", set(options) == set(used))
expect("every switch exists", all("defined(" + s + ")" in (z / "b2s6.c").read_text() or "ifdef " + s in (z / "b2s6.c").read_text()
                                  for s in re.findall(r" (B2S6_NO_\w+)\)", (z / "zephyr/CMakeLists.txt").read_text())))
expect("an application's three files", all((z / "samples/digits" / f).is_file() for f in ("CMakeLists.txt", "prj.conf", "sample.yaml")))

# Open-CMSIS-Pack
c = out / "cmsis/b2s6"
pdsc = list(c.glob("*.pdsc"))
tree = xml.etree.ElementTree.parse(pdsc[0]).getroot()
text = {child.tag: (child.text or "").strip() for child in tree}
expect("one description, vendor.name.pdsc", len(pdsc) == 1 and pdsc[0].name == f"{text['vendor']}.{text['name']}.pdsc")
expect("elements in the schema's order", [x for x in ("vendor", "name", "description", "url", "license", "releases", "keywords", "conditions",
                                                      "components")] == [child.tag for child in tree])
release = tree.find("releases/release").attrib
expect("the release", release["version"] == version and re.fullmatch(r"\d{4}-\d\d-\d\d", release["date"]))
for f in tree.iter("file"):
    expect(f"{f.get('name')} exists", (c / f.get("name")).is_file())
conditions = {x.get("id") for x in tree.iter("condition")}
expect("conditions exist", all(x.get("condition") in conditions for x in tree.iter("component")))
expect("licence exists", (c / text["license"]).is_file())
pack = out / f"{text['vendor']}.{text['name']}.{version}.pack"
expect("the pack has the description at its top", pdsc[0].name in zipfile.ZipFile(pack).namelist())
names = zipfile.ZipFile(out / f"b2s6-{version}-arduino.zip").namelist()
expect("Arduino's zip is one folder", {n.split("/")[0] for n in names} == {"b2s6"})

print(f"{passed} passed, {failed} failed")
sys.exit(failed != 0)
