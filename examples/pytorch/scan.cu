/* The selective scan of a B2S6 unit with its gate, forward and backward, without ever storing the states.
 *
 *     z     = delta A,   delta = softplus(dt + b)          A complex, B divided by A beforehand
 *     g     = exp(z) - 1
 *     x_k   = x_(k-1) + g (x_(k-1) + B u_k)                zero-order hold: exp(z) x + A^-1 g (A B) u
 *     out   = (2 Re sum C x + D u) silu(gate)
 *
 * One thread owns one channel and its N states; a thread block is one block (of P channels) of one sequence and walks
 * through time in chunks of CHUNK steps. The forward pass keeps the states at the start of each chunk; the
 * backward pass takes the chunks from the last to the first, repeats each one's steps and then reverses them.
 *
 * Arrays, T being the storage type and all else float (channel = j P + i):
 *     u, gate, out    (sequences, L, channels), gate with its own row stride
 *     proj            (blocks, sequences, L, R): Re B, Im B, C (N each), dt, padding
 *     A, B            (channels, N, 2)          dt bias b, D: (channels)
 *     x0, x1          (sequences, channels, N, 2): state before and after, x0 may be null
 *     starts          (sequences, L / CHUNK, blocks, N, P) complex: states at the start of each chunk
 */
#include <cuda_bf16.h>
#include <cuda_runtime.h>

enum { CHUNK = 4 };

struct scan_args {
    const void *u, *gate, *proj;
    const float *A, *B, *b, *D, *x0;
    void *out;
    float *x1, *starts;
    /* backward */
    const void *dout;
    void *du, *dgate, *dproj;
    float *dA, *dB, *db, *dD;       /* one row a sequence */
    long gate_stride, dgate_stride;
    int sequences, length, blocks;
};

template <int N> struct shape {
    enum { USED = 3 * N + 1, ROW = (USED + 7) / 8 * 8 };
};

__device__ static float as_float(float v) { return v; }
__device__ static float as_float(__nv_bfloat16 v) { return __bfloat162float(v); }
__device__ static void put(float *p, float v) { *p = v; }
__device__ static void put(__nv_bfloat16 *p, float v) { *p = __float2bfloat16(v); }

/* 16 bytes of T as floats */
__device__ static void unpack(float *to, uint4 v, float)
{
    *(float4 *)to = make_float4(__uint_as_float(v.x), __uint_as_float(v.y), __uint_as_float(v.z), __uint_as_float(v.w));
}
__device__ static void unpack(float *to, uint4 v, __nv_bfloat16)
{
    const unsigned w[4] = {v.x, v.y, v.z, v.w};
    for (int i = 0; i < 4; i++) {
        to[2 * i] = __uint_as_float(w[i] << 16);
        to[2 * i + 1] = __uint_as_float(w[i] & 0xffff0000u);
    }
}

/* log1p(exp(-|v|)) + max(v, 0), and its derivative */
__device__ static float softplus(float v, float *slope)
{
    const float e = expf(-fabsf(v)), r = 1.0f / (1.0f + e);
    *slope = v >= 0.0f ? r : e * r;
    return log1pf(e) + fmaxf(v, 0.0f);
}

__device__ static float sigmoid(float v) { return 1.0f / (1.0f + __expf(-v)); }

/* g = exp(a + 2 i half) - 1 without cancellation, a <= 0: Re = expm1(a) cos - 2 sin^2(half), Im = exp(a) sin.
 * sin^2 and sin cos of half do not change when half moves by pi, so one reduction serves the whole range. */
