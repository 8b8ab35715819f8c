// A whole pass of RWKV-7 through all layers in one call: B rows of T tokens, on several threads.
//
// The threads walk through the phases of a layer together; within a phase each has its own share, between phases they
// meet at a barrier. Nothing is allocated once a pass of the same size has been made. What is computed, and where bf16
// rounds, is exactly what `bot/engine/rwkv7.py` does; the names are those used there.
//
// Plain C interface (see `native.py`), no Python and no torch inside: it compiles in seconds and fits every version.

#include <algorithm>
#include <atomic>
#include <new>
#include <thread>
#if defined(_OPENMP)
#include <omp.h>
#endif

#include "dot.h"

#if defined(_WIN32)
#define API extern "C" __declspec(dllexport)
#else
#define API extern "C" __attribute__((visibility("default")))
#endif

struct Norm {
    const float *weight, *bias;
};

struct Block {  // as in native.py
    Norm ln1, ln2, ln_x;
    const float *mix, *w0, *a0, *v0, *k_k, *k_a, *r_k, *ffn_mix;  // mix: (6, D), of r, w, k, v, a, g
    Matrix R, K, V, O, w1, a1, v1, g1, w2, a2, v2, g2, ffn_K, ffn_V;
};

struct Plan {  // as in native.py
    int64_t format, layers, width, heads, hidden, vocab;
    Norm ln0, ln_out;
    const Block* blocks;
    Matrix head;
};

namespace {

inline float exponential(float x) {  // 2^n * e^r, |r| <= ln 2 / 2; in a form that compilers turn into vectors
    x = x > 88.0f ? 88.0f : x < -87.0f ? -87.0f : x;
    const float magic = 12582912.0f;
    const float n = (x * 1.44269504f + magic) - magic;
    const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    const int32_t bits = (int32_t(n) + 127) << 23;
    float power;
    std::memcpy(&power, &bits, 4);
    return p * power;
}
inline float sigmoid(float x) { return 1.0f / (1.0f + exponential(-x)); }

// Threads that walk through the phases together, and share what there is to do in each.
class Team {
public:
    // Waits until all threads are here. Spinning first: the next phase is microseconds away, and a sleeping thread takes
    // longer to wake than that. Who waits longer waits for a thread that is not running, because the machine is busy with
    // something else: then sleeping frees a core for it.
    void wait(int threads) {
        if (threads == 1) {
            taken_.store(0, std::memory_order_relaxed);
            return;
        }
        const int now = phase_.load(std::memory_order_relaxed);
        if (arrived_.fetch_add(1, std::memory_order_acq_rel) == threads - 1) {
            arrived_.store(0, std::memory_order_relaxed);
            taken_.store(0, std::memory_order_relaxed);
            phase_.store(now + 1, std::memory_order_release);
#if defined(__cpp_lib_atomic_wait)
            phase_.notify_all();
#endif
            return;
        }
        for (int spins = 0; phase_.load(std::memory_order_acquire) == now; ++spins) {
            if (spins > SPINS) {
#if defined(__cpp_lib_atomic_wait)
                phase_.wait(now, std::memory_order_acquire);
#else
                std::this_thread::yield();
#endif
            }
#if defined(__AVX2__)
            else _mm_pause();
#endif
        }
    }

    // The next `count` pieces of work of this phase, by the number of the first: each goes to one thread.
    int64_t take(int64_t count) { return taken_.fetch_add(count, std::memory_order_relaxed); }

private:
    static constexpr int SPINS = 500;  // about ten microseconds
    alignas(64) std::atomic<int> arrived_{0};
    alignas(64) std::atomic<int> phase_{0};
    alignas(64) std::atomic<int64_t> taken_{0};
};

void layer_norm(const float* x, const Norm& p, int64_t D, float* y) {
    float sum = 0, squares = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < D; ++i) sum += x[i];
    const float mean = sum / D;
#pragma omp simd reduction(+ : squares)
    for (int64_t i = 0; i < D; ++i) squares += (x[i] - mean) * (x[i] - mean);
    const float factor = 1.0f / std::sqrt(squares / D + 1e-5f);
#pragma omp simd
    for (int64_t i = 0; i < D; ++i) y[i] = (x[i] - mean) * factor * p.weight[i] + p.bias[i];
}

// What happens to a product before it is stored. `bias` is per output, `other` per row and output.
enum class Then { STORE, ADD, TANH, SIGMOID, RELU_SQUARED, BIAS_DECAY, BIAS_SIGMOID, BIAS_LERP };

