/* The pieces around the scan that move more bytes than they compute: RMS norm, and the causal depthwise convolution with
 * its SiLU, forward and backward.
 *
 *     norm:  x (rows, d) float -> y (rows, d) bfloat16, y = x / rms(x) * weight;         widths: b2s6_norm
 *     conv:  v (sequences, L, channels) T with its own row stride -> y, the same without gaps
 *            y_k = silu(bias + sum over i of weight[i] v_(k - 3 + i)), weight (channels, 4); before the sequence come
 *            the 3 rows of past (sequences, 3, channels), or zeros
 *
 * Weight gradients leave as one row a thread block, for the caller to add up in a fixed order.
 */
#include <cuda_bf16.h>
#include <cuda_runtime.h>

enum { WARP = 32, NORM_WARPS = 8, NORM_ROWS = 16, TAPS = 4, SPAN = 32 };

__device__ static float as_float(float v) { return v; }
__device__ static float as_float(__nv_bfloat16 v) { return __bfloat162float(v); }
__device__ static void put(float *p, float v) { *p = v; }
__device__ static void put(__nv_bfloat16 *p, float v) { *p = __float2bfloat16(v); }

__device__ static float warp_sum(float v)
{
    for (int step = WARP / 2; step > 0; step /= 2)
        v += __shfl_xor_sync(0xffffffffu, v, step);
    return v;
}

/* A warp a row, EACH = d / 32 values a lane */
template <int EACH> __global__ void norm_forward(const float *x, const float *weight, __nv_bfloat16 *y, float *scale,
                                                 long rows, float eps)
{
    const long row = (long)blockIdx.x * NORM_WARPS + threadIdx.x / WARP;
    const int lane = threadIdx.x % WARP;
    if (row >= rows)
        return;
    float v[EACH], squares = 0.0f;
    #pragma unroll
    for (int i = 0; i < EACH; i++) {
        v[i] = x[row * EACH * WARP + i * WARP + lane];
        squares = fmaf(v[i], v[i], squares);
    }
    const float s = rsqrtf(warp_sum(squares) / (EACH * WARP) + eps);
    #pragma unroll
    for (int i = 0; i < EACH; i++)
        put(y + row * EACH * WARP + i * WARP + lane, v[i] * s * weight[i * WARP + lane]);
    if (lane == 0)
        scale[row] = s;
}

/* A warp takes NORM_ROWS rows; dweight: one row of d a warp */
template <int EACH> __global__ void norm_backward(const float *x, const float *weight, const float *scale,
                                                  const __nv_bfloat16 *dy, float *dx, float *dweight, long rows)
{
    const long warp = (long)blockIdx.x * NORM_WARPS + threadIdx.x / WARP;
    const int lane = threadIdx.x % WARP;
    float w[EACH], dw[EACH];
    #pragma unroll
    for (int i = 0; i < EACH; i++)
        w[i] = weight[i * WARP + lane], dw[i] = 0.0f;
    for (long row = warp * NORM_ROWS; row < (warp + 1) * NORM_ROWS && row < rows; row++) {
        float n[EACH], g[EACH], dot = 0.0f;
        const float s = scale[row];
        #pragma unroll
        for (int i = 0; i < EACH; i++) {
            const long at = row * EACH * WARP + i * WARP + lane;
            n[i] = x[at] * s;
            g[i] = as_float(dy[at]);
            dw[i] = fmaf(g[i], n[i], dw[i]);
            g[i] *= w[i];
            dot = fmaf(g[i], n[i], dot);
        }
        dot = warp_sum(dot) / (EACH * WARP);
        #pragma unroll
        for (int i = 0; i < EACH; i++)
            dx[row * EACH * WARP + i * WARP + lane] = s * fmaf(-dot, n[i], g[i]);
    }
    #pragma unroll
    for (int i = 0; i < EACH; i++)
        dweight[warp * EACH * WARP + i * WARP + lane] = dw[i];
}

struct conv_args {
    const void *v, *past;
    const float *weight, *bias;
    void *y;
    const void *dy;
    void *dv;
    float *dweight;                 /* (sequences, spans, channels, TAPS + 1), the last is the bias's */
    long v_stride, dv_stride;
    int sequences, length, channels;
};

/* Input of step k, which may lie before the sequence */
template <typename T> __device__ static float input(const conv_args &a, int s, int k, int c)
{
    if (k >= 0)
        return as_float(((const T *)a.v)[((long)s * a.length + k) * a.v_stride + c]);
    return a.past ? as_float(((const T *)a.past)[((long)s * (TAPS - 1) + k + TAPS - 1) * a.channels + c]) : 0.0f;
}

__device__ static float convolve(const float *window, const float *w, float bias)
{
    float sum = bias;
    #pragma unroll
    for (int i = 0; i < TAPS; i++)
        sum = fmaf(w[i], window[i], sum);
    return sum;
}

__device__ static void shift(float *window, float v)
{
    #pragma unroll
    for (int i = 1; i < TAPS; i++)
        window[i - 1] = window[i];
    window[TAPS - 1] = v;
}

