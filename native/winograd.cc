// featmatch::conv3x3: the 3×3 convolution with stride 1 and a border of one zero, forward and backward, by Winograd's
// minimal filtering F(4×4, 3×3) (Lavin and Gray 2016, Fast Algorithms for Convolutional Neural Networks).
//
// Such convolutions are most of the arithmetic of the networks here. A tile of 4×4 outputs takes 36 products for each
// pair of channels instead of 144, at the price of transforms that grow with the channels alone, and of a rounding error
// of about 5e-6 of the greatest output (single precision). All three passes are made of the same pieces:
//
//   Y  = Aᵀ [ U ⊙ V ] A,   U = G w Gᵀ, V = Bᵀ x B          forward
//   dX: the same with dY for x, and w turned by 180° with its channels swapped
//   dw = Gᵀ [ Σ V ⊙ Z ] G,  Z = A dY Aᵀ                     sums over all tiles, in an order that threads do not change
//
// The convolution may begin with a batch normalization and rectifier, and end with the addition of another map
// (normalized_conv3x3): then what would be between is never stored, which saves time and half the memory of training.
//
// It serves float32 maps in channels-last layout on x86 processors with AVX2 or AVX-512 and channel counts that fill
// vectors; everything else takes libtorch's own convolution.
#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <ATen/record_function.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <algorithm>

#include "batch_norm_relu.h"
#include "every_cpu.h"
#include "handle.h"