struct Job {
    const Matrix* w;
    const Vectors* x;
    Then then;
    float* out;
    int64_t stride;
    const float* bias = nullptr;
    const float* other = nullptr;
};

void finish(const Job& job, int64_t m, int64_t first, const float* y, int64_t count) {
    float* out = job.out + m * job.stride + first;
    const float* bias = job.bias ? job.bias + first : nullptr;
    const float* other = job.other ? job.other + m * job.stride + first : nullptr;
    switch (job.then) {
        case Then::STORE:
            std::memcpy(out, y, count * 4);
            break;
        case Then::ADD:
            for (int64_t i = 0; i < count; ++i) out[i] += y[i];
            break;
        case Then::TANH:
            for (int64_t i = 0; i < count; ++i) out[i] = 2 * sigmoid(2 * y[i]) - 1;
            break;
        case Then::SIGMOID:
            for (int64_t i = 0; i < count; ++i) out[i] = sigmoid(y[i]);
            break;
        case Then::RELU_SQUARED:
            for (int64_t i = 0; i < count; ++i) out[i] = y[i] > 0 ? y[i] * y[i] : 0;
            break;
        case Then::BIAS_DECAY:
            for (int64_t i = 0; i < count; ++i) out[i] = exponential(-0.60653066f * sigmoid(bias[i] + y[i]));
            break;
        case Then::BIAS_SIGMOID:
            for (int64_t i = 0; i < count; ++i) out[i] = sigmoid(bias[i] + y[i]);
            break;
        case Then::BIAS_LERP:
            for (int64_t i = 0; i < count; ++i) out[i] += sigmoid(bias[i] + y[i]) * (other[i] - out[i]);
            break;
    }
}

// One head and one token: changes S (N, N), overwrites y; both sums over K are taken in the same walk through S.
template <int FIXED>
void wkv_step(int64_t any, float* S, const float* r, const float* w, const float* k, const float* v, const float* a,
              const float* b, float* y) {
    const int64_t N = FIXED ? FIXED : any;
    for (int64_t i = 0; i < N; ++i) {
        float* s = S + i * N;
        float sa = 0, out = 0;
#pragma omp simd reduction(+ : sa)
        for (int64_t j = 0; j < N; ++j) sa += s[j] * a[j];
        const float vi = v[i];
#pragma omp simd reduction(+ : out)
        for (int64_t j = 0; j < N; ++j) {
            const float next = s[j] * w[j] + sa * b[j] + vi * k[j];
            s[j] = next;
            out += next * r[j];
        }
        y[i] = out;
    }
}

constexpr int STRETCHES = 8;  // for each thread, of a phase's work

struct Pass {
    const Plan& plan;
    std::vector<float> x, xn, r, w, k, v, a, g, y, v_first, hidden, ffn;
    std::vector<float> hidden_w, hidden_a, hidden_v, hidden_g;
    std::vector<float> scratch;  // (threads, 8 * D)
    Vectors mixed[6], in_w, in_a, in_v, in_g, in_o, in_ffn, in_head;
    Team team;
    int64_t D, N;
    float *shift, *wkv;
    int64_t B, T, M;

    explicit Pass(const Plan& p) : plan(p), D(p.width), N(p.width / p.heads) {}

    void make_room(int threads, int64_t head_rows) {
        auto room = [&](std::vector<float>& buffer, int64_t cols) {
            if (int64_t(buffer.size()) < M * cols) buffer.resize(M * cols);
        };
        for (auto* buffer : {&x, &xn, &r, &w, &k, &v, &a, &g, &y, &v_first}) room(*buffer, D);
        room(ffn, plan.hidden);
        int64_t ranks[4] = {0, 0, 0, 0};
        for (int64_t l = 0; l < plan.layers; ++l) {
            const Block& p = plan.blocks[l];
            const Matrix* downs[4] = {&p.w1, &p.a1, &p.v1, &p.g1};
            for (int i = 0; i < 4; ++i) ranks[i] = std::max(ranks[i], downs[i]->rows);
        }
        room(hidden_w, ranks[0]), room(hidden_a, ranks[1]), room(hidden_v, ranks[2]), room(hidden_g, ranks[3]);
        scratch.resize(threads * 8 * D);
        const int format = int(plan.format);
        for (auto& vectors : mixed) vectors.resize(format, M, D);
        in_w.resize(format, M, ranks[0]), in_a.resize(format, M, ranks[1]);  // so that `layer` need not grow them
        in_v.resize(format, M, ranks[2]), in_g.resize(format, M, ranks[3]);
        in_o.resize(format, M, D), in_ffn.resize(format, M, plan.hidden), in_head.resize(format, head_rows, D);
    }

