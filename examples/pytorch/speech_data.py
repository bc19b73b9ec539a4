"""Training material for the spoken digits, made on the fly: words changed in voice, tempo and room, over noise, in sequences.

Everything is done on energies of mel bands, which add where sounds add. `Pool` holds every clip in many variants; a batch is
gathered from it. A step of the models takes two frames (32 ms); class 0 is "no word", class d + 1 digit d.
"""
import math

import numpy as np
import torch

import speech_frontend as frontend
import speech_sounds as sounds

FRAMES_A_STEP, CLASSES, BANDS = 2, 11, frontend.BANDS
WORD_FRAMES = 80                                # of a word in the pool, 1.28 s
HOLD, FADE = 6, 3                               # steps after its end in which a word must be named, and may still be named


def uniform(shape, low, high, generator, device):
    return low + (high - low) * torch.rand(shape, generator=generator, device=device)


class Voices:
    """Changes of voice, as ranges: rate of playing (pitch, formants and tempo), tempo alone, formants alone"""

    def __init__(self, rate=0.0, tempo=0.0, formants=0.0, room=0.0):
        self.rate, self.tempo, self.formants, self.room = rate, tempo, formants, room


PLAIN = Voices(0.02, 0.05, 0.0, 0.2)
MILD = Voices(0.12, 0.2, 0.08, 0.4)
STRONG = Voices(0.2, 0.3, 0.15, 0.5)


class Pool:
    """log2 of the band energies of clips, each in several variants: table (variants * clips * WORD_FRAMES, 24), half precision

    Levels are sounds.WORD_LEVEL; `level` (clips) is what the recording had, in log2 of energy relative to that. `frames`
    (variants * clips) is the length of a word in frames, not whole.
    """

    def __init__(self, clips, voices, device, seed=0):
        self.device, self.count, self.variants = device, len(clips), len(voices)
        self.generator = torch.Generator(device=device).manual_seed(seed)
        lengths = [len(c) for c in clips]
        self.length = torch.tensor(lengths, device=device)
        self.start = torch.tensor(np.cumsum([0] + lengths[:-1]), device=device)
        self.audio = torch.from_numpy(np.concatenate(clips)).to(device, torch.float32)
        rms = torch.tensor([max(1.0, float(np.sqrt(np.mean(np.square(c.astype(float)))))) for c in clips], device=device)
        self.gain = sounds.WORD_LEVEL / rms
        self.level = -2 * torch.log2(self.gain)
        self.voices = voices
        f32 = lambda a: torch.from_numpy(np.ascontiguousarray(a)).to(device, torch.float32)
        self.window, self.weights = f32(frontend.WINDOW / 256.0), f32(frontend.WEIGHTS[1:])
        k = torch.arange(127, device=device, dtype=torch.float32)
        smooth = torch.exp(-0.5 * ((k[:, None] - k) / 3.0) ** 2)
        self.smooth = smooth / smooth.sum(0, keepdim=True)
        rows = self.count * WORD_FRAMES
        self.table = torch.empty(self.variants * rows, BANDS, dtype=torch.float16, device=device)
        self.frames = torch.empty(self.variants * self.count, device=device)
        self.renew()

    def renew(self):
        """Draw all variants anew, in place."""
        part = 250
        for v, voice in enumerate(self.voices):
            for first in range(0, self.count, part):
                ids = torch.arange(first, min(first + part, self.count), device=self.device)
                energy, frames = self.variant(ids, voice)
                at = v * self.count + first
                self.table[at * WORD_FRAMES:(at + len(ids)) * WORD_FRAMES] = energy.flatten(0, 1).half()
                self.frames[at:at + len(ids)] = frames

    def draw(self, n, low, high):
        return uniform((n,), low, high, self.generator, self.device)

    def variant(self, ids, voice):
        """log2 energies (clips, WORD_FRAMES, 24) and lengths in frames of the clips under new random voices"""
        n = len(ids)
        rate = torch.exp(self.draw(n, -voice.rate, voice.rate))
        hop = frontend.HOP * torch.exp(self.draw(n, -voice.tempo, voice.tempo))
        late = self.draw(n, 0, 1) * (self.draw(n, 0, 1) < 0.5) * frontend.HOP       # where in a hop the word begins
        t = torch.arange(WORD_FRAMES, device=self.device)[None, :, None] * hop[:, None, None]
        place = (t + torch.arange(frontend.FRAME, device=self.device) - late[:, None, None]) * rate[:, None, None]
        x = self.samples(ids, place) * self.gain[ids][:, None, None]
        power = torch.fft.rfft(x * self.window)[..., 1:128].abs().square() * (4 / 4096.0)
        if voice.formants:
            power = self.warp(power, voice.formants)
        energy = power @ self.weights
        energy = self.reverberate(energy, voice.room)
        return torch.log2(energy + 1e-6), (self.length[ids] / rate + late) / hop

    def samples(self, ids, place):
        """Catmull-Rom interpolation of the clips at places (clips, frames, 256), silence outside"""
        whole = place.floor()
        f = place - whole
        whole = whole.long()
        last, first = self.length[ids][:, None, None] - 1, self.start[ids][:, None, None]

        def tap(k):
            at = whole + k
            inside = (at >= 0) & (at <= last)
            return self.audio[first + torch.minimum(at.clamp(min=0), last)] * inside

        a, b, c, d = tap(-1), tap(0), tap(1), tap(2)
        return b + 0.5 * f * (c - a + f * (2 * a - 5 * b + 4 * c - d + f * (3 * (b - c) + d - a)))

    def warp(self, power, amount):
        """Stretch the spectrum's envelope, by one factor at low and another at high frequencies; harmonics stay where they are."""
        n = len(power)
        log = torch.log2(power + 1.0)
        envelope = log @ self.smooth
        k = torch.arange(127, device=self.device, dtype=torch.float32)
        both = self.draw(n, -amount, amount)[:, None]
        low, high = both + self.draw(n, -amount / 2, amount / 2)[:, None], both + self.draw(n, -amount / 2, amount / 2)[:, None]
        at = (k * torch.exp(low + (high - low) * k / 126)).clamp(0, 125.999)
        whole = at.long()
        f = (at - whole)[:, None]
        index = whole[:, None].expand(-1, power.shape[1], -1)
        warped = envelope.gather(2, index) * (1 - f) + envelope.gather(2, index + 1) * f
        return torch.exp2(log - envelope + warped)

    def reverberate(self, energy, share):
        """A tail that decays by 60 dB in 0.1 to 0.5 s, for a share of the clips"""
        n = len(energy)
        decay = 10 ** (-6 * 0.016 / self.draw(n, 0.1, 0.5))
        wet = self.draw(n, 0.02, 0.5) * (self.draw(n, 0, 1) < share)
        k = torch.arange(WORD_FRAMES, device=self.device)
        lag = (k[:, None] - k).float()                                              # (to, from)
        kernel = torch.where(lag > 0, wet[:, None, None] * decay[:, None, None] ** lag.clamp(min=0), (lag == 0).float())
        return torch.bmm(kernel, energy)


