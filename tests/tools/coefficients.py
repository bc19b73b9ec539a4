#!/usr/bin/env python3
"""Derives every polynomial in src/kernel/elementary.h and prints its coefficients as hexadecimal floats.

Method: the minimax fit of the relative error of the value that the polynomial serves (Lawson's iteration on a Chebyshev
grid, targets in 60 digits), then the coefficients are rounded to float32 one at a time, lowest degree first, and the
others are fitted again after each rounding, so that the rounding of one coefficient is absorbed by the rest.
Needs python3 with mpmath and numpy.

    python3 tests/tools/coefficients.py            prints all of them, with the remaining relative error
"""
import struct
import mpmath as mp
import numpy as np

mp.mp.dps = 60


def to_float32(x):
    """Nearest float32 (double first: harmless here, no coefficient is within 2^-53 of a tie)."""
    return mp.mpf(struct.unpack("<f", struct.pack("<f", float(x)))[0])


def hex32(x):
    mantissa, exponent = float(x).hex().split("p")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa}p{exponent}f"


def minimax(target, basis, weight, xs, rounds=60):
    """Coefficients c minimising max |weight * (sum c_j basis_j - target)| over xs (Lawson's reweighted least squares)."""
    w = np.array([float(weight(x)) for x in xs])
    rows = np.array([[float(b(x)) for b in basis] for x in xs]) * w[:, None]
    right = np.array([float(target(x)) for x in xs]) * w
    scale = np.abs(rows).max(axis=0)
    rows /= scale
    lawson = np.full(len(xs), 1.0 / len(xs))
    best, best_peak = None, np.inf
    for _ in range(rounds):
        root = np.sqrt(lawson)
        c, *_ = np.linalg.lstsq(rows * root[:, None], right * root, rcond=None)
        error = np.abs(rows @ c - right)
        if error.max() < best_peak:
            best, best_peak = c, error.max()
        lawson = lawson * error
        lawson /= lawson.sum()
    return best / scale, best_peak


def fit(name, target, basis, weight, lo, hi, grid=400):
    """Rounds the coefficients one by one, fitting the rest again; prints them."""
    lo, hi = mp.mpf(lo), mp.mpf(hi)
    xs = [(lo + hi) / 2 - (hi - lo) / 2 * mp.cos(mp.pi * i / grid) for i in range(grid + 1)]
    fixed = []
    best, ideal = minimax(target, basis, weight, xs)
    while True:
        fixed.append(to_float32(best[0]))
        done = len(fixed)
        if done == len(basis):
            break
        best, _ = minimax(lambda x: target(x) - mp.fsum(c * b(x) for c, b in zip(fixed, basis)),
                          basis[done:], weight, xs)
    xs = [lo + (hi - lo) * i / 4001 for i in range(4002)]
    peak = max(abs(weight(x) * (mp.fsum(c * b(x) for c, b in zip(fixed, basis)) - target(x))) for x in xs)
    print(f"{name}: relative error {mp.nstr(peak, 3)} = 2^{mp.nstr(mp.log(peak, 2), 4)} (unrounded {ideal:.3g})")
    for i, c in enumerate(fixed):
        print(f"    {i}: {hex32(c)}")
    return fixed


def powers(first, count, step=1):
    return [(lambda x, k=first + step * i: x ** k) for i in range(count)]


def split(name, value):
    hi = to_float32(value)
    lo = to_float32(value - hi)
    print(f"{name}: {hex32(hi)} {hex32(lo)}")
    return hi, lo


def away_from_zero(f, limit):
    """f with its removable singularity at 0 filled in."""
    return lambda x: limit if abs(x) < mp.mpf(10) ** -25 else f(x)


def main():
    ln2_hi, _ = split("LN2", mp.log(2))
    split("LOG2E", 1 / mp.log(2))
    split("HALF_LOG2E", 1 / (2 * mp.log(2)))
    pio2_hi, _ = split("PIO2", mp.pi / 2)

    # 2^f - 1 = f (LN2_HI + Q(f))
    expm1 = away_from_zero(lambda f: mp.expm1(f * mp.log(2)) / f, mp.log(2))
    for degree in (4, 5):
        fit(f"EXP2 degree {degree}", lambda f: expm1(f) - ln2_hi, powers(0, degree + 1), lambda f: 1 / expm1(f),
            "-0.5001", "0.5001")

    # sin(pi/2 r) = r (PIO2_HI + S(r^2)), cos(pi/2 r) - 1 = r^2 C(r^2); even functions, so in z = r^2
    zmax = mp.mpf("0.504") ** 2
    sinc = away_from_zero(lambda z: mp.sin(mp.pi / 2 * mp.sqrt(z)) / mp.sqrt(z), mp.pi / 2)
    cosc = away_from_zero(lambda z: -2 * mp.sin(mp.pi / 4 * mp.sqrt(z)) ** 2 / z, -mp.pi ** 2 / 8)
    for degree in (3, 4):
        fit(f"SIN degree {degree}", lambda z: sinc(z) - pio2_hi, powers(0, degree + 1), lambda z: 1 / sinc(z), 0, zmax)
    for degree in (2, 3):
        fit(f"COS degree {degree}", cosc, powers(0, degree + 1), lambda z: 1 / cosc(z), 0, zmax)

    # log(1 + e) = e + e^2 L(e)
    log1p = away_from_zero(lambda e: mp.log1p(e) / e, mp.mpf(1))
    curve = away_from_zero(lambda e: (mp.log1p(e) / e - 1) / e, mp.mpf(-1) / 2)
    for degree in (7, 8, 9):
        fit(f"LOG1P degree {degree}", curve, powers(0, degree + 1), lambda e: e / log1p(e), mp.mpf(10) ** -12, 1)

    gelu_tables()


def lucky_centre(g, middle):
    """A float near middle at which g is a float to within 2^-9 of its last place."""
    for k in range(100000):
        c = to_float32(middle) + k * mp.mpf(2) ** (mp.floor(mp.log(middle, 2)) - 23)
        value = g(c)
        if abs(value - to_float32(value)) < value * mp.mpf(2) ** -33:
            return c
    raise ValueError("no such centre")


def gelu_tables(degree=8):
    """exp(a^2/2) a Phi(-a) for a in [0, 1/4], [1/4, 1/2], [1/2, 1], ... [8, 15]: polynomials in a - centre."""
    mills = lambda a: a * mp.exp(a * a / 2) * mp.erfc(a / mp.sqrt(2)) / 2
    first = fit("GELU [0, 1/4]", away_from_zero(lambda a: mills(a) / a, mp.mpf(1) / 2), powers(0, degree),
                away_from_zero(lambda a: a / mills(a), mp.mpf(2)), 0, "0.25")
    rows, centres = [[mp.mpf(0)] + first], [mp.mpf(0)]
    for lo, hi in ((0.25, 0.5), (0.5, 1), (1, 2), (2, 4), (4, 8), (8, 15)):
        c = lucky_centre(mills, mp.mpf(lo + hi) / 2)
        rows.append(fit(f"GELU [{lo}, {hi}]", lambda t: mills(c + t), powers(0, degree + 1), lambda t: 1 / mills(c + t),
                        lo - c, hi - c))
        centres.append(c)
    print("centres: " + ", ".join(hex32(c) for c in centres))
    for k in range(degree + 1):
        print(f"degree {k}: " + ", ".join(hex32(row[k]) for row in rows))


if __name__ == "__main__":
    main()