    // The jobs' blocks, side by side, go out in stretches: a thread that has to share its core takes fewer.
    void run_jobs(const Job* jobs, int count, int64_t rows, int threads) {
        int64_t all = 0;
        for (int i = 0; i < count; ++i) all += blocks(*jobs[i].w);
        const int64_t stretch = threads == 1 ? all : std::max<int64_t>(1, all / (threads * STRETCHES));
        for (int64_t from = team.take(stretch); from < all; from = team.take(stretch))
            run_stretch(jobs, rows, from, std::min(from + stretch, all));
    }

    void run_stretch(const Job* job, int64_t rows, int64_t from, int64_t to) {
        const int64_t groups = (rows + MOST - 1) / MOST;
        alignas(64) float out[MOST][LANES];
        for (; to > 0; ++job) {
            const int64_t has = blocks(*job->w);
            for (int64_t block = std::max<int64_t>(from, 0); block < std::min(to, has); ++block) {
                const int64_t first = block * LANES, wanted = std::min<int64_t>(LANES, job->w->rows - first);
                for (int64_t g = 0; g < groups; ++g) {
                    const int64_t m = rows * g / groups, n = rows * (g + 1) / groups - m;
                    product(int(n), *job->w, block, *job->x, m, out);
                    for (int64_t i = 0; i < n; ++i) {
                        if (plan.format == BF16)
                            for (int lane = 0; lane < LANES; ++lane) out[i][lane] = rounded(out[i][lane]);
                        finish(*job, m + i, first, out[i], wanted);
                    }
                }
            }
            from -= has, to -= has;
        }
    }

    // Norms rows [from, to) of x into xn and makes what is mixed with the token before ready for products.
    void mix(const Norm& norm, const float* mixes, int count, const float* last, Vectors* to_vectors, int thread, int threads) {
        float *before = scratch.data() + thread * 8 * D, *one = before + D;
        const int64_t from = M * thread / threads, to = M * (thread + 1) / threads;
        for (int64_t m = from; m < to; ++m) {
            layer_norm(&x[m * D], norm, D, &xn[m * D]);
            const float *now = &xn[m * D], *past = m % T ? now - D : last + m / T * D;
            if (m % T && m == from) layer_norm(&x[(m - 1) * D], norm, D, before), past = before;  // another thread's row
            for (int i = 0; i < count; ++i) {
                const float* share = mixes + i * D;
#pragma omp simd
                for (int64_t j = 0; j < D; ++j) one[j] = now[j] + (past[j] - now[j]) * share[j];
                to_vectors[i].set(m, one);
            }
        }
    }

    void remember(float* last, int thread, int threads) {  // when nobody reads the old one any more
        for (int64_t b = B * thread / threads; b < B * (thread + 1) / threads; ++b)
            std::memcpy(last + b * D, &xn[(b * T + T - 1) * D], D * 4);
    }

    void make_ready(Vectors& vectors, const std::vector<float>& from, int thread, int threads) {
        for (int64_t m = M * thread / threads; m < M * (thread + 1) / threads; ++m)
            vectors.set(m, &from[m * vectors.cols]);
    }

    void heads(const Block& p, float* S, const float* values, int thread, int threads) {
        const int64_t H = plan.heads, all = B * H;
        float *kk = scratch.data() + thread * 8 * D, *kx = kk + N, *minus = kx + N, *ka = minus + N;
        for (int64_t item = all * thread / threads; item < all * (thread + 1) / threads; ++item) {
            const int64_t b = item / H, c = item % H * N;
            for (int64_t m = b * T; m < (b + 1) * T; ++m) {
                const int64_t at = m * D + c;
                float norm = 0;
#pragma omp simd reduction(+ : norm)
                for (int64_t i = 0; i < N; ++i) {
                    kk[i] = k[at + i] * p.k_k[c + i];
                    norm += kk[i] * kk[i];
                }
                const float factor = 1.0f / std::max(std::sqrt(norm), 1e-12f);
                float bonus = 0;
#pragma omp simd reduction(+ : bonus)
                for (int64_t i = 0; i < N; ++i) {
                    minus[i] = -kk[i] * factor;
                    ka[i] = -minus[i] * a[at + i];
                    kx[i] = k[at + i] * ((1 - p.k_a[c + i]) + a[at + i] * p.k_a[c + i]);
                    bonus += r[at + i] * kx[i] * p.r_k[c + i];
                }
                const auto step = N == 64 ? wkv_step<64> : wkv_step<0>;
                step(N, S + item * N * N, &r[at], &w[at], kx, values + at, minus, ka, &y[at]);
                float sum = 0, squares = 0;
#pragma omp simd reduction(+ : sum)
                for (int64_t i = 0; i < N; ++i) sum += y[at + i];
                const float mean = sum / N;
#pragma omp simd reduction(+ : squares)
                for (int64_t i = 0; i < N; ++i) squares += (y[at + i] - mean) * (y[at + i] - mean);
                const float scale = 1.0f / std::sqrt(squares / N + 64e-5f);
#pragma omp simd
                for (int64_t i = 0; i < N; ++i) {
                    const float normed = (y[at + i] - mean) * scale * p.ln_x.weight[c + i] + p.ln_x.bias[c + i];
                    y[at + i] = (normed + bonus * values[at + i]) * g[at + i];
                }
            }
        }
    }

