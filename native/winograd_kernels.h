// The arithmetic of winograd.cc. Included once for each vector width, within a namespace and that width's compiler
// options, with
//   LANES    floats in a vector
//   ROWS     rows of a matrix product that are kept in registers
// No parallelism here.

typedef float Vector __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
constexpr int64_t kColumns = 2 * LANES;  // of a matrix product that are kept in registers

INLINE Vector load(const float* from) { return *reinterpret_cast<const Vector*>(from); }
INLINE void store(float* to, Vector value) { *reinterpret_cast<Vector*>(to) = value; }

// F(4, 3) with the points 0, ±1, ±2 and ∞ (Lavin and Gray 2016, section 4.2): y = Bᵀx, Gx, Aᵀx, and for the gradient of
// the weights Ax and Gᵀx.
struct Input {  // Bᵀ
  static constexpr int kFrom = 6, kTo = 6;
  INLINE static void apply(const Vector* x, Vector* y) {
    const Vector even = x[4] - 4.f * x[2], odd = x[3] - 4.f * x[1];
    const Vector even2 = x[4] - x[2], odd2 = 2.f * (x[3] - x[1]);
    y[0] = 4.f * x[0] - 5.f * x[2] + x[4];
    y[1] = even + odd;
    y[2] = even - odd;
    y[3] = even2 + odd2;
    y[4] = even2 - odd2;
    y[5] = 4.f * x[1] - 5.f * x[3] + x[5];
  }
};
struct Weight {  // G
  static constexpr int kFrom = 3, kTo = 6;
  INLINE static void apply(const Vector* x, Vector* y) {
    const Vector ends = (x[0] + x[2]) * (-1.f / 6), middle = x[1] * (1.f / 6);
    const Vector ends2 = x[0] * (1.f / 24) + x[2] * (1.f / 6), middle2 = x[1] * (1.f / 12);
    y[0] = x[0] * .25f;
    y[1] = ends - middle;
    y[2] = ends + middle;
    y[3] = ends2 + middle2;
    y[4] = ends2 - middle2;
    y[5] = x[2];
  }
};
struct Output {  // Aᵀ
  static constexpr int kFrom = 6, kTo = 4;
  INLINE static void apply(const Vector* x, Vector* y) {
    const Vector sum = x[1] + x[2], difference = x[1] - x[2];
    const Vector sum2 = x[3] + x[4], difference2 = x[3] - x[4];
    y[0] = x[0] + sum + sum2;
    y[1] = difference + 2.f * difference2;
    y[2] = sum + 4.f * sum2;
    y[3] = difference + 8.f * difference2 + x[5];
  }
};
struct OutputGradient {  // A
  static constexpr int kFrom = 4, kTo = 6;
  INLINE static void apply(const Vector* x, Vector* y) {
    const Vector even = x[0] + x[2], odd = x[1] + x[3];
    const Vector even2 = x[0] + 4.f * x[2], odd2 = 2.f * x[1] + 8.f * x[3];
    y[0] = x[0];
    y[1] = even + odd;
    y[2] = even - odd;
    y[3] = even2 + odd2;
    y[4] = even2 - odd2;
    y[5] = x[3];
  }
};
struct WeightGradient {  // Gᵀ
  static constexpr int kFrom = 6, kTo = 3;
  INLINE static void apply(const Vector* x, Vector* y) {
    y[0] = x[0] * .25f - (x[1] + x[2]) * (1.f / 6) + (x[3] + x[4]) * (1.f / 24);
    y[1] = (x[2] - x[1]) * (1.f / 6) + (x[3] - x[4]) * (1.f / 12);
    y[2] = (x[3] + x[4] - x[1] - x[2]) * (1.f / 6) + x[5];
  }
};

// A transform of a square of vectors: its columns, then its rows.
template <typename Transform>
INLINE void transform_square(const Vector (*from)[Transform::kFrom], Vector (*to)[Transform::kTo]) {
  Vector half[Transform::kTo][Transform::kFrom];
  for (int x = 0; x < Transform::kFrom; x++) {
    Vector column[Transform::kFrom], transformed[Transform::kTo];
    for (int y = 0; y < Transform::kFrom; y++) column[y] = from[y][x];
    Transform::apply(column, transformed);
    for (int y = 0; y < Transform::kTo; y++) half[y][x] = transformed[y];
  }
  for (int y = 0; y < Transform::kTo; y++) Transform::apply(half[y], to[y]);
}