__device__ static void grown(float a, float half, float *re, float *im)
{
    const float k = rintf(half * 0.318309886f);
    const float r = fmaf(-k, -8.74227766e-8f, fmaf(-k, 3.14159274f, half)), r2 = r * r;
    float p = fmaf(2.6089327e-6f, r2, -1.9811113e-4f);
    p = fmaf(fmaf(p, r2, 8.3330882e-3f), r2, -1.6666660e-1f);
    const float s = fmaf(r * r2, p, r);
    float c = fmaf(2.3194386e-5f, r2, -1.3855927e-3f);
    c = fmaf(fmaf(fmaf(c, r2, 4.1663989e-2f), r2, -4.9999932e-1f), r2, 1.0f);
    float m = fmaf(7.2403764e-3f, a, 4.1354355e-2f);
    m = fmaf(fmaf(m, a, 1.6663103e-1f), a, 4.9999873e-1f);
    m = fmaf(a * a, m, a);
    const float e = __expf(a), s2 = s + s, ss2 = s2 * s;
    m = a > -0.35f ? m : e - 1.0f;
    *re = fmaf(m, 1.0f - ss2, -ss2);
    *im = e * (s2 * c);
}

/* What both passes hold of a channel */
template <int N> struct channel {
    float ar[N], half[N], br[N], bi[N], bias, skip;

    __device__ void load(const scan_args &a, int c)
    {
        for (int n = 0; n < N; n++) {
            const float2 A = ((const float2 *)a.A)[(long)c * N + n], B = ((const float2 *)a.B)[(long)c * N + n];
            ar[n] = A.x, half[n] = 0.5f * A.y, br[n] = B.x, bi[n] = B.y;
        }
        bias = a.b[c];
        skip = a.D[c];
    }
};

/* The next chunk's rows of proj, on their way from memory into one of two tiles of floats in shared memory */
template <typename T, int N, int P> struct rows {
    enum { ROW = shape<N>::ROW, EACH = 16 / sizeof(T), VECTORS = CHUNK * ROW / EACH, MINE = (VECTORS + P - 1) / P };
    uint4 v[MINE];

    __device__ void fetch(const T *row)
    {
        #pragma unroll
        for (int i = 0; i < MINE; i++)
            if ((int)threadIdx.x + i * P < VECTORS)
                v[i] = ((const uint4 *)row)[threadIdx.x + i * P];
    }
    __device__ void store(float *tile)
    {
        #pragma unroll
        for (int i = 0; i < MINE; i++)
            if ((int)threadIdx.x + i * P < VECTORS)
                unpack(tile + (threadIdx.x + i * P) * EACH, v[i], T());
    }
};

template <typename T, int N, int P> __global__ void __launch_bounds__(P) scan_forward(scan_args a)
{
    enum { ROW = shape<N>::ROW };
    __shared__ __align__(16) float tiles[2][CHUNK * ROW];
    const int j = blockIdx.x, s = blockIdx.y, c = j * P + threadIdx.x, channels = a.blocks * P;
    const long step0 = (long)s * a.length;
    const T *u = (const T *)a.u + step0 * channels + c, *gate = (const T *)a.gate + step0 * a.gate_stride + c;
    const T *proj = (const T *)a.proj + ((long)j * a.sequences * a.length + step0) * ROW;
    T *out = (T *)a.out + step0 * channels + c;
    channel<N> ch;
    ch.load(a, c);
    float xr[N], xi[N];
    for (int n = 0; n < N; n++) {
        const float2 x = a.x0 ? ((const float2 *)a.x0)[((long)s * channels + c) * N + n] : make_float2(0.0f, 0.0f);
        xr[n] = x.x, xi[n] = x.y;
    }
    rows<T, N, P> next;
    T un[CHUNK], gn[CHUNK];
    const int chunks = a.length / CHUNK;
    next.fetch(proj);
    next.store(tiles[0]);
    #pragma unroll
    for (int t = 0; t < CHUNK; t++)
        un[t] = u[(long)t * channels], gn[t] = gate[t * a.gate_stride];
    __syncthreads();
    for (int k = 0; k < chunks; k++) {
        float uk[CHUNK], gk[CHUNK];
        #pragma unroll
        for (int t = 0; t < CHUNK; t++)
            uk[t] = as_float(un[t]), gk[t] = as_float(gn[t]);
        if (k + 1 < chunks) {
            const long at = (long)(k + 1) * CHUNK;
            next.fetch(proj + at * ROW);
            #pragma unroll
            for (int t = 0; t < CHUNK; t++)
                un[t] = u[(at + t) * channels], gn[t] = gate[(at + t) * a.gate_stride];
        }
        if (a.starts) {
            float2 *to = (float2 *)a.starts + ((((long)s * chunks + k) * a.blocks + j) * N) * P + threadIdx.x;
            #pragma unroll
            for (int n = 0; n < N; n++)
                to[n * P] = make_float2(xr[n], xi[n]);
        }
        #pragma unroll
        for (int t = 0; t < CHUNK; t++) {
            const float *row = tiles[k & 1] + t * ROW;
            float slope, y = 0.0f;
            const float delta = softplus(row[3 * N] + ch.bias, &slope);
            #pragma unroll
            for (int n = 0; n < N; n++) {
                float gr, gi;
                grown(delta * ch.ar[n], delta * ch.half[n], &gr, &gi);
                const float vr = fmaf(uk[t], row[n] + ch.br[n], xr[n]), vi = fmaf(uk[t], row[N + n] + ch.bi[n], xi[n]);
                xr[n] = fmaf(gr, vr, fmaf(-gi, vi, xr[n]));
                xi[n] = fmaf(gr, vi, fmaf(gi, vr, xi[n]));
                y = fmaf(row[2 * N + n], xr[n], y);
            }
            y = fmaf(ch.skip, uk[t], 2.0f * y);
            put(out + ((long)k * CHUNK + t) * channels, y * gk[t] * sigmoid(gk[t]));
        }
        if (k + 1 < chunks)
            next.store(tiles[(k + 1) & 1]);
        __syncthreads();
    }
    for (int n = 0; n < N; n++)
        ((float2 *)a.x1)[((long)s * channels + c) * N + n] = make_float2(xr[n], xi[n]);
}