    void layer(int64_t l, int thread, int threads) {
        const Block& p = plan.blocks[l];
        float *last = shift + 2 * l * B * D, *last_ffn = last + B * D;
        const int64_t format = plan.format;
        float* values = l ? v.data() : v_first.data();

        if (thread == 0) {
            in_w.resize(int(format), M, p.w1.rows), in_a.resize(int(format), M, p.a1.rows);
            in_v.resize(int(format), M, p.v1.rows), in_g.resize(int(format), M, p.g1.rows);
        }
        mix(p.ln1, p.mix, 6, last, mixed, thread, threads);
        team.wait(threads);

        remember(last, thread, threads);
        const Job first[] = {
            {&p.R, &mixed[0], Then::STORE, r.data(), D},
            {&p.K, &mixed[2], Then::STORE, k.data(), D},
            {&p.V, &mixed[3], Then::STORE, values, D},
            {&p.w1, &mixed[1], Then::TANH, hidden_w.data(), p.w1.rows},
            {&p.a1, &mixed[4], Then::STORE, hidden_a.data(), p.a1.rows},
            {&p.g1, &mixed[5], Then::SIGMOID, hidden_g.data(), p.g1.rows},
            {&p.v1, &mixed[3], Then::STORE, hidden_v.data(), p.v1.rows},  // the first layer has none: no rows
        };
        run_jobs(first, 7, M, threads);
        team.wait(threads);

        make_ready(in_w, hidden_w, thread, threads);
        make_ready(in_a, hidden_a, thread, threads);
        make_ready(in_g, hidden_g, thread, threads);
        if (l) make_ready(in_v, hidden_v, thread, threads);
        team.wait(threads);

        const Job second[] = {
            {&p.w2, &in_w, Then::BIAS_DECAY, w.data(), D, p.w0},
            {&p.a2, &in_a, Then::BIAS_SIGMOID, a.data(), D, p.a0},
            {&p.g2, &in_g, Then::STORE, g.data(), D},
            {&p.v2, &in_v, Then::BIAS_LERP, values, D, p.v0, v_first.data()},
        };
        run_jobs(second, l ? 4 : 3, M, threads);
        team.wait(threads);

        heads(p, wkv + l * B * plan.heads * N * N, values, thread, threads);
        team.wait(threads);
        make_ready(in_o, y, thread, threads);
        team.wait(threads);
        const Job output = {&p.O, &in_o, Then::ADD, x.data(), D};
        run_jobs(&output, 1, M, threads);
        team.wait(threads);

        mix(p.ln2, p.ffn_mix, 1, last_ffn, mixed, thread, threads);
        team.wait(threads);
        remember(last_ffn, thread, threads);
        const Job up = {&p.ffn_K, &mixed[0], Then::RELU_SQUARED, ffn.data(), plan.hidden};
        run_jobs(&up, 1, M, threads);
        team.wait(threads);
        make_ready(in_ffn, ffn, thread, threads);
        team.wait(threads);
        const Job down = {&p.ffn_V, &in_ffn, Then::ADD, x.data(), D};
        run_jobs(&down, 1, M, threads);
        team.wait(threads);
    }

    void all(const float* embedded, float* logits, bool last_only, int thread, int threads) {
        for (int64_t m = M * thread / threads; m < M * (thread + 1) / threads; ++m)
            layer_norm(embedded + m * D, plan.ln0, D, &x[m * D]);
        team.wait(threads);
        for (int64_t l = 0; l < plan.layers; ++l) layer(l, thread, threads);
        if (!logits) return;
        const int64_t rows = last_only ? B : M;
        float* normed = scratch.data() + thread * 8 * D;
        for (int64_t n = rows * thread / threads; n < rows * (thread + 1) / threads; ++n) {
            layer_norm(&x[(last_only ? n * T + T - 1 : n) * D], plan.ln_out, D, normed);
            in_head.set(n, normed);
        }
        team.wait(threads);
        const Job head = {&plan.head, &in_head, Then::STORE, logits, plan.vocab};
        run_jobs(&head, 1, rows, threads);
    }
};

}  // namespace

