/* The selective scan of bidirectional s4 blocks with B2S6 units, forward and backward, for training on long sequences.
 *
 *     z    = delta A,   delta = softplus(dt + b)       A complex; B, its bias K included, divided by A beforehand
 *     g    = exp(z) - 1
 *     x_k  = x_(k-1) + g w,   w = x_(k-1) + (B + K) u_k        zero-order hold: exp(z) x + A^-1 g (A B) u
 *     y_k  = 2 Re sum C x_k                                    (the skip term D u is added outside)
 *
 * Sequences of different lengths lie one after the other in `tokens` rows, without gaps. A segment is a run of steps of one
 * sequence; both directions of a segment are in the same launch, direction 1 reads it from its end. A sequence may be one
 * segment, or several, which then run in parallel: a first pass gives each segment's end state from a zero state
 * (`summary`), `carry` makes of them the state before each segment, and the main pass starts from there. The backward
 * pass does the same with the adjoint.
 *
 * A warp has 4 x 8 lanes: lane % 4 selects CH channels, lane / 4 selects NS states of them. Channels of a block that do not
 * fit a warp go to the other warps of the thread block. So what the channels of a block share (B, C, dt) is read once, its
 * gradient is a sum over registers and 4 lanes, and values of a channel (u, delta, y) are sums over 8 lanes.
 *
 * The forward pass stores the state before every STEPS steps; the backward pass repeats the STEPS steps from there, keeps what
 * they pass through in registers, and reverses them.
 *
 * Arrays, T being the storage type and all else float (channel = j P + i, n = states, ROW = 3 n + 1 rounded up to 8):
 *     u, dy            (tokens, channels)
 *     y, du            (2, tokens, channels)
 *     proj, dproj      (tokens, blocks, 2, ROW): Re B, Im B, C (n each), dt, padding
 *     A                (2, blocks, n, 2)         K (2, channels, n, 2)        b (2, channels)
 *     starts           (2, slots, warps of all blocks, 32, KEPT) pairs: half precision if T is bfloat16, else float
 *     state, adjoint   (2, segments, channels, n, 2), may be null     total (2, segments, channels): sums of delta
 * T = float also selects exact elementary functions; T = bfloat16 the chip's approximations and tf32 sums.
 */
#ifdef B2S6_ON_CPU
#include "cuda_on_cpu.h"
#else
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>
#define LAUNCH(grid, size, stream, args, ...) __VA_ARGS__<<<grid, size, 0, stream>>>(args)
#endif

enum { STEPS = 4, LANES = 32 };

struct segment {
    int first, length;              /* its tokens */
    int slot;                       /* of its first group of STEPS steps, in starts */
    int pad;
};

struct scan_args {
    const void *u, *proj;
    const float *A, *K, *b;
    const segment *segments;
    const int *order;               /* the segments to run; long ones first keep the chip busy */
    const int2 *sequences;          /* carry: first segment and how many */
    float *state, *adjoint, *total;
    void *y, *starts;
    const void *dy;
    void *du, *dproj;
    float *dA, *dK, *db;            /* added to; dA with the part that comes through B / A */
    long tokens, slots;
    int runs, count, blocks;        /* entries of order; segments (or sequences for carry); blocks */
};

/* ---- small things ---- */

#ifndef B2S6_ON_CPU
__device__ static void copy_16(void *to, const void *from)
{
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" :: "r"((unsigned)__cvta_generic_to_shared(to)), "l"(from));
}
__device__ static void copies_end() { asm volatile("cp.async.commit_group;"); }
__device__ static void copies_wait() { asm volatile("cp.async.wait_group 0;" ::: "memory"); }

/* c += a b on tf32 with a1 = a2 = 0: rows 0..7 sum b0 over lane % 4, rows 8..15 sum b1 */
__device__ static void mma_sum(float *c, float a0, float a3, float b0, float b1)
{
    asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                 : "r"(__float_as_uint(a0)), "r"(0), "r"(0), "r"(__float_as_uint(a3)), "r"(__float_as_uint(b0)),
                   "r"(__float_as_uint(b1)));
}
#endif

template <typename T> struct exact { enum { VALUE = 0 }; };
template <> struct exact<float> { enum { VALUE = 1 }; };

__device__ static float as_float(float v) { return v; }
__device__ static float as_float(__nv_bfloat16 v) { return __bfloat162float(v); }
__device__ static void put(float *p, float v) { *p = v; }
__device__ static void put(__nv_bfloat16 *p, float v) { *p = __float2bfloat16(v); }

