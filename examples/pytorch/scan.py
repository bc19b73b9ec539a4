"""The recurrence of a B2S6 unit over a whole sequence, in plain PyTorch.

`scan` is the one function a faster implementation has to provide. It works on any device, in float32 and
float64, and is differentiable in every tensor argument. Of everything with an axis for states it stores only the
states themselves, batch * L * d * n numbers: the rest is formed for a few steps at a time, which stay in the cache,
and once more in the backward pass. A fused kernel can keep the states on chip, too.

Complex quantities are complex tensors here (torch.view_as_real gives interleaved real and imaginary parts).
"""
import torch


def exp_and_expm1(z):
    """exp(z) and exp(z) - 1; the second does not cancel for small |z| (steps of 1e-6 and below).

    For z = a + ib:  exp(z) - 1 = (expm1(a) cos(b) - 2 sin^2(b/2)) + i exp(a) sin(b).
    """
    if not z.is_complex():
        return torch.exp(z), torch.expm1(z)
    a, half = z.real, z.imag / 2
    e, s, c = torch.exp(a), torch.sin(half), torch.cos(half)
    two_ss = 2 * s * s
    cos_b = 1 - two_ss
    im = e * (2 * s * c)
    return torch.complex(e * cos_b, im), torch.complex(torch.expm1(a) * cos_b - two_ss, im)


def conj(t):
    """A conjugate in memory: products with PyTorch's lazy one take a slow path."""
    return t.conj().resolve_conj() if t.is_complex() else t


def real(t):
    return t.real if t.is_complex() else t


def at(t, steps):
    """The given steps of a tensor with time first; a constant has one for all."""
    return t if t.shape[0] == 1 else t[steps]


