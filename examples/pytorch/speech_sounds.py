"""Sounds that are no words, and streams made of sounds and clips; NumPy only, the same from a seed everywhere.

    clips()                          the Free Spoken Digit Dataset from fsdd.npz (docs/models.md)
    noise(kind, rng, n)              n samples of a kind of KINDS, float, root mean square 1
    word_stream(...)                 words at equal level over pink noise, with their times
    noise_hour(...)                  sounds of every kind and words played backwards, no word among them
"""
import os

import numpy as np

RATE = 8000
WORD_LEVEL = 2000.0                             # root mean square of a word in the streams
SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
KINDS = ("pink", "white", "brown", "hum", "clicks", "beeps", "gusts", "babble")


def clips(path=None):
    """[int16 samples] of all 3,000 clips, and label, speaker, index (3000)"""
    z = np.load(path or os.environ.get("FSDD", "fsdd.npz"))
    ends = np.cumsum(z["length"].astype(np.int64))
    return np.split(z["audio"], ends[:-1]), z["label"].astype(int), z["speaker"].astype(int), z["index"].astype(int)


def unit_rms(x):
    return x / max(np.sqrt(np.mean(np.square(x))), 1e-9)


def coloured(rng, n, power):
    """Noise whose power falls with frequency as f ** -power: 0 white, 1 pink, 2 brown; flat below 20 Hz"""
    z = np.fft.rfft(rng.standard_normal(n))
    f = np.maximum(np.fft.rfftfreq(n, 1 / RATE), 20.0)
    z *= f ** (-power / 2)
    z[0] = 0
    return np.fft.irfft(z, n)


def hum(rng, n):
    t = np.arange(n) / RATE
    base = rng.choice([50.0, 60.0]) * (1 + 0.002 * rng.standard_normal())
    x = sum(rng.uniform(0.2, 1) / k ** rng.uniform(0.3, 1.5) * np.sin(2 * np.pi * (k * base * t + rng.uniform()))
            for k in range(1, rng.integers(4, 30)))
    return unit_rms(x) + rng.uniform(0, 0.1) * rng.standard_normal(n)


def clicks(rng, n):
    """Impulses and short decaying resonances, from one in two seconds to twenty in one"""
    x = np.zeros(n)
    for at in rng.integers(0, n, max(1, int(n / RATE * rng.uniform(0.5, 20)))):
        size = rng.integers(1, 400)
        t = np.arange(min(size, n - at))
        burst = np.exp(-5 * t / size) * (rng.standard_normal(len(t)) if rng.uniform() < 0.5
                                         else np.sin(2 * np.pi * t * rng.uniform(100, 3900) / RATE + 1))
        x[at:at + len(t)] += burst * rng.uniform(0.2, 1)
    return x + 1e-3 * rng.standard_normal(n)


def beeps(rng, n):
    """Tones, pairs of tones and sweeps with pauses, each with harmonics or without"""
    x = np.zeros(n)
    at = 0
    while at < n:
        length = int(RATE * rng.uniform(0.03, 0.6))
        t = np.arange(min(length, n - at)) / RATE
        f0, sweep = np.exp(rng.uniform(np.log(150), np.log(3500))), rng.choice([0, 0, 1]) * rng.uniform(-2000, 2000)
        tone = sum(rng.uniform(0, 1) * np.sin(2 * np.pi * (f * k * t + k * sweep * t * t / 2))
                   for f in ([f0] if rng.uniform() < 0.6 else [f0, f0 * rng.uniform(1.1, 2)])
                   for k in range(1, rng.integers(2, 5)) if f * k < 3900)
        ramp = np.minimum(1, np.minimum(t, t[::-1]) / 0.005)
        x[at:at + len(t)] = tone * ramp * rng.uniform(0.3, 1) if np.ndim(tone) else 0
        at += length + int(RATE * rng.uniform(0.02, 0.8))
    return x + 1e-3 * rng.standard_normal(n)


def gusts(rng, n):
    """Coloured noise that swells and ebbs, as wind, breath and rustling do"""
    slow = coloured(rng, n // 64 + 2, 1.5)
    level = np.exp(1.5 * unit_rms(np.interp(np.arange(n) / 64, np.arange(len(slow)), slow)))
    return coloured(rng, n, rng.uniform(0, 2)) * level


def babble(rng, n, voices):
    """Several voices backwards at once; voices: [samples]"""
    x = np.zeros(n)
    for _ in range(rng.integers(3, 7)):
        at = 0
        while at < n:
            v = unit_rms(voices[rng.integers(len(voices))][::-1].astype(float))[:n - at]
            x[at:at + len(v)] += v
            at += len(v) + rng.integers(0, RATE // 4)
    return x


def noise(kind, rng, n, voices=None):
    made = {"pink": lambda: coloured(rng, n, 1), "white": lambda: coloured(rng, n, 0), "brown": lambda: coloured(rng, n, 2),
            "hum": lambda: hum(rng, n), "clicks": lambda: clicks(rng, n), "beeps": lambda: beeps(rng, n),
            "gusts": lambda: gusts(rng, n), "babble": lambda: babble(rng, n, voices)}[kind]()
    return unit_rms(made)


def as_samples(x):
    return np.clip(np.round(x), -32768, 32767).astype(np.int16)


def word_stream(words, labels, rng, repeats=1, snr=20.0, gap=(0.25, 1.0)):
    """Every word `repeats` times in random order, WORD_LEVEL each, over pink noise `snr` dB below it.

    returns samples int16 and rows (label, first sample, end sample) of the words
    """
    order = np.concatenate([rng.permutation(len(words)) for _ in range(repeats)])
    pieces, rows, at = [], [], 0
    for i in order:
        pause = int(RATE * rng.uniform(*gap))
        pieces += [np.zeros(pause), unit_rms(words[i].astype(float)) * WORD_LEVEL]
        at += pause
        rows.append((labels[i], at, at + len(words[i])))
        at += len(words[i])
    x = np.concatenate(pieces + [np.zeros(RATE)])
    return as_samples(x + coloured_long(rng, len(x), WORD_LEVEL * 10 ** (-snr / 20))), np.array(rows)


def coloured_long(rng, n, level):
    """Pink noise of any length, in pieces of a minute"""
    return np.concatenate([level * unit_rms(coloured(rng, min(60 * RATE, max(n - at, 2)), 1)) for at in range(0, n, 60 * RATE)])[:n]


def noise_hour(words, rng, seconds=3600):
    """Pieces of 2 to 10 s: noise of a kind, or words backwards with pauses, at -20 to 0 dB of WORD_LEVEL over soft pink noise"""
    pieces, n = [], 0
    while n < seconds * RATE:
        size = int(RATE * rng.uniform(2, 10))
        kind = rng.choice(["pink", "white", "hum", "clicks", "beeps", "gusts", "reversed", "reversed"])
        if kind == "reversed":
            x = []
            while sum(map(len, x)) < size:
                x += [unit_rms(words[rng.integers(len(words))][::-1].astype(float)), np.zeros(int(RATE * rng.uniform(0.25, 1)))]
            x = np.concatenate(x)
        else:
            x = noise(kind, rng, size) * 10 ** (-rng.uniform(0, 20) / 20)
        pieces.append(x * WORD_LEVEL)
        n += len(x)
    x = np.concatenate(pieces)[:seconds * RATE]
    return as_samples(x + coloured_long(rng, len(x), WORD_LEVEL / 20))


def write_wav(path, samples, rate=RATE):
    import wave
    with wave.open(path, "wb") as f:
        f.setparams((1, 2, rate, 0, "NONE", ""))
        f.writeframes(samples.astype("<i2").tobytes())