/* COUNT neighbours from shared memory as floats */
template <int COUNT> __device__ static void get(float *to, const float *from)
{
    #pragma unroll
    for (int i = 0; i < COUNT; i++)
        to[i] = from[i];
}
template <int COUNT> __device__ static void get(float *to, const __nv_bfloat16 *from)
{
    if (COUNT == 1)
        to[0] = as_float(from[0]);
    #pragma unroll
    for (int i = 0; i + 1 < COUNT; i += 2) {
        const unsigned pair = ((const unsigned *)from)[i / 2];
        to[i] = __uint_as_float(pair << 16);
        to[i + 1] = __uint_as_float(pair & 0xffff0000u);
    }
}

/* Two bfloat16 */
__device__ static unsigned pack(float re, float im)
{
#ifdef B2S6_ON_CPU
    return __float2bfloat16(re).bits | (unsigned)__float2bfloat16(im).bits << 16;
#else
    unsigned v;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(v) : "f"(im), "f"(re));
    return v;
#endif
}
/* A stored state: two floats, or two halves, which are 8 times as fine as bfloat16: A x + B u nearly cancels in fast states */
template <typename T> struct stored { typedef half2 type; };
template <> struct stored<float> { typedef float2 type; };
__device__ static void save(half2 *p, float re, float im)
{
    const float most = 60000.0f;
    *p = __floats2half2_rn(fminf(fmaxf(re, -most), most), fminf(fmaxf(im, -most), most));
}
__device__ static void save(float2 *p, float re, float im) { *p = make_float2(re, im); }
__device__ static float2 restored(half2 v) { return __half22float2(v); }
__device__ static float2 restored(float2 v) { return v; }

/* log1p(exp(-|v|)) + max(v, 0), and its derivative */
template <bool EXACT> __device__ static float softplus(float v, float *slope)
{
    if (EXACT) {
        const float e = expf(-fabsf(v)), r = 1.0f / (1.0f + e);
        *slope = v >= 0.0f ? r : e * r;
        return log1pf(e) + fmaxf(v, 0.0f);
    }
    const float e = __expf(-fabsf(v)), r = __fdividef(1.0f, 1.0f + e);
    *slope = v >= 0.0f ? r : e * r;
    const float small = e * fmaf(e, fmaf(e, fmaf(e, -0.25f, 0.333333333f), -0.5f), 1.0f);
    return (e < 0.04f ? small : __logf(1.0f + e)) + fmaxf(v, 0.0f);
}

/* g = exp(d (ar + i ai)) - 1 */
template <bool EXACT> __device__ static void grown(float d, float ar, float ai, float *re, float *im)
{
    if (EXACT) {
        const float a = d * ar, half = 0.5f * d * ai, s = sinf(half), c = cosf(half), ss2 = 2.0f * s * s;
        *re = fmaf(expm1f(a), 1.0f - ss2, -ss2);
        *im = expf(a) * (2.0f * s * c);
        return;
    }
#ifdef B2S6_ON_CPU
    const float m = expf(d * ar), s = sinf(d * ai), c = cosf(d * ai);
#else
    float m, s, c;
    const float turn = d * ai;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(m) : "f"(d * 1.44269504f * ar));
    asm("sin.approx.ftz.f32 %0, %1;" : "=f"(s) : "f"(turn));
    asm("cos.approx.ftz.f32 %0, %1;" : "=f"(c) : "f"(turn));
#endif
    *re = fmaf(m, c, -1.0f);
    *im = m * s;
}

/* Sums over the 8 lanes with the same lane % 4 of VALUES (a power of 2, at most 8) values each: the lane gets the one of
 * number owner, where the high bits of lane / 4 count values. */
template <int VALUES> __device__ static float sum_8(float *v)
{
    const int lane = threadIdx.x & 31;
    int step = 16;
    #pragma unroll
    for (int left = VALUES / 2; left > 0; left /= 2) {
        const bool upper = lane & step;
        #pragma unroll
        for (int i = 0; i < left; i++) {
            const float send = upper ? v[i] : v[i + left], keep = upper ? v[i + left] : v[i];
            v[i] = keep + __shfl_xor_sync(0xffffffffu, send, step);
        }
        step /= 2;
    }
    for (; step >= 4; step /= 2)
        v[0] += __shfl_xor_sync(0xffffffffu, v[0], step);
    return v[0];
}

/* ---- what all passes share ---- */

template <typename T_, int CH_, int NS_, int W_> struct shape {
    typedef T_ T;
    typedef typename stored<T>::type pair;
    enum {
        CH = CH_, NS = NS_, W = W_, N = 8 * NS, WC = 4 * CH, P = WC * W, EXACT = exact<T>::VALUE,
        ROW = (3 * N + 1 + 7) / 8 * 8,
        OWNED = STEPS * WC / LANES,                     /* values of delta that a lane computes */
        KEPT = CH * NS * (int)sizeof(pair) < 16 ? 16 / (int)sizeof(pair) : CH * NS      /* pairs of a lane in starts */
    };
};