def noise_table(clips, seed, seconds=48, each=3):
    """log2 band energies of noises, (kinds * each, frames, 24) half precision, level WORD_LEVEL"""
    rng = np.random.default_rng(seed)
    made = [frontend.log_mel(sounds.as_samples(sounds.noise(kind, rng, seconds * sounds.RATE, clips) * sounds.WORD_LEVEL))
            for kind in sounds.KINDS for _ in range(each)]
    return np.stack(made).astype(np.float16) / 256 + 20


class Batches:
    """Sequences of `frames` frames with up to three words; features (models, batch, steps, 48), allowed (models, batch, steps, 11)

    members   (models, most) the clips that a model is trained on; counts (models) how many
    variants  (models, 2) from which variant of the pool to which
    masks     (models) how often some neighbouring bands of a sequence are blanked
    strange   share of the sounds that are no words: two thirds of them words backwards, the others in pieces or upside down
    """

    def __init__(self, pool, noises, labels, members, variants, masks, batch, strange=0.18, frames=192, slots=3):
        device = pool.device
        self.pool, self.batch, self.frames, self.slots = pool, batch, frames, slots
        self.bounds = 1 - strange, 1 - strange / 3, 1 - strange / 6
        self.noises = torch.from_numpy(noises).to(device).flatten(0, 1)
        self.noise_kinds, self.noise_frames = noises.shape[:2]
        self.labels = torch.as_tensor(labels, device=device)
        most = max(map(len, members))
        self.members = torch.tensor([list(m) + [0] * (most - len(m)) for m in members], device=device)
        self.counts = torch.tensor([len(m) for m in members], device=device)
        self.variants = torch.tensor(variants, device=device)
        self.masks = torch.tensor(masks, device=device, dtype=torch.float32)
        self.models = len(members)
        self.bins = torch.tensor((frontend.WEIGHTS > 0).sum(0), device=device, dtype=torch.float32)

    def rand(self, *shape, low=0.0, high=1.0):
        """From the device's default generator, whose draws a CUDA graph repeats anew"""
        return low + (high - low) * torch.rand(self.models, self.batch, *shape, device=self.pool.device)

    def words(self):
        """clip, row of the pool's table, word frames, start frame and kind of every slot, each (models, batch, slots)"""
        pick = (self.rand(self.slots) * self.counts[:, None, None]).long()
        clip = self.members.gather(1, pick.flatten(1)).view(pick.shape)
        low, high = self.variants[:, 0, None, None], self.variants[:, 1, None, None]
        variant = (low + self.rand(self.slots) * (high - low)).long()
        word = variant * self.pool.count + clip
        length = self.pool.frames[word]
        pauses = self.rand(self.slots, low=14, high=50).round()
        first = torch.where(self.rand() < 0.35, 0.0, 60 * self.rand().square())
        pauses[..., 0] = first.round()
        whole = length.ceil()
        start = pauses.cumsum(-1) + whole.cumsum(-1) - whole
        return clip, word, length, start.long(), self.rand(self.slots)

    def energies(self, word, length, start, kind):
        """Band energies of the slots (models, batch, slots, frames, 24): words, words backwards, upside down, in pieces"""
        t = torch.arange(self.frames, device=self.pool.device)
        at = t - start[..., None]
        inside = (at >= 0) & (at < WORD_FRAMES)
        whole = length.ceil().long().clamp(2, WORD_FRAMES)[..., None]
        at = at.clamp(0, WORD_FRAMES - 1)
        kind = kind[..., None]
        backwards = (whole - 1 - at)
        pieces = (whole + 3) // 4
        shuffled = (at // 4 * 7 + 3) % pieces * 4 + at % 4
        word_end, backwards_end, pieces_end = self.bounds
        other = torch.where(kind < backwards_end, backwards, shuffled)
        straight = (kind < word_end) | (kind > pieces_end)
        inside = inside & (straight | (at < whole))
        at = torch.where(straight, at, other.clamp(0, WORD_FRAMES - 1))
        rows = self.pool.table[word[..., None] * WORD_FRAMES + at].float()
        rows = torch.where((kind > pieces_end)[..., None], rows.flip(-1), rows)
        return torch.exp2(rows) * inside[..., None]

    def noise(self, level):
        """Band energies (models, batch, frames, 24) of a noise at a level (models, batch) in log2 relative to WORD_LEVEL"""
        kind = (self.rand() * self.noise_kinds).long()
        first = (self.rand() * (self.noise_frames - self.frames)).long()
        at = (kind * self.noise_frames + first)[..., None] + torch.arange(self.frames, device=self.pool.device)
        return torch.exp2(self.noises[at].float() + level[..., None, None])

    def next(self):
        clip, word, length, start, kind = self.words()
        is_word = kind < self.bounds[0]
        db = math.log2(10) / 10
        loud = self.rand(low=-24 * db, high=8 * db)[..., None] + self.rand(self.slots, low=-3 * db, high=3 * db)
        recorded = self.pool.level[clip] + self.rand(self.slots, low=-3 * db, high=3 * db)
        level = torch.where((self.rand() < 0.4)[..., None], recorded, loud)
        absent = (self.rand() < 0.08)[..., None]
        speech = self.energies(word, length, start, kind) * torch.exp2(level)[..., None, None]
        speech = speech.sum(2) * ~absent[..., None]
        below = torch.where(self.rand() < 0.15, 40.0, self.rand(low=8 * db, high=45 * db))
        event = torch.where(self.rand() < 0.25, self.rand(low=-3 * db, high=25 * db), 40.0)
        noise = self.noise(level[..., 0] - below) + self.noise(level[..., 0] - event)
        beat = torch.randn(speech.shape, device=speech.device) * (0.5 / self.bins).sqrt()
        energy = speech + noise + 2 * (speech * noise).sqrt() * beat.clamp(-1, 1)
        colour = self.colour()[..., None, :]
        features = (torch.log2(energy * torch.exp2(colour) + 2.0 ** 20) * 256 - 20 * 256 - frontend.CENTRE) / frontend.SCALE
        features = features * ~self.masked()[..., None, :]
        features = features.reshape(self.models, self.batch, self.frames // FRAMES_A_STEP, FRAMES_A_STEP * BANDS)
        return features, self.allowed(clip, length, start, is_word & ~absent)

    def colour(self):
        """Of microphone and channel: a tilt and a bend over the bands, log2 of energy (models, batch, 24)"""
        x = torch.linspace(-1, 1, BANDS, device=self.pool.device)
        return self.rand(1, low=-2, high=2) * x + self.rand(1, low=-1.2, high=1.2) * torch.cos(math.pi * (x + self.rand(1)))

    def masked(self):
        """Bands to blank, (models, batch, 24)"""
        band = torch.arange(BANDS, device=self.pool.device)
        first, width = self.rand(1, low=-3, high=BANDS), self.rand(1, low=1, high=6)
        return (self.rand(1) < self.masks[:, None, None]) & (band >= first) & (band < first + width)

    def allowed(self, clip, length, start, is_word):
        """Which classes a step may name: the digit alone for HOLD steps from the word's end on, it or none a little before and after"""
        steps = torch.arange(self.frames // FRAMES_A_STEP, device=self.pool.device)
        none = torch.ones(self.models, self.batch, len(steps), device=self.pool.device, dtype=torch.bool)
        digits = torch.zeros(*none.shape, CLASSES - 1, device=self.pool.device, dtype=torch.bool)
        for s in range(self.slots):
            end = start[..., s] + length[..., s]
            # Step k has seen 128 (2 k + 3) samples.
            due = ((end - 3) / 2).ceil()[..., None]
            middle = ((end - length[..., s] / 2 - 3) / 2).ceil()[..., None]
            real = is_word[..., s, None]
            must = real & (steps >= due) & (steps < due + HOLD)
            may = real & (steps >= middle) & (steps < due + HOLD + FADE)
            named = torch.arange(CLASSES - 1, device=self.pool.device) == self.labels[clip[..., s]][..., None, None]
            digits |= may[..., None] & named
            none &= ~must
        return torch.cat([none[..., None], digits], -1)
