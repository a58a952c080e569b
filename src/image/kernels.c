/* The arithmetic of image operations that vector instructions speed up, for WebAssembly: compiled by
 * scripts/build-image-kernels.mjs into kernels-wasm.ts, which is what runs. Pixels go into `input` and come out of
 * `output`, height × width × channel. Positions and sums are Pillow 9.4's in double precision, wherever the fast way
 * could come to another level. */
#include <stdint.h>
#include <wasm_simd128.h>

#define EXPORT(name) __attribute__((export_name(#name))) name
#define MAX_IMAGE_BYTES (512 * 512 * 3) /* as in workspace.ts */
#define INLINE static inline __attribute__((always_inline))
#define SLACK 64                       /* vectors may read and write so far beyond an image */

typedef float floats __attribute__((vector_size(16)));
typedef int32_t integers __attribute__((vector_size(16)));
typedef uint8_t bytes __attribute__((vector_size(16)));
typedef uint8_t unaligned_bytes __attribute__((vector_size(16), aligned(1)));

static uint8_t input[MAX_IMAGE_BYTES + SLACK], output[MAX_IMAGE_BYTES + SLACK];

uint8_t *EXPORT(inputAddress)(void) { return input; }
uint8_t *EXPORT(outputAddress)(void) { return output; }

static int clamp(int value, int last) { return value < 0 ? 0 : value > last ? last : value; }
static integers load_levels(const uint8_t *from) {
  return (integers)wasm_u32x4_extend_low_u16x8(wasm_u16x8_extend_low_u8x16(wasm_v128_load32_zero(from)));
}

/* Cuts values to 0…255 and stores four bytes. */
static void store_levels(uint8_t *to, integers values) {
  const v128_t words = wasm_i16x8_narrow_i32x4((v128_t)values, (v128_t)values);
  wasm_v128_store32_lane(to, wasm_u8x16_narrow_i16x8(words, words), 0);
}

static integers clamp_levels(integers values) {
  return (integers)wasm_i32x4_min(wasm_i32x4_max((v128_t)values, wasm_i32x4_splat(0)), wasm_i32x4_splat(255));
}

/* Levels from `threshold` on become 255 − level. */
void EXPORT(invertFrom)(int size, int threshold) {
  for (int i = 0; i < size; i++) output[i] = input[i] >= threshold ? 255 - input[i] : input[i];
}

void EXPORT(maskLevels)(int size, int mask) {
  for (int i = 0; i < size; i++) output[i] = input[i] & mask;
}

/* base + factor · (level − base) in single precision, the fraction cut off: as Pillow blends two images. May be beyond 0…255. */
static integers blend(integers base, integers level, float factor) {
  const floats from = __builtin_convertvector(base, floats), step = __builtin_convertvector(level - base, floats);
  return __builtin_convertvector(from + factor * step, integers);
}

void EXPORT(blendWithLevel)(int size, int base, float factor) {
  for (int i = 0; i < size; i += 4) store_levels(output + i, blend((integers){} + base, load_levels(input + i), factor));
}

/* Red, green and blue of four pixels. */
struct colors {
  integers red, green, blue;
};

static struct colors load_colors(const uint8_t *from) {
  const bytes pixels = *(const unaligned_bytes *)from, none = {};
  return (struct colors){
      (integers)__builtin_shufflevector(pixels, none, 0, 16, 16, 16, 3, 16, 16, 16, 6, 16, 16, 16, 9, 16, 16, 16),
      (integers)__builtin_shufflevector(pixels, none, 1, 16, 16, 16, 4, 16, 16, 16, 7, 16, 16, 16, 10, 16, 16, 16),
      (integers)__builtin_shufflevector(pixels, none, 2, 16, 16, 16, 5, 16, 16, 16, 8, 16, 16, 16, 11, 16, 16, 16),
  };
}