template <typename S> struct __align__(16) tile {
    typename S::T u[STEPS][S::WC], dy[STEPS][S::WC], row[STEPS][S::ROW];
    typename S::pair start[LANES][S::KEPT];
};

/* Where this warp is and what it reads */
template <typename S> struct place {
    typedef typename S::T T;
    int lane, warp, cl, sl, j, dir, index, channel, channels;   /* channel: the warp's first */
    segment seg;

    __device__ void find(const scan_args &a)
    {
        lane = threadIdx.x & 31, warp = threadIdx.x / LANES, cl = lane & 3, sl = lane / 4;
        j = blockIdx.x % a.blocks, dir = blockIdx.x / a.blocks, index = a.order[blockIdx.y];
        seg = a.segments[index];
        channels = a.blocks * S::P;
        channel = j * S::P + warp * S::WC;
    }
    __device__ long token(int k) const
    {
        k = min(k, seg.length - 1);
        return dir ? seg.first + seg.length - 1 - k : seg.first + k;
    }
    /* The lane's channel c, state s of it, in an array (2, rows, channels, n) */
    __device__ long state(long row, long rows, int c, int s) const
    {
        return ((dir * rows + row) * channels + channel + cl * S::CH + c) * S::N + sl * S::NS + s;
    }
    __device__ long start(const scan_args &a, int group) const
    {
        return ((((dir * a.slots + seg.slot + group) * a.blocks + j) * S::W + warp) * LANES + lane) * S::KEPT;
    }
    __device__ int groups() const { return (seg.length + STEPS - 1) / STEPS; }

    template <int EACH> __device__ void fetch_rows(T *to, const T *from, long stride, int group) const
    {
        enum { PIECES = EACH * (int)sizeof(T) / 16, ALL = PIECES * STEPS };
        #pragma unroll
        for (int i = lane; i < ALL; i += LANES) {
            const int step = i / PIECES, at = i % PIECES * (16 / (int)sizeof(T));
            copy_16(to + step * EACH + at, from + token(group * STEPS + step) * stride + at);
        }
    }
    __device__ void fetch(const scan_args &a, tile<S> *t, int group, bool u, bool dy, bool start_too) const
    {
        fetch_rows<S::ROW>(t->row[0], (const T *)a.proj + (j * 2 + dir) * S::ROW, (long)a.blocks * 2 * S::ROW, group);
        if (u)
            fetch_rows<S::WC>(t->u[0], (const T *)a.u + channel, channels, group);
        if (dy)
            fetch_rows<S::WC>(t->dy[0], (const T *)a.dy + channel, channels, group);
        if (start_too) {
            const typename S::pair *from = (const typename S::pair *)a.starts + start(a, group);
            #pragma unroll
            for (int i = 0; i < (int)sizeof t->start[0] / 16; i++)
                copy_16((char *)t->start[lane] + 16 * i, (const char *)from + 16 * i);
        }
        copies_end();
    }
};

/* delta of a group of steps, each value computed by one lane: channel lane % WC, steps lane / WC + i LANES / WC */
template <typename S> struct steps {
    float bias, slope[S::OWNED], total;

    __device__ void begin(const scan_args &a, const place<S> &at)
    {
        bias = a.b[(long)at.dir * at.channels + at.channel + at.lane % S::WC];
        total = 0.0f;
    }
    __device__ static int step(int lane, int i) { return (lane + i * LANES) / S::WC; }
    __device__ void compute(float (*delta)[S::WC], const tile<S> &t, const place<S> &at, int group)
    {
        #pragma unroll
        for (int i = 0; i < S::OWNED; i++) {
            const int k = step(at.lane, i);
            const bool inside = group * STEPS + k < at.seg.length;     /* beyond the end time stands still */
            const float d = softplus<S::EXACT>(as_float(t.row[k][3 * S::N]) + bias, &slope[i]);
            delta[k][at.lane % S::WC] = inside ? d : 0.0f;
            slope[i] = inside ? slope[i] : 0.0f;
            total += inside ? d : 0.0f;
        }
    }
    /* Sum over the lanes of the same channel */
    __device__ static float over_lanes(float v)
    {
        #pragma unroll
        for (int step = S::WC; step < LANES; step *= 2)
            v += __shfl_xor_sync(0xffffffffu, v, step);
        return v;
    }
};

template <typename S> struct poles {
    float re[S::NS], im[S::NS];

    __device__ void load(const scan_args &a, const place<S> &at)
    {
        #pragma unroll
        for (int s = 0; s < S::NS; s++) {
            const float2 v = ((const float2 *)a.A)[((long)at.dir * a.blocks + at.j) * S::N + at.sl * S::NS + s];
            re[s] = v.x, im[s] = v.y;
        }
    }
};

/* ---- forward ---- */

