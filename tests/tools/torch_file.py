"""Writes what torch.save makes of a state_dict, and safetensors files, without torch: zip and pickle by hand.

A tensor is (name, type, shape, make): make() gives its bytes, so that a large file is written tensor by tensor. For torch files it may
also be a dict with more: storage (a key that several share), offset, strides, parameter.
"""
import json
import struct
import zipfile

CLASSES = {"F32": "FloatStorage", "F16": "HalfStorage", "BF16": "BFloat16Storage", "F64": "DoubleStorage", "I64": "LongStorage",
           "I32": "IntStorage", "U8": "ByteStorage"}
SIZES = {"F32": 4, "F16": 2, "BF16": 2, "F64": 8, "I64": 8, "I32": 4, "U8": 1}


class Pickle:
    """The opcodes of protocol 2 that PyTorch uses; every value is put into the memo, as its pickler does."""

    def __init__(self):
        self.out = bytearray(b"\x80\x02")
        self.memo = {}

    def put(self, key=None):
        index = len(self.memo)
        self.memo[key if key is not None else ("", index)] = index
        self.out += b"q" + bytes([index]) if index < 256 else b"r" + struct.pack("<I", index)

    def known(self, key):
        if key not in self.memo:
            return False
        index = self.memo[key]
        self.out += b"h" + bytes([index]) if index < 256 else b"j" + struct.pack("<I", index)
        return True

    def text(self, text):
        if not self.known(("text", text)):
            data = text.encode()
            self.out += b"X" + struct.pack("<I", len(data)) + data
            self.put(("text", text))

    def name(self, module, name):
        if not self.known(("name", module, name)):
            self.out += b"c" + module.encode() + b"\n" + name.encode() + b"\n"
            self.put(("name", module, name))

    def number(self, value):
        if 0 <= value < 256:
            self.out += b"K" + bytes([value])
        elif 0 <= value < 65536:
            self.out += b"M" + struct.pack("<H", value)
        elif -2 ** 31 <= value < 2 ** 31:
            self.out += b"J" + struct.pack("<i", value)
        else:
            data = value.to_bytes(8, "little", signed=True)
            self.out += b"\x8a" + bytes([len(data)]) + data

    def numbers(self, values):
        if len(values) > 3:
            self.out += b"("
        for value in values:
            self.number(value)
        self.out += [b")", b"\x85", b"\x86", b"\x87"][len(values)] if len(values) <= 3 else b"t"
        if values:
            self.put()

    def ordered_dict(self):
        self.name("collections", "OrderedDict")
        self.out += b")R"
        self.put()

    def tensor(self, t, key):
        if t.get("parameter"):
            self.name("torch._utils", "_rebuild_parameter")
            self.out += b"("
        self.name("torch._utils", "_rebuild_tensor_v2")
        self.out += b"(("
        self.text("storage")
        self.name("torch", CLASSES[t["type"]])
        self.text(key)
        self.text("cpu")
        self.number(t["count"])
        self.out += b"t"
        self.put()
        self.out += b"Q"
        self.number(t["offset"])
        self.numbers(t["shape"])
        self.numbers(t["strides"])
        self.out += b"\x89"
        self.ordered_dict()
        self.out += b"t"
        self.put()
        self.out += b"R"
        self.put()
        if t.get("parameter"):
            self.out += b"\x88"
            self.ordered_dict()
            self.out += b"t"
            self.put()
            self.out += b"R"
            self.put()


def product(values):
    result = 1
    for value in values:
        result *= value
    return result


def contiguous(shape):
    strides, stride = [], 1
    for size in reversed(shape):
        strides.insert(0, stride)
        stride *= size
    return strides


def whole(tensors):
    """Tensors as dicts with everything said; storages in order, each once: (key, type, make)."""
    result, storages, keys = [], [], {}
    for t in tensors:
        if not isinstance(t, dict):
            t = dict(name=t[0], type=t[1], shape=t[2], make=t[3])
        t = dict(t)
        t.setdefault("offset", 0)
        t.setdefault("strides", contiguous(t["shape"]))
        t.setdefault("count", product(t["shape"]))
        share = t.get("storage", len(result))
        if share not in keys:
            keys[share] = str(len(storages))
            storages.append((keys[share], t["type"], t["make"]))
        t["key"] = keys[share]
        result.append(t)
    return result, storages


def state_dict(tensors, plain=False):
    """The pickle of an OrderedDict with _metadata; of a plain dict without."""
    p = Pickle()
    if plain:
        p.out += b"}"
        p.put()
    else:
        p.ordered_dict()
    for first in range(0, len(tensors), 1000):
        p.out += b"("
        for t in tensors[first:first + 1000]:
            p.text(t["name"])
            p.tensor(t, t["key"])
        p.out += b"u"
    if not plain:
        p.out += b"}"
        p.put()
        p.text("_metadata")
        p.ordered_dict()
        p.text("")
        p.out += b"}"
        p.put()
        p.text("version")
        p.out += b"K\x01sss"
        p.out += b"b"
    p.out += b"."
    return bytes(p.out)


def write_torch(path, tensors, top="pytorch_model", new=False, plain=False):
    """new: with the entries that PyTorch adds since 2.1."""
    tensors, storages = whole(tensors)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        def entry(name, data):
            info = zipfile.ZipInfo(top + "/" + name, (1980, 0, 0, 0, 0, 0))
            begin = archive.fp.tell() + 30 + len(info.filename) + 4
            info.extra = b"FB" + struct.pack("<H", -begin % 64) + b"Z" * (-begin % 64)
            with archive.open(info, "w", force_zip64=False) as out:
                for piece in data if isinstance(data, list) else [data]:
                    out.write(piece)
            info.extra = b""
        entry("data.pkl", state_dict(tensors, plain))
        if new:
            entry(".format_version", b"1")
            entry(".storage_alignment", b"64")
            entry("byteorder", b"little")
        for key, _, make in storages:
            entry("data/" + key, make())
        entry("version", b"3\n")
        if new:
            entry(".data/serialization_id", b"0" * 40)


def write_safetensors(path, tensors, metadata=None):
    header, at = {}, 0
    if metadata:
        header["__metadata__"] = metadata
    for name, kind, shape, _ in tensors:
        size = product(shape) * SIZES[kind]
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        for _, _, _, make in tensors:
            out.write(make())


def write_index(path, parts):
    """parts: file name -> tensors in it."""
    places = {t["name"] if isinstance(t, dict) else t[0]: name for name, tensors in parts.items() for t in tensors}
    with open(path, "w") as out:
        json.dump({"metadata": {"total_size": 0}, "weight_map": places}, out, indent=1)
