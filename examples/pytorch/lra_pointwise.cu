/* What lies between the scans and the products of a stack of s4 blocks: GELU, gated linear unit with its residual, batch and
 * layer norm, pooling, and their gradients. Rows are tokens of all sequences, one after the other; d = 8 G columns.
 *
 * A thread holds 8 neighbouring columns of a row, G threads a row, and goes through the rows in strides. Sums over rows leave as one
 * line a thread block (`parts`), which column_sums adds up in a fixed order. Rows from `*live` on are filling: they are left
 * out of sums and get zeros. T is the storage type, float or bfloat16; everything is computed in float.
 */
#ifdef B2S6_ON_CPU
#include "cuda_on_cpu.h"
#else
#include <cuda_bf16.h>
#include <cuda_runtime.h>
#define LAUNCH(grid, size, stream, args, ...) __VA_ARGS__<<<grid, size, 0, stream>>>(args)
#endif

enum { EACH = 8, THREADS = 256 };

__device__ static void load(float *to, const float *from)
{
    for (int i = 0; i < 2; i++) {
        const float4 v = ((const float4 *)from)[i];
        to[4 * i] = v.x, to[4 * i + 1] = v.y, to[4 * i + 2] = v.z, to[4 * i + 3] = v.w;
    }
}
__device__ static void load(float *to, const __nv_bfloat16 *from)
{
    const uint4 v = *(const uint4 *)from;
    const unsigned w[4] = {v.x, v.y, v.z, v.w};
    #pragma unroll
    for (int i = 0; i < 4; i++) {
        to[2 * i] = __uint_as_float(w[i] << 16);
        to[2 * i + 1] = __uint_as_float(w[i] & 0xffff0000u);
    }
}
__device__ static void store(float *to, const float *from)
{
    for (int i = 0; i < 2; i++)
        ((float4 *)to)[i] = make_float4(from[4 * i], from[4 * i + 1], from[4 * i + 2], from[4 * i + 3]);
}
__device__ static void store(__nv_bfloat16 *to, const float *from)
{
    __align__(16) __nv_bfloat16 v[EACH];
    #pragma unroll
    for (int i = 0; i < EACH; i++)
        v[i] = __float2bfloat16(from[i]);
    *(uint4 *)to = *(const uint4 *)v;
}

/* One thread's columns and the rows that it goes through */
template <int G> struct walk {
    enum { ROWS = THREADS / G, D = EACH * G };
    int column;
    long row, step;

    __device__ walk()
    {
        column = (int)threadIdx.x % G * EACH;
        row = (long)blockIdx.x * ROWS + threadIdx.x / G;
        step = (long)gridDim.x * ROWS;
    }
    __device__ long at() const { return row * D + column; }
};

/* Sum over the G threads of a row */
template <int G> __device__ static float row_sum(float v)
{
    #pragma unroll
    for (int step = 1; step < G; step *= 2)
        v += __shfl_xor_sync(0xffffffffu, v, step);
    return v;
}
__device__ static float total(const float *v)
{
    float sum = 0.0f;
    #pragma unroll
    for (int i = 0; i < EACH; i++)
        sum += v[i];
    return sum;
}

/* A thread block's sums of K kinds to its line (K, d) of parts */
template <int G, int K> __device__ static void block_sums(float (*v)[EACH], float *parts)
{
    enum { D = EACH * G, ROWS = THREADS / G };
    __shared__ float all[ROWS][D];
    #pragma unroll
    for (int k = 0; k < K; k++) {
        #pragma unroll
        for (int i = 0; i < EACH; i++)
            all[threadIdx.x / G][threadIdx.x % G * EACH + i] = v[k][i];
        __syncthreads();
        for (int c = threadIdx.x; c < D; c += THREADS) {
            float sum = 0.0f;
            for (int r = 0; r < ROWS; r++)
                sum += all[r][c];
            parts[((long)blockIdx.x * K + k) * D + c] = sum;
        }
        __syncthreads();
    }
}

