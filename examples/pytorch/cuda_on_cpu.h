/* Runs CUDA kernels on a CPU, slowly, so that lra_scan.cu and lra_pointwise.cu can be checked without a GPU.
 *
 * Every thread of a thread block is a fiber of one OS thread. A fiber runs until it meets a barrier, a shuffle or a matrix
 * product of its warp, and goes on when all the others have come as far. Thread blocks run one after the other. What this
 * cannot show: races between fibers that no barrier orders, and anything about speed.
 *
 *     g++ -x c++ -std=c++17 -O2 -DB2S6_ON_CPU -shared -fPIC ...
 */
#ifndef CUDA_ON_CPU_H
#define CUDA_ON_CPU_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#define __global__
#define __device__
#define __shared__ static
#define __forceinline__ inline
#define __restrict__
#define __align__(n) __attribute__((aligned(n)))
#define __launch_bounds__(...)

struct dim3 { unsigned x, y, z; dim3(unsigned a = 1, unsigned b = 1, unsigned c = 1) : x(a), y(b), z(c) {} };
struct int2 { int x, y; };
struct int4 { int x, y, z, w; };
struct uint2 { unsigned x, y; };
struct uint4 { unsigned x, y, z, w; };
struct float2 { float x, y; };
struct __attribute__((aligned(16))) float4 { float x, y, z, w; };
static inline float2 make_float2(float x, float y) { return float2{x, y}; }
static inline float4 make_float4(float x, float y, float z, float w) { return float4{x, y, z, w}; }
static inline uint2 make_uint2(unsigned x, unsigned y) { return uint2{x, y}; }
static inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return uint4{x, y, z, w}; }

static inline unsigned __float_as_uint(float v) { unsigned u; memcpy(&u, &v, 4); return u; }
static inline float __uint_as_float(unsigned u) { float v; memcpy(&v, &u, 4); return v; }
#define __expf expf
#define __logf logf
#define __sinf sinf
#define __cosf cosf
static inline float __fdividef(float a, float b) { return a / b; }
static inline float rsqrtf(float v) { return 1.0f / sqrtf(v); }
static inline int min(int a, int b) { return a < b ? a : b; }
static inline int max(int a, int b) { return a > b ? a : b; }

struct __nv_bfloat16 { uint16_t bits; };
static inline float __bfloat162float(__nv_bfloat16 v) { return __uint_as_float((unsigned)v.bits << 16); }
static inline __nv_bfloat16 __float2bfloat16(float v)
{
    const unsigned u = __float_as_uint(v);
    return __nv_bfloat16{(uint16_t)((u + 0x7fffu + ((u >> 16) & 1u)) >> 16)};
}

struct half2 { _Float16 x, y; };
static inline half2 __floats2half2_rn(float x, float y) { return half2{(_Float16)x, (_Float16)y}; }
static inline float2 __half22float2(half2 v) { return float2{(float)v.x, (float)v.y}; }

typedef void *cudaStream_t;
typedef int cudaError_t;
enum { cudaSuccess = 0 };
static inline int cudaGetLastError(void) { return 0; }

namespace on_cpu {
enum { MOST = 1024, WARPS = MOST / 32, STACK = 128 * 1024 };
struct barrier { int count, turn; };
static dim3 thread, block, threads, blocks;
static int now;                                     /* the fiber that runs */
static ucontext_t home, fibers[MOST];
static bool ended[MOST];
static char *stacks;
static barrier block_barrier, warp_barrier[WARPS];
static float shuffled[MOST];
static float fragments[MOST][6];
static void (*body)(void *);
static void *argument;

static inline void yield() { swapcontext(&fibers[now], &home); }
static inline void meet(barrier *b, int size)
{
    const int turn = b->turn;
    if (++b->count == size) {
        b->count = 0;
        b->turn++;
    }
    while (b->turn == turn)
        yield();
}
static inline void start()
{
    body(argument);
    ended[now] = true;
    yield();
}
/* Runs `f(a)` for every thread of every block */
static inline void run(dim3 grid, unsigned size, void (*f)(void *), void *a)
{
    if (!stacks)
        stacks = (char *)malloc((size_t)MOST * STACK);
    body = f, argument = a, threads = dim3(size), blocks = grid;
    for (block.z = 0; block.z < grid.z; block.z++)
        for (block.y = 0; block.y < grid.y; block.y++)
            for (block.x = 0; block.x < grid.x; block.x++) {
                for (unsigned t = 0; t < size; t++) {
                    getcontext(&fibers[t]);
                    fibers[t].uc_stack.ss_sp = stacks + (size_t)t * STACK;
                    fibers[t].uc_stack.ss_size = STACK;
                    fibers[t].uc_link = &home;
                    makecontext(&fibers[t], start, 0);
                    ended[t] = false;
                }
                for (unsigned left = size; left > 0;) {
                    left = 0;
                    for (unsigned t = 0; t < size; t++)
                        if (!ended[t]) {
                            now = (int)t;
                            thread.x = t;
                            swapcontext(&home, &fibers[t]);
                            left += !ended[t];
                        }
                }
            }
}
}

#define threadIdx on_cpu::thread
#define blockIdx on_cpu::block
#define blockDim on_cpu::threads
#define gridDim on_cpu::blocks

static inline void __syncthreads() { on_cpu::meet(&on_cpu::block_barrier, (int)on_cpu::threads.x); }
static inline void __syncwarp() { on_cpu::meet(&on_cpu::warp_barrier[on_cpu::now / 32], 32); }
static inline float __shfl_xor_sync(unsigned, float v, int step)
{
    on_cpu::shuffled[on_cpu::now] = v;
    __syncwarp();
    const float r = on_cpu::shuffled[on_cpu::now ^ step];
    __syncwarp();
    return r;
}
static inline float atomicAdd(float *p, float v)
{
    const float old = *p;
    *p = old + v;
    return old;
}
static inline void copy_16(void *to, const void *from) { memcpy(to, from, 16); }
static inline void copies_end() {}
static inline void copies_wait() {}

/* mma.m16n8k8 on tf32: a (16, 8), b (8, 8) in the layout of that instruction, of which a0, a3, b0, b1 are used here */
static inline void mma_sum(float *c, float a0, float a3, float b0, float b1)
{
    using namespace on_cpu;
    const int w = now & ~31, lane = now & 31;
    fragments[now][0] = a0, fragments[now][1] = a3, fragments[now][2] = b0, fragments[now][3] = b1;
    __syncwarp();
    for (int i = 0; i < 4; i++) {
        const int row = lane / 4 + (i & 2 ? 8 : 0), col = lane % 4 * 2 + (i & 1);
        float sum = 0.0f;
        for (int k = 0; k < 4; k++) {
            const int at = w + row % 8 * 4 + k, bt = w + col * 4 + k;
            sum += row < 8 ? fragments[at][0] * fragments[bt][2] : fragments[at][1] * fragments[bt][3];
        }
        c[i] += sum;
    }
    __syncwarp();
}

#define LAUNCH(grid, size, stream, args, ...) \
    on_cpu::run(grid, size, [](void *p) { __VA_ARGS__(*(std::remove_const<std::remove_reference<decltype(args)>::type>::type *)p); }, \
                (void *)&args)
#include <type_traits>

#endif
