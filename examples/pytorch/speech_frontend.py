"""Front end of the spoken digits: 8 kHz int16 -> 24 log-mel features every 16 ms, in integers only.

Every result is defined to the last bit: tables of integers, and int32/int64 additions, products and arithmetic shifts.
examples/speech/frontend.c gives the same numbers, because there is nothing to round differently. All intermediate values fit the types named.

A frame is 256 samples (32 ms), the hop 128 (16 ms): frame t covers samples 128 t ... 128 t + 255.

1. x[n] = (s[n] WINDOW[n] + 128) >> 8                                   int32, |x| <= 2^22; n = 0..255
2. z[n] = x[2n] + i x[2n+1]; Z = FFT of 128 points (radix 2, decimation in time, bit-reversed input); each butterfly is
       t  = rot(b, W^j),  (a, b) <- (a + t, a - t)
       rot((r, i), (c, s)) = ((r c - i s + 2^29) >> 30, (r s + i c + 2^29) >> 30)      one rounding, int64 inside
   with W^j = (COS[..], SIN[..]) = round(2^30 exp(-2 pi i j / size))
3. for k = 1..127, with Z' = conj(Z[128 - k]):  Y[k] = Z[k] + Z' + rot(Z[k] - Z', -i W256^k)      (twice the spectrum)
   P[k] = (re Y[k]^2 + im Y[k]^2) >> 12                                 uint64, < 2^50
4. E[m] = 2^20 + sum of WEIGHT P: bin k adds P[k] w to band j and P[k] (256 - w) to band j - 1, (j, w) = MEL[k]     uint64
5. L[m] = log2(E[m]) in 1/256, less 20 * 256, int16 >= 0:
       k = floor(log2 E), f = (E >> (k - 16)) & 65535
       g = f + (((f (65536 - f)) >> 16) 22512 >> 16)                    log2(1 + f), within 0.009
       L = ((((k - 20) << 16) + g) + 128) >> 8
6. feature[m] = (L[m] - 4096) / 1024                                    exact in float32
"""
import numpy as np

RATE, FRAME, HOP, BANDS = 8000, 256, 128, 24
LOW, HIGH = 80.0, 3900.0                        # Hz, ends of the outermost triangles
CENTRE, SCALE = 4096, 1024


def tables():
    n = np.arange(FRAME)
    window = np.floor(32768 * np.sin(np.pi * (n + 0.5) / FRAME) ** 2 + 0.5).astype(np.int64)     # symmetric: 128 numbers
    j = np.arange(128)
    cos = np.floor(2.0 ** 30 * np.cos(2 * np.pi * j / 256) + 0.5).astype(np.int64)               # of W256^j
    sin = np.floor(2.0 ** 30 * -np.sin(2 * np.pi * j / 256) + 0.5).astype(np.int64)
    mel = lambda f: 2595 * np.log10(1 + f / 700)
    place = (mel(np.arange(128) * RATE / FRAME) - mel(LOW)) / (mel(HIGH) - mel(LOW)) * (BANDS + 1)
    band = np.floor(place).astype(np.int64)
    weight = np.floor(256 * (place - band) + 0.5).astype(np.int64)
    weights = np.zeros((128, BANDS), np.int64)
    for k in range(1, 128):
        if 0 <= place[k] < BANDS + 1:
            if band[k] < BANDS:
                weights[k, band[k]] += weight[k]
            if band[k] >= 1:
                weights[k, band[k] - 1] += 256 - weight[k]
    return window, cos, sin, weights


WINDOW, COS, SIN, WEIGHTS = tables()
REVERSED = np.array([int(f"{i:07b}"[::-1], 2) for i in range(128)])


def rot(r, i, c, s):
    half = 1 << 29
    return (r * c - i * s + half) >> 30, (r * s + i * c + half) >> 30