struct pointwise_args {
    const void *x, *y, *u, *h, *dy, *extra, *more;
    void *out, *out2;
    const float *weight, *bias, *sums;
    float *parts;
    const int2 *sequences;              /* pool: first row and length */
    const int *live;                    /* the number of valid rows; in memory, so that a captured graph serves many batches */
    long rows;
    float eps;
    int count;
};

__device__ static float gelu(float s) { return 0.5f * s * (1.0f + erff(s * 0.707106781f)); }
__device__ static float gelu_slope(float s)
{
    return 0.5f * (1.0f + erff(s * 0.707106781f)) + s * 0.398942280f * __expf(-0.5f * s * s);
}
__device__ static float sigmoid(float v) { return __fdividef(1.0f, 1.0f + __expf(-v)); }

/* s = y[0] + y[1] + weight u; out = s, out2 = gelu(s)             y (2, rows, d) */
template <typename T, int G> __global__ void __launch_bounds__(THREADS) gelu_forward(pointwise_args a)
{
    walk<G> w;
    float D[EACH];
    load(D, a.weight + w.column);
    for (; w.row < a.rows; w.row += w.step) {
        float y0[EACH], y1[EACH], u[EACH];
        load(y0, (const T *)a.y + w.at());
        load(y1, (const T *)a.y + a.rows * walk<G>::D + w.at());
        load(u, (const T *)a.u + w.at());
        #pragma unroll
        for (int i = 0; i < EACH; i++) {
            y0[i] = fmaf(D[i], u[i], y0[i] + y1[i]);
            y1[i] = gelu(y0[i]);
        }
        store((T *)a.out + w.at(), y0);
        store((T *)a.out2 + w.at(), y1);
    }
}

/* out = ds = dy gelu'(s) for s = x; parts (1, d): sums of ds u */
template <typename T, int G> __global__ void __launch_bounds__(THREADS) gelu_backward(pointwise_args a)
{
    walk<G> w;
    float sums[1][EACH] = {};
    for (; w.row < a.rows; w.row += w.step) {
        float s[EACH], u[EACH], dy[EACH];
        load(s, (const T *)a.x + w.at());
        load(u, (const T *)a.u + w.at());
        load(dy, (const T *)a.dy + w.at());
        #pragma unroll
        for (int i = 0; i < EACH; i++) {
            dy[i] *= gelu_slope(s[i]);
            sums[0][i] = fmaf(dy[i], u[i], sums[0][i]);
        }
        store((T *)a.out + w.at(), dy);
    }
    block_sums<G, 1>(sums, a.parts);
}

/* out = r = x + h[:d] sigmoid(h[d:]); parts (2, d): sums of r and of r^2 over the valid rows. h may be null: r = x, no out */
template <typename T, int G> __global__ void __launch_bounds__(THREADS) glu_forward(pointwise_args a)
{
    const long valid = *a.live;
    walk<G> w;
    float sums[2][EACH] = {};
    for (; w.row < a.rows; w.row += w.step) {
        float r[EACH], v[EACH], g[EACH];
        load(r, (const T *)a.x + w.at());
        if (a.h) {
            load(v, (const T *)a.h + w.row * 2 * walk<G>::D + w.column);
            load(g, (const T *)a.h + w.row * 2 * walk<G>::D + walk<G>::D + w.column);
            #pragma unroll
            for (int i = 0; i < EACH; i++)
                r[i] = w.row < valid ? fmaf(v[i], sigmoid(g[i]), r[i]) : 0.0f;
            store((T *)a.out + w.at(), r);
        }
        #pragma unroll
        for (int i = 0; i < EACH; i++) {
            const float t = w.row < valid ? r[i] : 0.0f;
            sums[0][i] += t;
            sums[1][i] = fmaf(t, t, sums[1][i]);
        }
    }
    block_sums<G, 2>(sums, a.parts);
}

