// Pieces of batch normalization with rectifier, for float32 maps in channels-last layout on the CPU.
#pragma once

#include <ATen/core/Tensor.h>

namespace featmatch {

struct BatchNorm {
  const at::Tensor &weight, &bias, &running_mean, &running_var;
  double momentum, epsilon;
};

// relu(batch_norm(x)) = max(0, scale·x + offset). Statistics are (4, channels): mean, 1/σ, scale, offset.
struct Normalization {
  explicit Normalization(const at::Tensor& statistics)
      : scale(statistics.data_ptr<float>() + 2 * statistics.size(1)), offset(scale + statistics.size(1)) {}
  const float *scale, *offset;
};

bool has_batch_norm_kernel(const at::Tensor& input, const at::Tensor& weight);

// Throws where the parameters are not of the input's channels; `name` is the operator's.
void check_batch_norm(const char* name, const at::Tensor& input, const BatchNorm& norm);

// Of this batch; moves the running ones.
at::Tensor batch_statistics(const at::Tensor& input, const BatchNorm& norm);
at::Tensor running_statistics(const BatchNorm& norm);

struct BatchNormGradients {
  at::Tensor input, weight, bias;
};
// From the batch's statistics. The gradient of the output is in channels-last layout too.
BatchNormGradients batch_norm_relu_backward(const at::Tensor& input, const at::Tensor& statistics,
                                            const at::Tensor& output_gradient);

}  // namespace featmatch