API const char* cohost_processor() {
#if defined(HAVE_BF16) && defined(HAVE_VNNI)
    return "AVX-512 BF16 VNNI";
#elif defined(HAVE_VNNI)
    return "AVX-512 VNNI";
#elif defined(HAVE_AVX512)
    return "AVX-512";
#elif defined(HAVE_AVX2)
    return "AVX2";
#else
    return "portable";
#endif
}

// Bytes of a packed matrix; a multiple of 128.
API int64_t cohost_packed_bytes(int64_t format, int64_t rows, int64_t cols) {
    return round_up(rows, LANES) * round_up(cols, group(int(format))) * width(int(format));
}

// from: (rows, cols) of the format's own numbers. Missing rows and columns become zeros.
API void cohost_pack(int64_t format, int64_t rows, int64_t cols, const void* from, void* to, int64_t threads) {
    const int G = group(int(format));
    const int64_t steps = (cols + G - 1) / G, all = (rows + LANES - 1) / LANES;
    const int64_t bytes = cols * width(int(format)), whole = bytes / 4, stretch = 16;  // a cache line of each row at a time
    const uint32_t flip = format == INT8 ? 0x80808080u : 0;
    const char* source = static_cast<const char*>(from);
#if defined(_OPENMP)
#pragma omp parallel for num_threads(int(threads))
#endif
    for (int64_t block = 0; block < all; ++block) {
        uint32_t* target = static_cast<uint32_t*>(to) + block * steps * LANES;
        for (int64_t first = 0; first < steps; first += stretch)
            for (int64_t lane = 0; lane < LANES; ++lane) {
                const int64_t row = block * LANES + lane, last = std::min(first + stretch, steps);
                const char* numbers = source + row * bytes;
                for (int64_t step = first; step < last; ++step) {
                    uint32_t group = 0;
                    if (row < rows) std::memcpy(&group, numbers + step * 4, step < whole ? 4 : bytes - whole * 4);
                    target[step * LANES + lane] = group ^ flip;
                }
            }
    }
}

API void* cohost_open(const Plan* plan) { return new Pass(*plan); }

API void cohost_close(void* pass) { delete static_cast<Pass*>(pass); }

// embedded (B * T, D); shift (L, 2, B, D) and wkv (L, B, H, N, N) are changed in place;
// logits (B, vocab), or (B * T, vocab) unless `last_only`, or null for none.
// Returns 0, or 1 when there is not enough memory (then nothing was changed).
API int64_t cohost_forward(void* handle, const float* embedded, float* shift, float* wkv, int64_t B, int64_t T, float* logits,
                        int64_t last_only, int64_t threads) {
    Pass& pass = *static_cast<Pass*>(handle);
    pass.shift = shift, pass.wkv = wkv, pass.B = B, pass.T = T, pass.M = B * T;
    try {
        pass.make_room(int(threads), last_only ? B : B * T);
    } catch (const std::bad_alloc&) {
        return 1;
    }
#if defined(_OPENMP)
#pragma omp parallel num_threads(int(threads))
    pass.all(embedded, logits, last_only != 0, omp_get_thread_num(), omp_get_num_threads());
#else
    pass.all(embedded, logits, last_only != 0, 0, 1);
#endif
    return 0;
}

// y (M, rows) = x (M, cols) times the packed matrix: for tests.
API void cohost_multiply(int64_t format, const Matrix* w, const float* x, int64_t M, float* y) {
    Vectors vectors;
    vectors.resize(int(format), M, w->cols);
    for (int64_t m = 0; m < M; ++m) vectors.set(m, x + m * w->cols);
    alignas(64) float out[MOST][LANES];
    for (int64_t block = 0; block < blocks(*w); ++block)
        for (int64_t m = 0; m < M; m += MOST) {
            const int64_t n = std::min<int64_t>(MOST, M - m), first = block * LANES;
            product(int(n), *w, block, vectors, m, out);
            for (int64_t i = 0; i < n; ++i)
                std::memcpy(y + (m + i) * w->rows + first, out[i], std::min<int64_t>(LANES, w->rows - first) * 4);
        }
}