/* Batch norm's mean and 1 / deviation of a column from the sums of r and r^2 */
__device__ static void moments(const pointwise_args &a, int column, int d, float *mean, float *scale)
{
    #pragma unroll
    for (int i = 0; i < EACH; i++) {
        mean[i] = a.sums[column + i] / (float)*a.live;
        const float var = a.sums[d + column + i] / (float)*a.live - mean[i] * mean[i];
        scale[i] = rsqrtf(fmaxf(var, 0.0f) + a.eps);
    }
}
/* Layer norm: v becomes (v - mean) / deviation; returns 1 / deviation */
template <int G> __device__ static float layer_normed(float *v, float eps)
{
    const float mean = row_sum<G>(total(v)) / (EACH * G);
    float squares = 0.0f;
    #pragma unroll
    for (int i = 0; i < EACH; i++) {
        v[i] -= mean;
        squares = fmaf(v[i], v[i], squares);
    }
    const float scale = rsqrtf(row_sum<G>(squares) / (EACH * G) + eps);
    #pragma unroll
    for (int i = 0; i < EACH; i++)
        v[i] *= scale;
    return scale;
}

/* out = norm(x); sums null: layer norm. Whole warps stay together for the sums over a row. */
template <typename T, int G> __global__ void __launch_bounds__(THREADS) norm_forward(pointwise_args a)
{
    const long valid = *a.live;
    walk<G> w;
    float weight[EACH], bias[EACH], mean[EACH], scale[EACH];
    load(weight, a.weight + w.column);
    load(bias, a.bias + w.column);
    if (a.sums)
        moments(a, w.column, walk<G>::D, mean, scale);
    const long first = w.row;
    for (; w.row - first + (long)blockIdx.x * walk<G>::ROWS < a.rows; w.row += w.step) {
        float v[EACH] = {};
        if (w.row < valid)
            load(v, (const T *)a.x + w.at());
        if (a.sums) {
            #pragma unroll
            for (int i = 0; i < EACH; i++)
                v[i] = (v[i] - mean[i]) * scale[i];
        } else {
            layer_normed<G>(v, a.eps);
        }
        #pragma unroll
        for (int i = 0; i < EACH; i++)
            v[i] = w.row < valid ? fmaf(v[i], weight[i], bias[i]) : 0.0f;
        if (w.row < a.rows)
            store((T *)a.out + w.at(), v);
    }
}

/* parts (2, d): sums of dy and of dy xhat, batch norm's first pass */
template <typename T, int G> __global__ void __launch_bounds__(THREADS) norm_sums(pointwise_args a)
{
    const long valid = *a.live;
    walk<G> w;
    float mean[EACH], scale[EACH], sums[2][EACH] = {};
    moments(a, w.column, walk<G>::D, mean, scale);
    for (; w.row < valid; w.row += w.step) {
        float v[EACH], dy[EACH];
        load(v, (const T *)a.x + w.at());
        load(dy, (const T *)a.dy + w.at());
        #pragma unroll
        for (int i = 0; i < EACH; i++) {
            sums[0][i] += dy[i];
            sums[1][i] = fmaf(dy[i], (v[i] - mean[i]) * scale[i], sums[1][i]);
        }
    }
    block_sums<G, 2>(sums, a.parts);
}

/* Through the norm (x = r, dy) and, where h is given, the gated unit that made r:
 *     out = dr = d norm(r) + extra; out2 = dh (rows, 2 d)
 * sums (4, d): r, r^2, dy, dy xhat for batch norm, null for layer norm; weight null: no norm, dr = dy + extra
 * parts (4, d): sums of dh (two halves), dy xhat, dy: the gradients of out's bias and (layer norm) of weight and bias */