template <typename S, bool SUMMARY> __global__ void __launch_bounds__(LANES * S::W) scan_forward(scan_args a)
{
    enum { CH = S::CH, NS = S::NS, N = S::N };
    typedef typename S::T T;
    __shared__ tile<S> tiles[S::W][2];
    __shared__ __align__(16) float deltas[S::W][STEPS][S::WC];
    place<S> at;
    at.find(a);
    if (at.seg.length == 0)                             /* a table may have more entries than a batch needs */
        return;
    float (*delta)[S::WC] = deltas[at.warp];
    steps<S> own;
    own.begin(a, at);
    poles<S> A;
    A.load(a, at);
    float kr[CH][NS], ki[CH][NS], xr[CH][NS], xi[CH][NS];
    #pragma unroll
    for (int c = 0; c < CH; c++)
        #pragma unroll
        for (int s = 0; s < NS; s++) {
            const float2 k = ((const float2 *)a.K)[at.state(0, 1, c, s)];
            float2 x = make_float2(0.0f, 0.0f);
            if (!SUMMARY && a.state)
                x = ((const float2 *)a.state)[at.state(at.index, a.count, c, s)];
            kr[c][s] = k.x, ki[c][s] = k.y, xr[c][s] = x.x, xi[c][s] = x.y;
        }
    const int groups = at.groups();
    at.fetch(a, &tiles[at.warp][0], 0, true, false, false);
    for (int group = 0; group < groups; group++) {
        const tile<S> &now = tiles[at.warp][group & 1];
        copies_wait();
        __syncwarp();
        if (group + 1 < groups)
            at.fetch(a, &tiles[at.warp][(group + 1) & 1], group + 1, true, false, false);
        own.compute(delta, now, at, group);
        __syncwarp();
        if (!SUMMARY && a.starts) {
            __align__(16) typename S::pair out[S::KEPT];
            #pragma unroll
            for (int c = 0; c < CH; c++)
                #pragma unroll
                for (int s = 0; s < NS; s++)
                    save(&out[c * NS + s], xr[c][s], xi[c][s]);
            uint4 *to = (uint4 *)((typename S::pair *)a.starts + at.start(a, group));
            #pragma unroll
            for (int i = 0; i < (int)sizeof out / 16; i++)
                to[i] = ((const uint4 *)out)[i];
        }
        #pragma unroll
        for (int t = 0; t < STEPS; t++) {
            float u[CH], br[NS], bi[NS], C[NS], y[CH];
            get<CH>(u, &now.u[t][at.cl * CH]);
            get<NS>(br, &now.row[t][at.sl * NS]);
            get<NS>(bi, &now.row[t][N + at.sl * NS]);
            if (!SUMMARY)
                get<NS>(C, &now.row[t][2 * N + at.sl * NS]);
            #pragma unroll
            for (int c = 0; c < CH; c++) {
                const float d = delta[t][at.cl * CH + c];
                y[c] = 0.0f;
                #pragma unroll
                for (int s = 0; s < NS; s++) {
                    float gr, gi;
                    grown<S::EXACT>(d, A.re[s], A.im[s], &gr, &gi);
                    const float wr = fmaf(u[c], br[s] + kr[c][s], xr[c][s]), wi = fmaf(u[c], bi[s] + ki[c][s], xi[c][s]);
                    xr[c][s] = fmaf(gr, wr, fmaf(-gi, wi, xr[c][s]));
                    xi[c][s] = fmaf(gr, wi, fmaf(gi, wr, xi[c][s]));
                    if (!SUMMARY)
                        y[c] = fmaf(C[s], xr[c][s], y[c]);
                }
            }
            if (!SUMMARY) {
                const float sum = 2.0f * sum_8<CH>(y);
                const int c = at.sl / (8 / CH), k = group * STEPS + t;
                if (at.sl % (8 / CH) == 0 && k < at.seg.length)
                    put((T *)a.y + (at.dir * a.tokens + at.token(k)) * at.channels + at.channel + at.cl * CH + c, sum);
            }
        }
    }
    if (SUMMARY) {
        #pragma unroll
        for (int c = 0; c < CH; c++)
            #pragma unroll
            for (int s = 0; s < NS; s++)
                ((float2 *)a.state)[at.state(at.index, a.count, c, s)] = make_float2(xr[c][s], xi[c][s]);
        const float total = steps<S>::over_lanes(own.total);
        if (at.lane < S::WC)
            a.total[((long)at.dir * a.count + at.index) * at.channels + at.channel + at.lane] = total;
    }
}

/* From what each segment does to a zero state to the state before it. One thread a number; grid (numbers, sequences, 2).
 * The adjoint goes the other way through the segments, under the conjugate poles. */
struct carry_args {
    scan_args a;
    int n, channels, backward;
};