/* Cuts values to 0…255; writes sixteen bytes, of which four are what comes next. */
static void store_colors(uint8_t *to, struct colors colors) {
  const bytes pixels = (bytes)(clamp_levels(colors.red) | clamp_levels(colors.green) << 8 | clamp_levels(colors.blue) << 16);
  *(unaligned_bytes *)to = __builtin_shufflevector(pixels, pixels, 0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 0, 0, 0, 0);
}

/* As luma.ts. */
static integers luma(struct colors colors) {
  return (colors.red * 19595 + colors.green * 38470 + colors.blue * 7471 + 0x8000) >> 16;
}

/* Σ of the luma of all pixels. Beyond the image `input` is set to 0. */
double EXPORT(sumOfLuma)(int size, int channels) {
  for (int i = 0; i < SLACK; i++) input[size + i] = 0;
  integers sum = {};
  if (channels == 1) {
    for (int i = 0; i < size; i += 4) sum += load_levels(input + i);
  } else {
    for (int i = 0; i < size; i += 12) sum += luma(load_colors(input + i));
  }
  return (double)sum[0] + sum[1] + sum[2] + sum[3];
}

void EXPORT(blendWithGrey)(int size, float factor) {
  for (int i = 0; i < size; i += 12) {
    const struct colors colors = load_colors(input + i);
    const integers grey = luma(colors);
    store_colors(output + i, (struct colors){blend(grey, colors.red, factor), blend(grey, colors.green, factor), blend(grey, colors.blue, factor)});
  }
}

/* Blends with a 3×3 smoothing: all ones, centre 5, a thirteenth of the sum, rounded. Pixels at the border stay. */
void EXPORT(blendWithSmooth)(int height, int width, int channels, float factor) {
  const int stride = width * channels;
  __builtin_memcpy(output, input, height * stride);
  if (width < 3) return;
  for (int row = 1; row < height - 1; row++) {
    const int end = (row + 1) * stride - channels;
    for (int i = row * stride + channels; i < end; i += 4) {
      integers sum = {};
      for (int line = -stride; line <= stride; line += stride) {
        sum += load_levels(input + i + line - channels) + load_levels(input + i + line) + load_levels(input + i + line + channels);
      }
      const integers level = load_levels(input + i);
      const integers smooth = ((sum + 4 * level) * 2 + 13) * 10083 >> 18; /* floor(sum / 13 + ½), exact to 13 · 255 */
      store_levels(output + i, blend(smooth, level, factor));
    }
    /* what was written beyond the last inner pixel */
    __builtin_memcpy(output + end, input + end, channels + 4);
  }
}

/* Bicubic resampling along lines: see resample.ts. */

#define WEIGHT_BITS 22 /* weights are multiples of 2⁻²²: 255 · Σ|weight| stays below 2³¹ */
#define ONE (1 << WEIGHT_BITS)
#define TOLERANCE (1 << 10) /* more than four rounded weights can be off, at level 255 */
#define MAX_LINE (MAX_IMAGE_BYTES + 16)

static int32_t line_levels[MAX_LINE + SLACK]; /* two pixels more on either side */
static uint8_t line_output[MAX_LINE + SLACK];

static double floor_of(double value) { return __builtin_floor(value); }

/* The first output pixel, 0…length, that reads at `edge` or beyond; pixel i reads at ((i + ½) + shift) + offset. */
static int first_reading_from(double edge, double shift, double offset, int length) {
  const double estimate = __builtin_ceil(edge - 0.5 - shift - offset);
  int i = estimate < 0 ? 0 : estimate > length ? length : (int)estimate;
  while (i > 0 && i - 0.5 + shift + offset >= edge) i--; /* the estimate may be one off */
  while (i < length && i + 0.5 + shift + offset < edge) i++;
  return i;
}

/* The cubic through four equally spaced levels at distance d behind the second, in Pillow's order; as a level. */
static uint8_t exact_level(double v0, double v1, double v2, double v3, double d) {
  const double value = v1 + d * (v2 - v0 + d * (2 * (v0 - v1) + v2 - v3 + d * (v1 - v0 - v2 + v3)));
  return value <= 0 ? 0 : value >= 255 ? 255 : (int)value;
}