template <typename T, int G> __global__ void __launch_bounds__(THREADS) norm_backward(pointwise_args a)
{
    enum { D = walk<G>::D };
    const long valid = *a.live;
    walk<G> w;
    float weight[EACH], mean[EACH], scale[EACH], m0[EACH], m1[EACH], sums[4][EACH] = {};
    if (a.weight)
        load(weight, a.weight + w.column);
    if (a.sums) {
        moments(a, w.column, D, mean, scale);
        load(m0, a.sums + 2 * D + w.column);
        load(m1, a.sums + 3 * D + w.column);
        #pragma unroll
        for (int i = 0; i < EACH; i++)
            m0[i] /= (float)*a.live, m1[i] /= (float)*a.live;
    }
    const long first = w.row;
    for (; w.row - first + (long)blockIdx.x * walk<G>::ROWS < a.rows; w.row += w.step) {
        float v[EACH] = {}, dy[EACH] = {}, dr[EACH];
        const bool on = w.row < valid;
        if (on) {
            load(v, (const T *)a.x + w.at());
            load(dy, (const T *)a.dy + w.at());
        }
        if (!a.weight) {
            #pragma unroll
            for (int i = 0; i < EACH; i++)
                dr[i] = dy[i];
        } else if (a.sums) {
            #pragma unroll
            for (int i = 0; i < EACH; i++)
                dr[i] = weight[i] * scale[i] * (dy[i] - m0[i] - (v[i] - mean[i]) * scale[i] * m1[i]);
        } else {
            const float s = layer_normed<G>(v, a.eps);
            float dot0 = 0.0f, dot1 = 0.0f;
            #pragma unroll
            for (int i = 0; i < EACH; i++) {
                sums[2][i] = fmaf(dy[i], v[i], sums[2][i]);
                sums[3][i] += dy[i];
                dr[i] = dy[i] * weight[i];
                dot0 += dr[i];
                dot1 = fmaf(dr[i], v[i], dot1);
            }
            dot0 = row_sum<G>(dot0) / D, dot1 = row_sum<G>(dot1) / D;
            #pragma unroll
            for (int i = 0; i < EACH; i++)
                dr[i] = s * (dr[i] - dot0 - v[i] * dot1);
        }
        if (w.row >= a.rows)
            continue;
        float extra[EACH] = {};
        if (a.extra)
            load(extra, (const T *)a.extra + w.at());
        #pragma unroll
        for (int i = 0; i < EACH; i++)
            dr[i] = on ? dr[i] + extra[i] : 0.0f;
        store((T *)a.out + w.at(), dr);
        if (a.h) {
            float g[EACH];
            load(v, (const T *)a.h + w.row * 2 * D + w.column);
            load(g, (const T *)a.h + w.row * 2 * D + D + w.column);
            #pragma unroll
            for (int i = 0; i < EACH; i++) {
                const float on_off = sigmoid(g[i]);
                g[i] = dr[i] * v[i] * on_off * (1.0f - on_off);
                v[i] = dr[i] * on_off;
                sums[0][i] += v[i];
                sums[1][i] += g[i];
            }
            store((T *)a.out2 + w.row * 2 * D + w.column, v);
            store((T *)a.out2 + w.row * 2 * D + D + w.column, g);
        }
    }
    block_sums<G, 4>(sums, a.parts);
}

/* out = y[0] + y[1] + weight dy + extra: the scans' input gradients, the skip term's and the residual's (may be null) */
template <typename T, int G> __global__ void __launch_bounds__(THREADS) gather(pointwise_args a)
{
    walk<G> w;
    float D[EACH];
    load(D, a.weight + w.column);
    for (; w.row < a.rows; w.row += w.step) {
        float v[EACH], t[EACH];
        load(v, (const T *)a.y + w.at());
        load(t, (const T *)a.y + a.rows * walk<G>::D + w.at());
        #pragma unroll
        for (int i = 0; i < EACH; i++)
            v[i] += t[i];
        load(t, (const T *)a.dy + w.at());
        #pragma unroll
        for (int i = 0; i < EACH; i++)
            v[i] = fmaf(D[i], t[i], v[i]);
        if (a.extra) {
            load(t, (const T *)a.extra + w.at());
            #pragma unroll
            for (int i = 0; i < EACH; i++)
                v[i] += t[i];
        }
        store((T *)a.out + w.at(), v);
    }
}