__global__ void carry(carry_args k)
{
    const scan_args &a = k.a;
    const int dir = blockIdx.z, id = blockIdx.x * blockDim.x + threadIdx.x;
    if (id >= k.channels * k.n)
        return;
    const int c = id / k.n, j = c / (k.channels / a.blocks);
    const float2 A = ((const float2 *)a.A)[((long)dir * a.blocks + j) * k.n + id % k.n];
    const int2 sequence = a.sequences[blockIdx.y];
    const bool down = (dir ^ k.backward) != 0;
    float2 *states = (float2 *)(k.backward ? a.adjoint : a.state), x = make_float2(0.0f, 0.0f);
    for (int i = 0; i < sequence.y; i++) {
        const int s = sequence.x + (down ? sequence.y - 1 - i : i);
        const long row = (long)dir * a.count + s;
        float2 *p = states + row * k.channels * k.n + id;
        const float2 own = *p;
        *p = x;
        if (i + 1 < sequence.y) {
            const float d = a.total[row * k.channels + c], m = expf(d * A.x), turn = d * A.y;
            const float er = m * cosf(turn), ei = (k.backward ? -m : m) * sinf(turn);
            x = make_float2(fmaf(er, x.x, fmaf(-ei, x.y, own.x)), fmaf(er, x.y, fmaf(ei, x.x, own.y)));
        }
    }
}

/* ---- backward ---- */

/* What a segment adds to the adjoint before it, from none after it */
template <typename S> __global__ void __launch_bounds__(LANES * S::W) scan_adjoint(scan_args a)
{
    enum { CH = S::CH, NS = S::NS, N = S::N };
    __shared__ tile<S> tiles[S::W][2];
    __shared__ __align__(16) float deltas[S::W][STEPS][S::WC];
    place<S> at;
    at.find(a);
    if (at.seg.length == 0)                             /* a table may have more entries than a batch needs */
        return;
    float (*delta)[S::WC] = deltas[at.warp];
    steps<S> own;
    own.begin(a, at);
    poles<S> A;
    A.load(a, at);
    float lr[CH][NS] = {}, li[CH][NS] = {};
    const int groups = at.groups();
    at.fetch(a, &tiles[at.warp][(groups - 1) & 1], groups - 1, false, true, false);
    for (int group = groups - 1; group >= 0; group--) {
        const tile<S> &now = tiles[at.warp][group & 1];
        copies_wait();
        __syncwarp();
        if (group > 0)
            at.fetch(a, &tiles[at.warp][(group - 1) & 1], group - 1, false, true, false);
        own.compute(delta, now, at, group);
        __syncwarp();
        #pragma unroll
        for (int t = STEPS - 1; t >= 0; t--) {
            float dy[CH], C[NS];
            get<CH>(dy, &now.dy[t][at.cl * CH]);
            get<NS>(C, &now.row[t][2 * N + at.sl * NS]);
            const float on = group * STEPS + t < at.seg.length ? 2.0f : 0.0f;
            #pragma unroll
            for (int c = 0; c < CH; c++) {
                const float d = delta[t][at.cl * CH + c];
                #pragma unroll
                for (int s = 0; s < NS; s++) {
                    float gr, gi;
                    grown<S::EXACT>(d, A.re[s], A.im[s], &gr, &gi);
                    const float r = fmaf(on * dy[c], C[s], lr[c][s]), i = li[c][s];
                    lr[c][s] = fmaf(gr, r, fmaf(gi, i, r));
                    li[c][s] = fmaf(gr, i, fmaf(-gi, r, i));
                }
            }
        }
    }
    #pragma unroll
    for (int c = 0; c < CH; c++)
        #pragma unroll
        for (int s = 0; s < NS; s++)
            ((float2 *)a.adjoint)[at.state(at.index, a.count, c, s)] = make_float2(lr[c][s], li[c][s]);
}

/* Sums over the lane % 4 of three kinds of NS values each, as the rows of one matrix product: row kind (or 2 kind + s / 2 for
 * NS = 4) holds the states s even, row + 8 the odd ones, columns are lane / 4. They go to a row (3 n) of shared memory. */
