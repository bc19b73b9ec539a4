"""The scan of a B2S6 unit for small blocks as two Triton kernels: many models side by side on one GPU.

`unit(u, proj, A, B_bias, b, D)` does what Unit.forward of b2s6.py does after its products with weights: step sizes, zero-order
hold, recurrence, skip term; for complex states that stand for conjugate pairs, selective B and C, bias on B, A per layer, delta
per block. One program holds the states (p, n) of one block of one sequence; the states of all steps are stored for
the backward pass. On a CPU `plain_unit` gives the same through scan.py, many times slower.

    u       (groups, batch, L, p)           groups: models * h blocks
    proj    (groups, batch, L, 3 n + 1)     Re B, Im B, C, z of the block: what does not depend on the channel
    A       (groups, n, 2), B_bias (groups, p, n, 2), b, D (groups, p)
    returns (groups, batch, L, p)
"""
import torch

import scan as plain

try:
    import triton
    import triton.language as tl
except ImportError:                             # no GPU here: plain_unit serves
    triton = None


def softplus(z):
    return torch.log1p(torch.exp(-z.abs())) + z.clamp(min=0)


def plain_unit(u, proj, A, B_bias, b, D):
    n = A.shape[1]
    time_inside = lambda t: t.permute(1, 2, 0, 3)                               # (batch, L, groups, .)
    us, rows = time_inside(u), time_inside(proj)
    delta = softplus(rows[..., 3 * n:] + b)
    B = torch.complex(rows[..., :n].contiguous(), rows[..., n:2 * n].contiguous())
    A = torch.view_as_complex(A.contiguous()).unsqueeze(1).expand(*B_bias.shape[:3])
    y = plain.scan(us, delta, A, B, torch.view_as_complex(B_bias.contiguous()), rows[..., 2 * n:3 * n], True, 2.0)
    return y.permute(2, 0, 1, 3) + D[:, None, None] * u


