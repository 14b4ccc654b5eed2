/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Calls layer.mlir, compiled for the GPU and for the CPU (through linalg), on the same random data, and compares each
 * with float64, element by element, within the bound of docs/Numerics.md.
 *
 *   layer [--device=cpu|gpu|both] [--m=ROWS]      exit status 0: all elements are within the bound */

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { N = 256, K = 512, BLOCK = 128, KB = K / BLOCK, NB = N / BLOCK };

/* MLIR's descriptors of memrefs. */
typedef struct {
  void *allocated, *aligned;
  int64_t offset, sizes[2], strides[2];
} Matrix;
typedef struct {
  void *allocated, *aligned;
  int64_t offset, sizes[1], strides[1];
} Vector;

void _mlir_ciface_layer(Matrix *y, Matrix *x, Matrix *w, Matrix *sfw, Vector *bias);
void _mlir_ciface_layer_cpu(Matrix *y, Matrix *x, Matrix *w, Matrix *sfw, Vector *bias);

static Matrix matrix(void *data, int64_t rows, int64_t columns) {
  return (Matrix){data, data, 0, {rows, columns}, {columns, 1}};
}

static void *allocate(size_t bytes) {
  void *memory = malloc(bytes + 1);
  if (!memory) {
    fputs("error: out of memory\n", stderr);
    exit(2);
  }
  return memory;
}

static double uniform(void) {
  static uint64_t state = 1;
  state = state * 6364136223846793005u + 1442695040888963407u;
  return ((double)(state >> 11) + 0.5) * 0x1p-53;
}
static double normal(void) { return sqrt(-2 * log(uniform())) * cos(6.283185307179586 * uniform()); }

/* e4m3 to nearest even, as its bits and as the number; |value| is at most 448. */
static uint8_t quantise(float value, float *number) {
  int exponent;
  frexpf(value, &exponent);
  if (exponent < -5)
    exponent = -5; /* subnormal */
  float unit = ldexpf(1, exponent - 4), units = rintf(fabsf(value) / unit);
  *number = copysignf(units * unit, value);
  if (units == 16)
    units = 8, ++exponent;
  int bits = units < 8 ? (int)units : (exponent + 6) << 3 | ((int)units - 8);
  return (uint8_t)(bits | (signbit(value) ? 0x80 : 0));
}

/* The values of x as the program quantises them: the product uses each times its scale. */
static void quantiseRow(const float *x, float *numbers, float *scales) {
  for (int block = 0; block < KB; ++block) {
    float largest = 1.0e-10f;
    for (int k = 0; k < BLOCK; ++k)
      largest = fmaxf(largest, fabsf(x[block * BLOCK + k]));
    scales[block] = largest / 448.0f;
    for (int k = 0; k < BLOCK; ++k)
      quantise(x[block * BLOCK + k] / scales[block], &numbers[block * BLOCK + k]);
  }
}

/* The largest error of y relative to its limit: for each element the bound of docs/Numerics.md with its `c`, and
 * for the norm of each row's error, as the data is random, 2^-8 of the row's. */
static double check(const float *y, int64_t m, const float *x, const float *w, const float *sfw, const float *bias,
                    double c) {
  double worst = 0;
  for (int64_t row = 0; row < m; ++row) {
    float numbers[K], scales[KB];
    double errorSquared = 0, squared = 0;
    quantiseRow(x + row * K, numbers, scales);
    for (int n = 0; n < N; ++n) {
      double sum = 0, magnitude = 0;
      for (int block = 0; block < KB; ++block) {
        double scale = (double)scales[block] * sfw[n / BLOCK * KB + block], part = 0, size = 0;
        for (int k = block * BLOCK; k < (block + 1) * BLOCK; ++k) {
          part += (double)numbers[k] * w[n * K + k];
          size += fabs((double)numbers[k] * w[n * K + k]);
        }
        sum += scale * part;
        magnitude += scale * size;
      }
      double error = c * 0x1p-13 * magnitude + (KB + 2) * 0x1p-24 * magnitude;
      double bound = error + 0x1p-8 * (fabs(sum) + error) + 0x1p-134;
      bound += 0x1p-23 * (fabs(sum) + bound + fabs((double)bias[n])); /* the addition of the bias */
      double exact = fmax(sum + bias[n], 0), difference = fabs(y[row * N + n] - exact);
      errorSquared += difference * difference;
      squared += exact * exact;
      if (!(difference / bound <= worst)) /* NaN is the worst */
        worst = difference / bound;
    }
    double relative = sqrt(errorSquared / squared) / 0x1p-8;
    if (!(relative <= worst))
      worst = relative;
  }
  return worst;
}

static double seconds(void) {
  struct timespec now;
  timespec_get(&now, TIME_UTC);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

int main(int argc, char **argv) {
  const char *device = "both";
  long m = 300;
  for (int i = 1; i < argc; ++i) {
    if (strncmp(argv[i], "--device=", 9) == 0)
      device = argv[i] + 9;
    else if (sscanf(argv[i], "--m=%ld", &m) != 1 || m < 0)
      device = "";
  }
  int both = strcmp(device, "both") == 0;
  if (!both && strcmp(device, "cpu") != 0 && strcmp(device, "gpu") != 0) {
    fputs("usage: layer [--device=cpu|gpu|both] [--m=ROWS]\n", stderr);
    return 2;
  }
  float *x = allocate((size_t)m * K * sizeof(float)), *w = allocate(sizeof(float) * N * K);
  uint8_t *wBits = allocate(N * K);
  float sfw[NB * KB], bias[N];
  for (int64_t i = 0; i < m * K; ++i)
    x[i] = (float)(normal() * exp2(4 * uniform() - 2));
  for (int i = 0; i < N * K; ++i)
    wBits[i] = quantise((float)fmax(-448, fmin(448, 100 * normal())), &w[i]);
  for (int i = 0; i < NB * KB; ++i)
    sfw[i] = (float)(1e-3 * (0.5 + uniform()));
  for (int i = 0; i < N; ++i)
    bias[i] = (float)normal();

  int failed = 0;
  for (int gpu = 0; gpu < 2; ++gpu) {
    if (!both && strcmp(device, gpu ? "gpu" : "cpu") != 0)
      continue;
    double best = INFINITY, worst = 0;
    for (int run = 0; run < (gpu ? 5 : 1); ++run) {
      Matrix y, xs = matrix(x, m, K), ws = matrix(wBits, N, K), sfws = matrix(sfw, NB, KB);
      Vector biases = {bias, bias, 0, {N}, {1}};
      double start = seconds();
      (gpu ? _mlir_ciface_layer : _mlir_ciface_layer_cpu)(&y, &xs, &ws, &sfws, &biases);
      best = fmin(best, seconds() - start);
      worst = check((float *)y.aligned + y.offset, m, x, w, sfw, bias, gpu ? 348 : 1.0 / 16);
      free(y.allocated);
    }
    int held = worst <= 1;
    printf("%s  %ld rows in %.3f ms; largest error %.4f of what is allowed: %s\n", gpu ? "gpu" : "cpu", m, best * 1e3,
           worst, held ? "held" : "NOT HELD");
    failed |= !held;
  }
  return failed;
}