/* Shared memory of the backward pass, in floats */
template <int N, int P> struct backward_layout {
    enum {
        ROW = shape<N>::ROW, USED = shape<N>::USED, STRIDE = 36,    /* 36: rows of 32 lanes without bank conflicts */
        TILES = 2 * CHUNK * ROW,
        SUMS = 2 * (P / 32) * CHUNK * ROW,              /* a warp's sums over its channels */
        TURN = (P / 32) * USED * STRIDE,                /* values of one step, one row a value and one column a lane */
        STEPS = CHUNK * N * P * 4,                      /* state before each step, and g */
        BYTES = 4 * (TILES + SUMS + TURN + STEPS)
    };
};

/* Sum each row of 32 lanes; lane r gets rows r, r + 32, ... */
template <int USED, int STRIDE> __device__ static void sum_rows(const float *turn, float *sums)
{
    for (int r = threadIdx.x & 31; r < USED; r += 32) {
        const float4 *v = (const float4 *)(turn + r * STRIDE);
        float4 t = v[0];
        #pragma unroll
        for (int i = 1; i < 8; i++)
            t.x += v[i].x, t.y += v[i].y, t.z += v[i].z, t.w += v[i].w;
        sums[r] = (t.x + t.y) + (t.z + t.w);
    }
}