/* parts (sequences, d): the mean of each sequence's rows; a thread block a sequence */
template <typename T, int G> __global__ void __launch_bounds__(THREADS) pool(pointwise_args a)
{
    const int2 s = a.sequences[blockIdx.x];
    const int column = threadIdx.x % G * EACH;
    float sums[1][EACH] = {};
    for (int r = threadIdx.x / G; r < s.y; r += THREADS / G) {
        float v[EACH];
        load(v, (const T *)a.x + (long)(s.x + r) * EACH * G + column);
        #pragma unroll
        for (int i = 0; i < EACH; i++)
            sums[0][i] += v[i] / (float)s.y;
    }
    block_sums<G, 1>(sums, a.parts);
}

/* out (columns) float: the sums of parts (count, columns); 32 columns a thread block of 1024 */
__global__ void __launch_bounds__(1024) column_sums(pointwise_args a)
{
    __shared__ float all[32][33];
    const int c = threadIdx.x % 32, r = threadIdx.x / 32, columns = (int)a.rows;
    const int column = blockIdx.x * 32 + c;
    float sum = 0.0f;
    for (int i = r; i < a.count; i += 32)
        sum += a.parts[(long)i * columns + column];
    all[r][c] = sum;
    __syncthreads();
    if (r > 0)
        return;
    for (int i = 1; i < 32; i++)
        sum += all[i][c];
    ((float *)a.out)[column] = sum;
}

enum kind { GELU_FORWARD, GELU_BACKWARD, GLU_FORWARD, NORM_FORWARD, NORM_SUMS, NORM_BACKWARD, GATHER, POOL, COLUMN_SUMS };

template <typename T, int G> static int launch(const pointwise_args &a, int what, int blocks, cudaStream_t stream)
{
    const dim3 grid(blocks);
    (void)stream;
    switch (what) {
    case GELU_FORWARD: LAUNCH(grid, THREADS, stream, a, gelu_forward<T, G>); break;
    case GELU_BACKWARD: LAUNCH(grid, THREADS, stream, a, gelu_backward<T, G>); break;
    case GLU_FORWARD: LAUNCH(grid, THREADS, stream, a, glu_forward<T, G>); break;
    case NORM_FORWARD: LAUNCH(grid, THREADS, stream, a, norm_forward<T, G>); break;
    case NORM_SUMS: LAUNCH(grid, THREADS, stream, a, norm_sums<T, G>); break;
    case NORM_BACKWARD: LAUNCH(grid, THREADS, stream, a, norm_backward<T, G>); break;
    case GATHER: LAUNCH(grid, THREADS, stream, a, gather<T, G>); break;
    case POOL: LAUNCH(grid, THREADS, stream, a, pool<T, G>); break;
    default: return -1;
    }
    return (int)cudaGetLastError();
}

template <typename T> static int choose(const pointwise_args &a, int d, int what, int blocks, cudaStream_t stream)
{
    switch (d) {
    case 32: return launch<T, 4>(a, what, blocks, stream);
    case 64: return launch<T, 8>(a, what, blocks, stream);
    case 128: return launch<T, 16>(a, what, blocks, stream);
    case 256: return launch<T, 32>(a, what, blocks, stream);
    }
    return -1;
}

/* 0, a CUDA error, or -1 for a width that is not compiled in */
extern "C" int b2s6_lra_pointwise(const pointwise_args *a, int d, int bf16, int what, int blocks, void *stream)
{
    if (what == COLUMN_SUMS) {
        const dim3 grid(blocks);
        LAUNCH(grid, 1024, (cudaStream_t)stream, *a, column_sums);
        return (int)cudaGetLastError();
    }
    return bf16 ? choose<__nv_bfloat16>(*a, d, what, blocks, (cudaStream_t)stream)
                : choose<float>(*a, d, what, blocks, (cudaStream_t)stream);
}
