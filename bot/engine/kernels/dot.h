// Products of packed weight matrices with a few vectors, for each number format and processor.
//
// A matrix (rows, cols) is packed in blocks of 32 rows. Within a block, each step holds a group of consecutive columns
// of all 32 rows: 1 column in fp32, 2 in bf16, 4 in int8. So one step is two registers of 16 lanes, each lane a row;
// the vector's group is the same for every lane; no sum over lanes is ever needed; and memory is read in one stream.
// Each (row, vector) is summed in the same order whatever stands beside it: a vector's result does not depend on the
// batch it is in.
//
// int8: w = scale[row] * q, |q| <= 127, kept as q + 128. The vectors are cut to 16 bits (one scale a vector), which is
// as good as fp32 beside 8-bit weights; with VNNI they are kept as two signed bytes, x = 256 * high + low. Integer sums
// are exact, so all processors give the same.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#if defined(__AVX2__) || defined(__AVX512F__)
#include <immintrin.h>
#endif
#if defined(__AVX512F__) && defined(__AVX512BW__)
#define HAVE_AVX512 1
#if defined(__AVX512BF16__)
#define HAVE_BF16 1
#endif
#if defined(__AVX512VNNI__)
#define HAVE_VNNI 1
#endif
#elif defined(__AVX2__) && defined(__FMA__)
#define HAVE_AVX2 1
#endif

#if defined(__GNUC__)
#define UNROLL _Pragma("GCC unroll 8")  // so that arrays of registers stay in registers
#else
#define UNROLL
#endif

enum Format { FP32 = 0, BF16 = 1, INT8 = 2 };

constexpr int LANES = 32;  // rows of a block
constexpr long AHEAD = 4096;  // bytes that a prefetch looks ahead
constexpr int QMAX = 127 * 256 + 127;  // of a vector: so that the high byte stays within 127
#if defined(HAVE_AVX512)
constexpr int MOST = 6;  // vectors at once: 2 registers each (4 in int8), of 32
#else
constexpr int MOST = 2;  // 4 registers each, of 16
#endif

struct Matrix {
    int64_t rows, cols;
    const void* data;
    const float* scale;  // of each row; int8 only
};

inline int64_t blocks(const Matrix& w) { return (w.rows + LANES - 1) / LANES; }
inline int64_t round_up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }
inline int group(int format) { return format == FP32 ? 1 : format == BF16 ? 2 : 4; }
inline int width(int format) { return 4 / group(format); }  // bytes of a weight