template <typename T, int N, int P> __global__ void __launch_bounds__(P) scan_backward(scan_args a)
{
    typedef backward_layout<N, P> lay;
    enum { ROW = lay::ROW, USED = lay::USED, STRIDE = lay::STRIDE, WARPS = P / 32 };
    extern __shared__ __align__(16) float memory[];
    float *tiles = memory, *sums = tiles + lay::TILES, *turns = sums + lay::SUMS;
    float4 *steps = (float4 *)(turns + lay::TURN) + threadIdx.x;    /* [step][n][channel]: x, g */
    const int warp = threadIdx.x / 32, lane = threadIdx.x & 31;
    float *turn = turns + warp * USED * STRIDE + lane;
    const int j = blockIdx.x, s = blockIdx.y, c = j * P + threadIdx.x, channels = a.blocks * P;
    const long step0 = (long)s * a.length, row0 = (long)j * a.sequences * a.length + step0;
    const T *u = (const T *)a.u + step0 * channels + c, *gate = (const T *)a.gate + step0 * a.gate_stride + c;
    const T *dout = (const T *)a.dout + step0 * channels + c, *proj = (const T *)a.proj + row0 * ROW;
    T *du = (T *)a.du + step0 * channels + c, *dgate = (T *)a.dgate + step0 * a.dgate_stride + c;
    T *dproj = (T *)a.dproj + row0 * ROW;
    const int chunks = a.length / CHUNK;
    const float2 *starts = (const float2 *)a.starts + (((long)s * chunks * a.blocks + j) * N) * P + threadIdx.x;
    channel<N> ch;
    ch.load(a, c);
    float lr[N] = {0}, li[N] = {0}, dar[N] = {0}, dai[N] = {0}, dbr[N] = {0}, dbi[N] = {0}, dbias = 0, dskip = 0;
    rows<T, N, P> next;
    T un[CHUNK], gn[CHUNK], on[CHUNK];
    float2 xn[N];
    const auto prefetch = [&](int k) {
        const long at = (long)k * CHUNK;
        next.fetch(proj + at * ROW);
        #pragma unroll
        for (int t = 0; t < CHUNK; t++) {
            un[t] = u[(at + t) * channels];
            gn[t] = gate[(at + t) * a.gate_stride];
            on[t] = dout[(at + t) * channels];
        }
        #pragma unroll
        for (int n = 0; n < N; n++)
            xn[n] = starts[((long)k * a.blocks * N + n) * P];
    };
    prefetch(chunks - 1);
    next.store(tiles + ((chunks - 1) & 1) * CHUNK * ROW);
    for (int i = threadIdx.x; i < lay::SUMS; i += P)
        sums[i] = 0.0f;                                             /* the padding of dproj's rows */
    __syncthreads();
    for (int k = chunks - 1; k >= 0; k--) {
        const float *tile = tiles + (k & 1) * CHUNK * ROW;
        float *sum = sums + (k & 1) * WARPS * CHUNK * ROW;
        float uk[CHUNK], gk[CHUNK], ok[CHUNK], delta[CHUNK], slope[CHUNK], xr[N], xi[N];
        #pragma unroll
        for (int t = 0; t < CHUNK; t++)
            uk[t] = as_float(un[t]), gk[t] = as_float(gn[t]), ok[t] = as_float(on[t]);
        #pragma unroll
        for (int n = 0; n < N; n++)
            xr[n] = xn[n].x, xi[n] = xn[n].y;
        if (k > 0)
            prefetch(k - 1);
        #pragma unroll
        for (int t = 0; t < CHUNK; t++) {
            const float *row = tile + t * ROW;
            delta[t] = softplus(row[3 * N] + ch.bias, &slope[t]);
            #pragma unroll
            for (int n = 0; n < N; n++) {
                float gr, gi;
                grown(delta[t] * ch.ar[n], delta[t] * ch.half[n], &gr, &gi);
                steps[(t * N + n) * P] = make_float4(xr[n], xi[n], gr, gi);
                const float vr = fmaf(uk[t], row[n] + ch.br[n], xr[n]), vi = fmaf(uk[t], row[N + n] + ch.bi[n], xi[n]);
                xr[n] = fmaf(gr, vr, fmaf(-gi, vi, xr[n]));
                xi[n] = fmaf(gr, vi, fmaf(gi, vr, xi[n]));
            }
        }
        #pragma unroll
        for (int t = CHUNK - 1; t >= 0; t--) {
            const float *row = tile + t * ROW;
            const float on_off = sigmoid(gk[t]), dy = ok[t] * gk[t] * on_off, dy2 = 2.0f * dy;
            float y = 0.0f, dstep = 0.0f, dut = dy * ch.skip;
            #pragma unroll
            for (int n = 0; n < N; n++) {
                const float4 w = steps[(t * N + n) * P];            /* x before the step, g */
                const float C = row[2 * N + n], b_re = row[n] + ch.br[n], b_im = row[N + n] + ch.bi[n];
                y = fmaf(C, xr[n], y);
                turn[(2 * N + n) * STRIDE] = dy2 * xr[n];
                const float l_re = fmaf(dy2, C, lr[n]), l_im = li[n];
                const float qr = fmaf(w.z, l_re, w.w * l_im), qi = fmaf(w.z, l_im, -w.w * l_re);    /* conj(g) l */
                dut = fmaf(b_re, qr, fmaf(b_im, qi, dut));
                const float dB_re = uk[t] * qr, dB_im = uk[t] * qi;
                dbr[n] += dB_re, dbi[n] += dB_im;
                turn[n * STRIDE] = dB_re, turn[(N + n) * STRIDE] = dB_im;
                lr[n] = l_re + qr, li[n] = l_im + qi;               /* conj(exp z) l */
                const float vr = fmaf(uk[t], b_re, w.x), vi = fmaf(uk[t], b_im, w.y);
                const float zr = fmaf(lr[n], vr, li[n] * vi), zi = fmaf(li[n], vr, -lr[n] * vi);    /* dz */
                dstep = fmaf(ch.ar[n], zr, fmaf(2.0f * ch.half[n], zi, dstep));
                dar[n] = fmaf(delta[t], zr, dar[n]), dai[n] = fmaf(delta[t], zi, dai[n]);
                xr[n] = w.x, xi[n] = w.y;
            }
            y = fmaf(ch.skip, uk[t], 2.0f * y);
            const long at = (long)k * CHUNK + t;
            put(dgate + at * a.dgate_stride, ok[t] * y * on_off * fmaf(gk[t], 1.0f - on_off, 1.0f));
            put(du + at * channels, dut);
            dskip = fmaf(dy, uk[t], dskip);
            const float dt = dstep * slope[t];
            dbias += dt;
            turn[3 * N * STRIDE] = dt;
            __syncwarp();
            sum_rows<USED, STRIDE>(turn - lane, sum + (warp * CHUNK + t) * ROW);
            __syncwarp();
        }
        if (k > 0)
            next.store(tiles + ((k - 1) & 1) * CHUNK * ROW);
        __syncthreads();
        for (int i = threadIdx.x; i < CHUNK * ROW; i += P) {
            float v = sum[i];
            #pragma unroll
            for (int w = 1; w < WARPS; w++)
                v += sum[w * CHUNK * ROW + i];
            put(dproj + (long)k * CHUNK * ROW + i, v);
        }
    }
    const long row = (long)s * channels + c;
    for (int n = 0; n < N; n++) {
        ((float2 *)a.dA)[row * N + n] = make_float2(dar[n], dai[n]);
        ((float2 *)a.dB)[row * N + n] = make_float2(dbr[n], dbi[n]);
    }
    a.db[row] = dbias;
    a.dD[row] = dskip;
}