if triton:
    @triton.jit
    def hold(delta, a_re, a_im):
        """exp(delta A) and (exp(delta A) - 1) / A; the difference does not cancel for small steps."""
        x = delta * a_re
        half = delta * a_im * 0.5
        e = tl.exp(x)
        s = tl.sin(half)
        c = tl.cos(half)
        two_ss = 2 * s * s
        small = x * (1 + x * 0.5 * (1 + x * (1.0 / 3) * (1 + x * 0.25)))
        grown = tl.where(tl.abs(x) < 0.1, small, e - 1)
        d_re = e * (1 - two_ss)
        d_im = e * (2 * s * c)
        m_re = grown * (1 - two_ss) - two_ss
        inv = 1 / (a_re * a_re + a_im * a_im)
        g_re = (m_re * a_re + d_im * a_im) * inv
        g_im = (d_im * a_re - m_re * a_im) * inv
        return d_re, d_im, g_re, g_im

    @triton.jit
    def step_size(z):
        return tl.maximum(z, 0.0) + tl.log(1 + tl.exp(-tl.abs(z)))

    @triton.jit
    def forward_kernel(u, proj, A, B_bias, b, D, y, x_re, x_im, L, P: tl.constexpr, N: tl.constexpr):
        sequence = tl.program_id(0)
        group = tl.program_id(1)
        p = tl.arange(0, P)
        n = tl.arange(0, N)
        pn = p[:, None] * N + n[None, :]
        ROW: tl.constexpr = 3 * N + 1
        a_re = tl.load(A + (group * N + n) * 2)[None, :]
        a_im = tl.load(A + (group * N + n) * 2 + 1)[None, :]
        bb_re = tl.load(B_bias + (group * P * N + pn) * 2)
        bb_im = tl.load(B_bias + (group * P * N + pn) * 2 + 1)
        bias = tl.load(b + group * P + p)
        skip = tl.load(D + group * P + p)
        s_re = tl.zeros((P, N), tl.float32)
        s_im = tl.zeros((P, N), tl.float32)
        first = (group.to(tl.int64) * tl.num_programs(0) + sequence) * L
        for t in range(L):
            r = first + t
            uv = tl.load(u + r * P + p)
            b_re = tl.load(proj + r * ROW + n)[None, :] + bb_re
            b_im = tl.load(proj + r * ROW + N + n)[None, :] + bb_im
            c = tl.load(proj + r * ROW + 2 * N + n)[None, :]
            delta = step_size(tl.load(proj + r * ROW + 3 * N) + bias)
            d_re, d_im, g_re, g_im = hold(delta[:, None], a_re, a_im)
            v_re = b_re * uv[:, None]
            v_im = b_im * uv[:, None]
            n_re = d_re * s_re - d_im * s_im + g_re * v_re - g_im * v_im
            n_im = d_re * s_im + d_im * s_re + g_re * v_im + g_im * v_re
            s_re = n_re
            s_im = n_im
            tl.store(x_re + r * P * N + pn, s_re)
            tl.store(x_im + r * P * N + pn, s_im)
            tl.store(y + r * P + p, 2 * tl.sum(c * s_re, 1) + skip * uv)

    @triton.jit
    def backward_kernel(u, proj, A, B_bias, b, D, x_re, x_im, dy, du, dproj, dA, dB_bias, db, dD, L,
                        P: tl.constexpr, N: tl.constexpr):
        """Partial sums of a sequence go to dA (groups, batch, n, 2), dB_bias (groups, batch, p, n, 2), db, dD (groups, batch, p)."""
        sequence = tl.program_id(0)
        group = tl.program_id(1)
        p = tl.arange(0, P)
        n = tl.arange(0, N)
        pn = p[:, None] * N + n[None, :]
        ROW: tl.constexpr = 3 * N + 1
        a_re = tl.load(A + (group * N + n) * 2)[None, :]
        a_im = tl.load(A + (group * N + n) * 2 + 1)[None, :]
        inv = 1 / (a_re * a_re + a_im * a_im)
        i_re = a_re * inv                                                       # 1 / A
        i_im = -a_im * inv
        bb_re = tl.load(B_bias + (group * P * N + pn) * 2)
        bb_im = tl.load(B_bias + (group * P * N + pn) * 2 + 1)
        bias = tl.load(b + group * P + p)
        skip = tl.load(D + group * P + p)
        program = group.to(tl.int64) * tl.num_programs(0) + sequence
        first = program * L
        k_re = tl.zeros((P, N), tl.float32)                                     # conj(Abar of the next step) g of the next step
        k_im = tl.zeros((P, N), tl.float32)
        A_re = tl.zeros((P, N), tl.float32)
        A_im = tl.zeros((P, N), tl.float32)
        B_re = tl.zeros((P, N), tl.float32)
        B_im = tl.zeros((P, N), tl.float32)
        sum_b = tl.zeros((P,), tl.float32)
        sum_D = tl.zeros((P,), tl.float32)
        s_re = tl.load(x_re + (first + L - 1) * P * N + pn)
        for back in range(L):
            t = L - 1 - back
            r = first + t
            before = tl.maximum(t - 1, 0)
            there = tl.where(t > 0, 1.0, 0.0)
            q_re = tl.load(x_re + (first + before) * P * N + pn) * there        # the state before
            q_im = tl.load(x_im + (first + before) * P * N + pn) * there
            uv = tl.load(u + r * P + p)
            gy = tl.load(dy + r * P + p)
            b_re = tl.load(proj + r * ROW + n)[None, :] + bb_re
            b_im = tl.load(proj + r * ROW + N + n)[None, :] + bb_im
            c = tl.load(proj + r * ROW + 2 * N + n)[None, :]
            z = tl.load(proj + r * ROW + 3 * N) + bias
            delta = step_size(z)[:, None]
            d_re, d_im, g_re, g_im = hold(delta, a_re, a_im)
            tl.store(dproj + r * ROW + 2 * N + n, tl.sum(2 * gy[:, None] * s_re, 0))
            h_re = 2 * gy[:, None] * c + k_re                                   # the adjoint of the state
            h_im = k_im
            k_re = d_re * h_re + d_im * h_im
            k_im = d_re * h_im - d_im * h_re
            # through Abar = exp(delta A): h conj(q) conj(Abar)
            w_re = k_re * q_re + k_im * q_im
            w_im = k_im * q_re - k_re * q_im
            # through the gain: m = h conj(B u)
            v_re = b_re * uv[:, None]
            v_im = b_im * uv[:, None]
            m_re = h_re * v_re + h_im * v_im
            m_im = h_im * v_re - h_re * v_im
            # m conj(Abar / A) joins w; -m conj(gain / A) goes to A
            e_re = d_re * i_re - d_im * i_im
            e_im = d_re * i_im + d_im * i_re
            w_re += m_re * e_re + m_im * e_im
            w_im += m_im * e_re - m_re * e_im
            f_re = g_re * i_re - g_im * i_im
            f_im = g_re * i_im + g_im * i_re
            A_re += w_re * delta - (m_re * f_re + m_im * f_im)
            A_im += w_im * delta - (m_im * f_re - m_re * f_im)
            ddelta = tl.sum(w_re * a_re + w_im * a_im, 1)
            dz = ddelta / (1 + tl.exp(-z))
            sum_b += dz
            tl.store(dproj + r * ROW + 3 * N, tl.sum(dz, 0))
            # through B: h conj(gain), times u
            o_re = h_re * g_re + h_im * g_im
            o_im = h_im * g_re - h_re * g_im
            tl.store(du + r * P + p, tl.sum(o_re * b_re + o_im * b_im, 1) + skip * gy)
            o_re *= uv[:, None]
            o_im *= uv[:, None]
            B_re += o_re
            B_im += o_im
            tl.store(dproj + r * ROW + n, tl.sum(o_re, 0))
            tl.store(dproj + r * ROW + N + n, tl.sum(o_im, 0))
            sum_D += gy * uv
            s_re = q_re
        tl.store(dA + (program * N + n) * 2, tl.sum(A_re, 0))
        tl.store(dA + (program * N + n) * 2 + 1, tl.sum(A_im, 0))
        tl.store(dB_bias + (program * P * N + pn) * 2, B_re)
        tl.store(dB_bias + (program * P * N + pn) * 2 + 1, B_im)
        tl.store(db + program * P + p, sum_b)
        tl.store(dD + program * P + p, sum_D)


