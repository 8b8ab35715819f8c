// The two kernels of the CUDA path: the recurrence of RWKV-7, and products with 8-bit matrices.
//
// `nvrtc.py` compiles this when a model is loaded. It includes nothing, so that the card's driver and PyTorch's own
// wheel are all that is needed. `tests/engine/cuda_on_cpu.cpp` runs the very same source on the CPU.

#define DEVICE __device__ __forceinline__
#define ALL 0xffffffffu  // every thread of a warp takes part in a shuffle

template <int WIDTH>  // the sum over each WIDTH neighbouring threads, known to all of them
DEVICE float summed(float x) {
#pragma unroll
    for (int step = WIDTH / 2; step > 0; step /= 2) x += __shfl_xor_sync(ALL, x, step);
    return x;
}

// ---- The recurrence --------------------------------------------------------------------------------------------
//
//     S = S diag(w) + (S a) b^T + v k^T        y = S r
//
// S (V, K) of a head is a row for each value, and the rows never meet: 8 threads keep one row in their registers, as N / 8
// columns each, for all T tokens. A block has 16 rows, so a head is N / 16 blocks. r, w, k, v, a, b and y are (B, T, H, N),
// the state (B, H, N, N), all float32.

#define LANES 8
#define VALUES 16

template <int N>
struct Token {
    float r[N / LANES], w[N / LANES], k[N / LANES], a[N / LANES], b[N / LANES], v;
};

// Thread `lane` has columns 4 lane .. 4 lane + 3 of every 32: neighbours read neighbouring 16 bytes.
template <int N>
DEVICE void columns(float* to, const float* __restrict__ from, int lane) {
#pragma unroll
    for (int i = 0; i < N / 32; i++) {
        const float4 x = ((const float4*)from)[i * LANES + lane];
        to[4 * i] = x.x, to[4 * i + 1] = x.y, to[4 * i + 2] = x.z, to[4 * i + 3] = x.w;
    }
}

template <int N>
DEVICE void wkv(int T, int H, const float* __restrict__ r, const float* __restrict__ w, const float* __restrict__ k,
                const float* __restrict__ v, const float* __restrict__ a, const float* __restrict__ b,
                float* __restrict__ state, float* __restrict__ y) {
    const int lane = threadIdx.x % LANES, value = blockIdx.y * VALUES + threadIdx.x / LANES;
    const int row = blockIdx.x / H, head = blockIdx.x % H;
    const long long first = ((long long)row * T * H + head) * N, step = (long long)H * N;
    float* const kept = state + ((long long)blockIdx.x * N + value) * N;

    auto read = [&](long long at) {
        Token<N> token;
        columns<N>(token.r, r + at, lane), columns<N>(token.w, w + at, lane), columns<N>(token.k, k + at, lane);
        columns<N>(token.a, a + at, lane), columns<N>(token.b, b + at, lane);
        token.v = v[at + value];
        return token;
    };

    float S[N / LANES];
    columns<N>(S, kept, lane);
    Token<N> next = read(first);
    for (int t = 0; t < T; t++) {
        const Token<N> now = next;
        const long long at = first + t * step;
        if (t + 1 < T) next = read(at + step);  // on its way while this token is computed
        float sa = 0, out = 0;
#pragma unroll
        for (int i = 0; i < N / LANES; i++) sa += S[i] * now.a[i];
        sa = summed<LANES>(sa);
#pragma unroll
        for (int i = 0; i < N / LANES; i++) {
            S[i] = S[i] * now.w[i] + sa * now.b[i] + now.v * now.k[i];
            out += S[i] * now.r[i];
        }
        out = summed<LANES>(out);
        if (lane == 0) y[at + value] = out;
    }
#pragma unroll
    for (int i = 0; i < N / 32; i++)
        ((float4*)kept)[i * LANES + lane] = make_float4(S[4 * i], S[4 * i + 1], S[4 * i + 2], S[4 * i + 3]);
}

#define WKV(N)                                                                                                        \
    extern "C" __global__ void __launch_bounds__(LANES* VALUES)                                                       \
        wkv_##N(int T, int H, const float* r, const float* w, const float* k, const float* v, const float* a,         \
                const float* b, float* state, float* y) {                                                             \
        wkv<N>(T, H, r, w, k, v, a, b, state, y);                                                                     \
    }