// One tile of a map (image, y, x, channel), zero outside, to a row of each of the 36 planes; normalized and rectified where
// there is something to do so by.
template <typename Transform>
INLINE void transform_tile(const float* map, const Rectifier& rectifier, const Tiling& tiling, int64_t channels, int64_t tile, float* row, int64_t plane) {
  constexpr int size = Transform::kFrom;
  const auto [image, top, left] = tiling.place(tile, size == 6 ? 1 : 0);
  const float* start = map + image * tiling.height * tiling.width * channels;
  const bool is_inside = top >= 0 && left >= 0 && top + size <= tiling.height && left + size <= tiling.width;
  const bool rectifies = rectifier.scale != nullptr;
  for (int64_t channel = 0; channel < channels; channel += LANES) {
    const Vector scale = rectifies ? load(rectifier.scale + channel) : Vector{}, offset = rectifies ? load(rectifier.offset + channel) : Vector{};
    Vector pixels[size][size], transformed[6][6];
    for (int y = 0; y < size; y++) {
      for (int x = 0; x < size; x++) {
        const int64_t row_at = top + y, column_at = left + x;
        if (is_inside || (row_at >= 0 && row_at < tiling.height && column_at >= 0 && column_at < tiling.width)) {
          pixels[y][x] = load(start + (row_at * tiling.width + column_at) * channels + channel);
          if (rectifies) {
            const Vector value = scale * pixels[y][x] + offset;
            pixels[y][x] = value < 0 ? Vector{} : value;  // in this order a NaN stays one: divergence must show
          }
        } else {
          pixels[y][x] = Vector{};
        }
      }
    }
    transform_square<Transform>(pixels, transformed);
    for (int f = 0; f < kFrequencies; f++) store(row + f * plane + channel, transformed[f / 6][f % 6]);
  }
}

// A row of each plane to the 4×4 outputs of a tile, with what is added to them.
INLINE void write_outputs(const float* row, int64_t plane, const Convolution& task, int64_t tile) {
  const auto& tiling = task.tiling;
  const int64_t channels = task.outputs;
  const auto [image, top, left] = tiling.place(tile, 0);
  const int64_t start = image * tiling.height * tiling.width * channels;
  for (int64_t channel = 0; channel < channels; channel += LANES) {
    Vector products[6][6], outputs[4][4];
    for (int f = 0; f < kFrequencies; f++) products[f / 6][f % 6] = load(row + f * plane + channel);
    transform_square<Output>(products, outputs);
    const Vector bias = task.bias == nullptr ? Vector{} : load(task.bias + channel);
    for (int y = 0; y < 4 && top + y < tiling.height; y++) {
      for (int x = 0; x < 4 && left + x < tiling.width; x++) {
        const int64_t at = start + ((top + y) * tiling.width + left + x) * channels + channel;
        Vector value = outputs[y][x] + bias;
        if (task.addend != nullptr) value += load(task.addend + at);
        store(task.output + at, value);
      }
    }
  }
}

// `kRows` × kColumns of c (+)= a·b. Element (row, depth) of a lies at row·row_stride + depth·depth_stride.
struct Operand {
  const float* data;
  int64_t row_stride, depth_stride;
};
template <int kRows, bool kAccumulate>
INLINE void product_in_registers(Operand a, const float* b, int64_t b_stride, int64_t depth, float* c, int64_t c_stride) {
  Vector sums[kRows][2];
  for (int r = 0; r < kRows; r++) {
    for (int v = 0; v < 2; v++) sums[r][v] = kAccumulate ? load(c + r * c_stride + v * LANES) : Vector{};
  }
  for (int64_t d = 0; d < depth; d++) {
    const Vector first = load(b + d * b_stride), second = load(b + d * b_stride + LANES);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; r++) {
      const float factor = a.data[r * a.row_stride + d * a.depth_stride];
      sums[r][0] += factor * first;
      sums[r][1] += factor * second;
    }
  }
  for (int r = 0; r < kRows; r++) {
    for (int v = 0; v < 2; v++) store(c + r * c_stride + v * LANES, sums[r][v]);
  }
}

// The same for the last rows, fewer than `kRows`.
template <int kRows, bool kAccumulate>
INLINE void product_of_rest(int64_t rows, Operand a, const float* b, int64_t b_stride, int64_t depth, float* c, int64_t c_stride) {
  if constexpr (kRows > 0) {
    if (rows == kRows) product_in_registers<kRows, kAccumulate>(a, b, b_stride, depth, c, c_stride);
    else product_of_rest<kRows - 1, kAccumulate>(rows, a, b, b_stride, depth, c, c_stride);
  }
}

template <bool kAccumulate>
INLINE void product(int64_t rows, Operand a, const float* b, int64_t b_stride, int64_t depth, float* c, int64_t c_stride) {
  for (; rows >= ROWS; rows -= ROWS, a.data += ROWS * a.row_stride, c += ROWS * c_stride) {
    product_in_registers<ROWS, kAccumulate>(a, b, b_stride, depth, c, c_stride);
  }
  product_of_rest<ROWS - 1, kAccumulate>(rows, a, b, b_stride, depth, c, c_stride);
}