def spectrum(x):
    """x (frames, 256) -> re, im (frames, 127): twice the DFT at bins 1..127"""
    re, im = x[:, 0::2][:, REVERSED].copy(), x[:, 1::2][:, REVERSED].copy()
    size = 2
    while size <= 128:
        half = size // 2
        c, s = COS[:128:256 // size][:half], SIN[:128:256 // size][:half]
        r, i = re.reshape(-1, 128 // size, size), im.reshape(-1, 128 // size, size)
        tr, ti = rot(r[..., half:], i[..., half:], c, s)
        ar, ai = r[..., :half].copy(), i[..., :half].copy()
        r[..., :half], i[..., :half] = ar + tr, ai + ti
        r[..., half:], i[..., half:] = ar - tr, ai - ti
        size *= 2
    k = np.arange(1, 128)
    mr, mi = re[:, 128 - k], -im[:, 128 - k]
    tr, ti = rot(re[:, k] - mr, im[:, k] - mi, SIN[k], -COS[k])          # -i (c + i s) = s - i c
    yr, yi = re[:, k] + mr + tr, im[:, k] + mi + ti
    assert max(np.abs(yr).max(), np.abs(yi).max()) < 2 ** 31
    return yr, yi


def log2_q8(e):
    """e (…) int64 >= 2^20 -> 256 log2(e / 2^20)"""
    k = np.frexp(e.astype(np.float64))[1].astype(np.int64) - 1           # floor(log2 e) up to rounding of e to 53 bits
    k -= (e >> k) == 0
    k += (e >> k) > 1
    f = (e >> (k - 16)) & 65535
    g = f + ((((f * (65536 - f)) >> 16) * 22512) >> 16)
    return ((((k - 20) << 16) + g) + 128) >> 8


def log_mel(samples):
    """int16 (N) -> int16 (frames, 24); only whole frames"""
    s = np.asarray(samples, np.int64)
    count = max(0, (len(s) - FRAME) // HOP + 1)
    out = np.empty((count, BANDS), np.int16)
    for first in range(0, count, 4096):
        t = np.arange(first, min(first + 4096, count))
        x = (s[t[:, None] * HOP + np.arange(FRAME)] * WINDOW + 128) >> 8
        yr, yi = spectrum(x)
        power = (yr * yr + yi * yi) >> 12
        out[t] = log2_q8((1 << 20) + power @ WEIGHTS[1:])
    return out


def features(samples):
    return (log_mel(samples).astype(np.float32) - CENTRE) / SCALE


def c_tables():
    """examples/speech/frontend_tables.h"""
    def array(kind, name, numbers, comment, width=12):
        numbers = [str(n) for n in numbers]
        rows = ["    " + ", ".join(numbers[i:i + width]) for i in range(0, len(numbers), width)]
        return f"/* {comment} */\nstatic const {kind} {name} = {{\n" + ",\n".join(rows) + "\n};\n"

    band, weight = [], []
    for k in range(128):
        at = np.flatnonzero(WEIGHTS[k])
        # w goes to the band above the bin's place, 256 - w to the one below; NO_BAND marks bins outside all.
        place = (at[-1] if len(at) > 1 or WEIGHTS[k, at[0]] != 256 else at[0]) if len(at) else None
        if place is None:
            band.append(255)
            weight.append(0)
        elif len(at) > 1:
            band.append(int(place))
            weight.append(int(WEIGHTS[k, place]))
        elif k < 64:                            # rising flank of the first band
            band.append(int(place))
            weight.append(int(WEIGHTS[k, place]))
        else:                                   # falling flank of the last
            band.append(int(place) + 1)
            weight.append(256 - int(WEIGHTS[k, place]))
    turns = [n for pair in zip(COS.tolist(), SIN.tolist()) for n in pair]
    return "\n".join([
        "/* frontend_tables.h - the front end's constants; written by examples/pytorch/speech_frontend.py --tables */",
        "#ifndef SPEECH_FRONTEND_TABLES_H\n#define SPEECH_FRONTEND_TABLES_H\n\n#include <stdint.h>\n",
        array("uint16_t", "window[128]", WINDOW[:128].tolist(), "(128): 2^15 sin^2, the first half; the second is its mirror image"),
        array("int32_t", "turns[256]", turns, "(128, 2): cosine and sine of -2 pi j / 256, times 2^30", 10),
        array("uint8_t", "mel_band[128]", band, "(128): a bin adds weight / 256 of its power to this band, the rest to the one below; "
              "255: to none", 24),
        array("uint16_t", "mel_weight[128]", weight, "(128): 0 .. 256", 20),
        "#endif"])


if __name__ == "__main__":
    import sys
    if sys.argv[1:] != ["--tables"]:
        sys.exit("usage: speech_frontend.py --tables >examples/speech/frontend_tables.h")
    print(c_tables())