static integers is_doubtful(integers sum, integers v0, integers v1, integers v2, integers v3) {
  const integers is_even = (v0 == v1) & (v1 == v2) & (v2 == v3);
  return (((sum + TOLERANCE) & (ONE - 1)) < 2 * TOLERANCE) & ~is_even;
}

/* Resamples `line_levels` from pixel `start` to `end` into `line_output`. */
INLINE void resample_line(int start, int end, int channels, double shift, double offset) {
  const double position = start + 0.5 + shift + offset - 0.5; /* in Pillow's order */
  const int nearest = (int)floor_of(position);
  const double d = position - nearest;
  const int32_t w0 = (int32_t)floor_of(ONE * d * (d * (2 - d) - 1) + 0.5), w2 = (int32_t)floor_of(ONE * d * (1 + d * (1 - d)) + 0.5),
                w3 = (int32_t)floor_of(ONE * d * d * (d - 1) + 0.5), w1 = ONE - w0 - w2 - w3;
  const int32_t *from = line_levels + (nearest - 1 + 2) * channels;
  const int first = start * channels, count = (end - start) * channels;
  for (int i = 0; i < count; i += 4) {
    const integers v0 = (integers)wasm_v128_load(from + i), v1 = (integers)wasm_v128_load(from + i + channels),
                   v2 = (integers)wasm_v128_load(from + i + 2 * channels), v3 = (integers)wasm_v128_load(from + i + 3 * channels);
    const integers sum = w0 * v0 + w1 * v1 + w2 * v2 + w3 * v3;
    store_levels(line_output + first + i, sum >> WEIGHT_BITS);
    const integers doubt = is_doubtful(sum, v0, v1, v2, v3);
    if (!wasm_v128_any_true((v128_t)doubt)) continue;
    for (int lane = 0; lane < 4 && i + lane < count; lane++) {
      if (!doubt[lane]) continue;
      const double exact = start + (i + lane) / channels + 0.5 + shift + offset - 0.5;
      const int32_t *at = line_levels + ((int)floor_of(exact) - 1 + 2) * channels + (i + lane) % channels;
      line_output[first + i + lane] = exact_level(at[0], at[channels], at[2 * channels], at[3 * channels], exact - floor_of(exact));
    }
  }
}

INLINE void resample_lines(int lines, int line_step, int length, int step, int channels, double slope, double offset) {
  for (int line = 0; line < lines; line++) {
    const double shift = slope * (line + 0.5);
    const int start = first_reading_from(0, shift, offset, length), end = first_reading_from(length, shift, offset, length);
    const uint8_t *from = input + line * line_step;
    uint8_t *to = output + line * line_step;
    for (int i = 0; i < length; i++) {
      for (int channel = 0; channel < channels; channel++) line_levels[(i + 2) * channels + channel] = from[i * step + channel];
    }
    for (int channel = 0; channel < channels; channel++) {
      line_levels[channel] = line_levels[channels + channel] = from[channel];
      line_levels[(length + 2) * channels + channel] = line_levels[(length + 3) * channels + channel] = from[(length - 1) * step + channel];
    }
    if (start < end) resample_line(start, end, channels, shift, offset);
    for (int i = 0; i < start; i++) {
      for (int channel = 0; channel < channels; channel++) to[i * step + channel] = 0;
    }
    for (int i = start; i < end; i++) {
      for (int channel = 0; channel < channels; channel++) to[i * step + channel] = line_output[i * channels + channel];
    }
    for (int i = end > start ? end : start; i < length; i++) {
      for (int channel = 0; channel < channels; channel++) to[i * step + channel] = 0;
    }
  }
}

/* Pixel i of a line reads at i + slope · (line + ½) + offset. Lines are rows or columns; step and line_step are the bytes from
 * one pixel and one line to the next. */
