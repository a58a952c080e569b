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
// It serves float32 maps in channels-last layout on x86 processors with AVX2 or AVX-512 and channel counts that fill
// vectors; everything else takes libtorch's own convolution.
#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <algorithm>

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

struct Convolution {
  Tiling tiling;
  int64_t inputs, outputs;
  const float *input, *weights, *bias;  // weights are transformed
  float* output;
};

struct WeightGradientTask {
  Tiling tiling;
  int64_t inputs, outputs, rows;  // rows: tiles that are transformed at a time
  const float *input, *output_gradient;
  float *inputs_by_frequency, *gradients_by_frequency, *sums;
};

#define INLINE __attribute__((always_inline)) inline

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
  void (*accumulate_weight_gradient)(const WeightGradientTask&, int64_t, int64_t);
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

// What a block of tiles works on should stay in the second-level cache.
constexpr int64_t kBlockNumbers = 96 * 1024;

Tensor convolve(const Kernels& kernels, const Tensor& input, const Tensor& weight, const Tensor& bias, bool is_backward) {
  const auto contiguous_weight = weight.contiguous();
  const WeightView view(contiguous_weight, is_backward);
  const int64_t padded_outputs = round_up(view.outputs, kernels.columns);
  const auto transformed = workspace(kFrequencies * view.inputs * padded_outputs);
  at::parallel_for(0, padded_outputs / kernels.columns, 1, [&](int64_t from, int64_t to) {
    for (int64_t panel = from; panel < to; panel++) kernels.transform_weights(view, panel, transformed.data_ptr<float>());
  });

  const auto contiguous_bias = bias.defined() ? bias.contiguous() : bias;
  auto output = at::empty({input.size(0), view.outputs, input.size(2), input.size(3)}, input.options(), at::MemoryFormat::ChannelsLast);
  const Convolution task{Tiling(input), view.inputs, view.outputs, input.data_ptr<float>(), transformed.data_ptr<float>(),
                         bias.defined() ? contiguous_bias.data_ptr<float>() : nullptr, output.data_ptr<float>()};
  const int64_t numbers = kFrequencies * (view.inputs + padded_outputs);  // a tile
  const int64_t tiles = std::clamp<int64_t>(kBlockNumbers / numbers / kernels.rows, 1, 8) * kernels.rows;
  at::parallel_for(0, task.tiling.count, tiles, [&](int64_t from, int64_t to) {
    const auto memory = workspace(tiles * numbers);
    for (int64_t tile = from; tile < to; tile += tiles) {
      kernels.convolve_tiles(task, tile, std::min(tiles, to - tile), memory.data_ptr<float>());
    }
  });
  return output;
}

Tensor weight_gradient(const Kernels& kernels, const Tensor& input, const Tensor& output_gradient) {
  const int64_t inputs = input.size(1), outputs = output_gradient.size(1);
  const int64_t padded_outputs = round_up(outputs, kernels.columns);
  const Tiling tiling(input);
  const int64_t rows = std::min<int64_t>(tiling.count, 128);
  const auto inputs_by_frequency = workspace(kFrequencies * rows * inputs);
  const auto gradients_by_frequency = workspace(kFrequencies * rows * padded_outputs);
  const auto sums = at::zeros({kFrequencies * inputs * padded_outputs}, at::kFloat);
  const WeightGradientTask task{tiling, inputs, outputs, rows, input.data_ptr<float>(), output_gradient.data_ptr<float>(),
                                inputs_by_frequency.data_ptr<float>(), gradients_by_frequency.data_ptr<float>(), sums.data_ptr<float>()};
  for (int64_t tile = 0; tile < tiling.count; tile += rows) {
    const int64_t count = std::min(rows, tiling.count - tile);
    at::parallel_for(0, count, 1, [&](int64_t from, int64_t to) {
      for (int64_t row = from; row < to; row++) kernels.transform_for_weight_gradient(task, tile + row, row);
    });
    at::parallel_for(0, kFrequencies, 1, [&](int64_t from, int64_t to) {
      for (int64_t frequency = from; frequency < to; frequency++) kernels.accumulate_weight_gradient(task, frequency, count);
    });
  }
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
    return convolve(*kernels_for(input, weight), input, weight, bias.value_or(Tensor()), false);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    TORCH_CHECK(!at::GradMode::is_enabled(), "conv3x3 cannot be differentiated twice: use conv2d");
    const auto saved = context->get_saved_variables();
    const auto &input = saved[0], &weight = saved[1];
    const auto output_gradient = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
    const Kernels& kernels = *kernels_for(input, weight);
    return {
        context->needs_input_grad(0) ? convolve(kernels, output_gradient, weight, Tensor(), true) : Tensor(),
        context->needs_input_grad(1) ? weight_gradient(kernels, input, output_gradient) : Tensor(),
        context->saved_data["has_bias"].toBool() && context->needs_input_grad(2) ? output_gradient.sum({0, 2, 3}) : Tensor(),
    };
  }
};

Tensor conv3x3(const Tensor& input, const Tensor& weight, const c10::optional<Tensor>& bias) {
  TORCH_CHECK(weight.dim() == 4 && weight.size(2) == 3 && weight.size(3) == 3, "conv3x3: weights (out, in, 3, 3) are needed, not ", weight.sizes());
  TORCH_CHECK(input.dim() == 4 && input.size(1) == weight.size(1), "conv3x3: the input ", input.sizes(), " does not fit weights ", weight.sizes());
  if (kernels_for(input, weight) == nullptr) return at::conv2d(input, weight, bias, 1, 1);
  return Conv3x3Function::apply(input, weight, bias);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(featmatch, library) {
  library.def("conv3x3(Tensor input, Tensor weight, Tensor? bias) -> Tensor", conv3x3);
}

}  // namespace featmatch