def chunks(shape, on_gpu):
    """Slices of time whose states fit a core's cache; a GPU takes all steps at once."""
    length, states_a_step = shape[0], shape[1:].numel()
    size = length if on_gpu else max(1, 2 ** 16 // states_a_step)
    return [slice(k, min(k + size, length)) for k in range(0, length, size)]


class _Scan(torch.autograd.Function):
    """scan() with time first and all axes present; B + B_bias is the unit's B, and either may be None.

    u, delta (L, batch, h, p)      A, B_bias (h, p, n)
    B (L, batch, h, 1, n)          C (L, batch, h, 1, n) or (1, 1, h, p, n)          y (L, batch, h, p)
    """

    @staticmethod
    def discretise(delta, A, inverse_A):
        """Abar and the factor from B to Bbar; inverse_A is None for euler."""
        decay, grown = exp_and_expm1(delta.unsqueeze(-1) * A)
        return decay, delta.unsqueeze(-1) if inverse_A is None else grown * inverse_A

    @staticmethod
    def whole_B(B, B_bias, steps):
        if B is None:
            return B_bias
        return B[steps] if B_bias is None else B[steps] + B_bias

    @staticmethod
    def forward(ctx, u, delta, A, B, B_bias, C, zoh):
        x = A.new_empty(*u.shape, A.shape[-1])                      # (L, batch, h, p, n)
        y = torch.empty_like(u)
        inverse_A = 1 / A if zoh else None
        last = torch.zeros_like(x[0])
        for steps in chunks(x.shape, x.is_cuda):
            decay, gain = _Scan.discretise(delta[steps], A, inverse_A)
            drive = gain * (_Scan.whole_B(B, B_bias, steps) * u[steps].unsqueeze(-1))
            for k, out in enumerate(x[steps]):
                last = torch.addcmul(drive[k], decay[k], last, out=out)
            c = at(C, steps)
            cx = x[steps] * c if c.is_complex() else real(x[steps]) * c
            torch.sum(real(cx), -1, out=y[steps])
        ctx.save_for_backward(u, delta, A, B, B_bias, C, x)
        ctx.zoh = zoh
        return y

    @staticmethod
    def backward(ctx, grad_y):
        """The adjoint g of the state runs backwards, g_k = conj(C_k) grad_k + conj(Abar_(k+1)) g_(k+1), and from it
        d Abar_k = g_k conj(x_(k-1)) and d(Bbar_k u_k) = g_k."""
        u, delta, A, B, B_bias, C, x = ctx.saved_tensors
        inverse_A = 1 / A if ctx.zoh else None
        grads = {name: None if t is None else torch.zeros_like(t)
                 for name, t in (("u", u), ("delta", delta), ("A", A), ("B", B), ("B_bias", B_bias), ("C", C))}

        def add(name, steps, value):
            """Add what the given steps contribute, summed over the axes the tensor does not have."""
            t = grads[name]
            if t is not None and t.dim() == value.dim() and t.shape[0] > 1:
                t[steps] += value.sum_to_size(t[steps].shape)
            elif t is not None:
                t += value.sum_to_size(t.shape)

        carry = torch.zeros_like(x[0])                              # conj(Abar_(k+1)) g_(k+1)
        for steps in reversed(chunks(x.shape, x.is_cuda)):
            us, ds = u[steps].unsqueeze(-1), delta[steps].unsqueeze(-1)
            gy, c, b = grad_y[steps].unsqueeze(-1), at(C, steps), _Scan.whole_B(B, B_bias, steps)
            decay, gain = _Scan.discretise(delta[steps], A, inverse_A)
            add("C", steps, gy * conj(x[steps]) if c.is_complex() else gy * real(x[steps]))

            g = (gy * conj(c)).to(x.dtype)
            turned = conj(decay)
            for k in range(len(g) - 1, -1, -1):
                g[k] += carry
                carry = turned[k] * g[k]

            before = x[steps.start - 1:steps.start] if steps.start else torch.zeros_like(x[:1])
            g_z = g * conj(torch.cat([before, x[steps.start:steps.stop - 1]])) * turned
            g_gain = g * conj(b * us)
            if ctx.zoh:                                             # gain = (exp(delta A) - 1) / A
                g_z += g_gain * conj(inverse_A) * turned
                add("A", steps, -g_gain * conj(gain * inverse_A))
            else:                                                   # gain = delta
                add("delta", steps, real(g_gain).sum(-1))
            add("delta", steps, real(g_z * conj(A)).sum(-1))
            add("A", steps, g_z * ds)

            g_Bu = g * conj(gain)
            add("u", steps, real(g_Bu * conj(b)).sum(-1))
            g_Bu *= us
            add("B", steps, g_Bu)
            add("B_bias", steps, g_Bu)
        return (*grads.values(), None)


def scan(u, delta, A, B, B_bias, C, zoh, factor):
    """Outputs y of a unit without its skip term D u.

    u, delta   (batch, L, h, p)             real: input and step size
    A          (h, p, n)                    real or complex, Re A < 0
    B          (batch, L, h, n) or None     selective part of B, shared by the channels of a block
    B_bias     (h, p, n) or None            constant part of B; at least one of the two is given
    C          (batch, L, h, n)             selective, shared by the channels of a block; or
               (h, p, n)                    constant; real or complex in both cases
    zoh        True: zero-order hold, False: Bbar = delta B
    factor     2.0 when the n states stand for conjugate pairs, else 1.0
    returns    (batch, L, h, p)             real: factor * Re(sum over n of C x)
    """
    if C.is_complex() and not A.is_complex():                       # real states see the real part only
        C = C.real
    # Time goes first, so that a step of the recurrence is one contiguous piece of memory.
    u, delta = (t.transpose(0, 1).contiguous() for t in (u, delta))
    B = None if B is None else B.transpose(0, 1).unsqueeze(-2)
    C = C[None, None] if C.dim() == 3 else C.transpose(0, 1).unsqueeze(-2)
    return factor * _Scan.apply(u, delta, A, B, B_bias, C, zoh).transpose(0, 1)