/* A thread takes one channel over SPAN steps */
template <typename T> __global__ void conv_forward(conv_args a)
{
    const int c = blockIdx.x * blockDim.x + threadIdx.x, first = blockIdx.y * SPAN, s = blockIdx.z;
    if (c >= a.channels)
        return;
    float w[TAPS], window[TAPS] = {0};
    for (int i = 0; i < TAPS; i++)
        w[i] = a.weight[c * TAPS + i];
    for (int i = 1; i < TAPS; i++)
        shift(window, input<T>(a, s, first - TAPS + i, c));
    const float bias = a.bias[c];
    #pragma unroll 4
    for (int k = first; k < min(first + SPAN, a.length); k++) {
        shift(window, input<T>(a, s, k, c));
        const float v = convolve(window, w, bias);
        put((T *)a.y + ((long)s * a.length + k) * a.channels + c, v / (1.0f + __expf(-v)));
    }
}

/* Walks TAPS - 1 steps past its span, because the span's inputs reach those outputs */
template <typename T> __global__ void conv_backward(conv_args a)
{
    const int c = blockIdx.x * blockDim.x + threadIdx.x, first = blockIdx.y * SPAN, s = blockIdx.z;
    if (c >= a.channels)
        return;
    float w[TAPS], window[TAPS] = {0}, slopes[TAPS] = {0}, dw[TAPS] = {0}, dbias = 0.0f;
    for (int i = 0; i < TAPS; i++)
        w[i] = a.weight[c * TAPS + i];
    for (int i = 1; i < TAPS; i++)
        shift(window, input<T>(a, s, first - TAPS + i, c));
    const float bias = a.bias[c];
    const int last = min(first + SPAN, a.length);
    #pragma unroll 4
    for (int k = first; k < last + TAPS - 1; k++) {
        float slope = 0.0f;
        if (k < a.length) {
            shift(window, input<T>(a, s, k, c));
            const float v = convolve(window, w, bias), r = 1.0f / (1.0f + __expf(-v));
            slope = as_float(((const T *)a.dy)[((long)s * a.length + k) * a.channels + c]) * r * fmaf(v, 1.0f - r, 1.0f);
        }
        shift(slopes, slope);                       /* slopes[i] belongs to step k - (TAPS - 1) + i */
        if (k < last) {
            dbias += slope;
            #pragma unroll
            for (int i = 0; i < TAPS; i++)
                dw[i] = fmaf(slope, window[i], dw[i]);
        }
        const int at = k - (TAPS - 1);
        if (at >= first) {
            float dv = 0.0f;
            #pragma unroll
            for (int i = 0; i < TAPS; i++)
                dv = fmaf(w[TAPS - 1 - i], slopes[i], dv);
            put((T *)a.dv + ((long)s * a.length + at) * a.dv_stride + c, dv);
        }
    }
    float *to = a.dweight + (((long)s * gridDim.y + blockIdx.y) * a.channels + c) * (TAPS + 1);
    for (int i = 0; i < TAPS; i++)
        to[i] = dw[i];
    to[TAPS] = dbias;
}

template <typename T> static int conv(const conv_args &a, int backward, cudaStream_t stream)
{
    const dim3 grid((a.channels + 127) / 128, (a.length + SPAN - 1) / SPAN, a.sequences);
    if (backward)
        conv_backward<T><<<grid, 128, 0, stream>>>(a);
    else
        conv_forward<T><<<grid, 128, 0, stream>>>(a);
    return (int)cudaGetLastError();
}

extern "C" int b2s6_conv(const conv_args *a, int bf16, int backward, void *stream)
{
    return bf16 ? conv<__nv_bfloat16>(*a, backward, (cudaStream_t)stream) : conv<float>(*a, backward, (cudaStream_t)stream);
}

extern "C" int b2s6_conv_span(void) { return SPAN; }

/* Rows of dweight that norm_backward writes */
extern "C" long b2s6_norm_parts(long rows)
{
    const long each = (long)NORM_WARPS * NORM_ROWS;
    return (rows + each - 1) / each * NORM_WARPS;
}

struct norm_args {
    const float *x, *weight;
    float *scale;
    void *y;
    const void *dy;
    float *dx, *dweight;
    long rows;
    float eps;
};

template <int EACH> static int norm(const norm_args &a, int backward, cudaStream_t stream)
{
    if (backward)
        norm_backward<EACH><<<(int)(b2s6_norm_parts(a.rows) / NORM_WARPS), NORM_WARPS * WARP, 0, stream>>>(
            a.x, a.weight, a.scale, (const __nv_bfloat16 *)a.dy, a.dx, a.dweight, a.rows);
    else
        norm_forward<EACH><<<(int)((a.rows + NORM_WARPS - 1) / NORM_WARPS), NORM_WARPS * WARP, 0, stream>>>(
            a.x, a.weight, (__nv_bfloat16 *)a.y, a.scale, a.rows, a.eps);
    return (int)cudaGetLastError();
}

/* 0, a CUDA error, or -1 for a width that is not compiled in */
extern "C" int b2s6_norm(const norm_args *a, int width, int backward, void *stream)
{
    switch (width) {
    case 128: return norm<4>(*a, backward, (cudaStream_t)stream);
    case 192: return norm<6>(*a, backward, (cudaStream_t)stream);
    case 256: return norm<8>(*a, backward, (cudaStream_t)stream);
    case 320: return norm<10>(*a, backward, (cudaStream_t)stream);
    case 384: return norm<12>(*a, backward, (cudaStream_t)stream);
    case 512: return norm<16>(*a, backward, (cudaStream_t)stream);
    }
    return -1;
}