template <typename T, int N, int P> static int launch(const scan_args &a, bool backward, cudaStream_t stream)
{
    const dim3 grid(a.blocks, a.sequences);
    if (!backward) {
        scan_forward<T, N, P><<<grid, P, 0, stream>>>(a);
        return (int)cudaGetLastError();
    }
    const int bytes = backward_layout<N, P>::BYTES;
    const cudaError_t e = cudaFuncSetAttribute(scan_backward<T, N, P>, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes);
    if (e != cudaSuccess)
        return (int)e;
    scan_backward<T, N, P><<<grid, P, bytes, stream>>>(a);
    return (int)cudaGetLastError();
}

template <typename T> static int choose(const scan_args &a, int n, int p, bool backward, cudaStream_t stream)
{
    if (n == 8 && p == 32) return launch<T, 8, 32>(a, backward, stream);
    if (n == 8 && p == 64) return launch<T, 8, 64>(a, backward, stream);
    if (n == 16 && p == 32) return launch<T, 16, 32>(a, backward, stream);
    if (n == 16 && p == 64) return launch<T, 16, 64>(a, backward, stream);
    return -1;
}

/* 0, a CUDA error, or -1 for sizes that are not compiled in */
extern "C" int b2s6_scan(const scan_args *a, int n, int p, int bf16, int backward, void *stream)
{
    return bf16 ? choose<__nv_bfloat16>(*a, n, p, backward, (cudaStream_t)stream)
                : choose<float>(*a, n, p, backward, (cudaStream_t)stream);
}

extern "C" int b2s6_scan_chunk(void) { return CHUNK; }