template <typename S> __device__ static void sum_4(float *to, float (*v)[S::NS])
{
    enum { NS = S::NS, PAIRS = NS == 4 ? 2 : 1 };
    const int lane = threadIdx.x & 31, row = lane / 4, cols = lane % 4 * 2;
    float c[4] = {0.0f, 0.0f, 0.0f, 0.0f};
    #pragma unroll
    for (int i = 0; i < 3 * PAIRS; i++) {
        const float one = row == i ? 1.0f : 0.0f;
        const float even = v[i / PAIRS][i % PAIRS * 2], odd = NS > 1 ? v[i / PAIRS][(i % PAIRS * 2 + 1) % NS] : 0.0f;
        if (S::EXACT) {                                 /* tf32 has 11 bits: the rest goes in a second product */
            const float e = __uint_as_float(__float_as_uint(even) & 0xffffe000u);
            const float o = __uint_as_float(__float_as_uint(odd) & 0xffffe000u);
            mma_sum(c, one, one, e, o);
            mma_sum(c, one, one, even - e, odd - o);
        } else {
            mma_sum(c, one, one, even, odd);
        }
    }
    if (row >= 3 * PAIRS)
        return;
    float *p = to + row / PAIRS * S::N + cols * NS + row % PAIRS * 2;   /* states of column cols, then of cols + 1 */
    p[0] = c[0];
    p[NS] = c[1];
    if (NS > 1) {
        p[1] = c[2];
        p[NS + 1] = c[3];
    }
}

template <typename S> struct backward_memory {
    tile<S> tiles[S::W][2];
    __align__(16) float delta[S::W][STEPS][S::WC];
    float sums[S::W][2][STEPS][S::WC];                  /* du, then d delta */
    __align__(16) float rows[2][S::W][STEPS][S::ROW];   /* a warp's part of dproj, of two groups by turns */
};