// U = G w Gᵀ of the output channels of one panel: (frequency, panel, input, column). Columns without a channel are 0.
void transform_weights(const WeightView& weight, int64_t panel, float* transformed) {
  const int64_t plane = round_up(weight.outputs, kColumns) * weight.inputs;
  constexpr int64_t kInputs = 16;  // at a time, copied first: the weights of one input lie far apart
  float copied[kInputs][9][kColumns] = {};
  const int64_t outputs = std::min(kColumns, weight.outputs - panel * kColumns);
  for (int64_t start = 0; start < weight.inputs; start += kInputs) {
    const int64_t inputs = std::min(kInputs, weight.inputs - start);
    for (int64_t output = 0; output < outputs; output++) {
      for (int64_t input = 0; input < inputs; input++) {
        for (int tap = 0; tap < 9; tap++) copied[input][tap][output] = weight.at(panel * kColumns + output, start + input, tap);
      }
    }
    for (int64_t input = 0; input < inputs; input++) {
      for (int64_t half = 0; half < kColumns; half += LANES) {
        Vector taps[3][3], result[6][6];
        for (int tap = 0; tap < 9; tap++) taps[tap / 3][tap % 3] = load(copied[input][tap] + half);
        transform_square<Weight>(taps, result);
        float* to = transformed + (panel * weight.inputs + start + input) * kColumns + half;
        for (int f = 0; f < kFrequencies; f++) store(to + f * plane, result[f / 6][f % 6]);
      }
    }
  }
}

// The outputs of `tiles` tiles from `first` on. The workspace has room for 36 · tiles · (inputs + padded outputs).
void convolve_tiles(const Convolution& task, int64_t first, int64_t tiles, float* workspace) {
  const int64_t columns = round_up(task.outputs, kColumns);
  const int64_t input_plane = tiles * task.inputs, product_plane = tiles * columns;
  float* products = workspace + kFrequencies * input_plane;
  for (int64_t t = 0; t < tiles; t++) {
    transform_tile<Input>(task.input, task.rectifier, task.tiling, task.inputs, first + t, workspace + t * task.inputs, input_plane);
  }
  for (int f = 0; f < kFrequencies; f++) {
    const Operand rows{workspace + f * input_plane, task.inputs, 1};
    for (int64_t column = 0; column < columns; column += kColumns) {
      const float* panel = task.weights + (f * columns + column) * task.inputs;
      product<false>(tiles, rows, panel, kColumns, task.inputs, products + f * product_plane + column, columns);
    }
  }
  for (int64_t t = 0; t < tiles; t++) {
    write_outputs(products + t * columns, product_plane, task, first + t);
  }
}

// Transformed inputs and output gradients of one tile, to a row of each plane.
void transform_for_weight_gradient(const WeightGradientTask& task, int64_t tile, int64_t row) {
  const int64_t columns = round_up(task.outputs, kColumns);
  transform_tile<Input>(task.input, task.rectifier, task.tiling, task.inputs, tile, task.inputs_by_frequency + row * task.inputs,
                        task.rows * task.inputs);
  transform_tile<OutputGradient>(task.output_gradient, Rectifier{}, task.tiling, task.outputs, tile,
                                 task.gradients_by_frequency + row * columns, task.rows * columns);
}

// dU(frequency) += Vᵀ Z over `rows` tiles: (input, output); the first ones begin the sum
void accumulate_weight_gradient(const WeightGradientTask& task, int64_t frequency, int64_t rows, bool is_first) {
  const int64_t columns = round_up(task.outputs, kColumns);
  const Operand inputs{task.inputs_by_frequency + frequency * task.rows * task.inputs, 1, task.inputs};
  const float* gradients = task.gradients_by_frequency + frequency * task.rows * columns;
  float* sums = task.sums + frequency * task.inputs * columns;
  for (int64_t column = 0; column < columns; column += kColumns) {
    if (is_first) product<false>(task.inputs, inputs, gradients + column, columns, rows, sums + column, columns);
    else product<true>(task.inputs, inputs, gradients + column, columns, rows, sums + column, columns);
  }
}

// dw = Gᵀ dU G of one input channel, into the contiguous gradient (output, input, 3, 3)
void write_weight_gradient(const WeightGradientTask& task, int64_t input, float* gradient) {
  const int64_t columns = round_up(task.outputs, kColumns);
  for (int64_t output = 0; output < task.outputs; output += LANES) {
    Vector sums[6][6], taps[3][3];
    for (int f = 0; f < kFrequencies; f++) sums[f / 6][f % 6] = load(task.sums + (f * task.inputs + input) * columns + output);
    transform_square<WeightGradient>(sums, taps);
    for (int tap = 0; tap < 9; tap++) {
      for (int64_t lane = 0; lane < LANES; lane++) {
        gradient[((output + lane) * task.inputs + input) * 9 + tap] = taps[tap / 3][tap % 3][lane];
      }
    }
  }
}
