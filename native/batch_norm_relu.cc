// featmatch::batch_norm_relu = relu(batch_norm(x)), forward and backward in one pass over the memory less each.
// Batch normalization (Ioffe and Szegedy 2015) and the rectifier are bound by memory, not arithmetic: libtorch's two
// operators read and write the map once more than needed, and keep two results for the backward pass where the input
// alone is enough. This kernel serves float32 maps in channels-last layout on the CPU; everything else takes
// libtorch's own operators, with the same results up to rounding.
#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <cmath>
#include <vector>

#include "batch_norm_relu.h"
#include "every_cpu.h"
#include "handle.h"

namespace featmatch {
namespace {

using at::Tensor;

// Rows are pixels, columns channels. Sums are taken in float over this many rows, then added up in double.
constexpr int64_t kRowsPerBlock = 128;

// sum[c] += Σ (x − shift), square[c] += Σ (x − shift)²
FOR_EACH_CPU void add_moments(const float* x, const float* shift, int64_t rows, int64_t channels, float* sum, float* square) {
  for (int64_t row = 0; row < rows; row++, x += channels) {
#pragma omp simd
    for (int64_t c = 0; c < channels; c++) {
      const float centered = x[c] - shift[c];
      sum[c] += centered;
      square[c] += centered * centered;
    }
  }
}

// y = max(0, scale·x + offset)
FOR_EACH_CPU void scale_and_rectify(const float* x, const float* scale, const float* offset, int64_t rows, int64_t channels, float* y) {
  for (int64_t row = 0; row < rows; row++, x += channels, y += channels) {
#pragma omp simd
    for (int64_t c = 0; c < channels; c++) {
      const float value = x[c] * scale[c] + offset[c];
      y[c] = value < 0 ? 0 : value;  // in this order a NaN stays one: divergence must show
    }
  }
}

// With g = dy where the output is positive, else 0: sum[c] += Σ g, product[c] += Σ g·(x − mean)
FOR_EACH_CPU void add_gradient_sums(const float* x, const float* dy, const float* scale, const float* offset, const float* mean,
                                    int64_t rows, int64_t channels, float* sum, float* product) {
  for (int64_t row = 0; row < rows; row++, x += channels, dy += channels) {
#pragma omp simd
    for (int64_t c = 0; c < channels; c++) {
      const float upstream = dy[c];  // loaded in any case, or the loop is not vectorized
      const float g = x[c] * scale[c] + offset[c] > 0 ? upstream : 0;
      sum[c] += g;
      product[c] += g * (x[c] - mean[c]);
    }
  }
}

// dx = scale·g + slope·x + constant
FOR_EACH_CPU void input_gradient(const float* x, const float* dy, const float* scale, const float* offset, const float* slope,
                                 const float* constant, int64_t rows, int64_t channels, float* dx) {
  for (int64_t row = 0; row < rows; row++, x += channels, dy += channels, dx += channels) {
#pragma omp simd
    for (int64_t c = 0; c < channels; c++) {
      const float upstream = dy[c];  // loaded in any case, or the loop is not vectorized
      const float g = x[c] * scale[c] + offset[c] > 0 ? upstream : 0;
      dx[c] = scale[c] * g + slope[c] * x[c] + constant[c];
    }
  }
}

int64_t grain(int64_t channels) { return std::max<int64_t>(1, 32768 / channels); }

// Sums two columns of numbers over all rows: each thread its own range, float within a block, double above.
template <typename AddBlock>
void sum_rows(int64_t rows, int64_t channels, double* first, double* second, AddBlock add_block) {
  const int64_t parts = std::max<int64_t>(1, std::min<int64_t>(at::get_num_threads(), rows / grain(channels)));
  std::vector<double> partial(parts * 2 * channels, 0.0);
  at::parallel_for(0, parts, 1, [&](int64_t from, int64_t to) {
    std::vector<float> block(2 * channels);
    for (int64_t part = from; part < to; part++) {
      double* sums = partial.data() + part * 2 * channels;
      const int64_t end = rows * (part + 1) / parts;
      for (int64_t row = rows * part / parts; row < end; row += kRowsPerBlock) {
        std::fill(block.begin(), block.end(), 0.0f);
        add_block(row, std::min(kRowsPerBlock, end - row), block.data(), block.data() + channels);
        for (int64_t i = 0; i < 2 * channels; i++) sums[i] += block[i];
      }
    }
  });
  for (int64_t part = 0; part < parts; part++) {
    for (int64_t c = 0; c < channels; c++) {
      first[c] += partial[part * 2 * channels + c];
      second[c] += partial[(part * 2 + 1) * channels + c];
    }
  }
}

struct Map {
  explicit Map(const Tensor& tensor) : rows(tensor.numel() / tensor.size(1)), channels(tensor.size(1)) {}
  int64_t rows, channels;
};

// y = max(0, scale·x + offset) over a whole map
Tensor scaled_and_rectified(const Tensor& input, const Tensor& statistics) {
  const Map map(input);
  const Normalization normalization(statistics);
  auto output = at::empty_like(input);
  const float* x = input.data_ptr<float>();
  float* y = output.data_ptr<float>();
  at::parallel_for(0, map.rows, grain(map.channels), [&](int64_t from, int64_t to) {
    const int64_t at = from * map.channels;
    scale_and_rectify(x + at, normalization.scale, normalization.offset, to - from, map.channels, y + at);
  });
  return output;
}

}  // namespace

bool has_batch_norm_kernel(const Tensor& input, const Tensor& weight) {
  return input.device().is_cpu() && input.scalar_type() == at::kFloat && weight.scalar_type() == at::kFloat &&
         input.dim() == 4 && input.numel() > 0 && input.is_contiguous(at::MemoryFormat::ChannelsLast);
}

Tensor batch_statistics(const Tensor& input, const BatchNorm& norm) {
  const Map map(input);
  const float* x = input.data_ptr<float>();
  const std::vector<float> shift(x, x + map.channels);  // a value of each channel, against cancellation
  std::vector<double> sum(map.channels, 0.0), square(map.channels, 0.0);
  sum_rows(map.rows, map.channels, sum.data(), square.data(), [&](int64_t row, int64_t rows, float* a, float* b) {
    add_moments(x + row * map.channels, shift.data(), rows, map.channels, a, b);
  });

  auto statistics = at::empty({4, map.channels}, at::kFloat);
  float* mean = statistics.data_ptr<float>();
  float *inverse_deviation = mean + map.channels, *scale = mean + 2 * map.channels, *offset = mean + 3 * map.channels;
  const auto gamma = norm.weight.contiguous(), beta = norm.bias.contiguous();
  const double n = static_cast<double>(map.rows);
  for (int64_t c = 0; c < map.channels; c++) {
    const double centered = sum[c] / n;
    const double variance = std::max(0.0, square[c] / n - centered * centered);
    const double channel_mean = shift[c] + centered;
    mean[c] = static_cast<float>(channel_mean);
    inverse_deviation[c] = static_cast<float>(1.0 / std::sqrt(variance + norm.epsilon));
    scale[c] = gamma.data_ptr<float>()[c] * inverse_deviation[c];
    offset[c] = static_cast<float>(beta.data_ptr<float>()[c] - scale[c] * channel_mean);
    float& moving_mean = norm.running_mean.data_ptr<float>()[c * norm.running_mean.stride(0)];
    float& moving_variance = norm.running_var.data_ptr<float>()[c * norm.running_var.stride(0)];
    const double unbiased = map.rows > 1 ? variance * n / (n - 1) : variance;
    moving_mean = static_cast<float>((1 - norm.momentum) * moving_mean + norm.momentum * channel_mean);
    moving_variance = static_cast<float>((1 - norm.momentum) * moving_variance + norm.momentum * unbiased);
  }
  return statistics;
}

Tensor running_statistics(const BatchNorm& norm) {
  const int64_t channels = norm.weight.size(0);
  auto statistics = at::empty({4, channels}, at::kFloat);
  float* values = statistics.data_ptr<float>();
  const auto gamma = norm.weight.contiguous(), beta = norm.bias.contiguous();
  const auto mean = norm.running_mean.contiguous(), variance = norm.running_var.contiguous();
  for (int64_t c = 0; c < channels; c++) {
    const float deviation = std::sqrt(variance.data_ptr<float>()[c] + static_cast<float>(norm.epsilon));
    const float scale = gamma.data_ptr<float>()[c] / deviation;
    values[c] = mean.data_ptr<float>()[c];
    values[channels + c] = 1 / deviation;
    values[2 * channels + c] = scale;
    values[3 * channels + c] = beta.data_ptr<float>()[c] - scale * mean.data_ptr<float>()[c];
  }
  return statistics;
}

BatchNormGradients batch_norm_relu_backward(const Tensor& input, const Tensor& statistics, const Tensor& output_gradient) {
  const Map map(input);
  const Normalization normalization(statistics);
  const float *x = input.data_ptr<float>(), *dy = output_gradient.data_ptr<float>();
  const float *mean = statistics.data_ptr<float>(), *inverse_deviation = mean + map.channels;
  const float *scale = normalization.scale, *offset = normalization.offset;

  std::vector<double> sum(map.channels, 0.0), product(map.channels, 0.0);
  sum_rows(map.rows, map.channels, sum.data(), product.data(), [&](int64_t row, int64_t rows, float* a, float* b) {
    const int64_t at = row * map.channels;
    add_gradient_sums(x + at, dy + at, scale, offset, mean, rows, map.channels, a, b);
  });

  // dx = scale·(g − Σg/n − (x − mean)·Σ(g·(x − mean))/(n·σ²))
  auto weight_gradient = at::empty({map.channels}, at::kFloat);
  auto bias_gradient = at::empty({map.channels}, at::kFloat);
  std::vector<float> slope(map.channels), constant(map.channels);
  const double n = static_cast<double>(map.rows);
  for (int64_t c = 0; c < map.channels; c++) {
    weight_gradient.data_ptr<float>()[c] = static_cast<float>(product[c] * inverse_deviation[c]);
    bias_gradient.data_ptr<float>()[c] = static_cast<float>(sum[c]);
    const double per_deviation = product[c] / n * inverse_deviation[c] * inverse_deviation[c];
    slope[c] = static_cast<float>(-scale[c] * per_deviation);
    constant[c] = static_cast<float>(scale[c] * (mean[c] * per_deviation - sum[c] / n));
  }
  auto input_gradient_map = at::empty_like(input);
  float* dx = input_gradient_map.data_ptr<float>();
  at::parallel_for(0, map.rows, grain(map.channels), [&](int64_t from, int64_t to) {
    const int64_t at = from * map.channels;
    input_gradient(x + at, dy + at, scale, offset, slope.data(), constant.data(), to - from, map.channels, dx + at);
  });
  return {input_gradient_map, weight_gradient, bias_gradient};
}

void check_batch_norm(const char* name, const Tensor& input, const BatchNorm& norm) {
  TORCH_CHECK(input.dim() >= 2, name, ": the input ", input.sizes(), " has no channels");
  for (const auto* parameter : {&norm.weight, &norm.bias, &norm.running_mean, &norm.running_var}) {
    TORCH_CHECK(parameter->dim() == 1 && parameter->size(0) == input.size(1), name, ": the input ", input.sizes(),
                " needs parameters and statistics of ", input.size(1), " channels, not ", parameter->sizes());
  }
}

namespace {

struct TrainingFunction : torch::autograd::Function<TrainingFunction> {
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& input, const Tensor& weight,
                        const Tensor& bias, Tensor running_mean, Tensor running_var, double momentum, double epsilon) {
    const auto statistics = batch_statistics(input, {weight, bias, running_mean, running_var, momentum, epsilon});
    context->save_for_backward({input, statistics});
    return scaled_and_rectified(input, statistics);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    TORCH_CHECK(!at::GradMode::is_enabled(), "batch_norm_relu cannot be differentiated twice: use batch_norm and relu");
    const auto saved = context->get_saved_variables();
    const auto output_gradient = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
    const auto of = batch_norm_relu_backward(saved[0], saved[1], output_gradient);
    return {of.input, of.weight, of.bias, Tensor(), Tensor(), Tensor(), Tensor()};
  }
};

Tensor batch_norm_relu(const Tensor& input, const Tensor& weight, const Tensor& bias, const Tensor& running_mean,
                       const Tensor& running_var, bool training, double momentum, double epsilon) {
  const BatchNorm norm{weight, bias, running_mean, running_var, momentum, epsilon};
  check_batch_norm("batch_norm_relu", input, norm);
  const bool differentiable = at::GradMode::is_enabled() &&
                              (input.requires_grad() || weight.requires_grad() || bias.requires_grad());
  if (!has_batch_norm_kernel(input, weight) || (!training && differentiable)) {
    return at::relu(at::batch_norm(input, weight, bias, running_mean, running_var, training, momentum, epsilon, false));
  }
  if (training) {
    return TrainingFunction::apply(input, weight, bias, running_mean, running_var, momentum, epsilon);
  }
  return scaled_and_rectified(input, running_statistics(norm));
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(featmatch, library) {
  library.def(
      "batch_norm_relu(Tensor input, Tensor weight, Tensor bias, Tensor running_mean, Tensor running_var, "
      "bool training, float momentum, float epsilon) -> Tensor",
      batch_norm_relu);
}

}  // namespace featmatch