WKV(32)
WKV(64)
WKV(128)

// ---- 8-bit products --------------------------------------------------------------------------------------------
//
//     out[row, o] = scale[o] * sum over i of x[row, i] q[o, i]
//
// What takes the time is reading q once. A warp has OUTS rows of q and up to ROWS rows of x; a thread reads 16 numbers of each
// at a time. Sums are float32. Groups of ROWS rows are blockIdx.x, so those of the same q run side by side and find it in
// the card's cache.

struct Half {
    unsigned short bits;
};
struct Brain {
    unsigned short bits;
};

DEVICE float number(Half x) {
#ifdef COHOST_ON_CPU
    return half_to_float(x.bits);
#else
    float y;
    asm("cvt.f32.f16 %0, %1;" : "=f"(y) : "h"(x.bits));
    return y;
#endif
}

DEVICE float number(Brain x) { return __uint_as_float((unsigned)x.bits << 16); }

template <class X>
DEVICE void numbers(float* to, const X* __restrict__ from) {  // 16 of x, 32 bytes
    union {
        uint4 words[2];
        X x[16];
    } read;
    read.words[0] = ((const uint4*)from)[0], read.words[1] = ((const uint4*)from)[1];
#pragma unroll
    for (int i = 0; i < 16; i++) to[i] = number(read.x[i]);
}

// A signed byte plus 128, put into the low bits of 2^23, is 2^23 + 128 + q: faster than a conversion.
DEVICE float number(unsigned word, int byte) {
    return __uint_as_float(__byte_perm(word ^ 0x80808080u, 0x4b000000u, 0x7440 + byte)) - 8388736.0f;
}

template <class X, int ROWS, int OUTS>
DEVICE void int8(int rows, int in, int outs, const X* __restrict__ x, const signed char* __restrict__ q,
                 const float* __restrict__ scale, float* __restrict__ out) {
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32 + blockIdx.y * (blockDim.x / 32);
    const int row = blockIdx.x * ROWS, o = warp * OUTS;
    if (o >= outs) return;
    float sums[OUTS][ROWS] = {};
    for (int i = 16 * lane; i < in; i += 16 * 32) {
        uint4 read[OUTS];
#pragma unroll
        for (int n = 0; n < OUTS; n++)
            read[n] = o + n < outs ? *(const uint4*)(q + (long long)(o + n) * in + i) : make_uint4(0, 0, 0, 0);
#pragma unroll
        for (int m = 0; m < ROWS; m++) {
            if (row + m >= rows) break;
            float xs[16];
            numbers(xs, x + (long long)(row + m) * in + i);
#pragma unroll
            for (int n = 0; n < OUTS; n++) {
                const unsigned words[4] = {read[n].x, read[n].y, read[n].z, read[n].w};
#pragma unroll
                for (int j = 0; j < 16; j++) sums[n][m] += xs[j] * number(words[j / 4], j % 4);
            }
        }
    }
#pragma unroll
    for (int n = 0; n < OUTS; n++)
#pragma unroll
        for (int m = 0; m < ROWS; m++) {
            const float sum = summed<32>(sums[n][m]);
            if (lane == 0 && row + m < rows && o + n < outs) out[(long long)(row + m) * outs + o + n] = sum * scale[o + n];
        }
}

#define INT8(NAME, X, ROWS, OUTS)                                                                                     \
    extern "C" __global__ void __launch_bounds__(128)                                                                 \
        int8_##NAME##_##ROWS(int rows, int in, int outs, const unsigned short* x, const signed char* q,               \
                             const float* scale, float* out) {                                                        \
        int8<X, ROWS, OUTS>(rows, in, outs, (const X*)x, q, scale, out);                                              \
    }

INT8(fp16, Half, 1, 2)
INT8(fp16, Half, 4, 2)
INT8(fp16, Half, 8, 2)
INT8(bf16, Brain, 1, 2)
INT8(bf16, Brain, 4, 2)
INT8(bf16, Brain, 8, 2)