void EXPORT(resampleLines)(int lines, int line_step, int length, int step, int channels, double slope, double offset) {
  if (channels == 1 && step == 1) resample_lines(lines, line_step, length, 1, 1, slope, offset);
  else if (channels == 1) resample_lines(lines, line_step, length, step, 1, slope, offset);
  else if (step == 3) resample_lines(lines, line_step, length, 3, 3, slope, offset);
  else resample_lines(lines, line_step, length, step, 3, slope, offset);
}

/* Bicubic resampling in the plane: see resample.ts. */

/* Added before the fraction is cut off, more than double precision can be wrong by: an even area keeps its level. Elsewhere
 * an exact integer is rare here, but Pillow may get it a last bit, and hence a level, too small (see the parity test). */
#define GUARD 1e-9
#define DOUBT 2e-3f /* more than sixteen products of rounded weights are off in single precision */

static floats pixels_as_floats[MAX_IMAGE_BYTES]; /* a pixel and what follows, which nothing reads */

/* Row and column. */
typedef double two_doubles __attribute__((vector_size(16)));

/* Of both directions. */
struct cubic {
  two_doubles w0, w1, w2, w3;
};

INLINE struct cubic weights(two_doubles d) {
  const two_doubles d2 = d * d, w3 = d2 * d - d2, w2 = d - w3, w1 = 1 - d2 + w3, w0 = d2 - w3 - d;
  return (struct cubic){w0, w1, w2, w3};
}

/* All four numbers are the row's weight, or the column's, in single precision. */
INLINE floats of_row(two_doubles weight) {
  const v128_t both = wasm_f32x4_demote_f64x2_zero((v128_t)weight);
  return (floats)wasm_i32x4_shuffle(both, both, 0, 0, 0, 0);
}
INLINE floats of_column(two_doubles weight) {
  const v128_t both = wasm_f32x4_demote_f64x2_zero((v128_t)weight);
  return (floats)wasm_i32x4_shuffle(both, both, 1, 1, 1, 1);
}

/* What a pixel is made of: rows, and columns in them. */
struct sixteen {
  const floats *r0, *r1, *r2, *r3;
  int c0, c1, c2, c3;
};

INLINE floats sum_of(struct sixteen v, struct cubic w) {
  const floats x0 = of_column(w.w0), x1 = of_column(w.w1), x2 = of_column(w.w2), x3 = of_column(w.w3);
  return of_row(w.w0) * (x0 * v.r0[v.c0] + x1 * v.r0[v.c1] + x2 * v.r0[v.c2] + x3 * v.r0[v.c3]) +
         of_row(w.w1) * (x0 * v.r1[v.c0] + x1 * v.r1[v.c1] + x2 * v.r1[v.c2] + x3 * v.r1[v.c3]) +
         of_row(w.w2) * (x0 * v.r2[v.c0] + x1 * v.r2[v.c1] + x2 * v.r2[v.c2] + x3 * v.r2[v.c3]) +
         of_row(w.w3) * (x0 * v.r3[v.c0] + x1 * v.r3[v.c1] + x2 * v.r3[v.c2] + x3 * v.r3[v.c3]);
}

INLINE integers is_even(struct sixteen v) {
  const floats first = v.r0[v.c0];
  return (v.r0[v.c1] == first) & (v.r0[v.c2] == first) & (v.r0[v.c3] == first) &
         (v.r1[v.c0] == first) & (v.r1[v.c1] == first) & (v.r1[v.c2] == first) & (v.r1[v.c3] == first) &
         (v.r2[v.c0] == first) & (v.r2[v.c1] == first) & (v.r2[v.c2] == first) & (v.r2[v.c3] == first) &
         (v.r3[v.c0] == first) & (v.r3[v.c1] == first) & (v.r3[v.c2] == first) & (v.r3[v.c3] == first);
}