class _Unit(torch.autograd.Function):
    @staticmethod
    def forward(ctx, u, proj, A, B_bias, b, D):
        u, proj, A, B_bias, b, D = (t.contiguous() for t in (u, proj, A, B_bias, b, D))
        groups, batch, L, p = u.shape
        n = A.shape[1]
        y = torch.empty_like(u)
        x_re, x_im = (torch.empty(groups, batch, L, p, n, device=u.device) for _ in range(2))
        forward_kernel[(batch, groups)](u, proj, A, B_bias, b, D, y, x_re, x_im, L, P=p, N=n, num_warps=1)
        ctx.save_for_backward(u, proj, A, B_bias, b, D, x_re, x_im)
        return y

    @staticmethod
    def backward(ctx, dy):
        u, proj, A, B_bias, b, D, x_re, x_im = ctx.saved_tensors
        groups, batch, L, p = u.shape
        n, dy = A.shape[1], dy.contiguous()
        du, dproj = torch.empty_like(u), torch.empty_like(proj)
        dA = torch.empty(groups, batch, n, 2, device=u.device)
        dB_bias = torch.empty(groups, batch, p, n, 2, device=u.device)
        db, dD = (torch.empty(groups, batch, p, device=u.device) for _ in range(2))
        backward_kernel[(batch, groups)](u, proj, A, B_bias, b, D, x_re, x_im, dy, du, dproj, dA, dB_bias, db, dD, L,
                                         P=p, N=n, num_warps=1)
        return du, dproj, dA.sum(1), dB_bias.sum(1), db.sum(1), dD.sum(1)


def unit(u, proj, A, B_bias, b, D):
    return (_Unit.apply if triton and u.is_cuda else plain_unit)(u, proj, A, B_bias, b, D)


def check(device, groups=6, batch=3, L=50, p=4, n=8):
    """Largest relative error of the kernels' values and gradients against float64 (2-norms)."""
    g = torch.Generator().manual_seed(3)
    rand = lambda *s: torch.randn(*s, generator=g)
    A = torch.stack([-torch.exp(rand(groups, n) * 0.3 - 0.7), 3.14 * torch.arange(n).expand(groups, n) + 0.1 * rand(groups, n)], -1)
    inputs = [rand(groups, batch, L, p), rand(groups, batch, L, 3 * n + 1), A, rand(groups, p, n, 2), rand(groups, p) - 2, rand(groups, p)]
    weight = rand(groups, batch, L, p)

    def run(f, dtype, where):
        t = [x.to(where, dtype).requires_grad_() for x in inputs]
        y = f(*t)
        (y * weight.to(where, dtype)).sum().backward()
        return [y.detach()] + [x.grad for x in t]

    wide, narrow = run(plain_unit, torch.float64, "cpu"), run(unit, torch.float32, device)
    return max(((a.cpu().double() - b).norm() / b.norm()).item() for a, b in zip(narrow, wide))


if __name__ == "__main__":
    device = "cuda" if torch.cuda.is_available() else "cpu"
    error = check(device)
    print(f"scan_triton on {device}: largest relative error {error:.1e}")
    raise SystemExit(error > 2e-5)