namespace featmatch {
namespace {

using at::Tensor;

constexpr int kFrequencies = 36;  // of a tile: 6×6

int64_t round_up(int64_t value, int64_t multiple) { return (value + multiple - 1) / multiple * multiple; }

// Tiles of 4×4 outputs over all images.
struct Tiling {
  explicit Tiling(const Tensor& map)
      : height(map.size(2)), width(map.size(3)), rows((height + 3) / 4), columns((width + 3) / 4), count(map.size(0) * rows * columns) {}
  struct Place {
    int64_t image, top, left;
  };
  // Where a tile begins, with a border around it.
  Place place(int64_t tile, int64_t border) const {
    const int64_t image = tile / (rows * columns), within = tile % (rows * columns);
    return {image, within / columns * 4 - border, within % columns * 4 - border};
  }
  int64_t height, width, rows, columns, count;
};

// Weights (out, in, 3, 3), contiguous, as they are or as the backward pass sees them.
struct WeightView {
  WeightView(const Tensor& weight, bool is_backward)
      : data(weight.data_ptr<float>()), outputs(weight.size(is_backward ? 1 : 0)), inputs(weight.size(is_backward ? 0 : 1)), is_backward(is_backward) {}
  float at(int64_t output, int64_t input, int tap) const {
    return is_backward ? data[(input * outputs + output) * 9 + 8 - tap] : data[(output * inputs + input) * 9 + tap];
  }
  const float* data;
  int64_t outputs, inputs;
  bool is_backward;
};

// What an input becomes before it is convolved: max(0, scale·x + offset) by channel, or itself without a scale.
struct Rectifier {
  const float *scale = nullptr, *offset = nullptr;
};

struct Convolution {
  Tiling tiling;
  Rectifier rectifier;
  int64_t inputs, outputs;
  const float *input, *weights, *bias, *addend;  // weights are transformed; the last two may be missing
  float* output;
};

struct WeightGradientTask {
  Tiling tiling;
  Rectifier rectifier;
  int64_t inputs, outputs, rows;  // rows: tiles that are transformed at a time
  const float *input, *output_gradient;
  float *inputs_by_frequency, *gradients_by_frequency, *sums;
};

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define HAS_KERNELS 1
#pragma GCC diagnostic ignored "-Wpsabi"  // vectors are only passed to functions that are inlined

#pragma GCC push_options
#pragma GCC target("avx2,fma")
#define LANES 8
#define ROWS 6
namespace avx2 {
#include "winograd_kernels.h"
}
#undef LANES
#undef ROWS
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("avx512f,avx512vl,avx512dq,avx2,fma")
#define LANES 16
#define ROWS 12
namespace avx512 {
#include "winograd_kernels.h"
}
#undef LANES
#undef ROWS
#pragma GCC pop_options
#endif

// What one vector width offers.
struct Kernels {
  int64_t lanes, columns, rows;
  void (*transform_weights)(const WeightView&, int64_t, float*);
  void (*convolve_tiles)(const Convolution&, int64_t, int64_t, float*);
  void (*transform_for_weight_gradient)(const WeightGradientTask&, int64_t, int64_t);
  void (*accumulate_weight_gradient)(const WeightGradientTask&, int64_t, int64_t, bool);
  void (*write_weight_gradient)(const WeightGradientTask&, int64_t, float*);
};

#ifdef HAS_KERNELS
constexpr Kernels kAvx2{8, avx2::kColumns, 6, avx2::transform_weights, avx2::convolve_tiles, avx2::transform_for_weight_gradient,
                        avx2::accumulate_weight_gradient, avx2::write_weight_gradient};
constexpr Kernels kAvx512{16, avx512::kColumns, 12, avx512::transform_weights, avx512::convolve_tiles,
                          avx512::transform_for_weight_gradient, avx512::accumulate_weight_gradient, avx512::write_weight_gradient};
#endif

// The widest kernels that this processor runs and that these channel counts fill; null where there are none.
const Kernels* kernels_for(int64_t inputs, int64_t outputs) {
#ifdef HAS_KERNELS
  static const bool has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  static const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (has_avx512 && inputs % 16 == 0 && outputs % 16 == 0) return &kAvx512;
  if (has_avx2 && inputs % 8 == 0 && outputs % 8 == 0) return &kAvx2;
#endif
  return nullptr;
}

const Kernels* kernels_for(const Tensor& input, const Tensor& weight) {
  const bool fits = input.device().is_cpu() && input.scalar_type() == at::kFloat && weight.scalar_type() == at::kFloat &&
                    input.dim() == 4 && input.numel() > 0 && input.is_contiguous(at::MemoryFormat::ChannelsLast);
  return fits ? kernels_for(weight.size(1), weight.size(0)) : nullptr;
}

Tensor workspace(int64_t numbers) { return at::empty({numbers}, at::kFloat); }  // from the caching allocator

// What a block of tiles works on should stay in the second-level cache; but where there are many channels, a few times the
// rows of a product in registers are worth more, as the weights are read once a block.
constexpr int64_t kBlockNumbers = 96 * 1024;
constexpr int64_t kLeastRows = 4, kMostRows = 8;

// What else is done on the way from a map to its convolution; each may be missing.
struct Extras {
  Tensor statistics;  // of the batch normalization with rectifier before
  Tensor bias;
  Tensor addend;  // a map like the output
};

Rectifier rectifier_of(const Tensor& statistics) {
  if (!statistics.defined()) return {};
  const Normalization normalization(statistics);
  return {normalization.scale, normalization.offset};
}

const float* data_of(const Tensor& tensor) { return tensor.defined() ? tensor.data_ptr<float>() : nullptr; }

Tensor convolve(const Kernels& kernels, const Tensor& input, const Tensor& weight, const Extras& extras, bool is_backward) {
  RECORD_USER_SCOPE(is_backward ? "conv3x3, gradient of the input" : "conv3x3, forward");
  const auto contiguous_weight = weight.contiguous();
  const WeightView view(contiguous_weight, is_backward);
  const int64_t padded_outputs = round_up(view.outputs, kernels.columns);
  const auto transformed = workspace(kFrequencies * view.inputs * padded_outputs);
  at::parallel_for(0, padded_outputs / kernels.columns, 1, [&](int64_t from, int64_t to) {
    for (int64_t panel = from; panel < to; panel++) kernels.transform_weights(view, panel, transformed.data_ptr<float>());
  });

  const auto bias = extras.bias.defined() ? extras.bias.contiguous() : extras.bias;
  auto output = at::empty({input.size(0), view.outputs, input.size(2), input.size(3)}, input.options(), at::MemoryFormat::ChannelsLast);
  const Convolution task{Tiling(input), rectifier_of(extras.statistics), view.inputs, view.outputs, input.data_ptr<float>(),
                         transformed.data_ptr<float>(), data_of(bias), data_of(extras.addend), output.data_ptr<float>()};
  const int64_t numbers = kFrequencies * (view.inputs + padded_outputs);  // a tile
  const int64_t of_a_thread = (task.tiling.count + at::get_num_threads() - 1) / at::get_num_threads();
  const int64_t tiles = std::min(std::clamp<int64_t>(kBlockNumbers / numbers / kernels.rows, kLeastRows, kMostRows) * kernels.rows,
                                 round_up(of_a_thread, kernels.rows));
  at::parallel_for(0, task.tiling.count, tiles, [&](int64_t from, int64_t to) {
    const auto memory = workspace(tiles * numbers);
    for (int64_t tile = from; tile < to; tile += tiles) {
      kernels.convolve_tiles(task, tile, std::min(tiles, to - tile), memory.data_ptr<float>());
    }
  });
  return output;
}

constexpr int64_t kRowsOfGradient = 128;      // tiles that are transformed at a time
constexpr int64_t kMostSums = 4 * 1024 * 1024;  // numbers in the sums of all parts

// `statistics` as in Extras. The tiles are shared out to parts with sums of their own, so that threads wait for each other
// once and not at every block of tiles. How many parts there are depends on the sizes alone: the order of summation, and so
// the result, is the same for every number of threads.
Tensor weight_gradient(const Kernels& kernels, const Tensor& input, const Tensor& statistics, const Tensor& output_gradient) {
  RECORD_USER_SCOPE("conv3x3, gradient of the weights");
  const int64_t inputs = input.size(1), outputs = output_gradient.size(1);
  const int64_t padded_outputs = round_up(outputs, kernels.columns);
  const Tiling tiling(input);
  const int64_t rows = std::min(tiling.count, kRowsOfGradient);
  const int64_t numbers = kFrequencies * inputs * padded_outputs;
  const int64_t parts = std::clamp<int64_t>(std::min(tiling.count / rows, kMostSums / numbers), 1, 8);
  const auto sums = at::empty({parts, numbers}, at::kFloat);
  auto task_of = [&](int64_t part, float* inputs_by_frequency, float* gradients_by_frequency) {
    return WeightGradientTask{tiling, rectifier_of(statistics), inputs, outputs, rows, input.data_ptr<float>(), output_gradient.data_ptr<float>(),
                              inputs_by_frequency, gradients_by_frequency, sums.data_ptr<float>() + part * numbers};
  };
  // With one part alone the loops inside are shared between threads; within several, libtorch leaves them to theirs.
  at::parallel_for(0, parts, 1, [&](int64_t first_part, int64_t last_part) {
    const auto inputs_by_frequency = workspace(kFrequencies * rows * inputs);
    const auto gradients_by_frequency = workspace(kFrequencies * rows * padded_outputs);
    for (int64_t part = first_part; part < last_part; part++) {
      const auto task = task_of(part, inputs_by_frequency.data_ptr<float>(), gradients_by_frequency.data_ptr<float>());
      const int64_t end = tiling.count * (part + 1) / parts;
      const int64_t begin = tiling.count * part / parts;
      for (int64_t tile = begin; tile < end; tile += rows) {
        const int64_t count = std::min(rows, end - tile);
        at::parallel_for(0, count, 1, [&](int64_t from, int64_t to) {
          for (int64_t row = from; row < to; row++) kernels.transform_for_weight_gradient(task, tile + row, row);
        });
        at::parallel_for(0, kFrequencies, 1, [&](int64_t from, int64_t to) {
          for (int64_t frequency = from; frequency < to; frequency++) kernels.accumulate_weight_gradient(task, frequency, count, tile == begin);
        });
      }
    }
  });
  const auto total = parts == 1 ? sums : sums.sum(0);
  auto task = task_of(0, nullptr, nullptr);
  task.sums = total.data_ptr<float>();
  auto gradient = at::empty({outputs, inputs, 3, 3}, input.options());
  at::parallel_for(0, inputs, 1, [&](int64_t from, int64_t to) {
    for (int64_t channel = from; channel < to; channel++) kernels.write_weight_gradient(task, channel, gradient.data_ptr<float>());
  });
  return gradient;
}

struct Conv3x3Function : torch::autograd::Function<Conv3x3Function> {
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& input, const Tensor& weight,
                        const c10::optional<Tensor>& bias) {
    context->save_for_backward({input, weight});
    context->saved_data["has_bias"] = bias.has_value();
    return convolve(*kernels_for(input, weight), input, weight, {Tensor(), bias.value_or(Tensor()), Tensor()}, false);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    TORCH_CHECK(!at::GradMode::is_enabled(), "conv3x3 cannot be differentiated twice: use conv2d");
    const auto saved = context->get_saved_variables();
    const auto &input = saved[0], &weight = saved[1];
    const auto output_gradient = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
    const Kernels& kernels = *kernels_for(input, weight);
    return {
        context->needs_input_grad(0) ? convolve(kernels, output_gradient, weight, {}, true) : Tensor(),
        context->needs_input_grad(1) ? weight_gradient(kernels, input, Tensor(), output_gradient) : Tensor(),
        context->saved_data["has_bias"].toBool() && context->needs_input_grad(2) ? output_gradient.sum({0, 2, 3}) : Tensor(),
    };
  }
};

void check_conv3x3(const char* name, const Tensor& input, const Tensor& weight) {
  TORCH_CHECK(weight.dim() == 4 && weight.size(2) == 3 && weight.size(3) == 3, name, ": weights (out, in, 3, 3) are needed, not ", weight.sizes());
  TORCH_CHECK(input.dim() == 4 && input.size(1) == weight.size(1), name, ": the input ", input.sizes(), " does not fit weights ", weight.sizes());
}

Tensor conv3x3(const Tensor& input, const Tensor& weight, const c10::optional<Tensor>& bias) {
  check_conv3x3("conv3x3", input, weight);
  if (kernels_for(input, weight) == nullptr) return at::conv2d(input, weight, bias, 1, 1);
  return Conv3x3Function::apply(input, weight, bias);
}

// The map between normalization and convolution is never stored: the tiles are normalized and rectified as they are
// transformed, forward and again for the gradient of the weights.
struct NormalizedConv3x3Function : torch::autograd::Function<NormalizedConv3x3Function> {
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& input, const Tensor& gamma, const Tensor& beta,
                        Tensor running_mean, Tensor running_var, double momentum, double epsilon, const Tensor& weight,
                        const c10::optional<Tensor>& bias, const c10::optional<Tensor>& addend) {
    const auto statistics = batch_statistics(input, {gamma, beta, running_mean, running_var, momentum, epsilon});
    context->save_for_backward({input, statistics, weight});
    context->saved_data["has_bias"] = bias.has_value();
    context->saved_data["has_addend"] = addend.has_value();
    return convolve(*kernels_for(input, weight), input, weight, {statistics, bias.value_or(Tensor()), addend.value_or(Tensor())}, false);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    TORCH_CHECK(!at::GradMode::is_enabled(), "normalized_conv3x3 cannot be differentiated twice: use batch_norm, relu and conv2d");
    const auto saved = context->get_saved_variables();
    const auto &input = saved[0], &statistics = saved[1], &weight = saved[2];
    const auto output_gradient = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
    const Kernels& kernels = *kernels_for(input, weight);
    const auto of_weight = weight_gradient(kernels, input, statistics, output_gradient);
    const auto of_bias = context->saved_data["has_bias"].toBool() ? output_gradient.sum({0, 2, 3}) : Tensor();
    const auto of = batch_norm_relu_backward(input, statistics, convolve(kernels, output_gradient, weight, {}, true));
    const Tensor none, of_addend = context->saved_data["has_addend"].toBool() ? gradients[0] : none;
    return {of.input, of.weight, of.bias, none, none, none, none, of_weight, of_bias, of_addend};
  }
};