/* The sum for one channel in double precision; as a level. */
static __attribute__((noinline)) uint8_t exact_plane_level(struct sixteen from, const struct cubic *w, int channel) {
  const floats *rows[4] = {from.r0, from.r1, from.r2, from.r3};
  double lines[4];
  for (int i = 0; i < 4; i++) {
    const double v0 = rows[i][from.c0][channel], v1 = rows[i][from.c1][channel], v2 = rows[i][from.c2][channel], v3 = rows[i][from.c3][channel];
    lines[i] = w->w0[1] * v0 + w->w1[1] * v1 + w->w2[1] * v2 + w->w3[1] * v3;
  }
  const double value = w->w0[0] * lines[0] + w->w1[0] * lines[1] + w->w2[0] * lines[2] + w->w3[0] * lines[3];
  return clamp((int)(value + GUARD), 255);
}

/* Writes four bytes, of which those beyond the pixel's channels are overwritten later. */
INLINE void resample_pixel(uint8_t *to, struct sixteen from, struct cubic w, int channels) {
  const floats sum = sum_of(from, w);
  store_levels(to, __builtin_convertvector(sum, integers));
  const floats rounded = (floats)wasm_f32x4_nearest((v128_t)sum), distance = (floats)wasm_f32x4_abs((v128_t)(sum - rounded));
  const integers doubt = (distance < DOUBT) & (rounded > 0.5f);
  if (!wasm_v128_any_true((v128_t)doubt)) return;
  const integers even = is_even(from);
  for (int channel = 0; channel < channels; channel++) {
    if (doubt[channel]) to[channel] = even[channel] ? (uint8_t)rounded[channel] : exact_plane_level(from, &w, channel);
  }
}

/* Added and taken away again, rounds a small number to an integer, which is then in the lower half of its bits. */
#define ROUNDING 6755399441055744.0 /* 1.5 · 2⁵² */

void EXPORT(resamplePlane)(int height, int width, int channels, double row_by_row, double row_by_column, double row_offset, double column_by_row,
                           double column_by_column, double column_offset) {
  for (int i = 0; i < height * width; i++) {
    pixels_as_floats[i] = __builtin_convertvector(load_levels(input + i * channels), floats);
  }
  const two_doubles by_row = {row_by_row, column_by_row}, by_column = {row_by_column, column_by_column}, offset = {row_offset, column_offset};
  for (int row = 0; row < height; row++) {
    const two_doubles along = by_row * (row + 0.5);
    uint8_t *to = output + row * width * channels;
    for (int column = 0; column < width; column++, to += channels) {
      const two_doubles place = along + by_column * (column + 0.5) + offset;
      if (place[0] < 0 || place[0] >= height || place[1] < 0 || place[1] >= width) {
        for (int channel = 0; channel < channels; channel++) to[channel] = 0;
        continue;
      }
      const two_doubles rounded_place = place + ROUNDING;
      const int nearest_row = ((integers)rounded_place)[0] - 1, nearest_column = ((integers)rounded_place)[2] - 1;
      const struct cubic w = weights(place - 0.5 - (rounded_place - ROUNDING - 1));
      if (nearest_row >= 1 && nearest_row + 2 < height && nearest_column >= 1 && nearest_column + 2 < width) {
        const floats *first = pixels_as_floats + (nearest_row - 1) * width + nearest_column - 1;
        resample_pixel(to, (struct sixteen){first, first + width, first + 2 * width, first + 3 * width, 0, 1, 2, 3}, w, channels);
      } else {
        const floats *r0 = pixels_as_floats + clamp(nearest_row - 1, height - 1) * width, *r1 = pixels_as_floats + clamp(nearest_row, height - 1) * width;
        const floats *r2 = pixels_as_floats + clamp(nearest_row + 1, height - 1) * width, *r3 = pixels_as_floats + clamp(nearest_row + 2, height - 1) * width;
        const int c0 = clamp(nearest_column - 1, width - 1), c1 = clamp(nearest_column, width - 1);
        const int c2 = clamp(nearest_column + 1, width - 1), c3 = clamp(nearest_column + 2, width - 1);
        resample_pixel(to, (struct sixteen){r0, r1, r2, r3, c0, c1, c2, c3}, w, channels);
      }
    }
  }
}