template <typename S> __global__ void __launch_bounds__(LANES * S::W) scan_backward(scan_args a)
{
    enum { CH = S::CH, NS = S::NS, N = S::N, ROW = S::ROW, WC = S::WC };
    typedef typename S::T T;
    __shared__ backward_memory<S> m;
    place<S> at;
    at.find(a);
    if (at.seg.length == 0)                             /* a table may have more entries than a batch needs */
        return;
    float (*delta)[WC] = m.delta[at.warp];
    steps<S> own;
    own.begin(a, at);
    poles<S> A;
    A.load(a, at);
    float kr[CH][NS], ki[CH][NS], lr[CH][NS], li[CH][NS], dkr[CH][NS] = {}, dki[CH][NS] = {}, dar[NS] = {}, dai[NS] = {};
    float mr[NS] = {}, mi[NS] = {}, db = 0;
    #pragma unroll
    for (int c = 0; c < CH; c++)
        #pragma unroll
        for (int s = 0; s < NS; s++) {
            const float2 k = ((const float2 *)a.K)[at.state(0, 1, c, s)];
            float2 l = make_float2(0.0f, 0.0f);
            if (a.adjoint)
                l = ((const float2 *)a.adjoint)[at.state(at.index, a.count, c, s)];
            kr[c][s] = k.x, ki[c][s] = k.y, lr[c][s] = l.x, li[c][s] = l.y;
        }
    for (int i = threadIdx.x; i < 2 * S::W * STEPS * ROW; i += LANES * S::W)
        m.rows[0][0][0][i] = 0.0f;                      /* the padding of dproj's rows */
    __syncthreads();
    const int groups = at.groups();
    at.fetch(a, &m.tiles[at.warp][(groups - 1) & 1], groups - 1, true, true, true);
    for (int group = groups - 1; group >= 0; group--) {
        const tile<S> &now = m.tiles[at.warp][group & 1];
        float (*rows)[ROW] = m.rows[group & 1][at.warp];
        copies_wait();
        __syncwarp();
        if (group > 0)
            at.fetch(a, &m.tiles[at.warp][(group - 1) & 1], group - 1, true, true, true);
        own.compute(delta, now, at, group);
        __syncwarp();

        /* The steps once more: state before each, and g */
        float xr[STEPS + 1][CH][NS], xi[STEPS][CH][NS], gr[STEPS][CH][NS], gi[STEPS][CH][NS];
        #pragma unroll
        for (int c = 0; c < CH; c++)
            #pragma unroll
            for (int s = 0; s < NS; s++) {
                const float2 x = restored(now.start[at.lane][c * NS + s]);
                xr[0][c][s] = x.x, xi[0][c][s] = x.y;
            }
        #pragma unroll
        for (int t = 0; t < STEPS; t++) {
            float u[CH], br[NS], bi[NS];
            get<CH>(u, &now.u[t][at.cl * CH]);
            get<NS>(br, &now.row[t][at.sl * NS]);
            get<NS>(bi, &now.row[t][N + at.sl * NS]);
            #pragma unroll
            for (int c = 0; c < CH; c++) {
                const float d = delta[t][at.cl * CH + c];
                #pragma unroll
                for (int s = 0; s < NS; s++) {
                    grown<S::EXACT>(d, A.re[s], A.im[s], &gr[t][c][s], &gi[t][c][s]);
                    const float x = xr[t][c][s], y = xi[t][c][s], g = gr[t][c][s], h = gi[t][c][s];
                    const float wr = fmaf(u[c], br[s] + kr[c][s], x), wi = fmaf(u[c], bi[s] + ki[c][s], y);
                    xr[t + 1][c][s] = fmaf(g, wr, fmaf(-h, wi, x));
                    if (t + 1 < STEPS)
                        xi[(t + 1) % STEPS][c][s] = fmaf(g, wi, fmaf(h, wr, y));
                }
            }
        }

        #pragma unroll
        for (int t = STEPS - 1; t >= 0; t--) {
            const int k = group * STEPS + t;
            float u[CH], dy[CH], br[NS], bi[NS], C[NS], dbc[3][NS] = {}, sums[2 * CH];
            get<CH>(u, &now.u[t][at.cl * CH]);
            get<CH>(dy, &now.dy[t][at.cl * CH]);
            get<NS>(br, &now.row[t][at.sl * NS]);
            get<NS>(bi, &now.row[t][N + at.sl * NS]);
            get<NS>(C, &now.row[t][2 * N + at.sl * NS]);
            const float on = k < at.seg.length ? 2.0f : 0.0f;
            #pragma unroll
            for (int c = 0; c < CH; c++) {
                const float d = delta[t][at.cl * CH + c], dy2 = on * dy[c];
                float du = 0.0f, dd = 0.0f;
                #pragma unroll
                for (int s = 0; s < NS; s++) {
                    const float g = gr[t][c][s], h = gi[t][c][s];
                    const float l_re = fmaf(dy2, C[s], lr[c][s]), l_im = li[c][s];
                    dbc[2][s] = fmaf(dy2, xr[t + 1][c][s], dbc[2][s]);
                    const float qr = fmaf(g, l_re, h * l_im), qi = fmaf(g, l_im, -h * l_re);        /* conj(g) l */
                    const float b_re = br[s] + kr[c][s], b_im = bi[s] + ki[c][s];
                    du = fmaf(b_re, qr, fmaf(b_im, qi, du));
                    dbc[0][s] = fmaf(u[c], qr, dbc[0][s]);
                    dbc[1][s] = fmaf(u[c], qi, dbc[1][s]);
                    dkr[c][s] = fmaf(u[c], qr, dkr[c][s]);
                    dki[c][s] = fmaf(u[c], qi, dki[c][s]);
                    const float l0 = l_re + qr, l1 = l_im + qi;                                     /* conj(exp z) l */
                    lr[c][s] = l0, li[c][s] = l1;
                    const float v_re = u[c] * b_re, v_im = u[c] * b_im;
                    const float wr = v_re + xr[t][c][s], wi = v_im + xi[t][c][s];
                    mr[s] = fmaf(v_re, qr, fmaf(v_im, qi, mr[s]));
                    mi[s] = fmaf(v_re, qi, fmaf(-v_im, qr, mi[s]));
                    const float zr = fmaf(l0, wr, l1 * wi), zi = fmaf(l1, wr, -l0 * wi);            /* dz */
                    dd = fmaf(A.re[s], zr, fmaf(A.im[s], zi, dd));
                    dar[s] = fmaf(d, zr, dar[s]);
                    dai[s] = fmaf(d, zi, dai[s]);
                }
                sums[c] = du, sums[CH + c] = dd;
            }
            sum_4<S>(rows[t], dbc);
            const float sum = sum_8<2 * CH>(sums);
            if (CH == 4 || at.sl % 2 == 0)              /* sl counts values: du of CH channels, then d delta */
                m.sums[at.warp][at.sl / 4][t][at.cl * CH + at.sl % 4 / (4 / CH)] = sum;
        }
        __syncwarp();
        #pragma unroll
        for (int i = 0; i < S::OWNED; i++) {
            const int t = steps<S>::step(at.lane, i), c = at.lane % WC, k = group * STEPS + t;
            if (k < at.seg.length)
                put((T *)a.du + (at.dir * a.tokens + at.token(k)) * at.channels + at.channel + c, m.sums[at.warp][0][t][c]);
            float dt = m.sums[at.warp][1][t][c] * own.slope[i];
            db += dt;
            #pragma unroll
            for (int step = 1; step < WC; step *= 2)
                dt += __shfl_xor_sync(0xffffffffu, dt, step);
            if (c == 0)
                rows[t][3 * N] = dt;
        }
        if (S::W == 1)
            __syncwarp();
        else
            __syncthreads();
        for (int i = threadIdx.x; i < STEPS * ROW / 2; i += LANES * S::W) {
            const int t = i / (ROW / 2), r = i % (ROW / 2) * 2, k = group * STEPS + t;
            float v0 = 0.0f, v1 = 0.0f;
            #pragma unroll
            for (int w = 0; w < S::W; w++) {
                const float2 part = *(const float2 *)&m.rows[group & 1][w][t][r];
                v0 += part.x, v1 += part.y;
            }
            if (k < at.seg.length) {
                T *to = (T *)a.dproj + ((at.token(k) * a.blocks + at.j) * 2 + at.dir) * ROW + r;
                if (S::EXACT)
                    *(float2 *)to = make_float2(v0, v1);
                else
                    *(unsigned *)to = pack(v0, v1);
            }
        }
    }
    #pragma unroll
    for (int c = 0; c < CH; c++)
        #pragma unroll
        for (int s = 0; s < NS; s++) {
            float *p = a.dK + 2 * at.state(0, 1, c, s);
            atomicAdd(p, dkr[c][s]);
            atomicAdd(p + 1, dki[c][s]);
        }
    #pragma unroll
    for (int s = 0; s < NS; s++) {                      /* B / A, too, depends on A: m = sum of q conj(u B / A) */
        const float size = A.re[s] * A.re[s] + A.im[s] * A.im[s];
        dar[s] -= (mr[s] * A.re[s] - mi[s] * A.im[s]) / size;
        dai[s] -= (mr[s] * A.im[s] + mi[s] * A.re[s]) / size;
        #pragma unroll
        for (int step = 1; step < 4; step *= 2) {
            dar[s] += __shfl_xor_sync(0xffffffffu, dar[s], step);
            dai[s] += __shfl_xor_sync(0xffffffffu, dai[s], step);
        }
        float *p = a.dA + 2 * (((long)at.dir * a.blocks + at.j) * N + at.sl * NS + s);
        if (at.cl == 0) {
            atomicAdd(p, dar[s]);
            atomicAdd(p + 1, dai[s]);
        }
    }
    db = steps<S>::over_lanes(db);
    if (at.lane < WC)
        atomicAdd(a.db + (long)at.dir * at.channels + at.channel + at.lane, db);
}

