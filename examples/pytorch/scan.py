"""The recurrence of a B2S6 unit over a whole sequence, in plain PyTorch.

`scan` is the one function a faster implementation has to provide. It works on any device, in float32 and
float64, and is differentiable in every tensor argument. It holds O(batch * L * d * n) numbers, because it
forms every state; a fused kernel keeps them on chip.

Complex quantities are complex tensors here (torch.view_as_real gives interleaved real and imaginary parts).
"""
import torch


class _Recurrence(torch.autograd.Function):
    """x_k = a_k x_(k-1) + b_k along axis 0, with x_(-1) = 0.

    Autograd through a loop records every step; the gradient is the same recurrence run backwards, so it is
    written out: with g_k the whole gradient of x_k,  g_k = grad_k + conj(a_(k+1)) g_(k+1),  da_k = g_k conj(x_(k-1)).
    """

    @staticmethod
    def forward(ctx, a, b):
        x = torch.empty_like(b)
        x[0] = b[0]
        for k in range(1, len(b)):
            torch.addcmul(b[k], a[k], x[k - 1], out=x[k])
        ctx.save_for_backward(a, x)
        return x

    @staticmethod
    def backward(ctx, grad):
        a, x = ctx.saved_tensors
        a = a.conj().resolve_conj() if a.is_complex() else a
        g = torch.empty_like(x)
        g[-1] = grad[-1]
        for k in range(len(x) - 2, -1, -1):
            torch.addcmul(grad[k], a[k + 1], g[k + 1], out=g[k])
        da = torch.zeros_like(x)
        torch.mul(g[1:], x[:-1].conj(), out=da[1:])
        return da, g


def recurrence(a, b):
    return _Recurrence.apply(a, b)


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
    # Time goes first, so that a step of the recurrence is one contiguous piece.
    u, delta = u.transpose(0, 1), delta.transpose(0, 1)             # (L, batch, h, p)
    decay, grown = exp_and_expm1(delta.unsqueeze(-1) * A)           # (L, batch, h, p, n)
    if zoh:
        gain = grown * (1 / A)
        gain = gain * u.unsqueeze(-1)
    else:
        gain = (delta * u).unsqueeze(-1)
    if B is None:
        drive = gain * B_bias
    else:
        b = B.transpose(0, 1).unsqueeze(-2)                         # (L, batch, h, 1, n)
        drive = gain * (b if B_bias is None else b + B_bias)
    x = recurrence(*torch.broadcast_tensors(decay, drive.to(decay.dtype)))
    c = C if C.dim() == 3 else C.transpose(0, 1).unsqueeze(-2)
    if x.is_complex():                                              # Re(C x) without forming Im(C x)
        y = (x.real * c.real - x.imag * c.imag if c.is_complex() else x.real * c).sum(-1)
    else:
        y = (x * c).sum(-1)
    return factor * y.transpose(0, 1)