Tensor normalized_conv3x3(const Tensor& input, const Tensor& gamma, const Tensor& beta, const Tensor& running_mean,
                          const Tensor& running_var, bool training, double momentum, double epsilon, const Tensor& weight,
                          const c10::optional<Tensor>& bias, const c10::optional<Tensor>& addend) {
  check_conv3x3("normalized_conv3x3", input, weight);
  const BatchNorm norm{gamma, beta, running_mean, running_var, momentum, epsilon};
  check_batch_norm("normalized_conv3x3", input, norm);
  const Kernels* kernels = has_batch_norm_kernel(input, gamma) ? kernels_for(input, weight) : nullptr;
  const bool differentiable = at::GradMode::is_enabled() && (input.requires_grad() || gamma.requires_grad() || weight.requires_grad());
  const bool addend_fits = !addend.has_value() || (addend->scalar_type() == at::kFloat && addend->size(1) == weight.size(0) &&
                                                   addend->sizes().slice(2) == input.sizes().slice(2) && addend->size(0) == input.size(0) &&
                                                   addend->is_contiguous(at::MemoryFormat::ChannelsLast));
  if (kernels == nullptr || !addend_fits || (!training && differentiable)) {
    const auto rectified = at::relu(at::batch_norm(input, gamma, beta, running_mean, running_var, training, momentum, epsilon, false));
    const auto output = conv3x3(rectified, weight, bias);
    return addend.has_value() ? output.add(*addend) : output;
  }
  if (training) {
    return NormalizedConv3x3Function::apply(input, gamma, beta, running_mean, running_var, momentum, epsilon, weight, bias, addend);
  }
  return convolve(*kernels, input, weight, {running_statistics(norm), bias.value_or(Tensor()), addend.value_or(Tensor())}, false);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(featmatch, library) {
  library.def("conv3x3(Tensor input, Tensor weight, Tensor? bias) -> Tensor", conv3x3);
  library.def(
      "normalized_conv3x3(Tensor input, Tensor gamma, Tensor beta, Tensor running_mean, Tensor running_var, bool training, "
      "float momentum, float epsilon, Tensor weight, Tensor? bias, Tensor? addend) -> Tensor",
      normalized_conv3x3);
}

}  // namespace featmatch