/* ---- launching ---- */

enum pass { FORWARD, BACKWARD, SUMMARY, ADJOINT };

template <typename S> static int launch(const scan_args &a, int pass, cudaStream_t stream)
{
    const dim3 grid(2 * a.blocks, a.runs);
    const int size = LANES * S::W;
    (void)stream;
    switch (pass) {
    case FORWARD: LAUNCH(grid, size, stream, a, scan_forward<S, false>); break;
    case SUMMARY: LAUNCH(grid, size, stream, a, scan_forward<S, true>); break;
    case BACKWARD: LAUNCH(grid, size, stream, a, scan_backward<S>); break;
    case ADJOINT: LAUNCH(grid, size, stream, a, scan_adjoint<S>); break;
    }
    return (int)cudaGetLastError();
}

template <typename T> static int choose(const scan_args &a, int n, int p, int pass, cudaStream_t stream)
{
    switch (n * 1000 + p) {
    case 8008: return launch<shape<T, 2, 1, 1>>(a, pass, stream);
    case 8016: return launch<shape<T, 4, 1, 1>>(a, pass, stream);
    case 8032: return launch<shape<T, 4, 1, 2>>(a, pass, stream);
    case 8064: return launch<shape<T, 4, 1, 4>>(a, pass, stream);
    case 8128: return launch<shape<T, 4, 1, 8>>(a, pass, stream);
    case 16008: return launch<shape<T, 2, 2, 1>>(a, pass, stream);
    case 16016: return launch<shape<T, 4, 2, 1>>(a, pass, stream);
    case 16032: return launch<shape<T, 4, 2, 2>>(a, pass, stream);
    case 16064: return launch<shape<T, 4, 2, 4>>(a, pass, stream);
    case 16128:                         /* float's tiles do not fit shared memory */
        return exact<T>::VALUE ? -1 : launch<shape<__nv_bfloat16, 4, 2, 8>>(a, pass, stream);
    case 32008: return launch<shape<T, 2, 4, 1>>(a, pass, stream);
    case 32016: return launch<shape<T, 2, 4, 2>>(a, pass, stream);
    case 32032: return launch<shape<T, 2, 4, 4>>(a, pass, stream);
    }
    return -1;
}

/* 0, a CUDA error, or -1 for sizes that are not compiled in */
extern "C" int b2s6_lra_scan(const scan_args *a, int n, int p, int bf16, int pass, void *stream)
{
    return bf16 ? choose<__nv_bfloat16>(*a, n, p, pass, (cudaStream_t)stream)
                : choose<float>(*a, n, p, pass, (cudaStream_t)stream);
}

extern "C" int b2s6_lra_carry(const scan_args *a, int n, int p, int sequences, int backward, void *stream)
{
    const carry_args k = {*a, n, a->blocks * p, backward};
    const dim3 grid((k.channels * n + 127) / 128, sequences, 2);
    (void)stream;
    LAUNCH(grid, 128, (cudaStream_t)stream, k, carry);
    return (int)cudaGetLastError();
}

extern "C" int b2s6_lra_steps(void) { return STEPS; }
