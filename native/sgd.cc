// featmatch::sgd_: a step of stochastic gradient descent with momentum, on all parameters, in one pass over the memory where
// libtorch's operators on lists take five. This kernel serves float32 on the CPU; everything else takes those, with the
// same results up to rounding.
#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <torch/library.h>

#include "every_cpu.h"

namespace featmatch {
namespace {

using at::Tensor;
using at::TensorList;

struct Descent {
  double learning_rate, momentum;
  bool nesterov;
  double weight_decay;
};

// d = g + λθ; v ← μv + d; θ ← θ − η·(d + μv with Nesterov, else v)
FOR_EACH_CPU void descend(const float* gradient, int64_t count, const Descent& descent, float* parameter, float* velocity) {
  const float rate = descent.learning_rate, momentum = descent.momentum, decay = descent.weight_decay;
  const bool nesterov = descent.nesterov;
#pragma omp simd
  for (int64_t i = 0; i < count; i++) {
    const float direction = gradient[i] + decay * parameter[i];
    const float v = momentum * velocity[i] + direction;
    velocity[i] = v;
    parameter[i] -= rate * (nesterov ? direction + momentum * v : v);
  }
}

bool has_kernel(const Tensor& parameter, const Tensor& velocity) {
  return parameter.device().is_cpu() && parameter.scalar_type() == at::kFloat && velocity.scalar_type() == at::kFloat &&
         parameter.is_non_overlapping_and_dense() && velocity.strides() == parameter.strides();
}

void descend_with_kernel(const Tensor& parameter, const Tensor& gradient, const Tensor& velocity, const Descent& descent) {
  const auto aligned = gradient.scalar_type() == at::kFloat && gradient.strides() == parameter.strides() ? gradient : at::empty_like(parameter).copy_(gradient);
  float* theta = parameter.data_ptr<float>();
  float* v = velocity.data_ptr<float>();
  const float* g = aligned.data_ptr<float>();
  at::parallel_for(0, parameter.numel(), 32768, [&](int64_t from, int64_t to) {
    descend(g + from, to - from, descent, theta + from, v + from);
  });
  parameter.unsafeGetTensorImpl()->bump_version();
  velocity.unsafeGetTensorImpl()->bump_version();
}

// The gradients are changed; velocities are empty where there is no momentum.
void descend_with_libtorch(TensorList parameters, TensorList gradients, TensorList velocities, const Descent& descent) {
  const auto& [rate, momentum, nesterov, decay] = descent;
  if (decay != 0) at::_foreach_add_(gradients, parameters, decay);
  if (momentum == 0) return at::_foreach_add_(parameters, gradients, -rate);
  at::_foreach_mul_(velocities, momentum);
  at::_foreach_add_(velocities, gradients, 1);
  if (nesterov) at::_foreach_add_(gradients, velocities, momentum);
  at::_foreach_add_(parameters, nesterov ? gradients : velocities, -rate);
}

void sgd(TensorList parameters, TensorList gradients, TensorList velocities, double learning_rate, double momentum,
         bool nesterov, double weight_decay) {
  TORCH_CHECK(parameters.size() == gradients.size() && (momentum == 0 || parameters.size() == velocities.size()),
              "sgd_: ", parameters.size(), " parameters, ", gradients.size(), " gradients and ", velocities.size(), " velocities");
  at::NoGradGuard no_grad;
  const Descent descent{learning_rate, momentum, nesterov, weight_decay};
  std::vector<Tensor> others, gradients_of_others, velocities_of_others;
  for (size_t i = 0; i < parameters.size(); i++) {
    TORCH_CHECK(gradients[i].sizes() == parameters[i].sizes() && (momentum == 0 || velocities[i].sizes() == parameters[i].sizes()),
                "sgd_: a parameter ", parameters[i].sizes(), " has a gradient or a velocity of another shape");
    if (momentum != 0 && has_kernel(parameters[i], velocities[i])) {
      descend_with_kernel(parameters[i], gradients[i], velocities[i], descent);
      continue;
    }
    others.push_back(parameters[i]);
    gradients_of_others.push_back(gradients[i]);
    if (momentum != 0) velocities_of_others.push_back(velocities[i]);
  }
  if (!others.empty()) descend_with_libtorch(others, gradients_of_others, velocities_of_others, descent);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(featmatch, library) {
  library.def(
      "sgd_(Tensor(a!)[] parameters, Tensor(b!)[] gradients, Tensor(c!)[] velocities, float learning_rate, float momentum, "
      "bool nesterov, float weight_decay) -> ()",
      sgd);
}

}  // namespace featmatch