inline uint16_t to_bf16(float x) {  // to the nearest, ties to even; as PyTorch does
    uint32_t bits;
    std::memcpy(&bits, &x, 4);
    return uint16_t((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}
inline float from_bf16(uint16_t x) {
    uint32_t bits = uint32_t(x) << 16;
    float y;
    std::memcpy(&y, &bits, 4);
    return y;
}
inline float rounded(float x) { return from_bf16(to_bf16(x)); }

// Vectors made ready for a product: M of them, each `cols` long.
struct Vectors {
    int format = FP32;
    int64_t cols = 0, stride = 0;  // stride in bytes
    std::vector<char> bytes;
    std::vector<float> scale;        // int8
    std::vector<int32_t> high, low;  // int8: -128 * sum of the high and of the low bytes

    void resize(int format_, int64_t M, int64_t cols_) {
        format = format_, cols = cols_;
        stride = round_up(round_up(cols, 4) * (format == FP32 ? 4 : 2), 64);
        if (int64_t(bytes.size()) < M * stride) bytes.resize(M * stride);
        if (int64_t(scale.size()) < M) scale.resize(M), high.resize(M), low.resize(M);
    }
    char* row(int64_t m) { return bytes.data() + m * stride; }
    const char* row(int64_t m) const { return bytes.data() + m * stride; }

    void set(int64_t m, const float* x) {
        char* to = row(m);
        std::memset(to, 0, stride);  // what is beyond the columns counts as nothing
        if (format == FP32) {
            std::memcpy(to, x, cols * 4);
        } else if (format == BF16) {
            uint16_t* h = reinterpret_cast<uint16_t*>(to);
            for (int64_t k = 0; k < cols; ++k) h[k] = to_bf16(x[k]);
        } else {
            set_int8(m, x);
        }
    }

    void set_int8(int64_t m, const float* x) {
        float most = 0;
#pragma omp simd reduction(max : most)
        for (int64_t k = 0; k < cols; ++k) most = std::fabs(x[k]) > most ? std::fabs(x[k]) : most;
        const float factor = most > 0 ? QMAX / most : 0;
        scale[m] = most / QMAX;
        const float magic = 12582912.0f;  // adding it rounds to the nearest integer
#if defined(HAVE_VNNI)
        int8_t* hi = reinterpret_cast<int8_t*>(row(m));
        int8_t* lo = hi + stride / 2;
        int32_t sum_hi = 0, sum_lo = 0;
#pragma omp simd reduction(+ : sum_hi, sum_lo)
        for (int64_t k = 0; k < cols; ++k) {
            const int32_t q = int32_t((x[k] * factor + magic) - magic);
            const int32_t h = (q + 128) >> 8, l = q - 256 * h;
            hi[k] = int8_t(h), lo[k] = int8_t(l);
            sum_hi += h, sum_lo += l;
        }
        high[m] = -128 * sum_hi, low[m] = -128 * sum_lo;
#else
        int16_t* q = reinterpret_cast<int16_t*>(row(m));
        for (int64_t k = 0; k < cols; ++k) q[k] = int16_t((x[k] * factor + magic) - magic);
#endif
    }
};

// One block of rows times N vectors from number m on: out[n][lane].
template <int FORMAT, int N>
inline void tile(const Matrix& w, int64_t block, const Vectors& x, int64_t m, float (*out)[LANES]);

#if defined(HAVE_AVX512)

inline __m512i broadcast4(const char* from) {
    int32_t four;
    std::memcpy(&four, from, 4);
    return _mm512_set1_epi32(four);
}

template <int N>
inline void tile_fp32(const Matrix& w, int64_t block, const Vectors& x, int64_t m, float (*out)[LANES]) {
    const char* p = static_cast<const char*>(w.data) + block * w.cols * 128;
    const float* v[N];
    __m512 a[N], b[N];
    for (int n = 0; n < N; ++n) {
        v[n] = reinterpret_cast<const float*>(x.row(m + n));
        a[n] = b[n] = _mm512_setzero_ps();
    }
    for (int64_t k = 0; k < w.cols; ++k, p += 128) {
        _mm_prefetch(p + AHEAD, _MM_HINT_T0);
        _mm_prefetch(p + AHEAD + 64, _MM_HINT_T0);
        const __m512 wa = _mm512_load_ps(p), wb = _mm512_load_ps(p + 64);
        for (int n = 0; n < N; ++n) {
            const __m512 one = _mm512_set1_ps(v[n][k]);
            a[n] = _mm512_fmadd_ps(wa, one, a[n]);
            b[n] = _mm512_fmadd_ps(wb, one, b[n]);
        }
    }
    for (int n = 0; n < N; ++n) _mm512_storeu_ps(out[n], a[n]), _mm512_storeu_ps(out[n] + 16, b[n]);
}

template <int N>
inline void tile_bf16(const Matrix& w, int64_t block, const Vectors& x, int64_t m, float (*out)[LANES]) {
    const int64_t steps = (w.cols + 1) / 2;
    const char* p = static_cast<const char*>(w.data) + block * steps * 128;
    const int32_t* v[N];
    __m512 a[N], b[N];
    for (int n = 0; n < N; ++n) {
        v[n] = reinterpret_cast<const int32_t*>(x.row(m + n));
        a[n] = b[n] = _mm512_setzero_ps();
    }
    for (int64_t k = 0; k < steps; ++k, p += 128) {
        _mm_prefetch(p + AHEAD, _MM_HINT_T0);
        _mm_prefetch(p + AHEAD + 64, _MM_HINT_T0);
        const __m512i wa = _mm512_load_si512(p), wb = _mm512_load_si512(p + 64);
#if !defined(HAVE_BF16)
        const __m512i upper = _mm512_set1_epi32(int(0xffff0000));
        const __m512 wa0 = _mm512_castsi512_ps(_mm512_slli_epi32(wa, 16));
        const __m512 wa1 = _mm512_castsi512_ps(_mm512_and_si512(wa, upper));
        const __m512 wb0 = _mm512_castsi512_ps(_mm512_slli_epi32(wb, 16));
        const __m512 wb1 = _mm512_castsi512_ps(_mm512_and_si512(wb, upper));
#endif
        for (int n = 0; n < N; ++n) {
            const __m512i two = _mm512_set1_epi32(v[n][k]);
#if defined(HAVE_BF16)
            a[n] = _mm512_dpbf16_ps(a[n], (__m512bh)wa, (__m512bh)two);
            b[n] = _mm512_dpbf16_ps(b[n], (__m512bh)wb, (__m512bh)two);
#else
            const __m512 v0 = _mm512_castsi512_ps(_mm512_slli_epi32(two, 16));
            const __m512 v1 = _mm512_castsi512_ps(_mm512_and_si512(two, upper));
            a[n] = _mm512_fmadd_ps(wa1, v1, _mm512_fmadd_ps(wa0, v0, a[n]));
            b[n] = _mm512_fmadd_ps(wb1, v1, _mm512_fmadd_ps(wb0, v0, b[n]));
#endif
        }
    }
    for (int n = 0; n < N; ++n) _mm512_storeu_ps(out[n], a[n]), _mm512_storeu_ps(out[n] + 16, b[n]);
}
#endif

#if defined(HAVE_VNNI)
// sum += four bytes of w (unsigned) times four of x (signed), in each lane.
inline __m512i dot4(__m512i sum, __m512i w, __m512i x) {
#if defined(__GNUC__)
    __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(w), "v"(x));  // from the intrinsic, gcc 12 makes twice as many moves
    return sum;
#else
    return _mm512_dpbusd_epi32(sum, w, x);
#endif
}

template <int N>
inline void tile_int8(const Matrix& w, int64_t block, const Vectors& x, int64_t m, float (*out)[LANES]) {
    const int64_t steps = (w.cols + 3) / 4, half = x.stride / 2;
    const char* p = static_cast<const char*>(w.data) + block * steps * 128;
    const char* v = x.row(m);
    __m512i ah[N], al[N], bh[N], bl[N];
    UNROLL for (int n = 0; n < N; ++n) {
        ah[n] = bh[n] = _mm512_set1_epi32(x.high[m + n]);
        al[n] = bl[n] = _mm512_set1_epi32(x.low[m + n]);
    }
    for (int64_t k = 0; k < steps; ++k, p += 128, v += 4) {
        _mm_prefetch(p + AHEAD, _MM_HINT_T0);
        _mm_prefetch(p + AHEAD + 64, _MM_HINT_T0);
        const __m512i wa = _mm512_load_si512(p), wb = _mm512_load_si512(p + 64);
        UNROLL for (int n = 0; n < N; ++n) {
            const __m512i h = broadcast4(v + n * x.stride), l = broadcast4(v + n * x.stride + half);
            ah[n] = dot4(ah[n], wa, h);
            bh[n] = dot4(bh[n], wb, h);
            al[n] = dot4(al[n], wa, l);
            bl[n] = dot4(bl[n], wb, l);
        }
    }
    const __m512 many = _mm512_set1_ps(256);
    const __m512 sa = _mm512_loadu_ps(w.scale + block * LANES), sb = _mm512_loadu_ps(w.scale + block * LANES + 16);
    UNROLL for (int n = 0; n < N; ++n) {
        const __m512 s = _mm512_set1_ps(x.scale[m + n]);
        const __m512 a = _mm512_fmadd_ps(_mm512_cvtepi32_ps(ah[n]), many, _mm512_cvtepi32_ps(al[n]));
        const __m512 b = _mm512_fmadd_ps(_mm512_cvtepi32_ps(bh[n]), many, _mm512_cvtepi32_ps(bl[n]));
        _mm512_storeu_ps(out[n], _mm512_mul_ps(_mm512_mul_ps(a, sa), s));
        _mm512_storeu_ps(out[n] + 16, _mm512_mul_ps(_mm512_mul_ps(b, sb), s));
    }
}
#else
// Columns between two transfers from int32 to fp32 sums: 127 * QMAX * 256 is below 2^31.
constexpr int64_t FLUSH = 256;

template <int N>
inline void tile_int8(const Matrix& w, int64_t block, const Vectors& x, int64_t m, float (*out)[LANES]) {
    const int64_t steps = (w.cols + 3) / 4;
    const uint8_t* p = static_cast<const uint8_t*>(w.data) + block * steps * 128;
    for (int n = 0; n < N; ++n)
        for (int lane = 0; lane < LANES; ++lane) out[n][lane] = 0;
    for (int64_t from = 0; from < steps; from += FLUSH / 4) {
        const int64_t to = from + FLUSH / 4 < steps ? from + FLUSH / 4 : steps;
#if defined(__AVX2__)
        __m256i sum[N][4];
        for (int n = 0; n < N; ++n)
            for (int i = 0; i < 4; ++i) sum[n][i] = _mm256_setzero_si256();
        for (int64_t k = from; k < to; ++k, p += 128) {
            _mm_prefetch(reinterpret_cast<const char*>(p) + AHEAD, _MM_HINT_T0);
            _mm_prefetch(reinterpret_cast<const char*>(p) + AHEAD + 64, _MM_HINT_T0);
            for (int i = 0; i < 4; ++i) {
                const __m256i q = _mm256_xor_si256(_mm256_load_si256(reinterpret_cast<const __m256i*>(p + 32 * i)),
                                                   _mm256_set1_epi8(char(0x80)));
                const __m256i even = _mm256_srai_epi16(_mm256_slli_epi16(q, 8), 8), odd = _mm256_srai_epi16(q, 8);
                for (int n = 0; n < N; ++n) {
                    const int16_t* v = reinterpret_cast<const int16_t*>(x.row(m + n)) + 4 * k;
                    int32_t lower, upper;
                    std::memcpy(&lower, v, 4), std::memcpy(&upper, v + 2, 4);
                    const int32_t evens = int32_t((uint32_t(lower) & 0xffff) | (uint32_t(upper) << 16));
                    const int32_t odds = int32_t((uint32_t(lower) >> 16) | (uint32_t(upper) & 0xffff0000u));
                    sum[n][i] = _mm256_add_epi32(sum[n][i], _mm256_madd_epi16(even, _mm256_set1_epi32(evens)));
                    sum[n][i] = _mm256_add_epi32(sum[n][i], _mm256_madd_epi16(odd, _mm256_set1_epi32(odds)));
                }
            }
        }
        for (int n = 0; n < N; ++n)
            for (int i = 0; i < 4; ++i)
                _mm256_storeu_ps(out[n] + 8 * i, _mm256_add_ps(_mm256_loadu_ps(out[n] + 8 * i), _mm256_cvtepi32_ps(sum[n][i])));
#else
        int32_t sum[N][LANES] = {};
        for (int64_t k = from; k < to; ++k, p += 128)
            for (int n = 0; n < N; ++n) {
                const int16_t* v = reinterpret_cast<const int16_t*>(x.row(m + n)) + 4 * k;
                for (int lane = 0; lane < LANES; ++lane)
                    for (int i = 0; i < 4; ++i) sum[n][lane] += (int32_t(p[4 * lane + i]) - 128) * v[i];
            }
        for (int n = 0; n < N; ++n)
            for (int lane = 0; lane < LANES; ++lane) out[n][lane] += float(sum[n][lane]);
#endif
    }
    for (int n = 0; n < N; ++n)
        for (int lane = 0; lane < LANES; ++lane) out[n][lane] *= w.scale[block * LANES + lane] * x.scale[m + n];
}
#endif

#if !defined(HAVE_AVX512)  // AVX2 and everything else: what the compiler makes of plain loops over the lanes

template <int N>
inline void tile_fp32(const Matrix& w, int64_t block, const Vectors& x, int64_t m, float (*out)[LANES]) {
    const float* p = static_cast<const float*>(w.data) + block * w.cols * LANES;
    float sum[N][LANES] = {};
    for (int64_t k = 0; k < w.cols; ++k, p += LANES)
        for (int n = 0; n < N; ++n) {
            const float one = reinterpret_cast<const float*>(x.row(m + n))[k];
            for (int lane = 0; lane < LANES; ++lane) sum[n][lane] += p[lane] * one;
        }
    std::memcpy(out, sum, sizeof sum);
}

template <int N>
inline void tile_bf16(const Matrix& w, int64_t block, const Vectors& x, int64_t m, float (*out)[LANES]) {
    const int64_t steps = (w.cols + 1) / 2;
    const uint32_t* p = static_cast<const uint32_t*>(w.data) + block * steps * LANES;
    float sum[N][LANES] = {};
    for (int64_t k = 0; k < steps; ++k, p += LANES) {
        float first[LANES], second[LANES];
        for (int lane = 0; lane < LANES; ++lane) {
            const uint32_t a = p[lane] << 16, b = p[lane] & 0xffff0000u;
            std::memcpy(&first[lane], &a, 4), std::memcpy(&second[lane], &b, 4);
        }
        for (int n = 0; n < N; ++n) {
            const uint16_t* v = reinterpret_cast<const uint16_t*>(x.row(m + n)) + 2 * k;
            const float v0 = from_bf16(v[0]), v1 = from_bf16(v[1]);
            for (int lane = 0; lane < LANES; ++lane) sum[n][lane] += first[lane] * v0 + second[lane] * v1;
        }
    }
    std::memcpy(out, sum, sizeof sum);
}
#endif

template <int FORMAT, int N>
inline void tile(const Matrix& w, int64_t block, const Vectors& x, int64_t m, float (*out)[LANES]) {
    if constexpr (FORMAT == FP32) tile_fp32<N>(w, block, x, m, out);
    if constexpr (FORMAT == BF16) tile_bf16<N>(w, block, x, m, out);
    if constexpr (FORMAT == INT8) tile_int8<N>(w, block, x, m, out);
}

template <int FORMAT, int N>
inline void tile_of(int n, const Matrix& w, int64_t block, const Vectors& x, int64_t m, float (*out)[LANES]) {
    if (n == N) return tile<FORMAT, N>(w, block, x, m, out);
    if constexpr (N > 1) tile_of<FORMAT, N - 1>(n, w, block, x, m, out);
}

// One block of rows times n <= MOST vectors, in any format.
inline void product(int n, const Matrix& w, int64_t block, const Vectors& x, int64_t m, float (*out)[LANES]) {
    if (x.format == FP32) tile_of<FP32, MOST>(n, w, block, x, m, out);
    if (x.format == BF16) tile_of<BF16, MOST>(n, w, block, x, m, out);
    if (x.format == INT8) tile_of<INT8, MOST>(n, w, block, x, m, out);
}
