// Gradients: the mode, the backward pass, and what it leaves in the leaves.
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>
#ifdef FEATMATCH_CUDA
#include <ATen/autocast_mode.h>
#include <torch/version.h>
#endif

#include "handle.h"

namespace featmatch {

void export_autograd(Napi::Env env, Napi::Object exports) {
  auto define = [&](const char* name, Napi::Value (*function)(const Napi::CallbackInfo&)) {
    exports.Set(name, Napi::Function::New(env, function, name));
  };

  define("isGradEnabled", [](const Napi::CallbackInfo& info) -> Napi::Value {
    return Napi::Boolean::New(info.Env(), c10::GradMode::is_enabled());
  });
  define("setGradEnabled", [](const Napi::CallbackInfo& info) -> Napi::Value {
    c10::GradMode::set_enabled(info[0].As<Napi::Boolean>().Value());
    return info.Env().Undefined();
  });
#ifdef FEATMATCH_CUDA
  // setAutocast(enabled): bfloat16 where libtorch holds that it does no harm; weights change, so casts are not kept
  define("setAutocast", [](const Napi::CallbackInfo& info) -> Napi::Value {
    return guarded(info.Env(), "setAutocast()", [&]() -> Napi::Value {
      const bool enabled = info[0].As<Napi::Boolean>().Value();
      at::autocast::set_autocast_cache_enabled(false);
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
      at::autocast::set_autocast_dtype(at::kCUDA, at::kBFloat16);
      at::autocast::set_autocast_enabled(at::kCUDA, enabled);
#else
      at::autocast::set_autocast_gpu_dtype(at::kBFloat16);
      at::autocast::set_enabled(enabled);
#endif
      return info.Env().Undefined();
    });
  });
#endif
  define("requiresGrad", [](const Napi::CallbackInfo& info) -> Napi::Value {
    return Napi::Boolean::New(info.Env(), tensor_of(info[0], "the tensor").requires_grad());
  });
  define("setRequiresGrad", [](const Napi::CallbackInfo& info) -> Napi::Value {
    return guarded(info.Env(), "requiresGrad", [&]() -> Napi::Value {
      tensor_of(info[0], "the tensor").set_requires_grad(info[1].As<Napi::Boolean>().Value());
      return info.Env().Undefined();
    });
  });
  define("grad", [](const Napi::CallbackInfo& info) -> Napi::Value {
    const auto& grad = tensor_of(info[0], "the tensor").grad();
    return grad.defined() ? wrap(info.Env(), grad) : info.Env().Null();
  });
  define("clearGrad", [](const Napi::CallbackInfo& info) -> Napi::Value {
    tensor_of(info[0], "the tensor").mutable_grad() = at::Tensor();
    return info.Env().Undefined();
  });
  // backward(tensor, gradient | null, retainGraph)
  define("backward", [](const Napi::CallbackInfo& info) -> Napi::Value {
    return guarded(info.Env(), "backward()", [&]() -> Napi::Value {
      const auto& tensor = tensor_of(info[0], "the tensor");
      std::vector<at::Tensor> gradient;
      if (!info[1].IsNull()) gradient.push_back(tensor_of(info[1], "the gradient"));
      torch::autograd::backward({tensor}, gradient, info[2].As<Napi::Boolean>().Value());
      return info.Env().Undefined();
    });
  });
  // gradients(outputs, inputs, outputGradients | null, createGraph) → array, null where an input was not used
  define("gradients", [](const Napi::CallbackInfo& info) -> Napi::Value {
    const auto env = info.Env();
    return guarded(env, "gradients()", [&]() -> Napi::Value {
      std::vector<at::Tensor> output_gradients;
      if (!info[2].IsNull()) output_gradients = tensors_of(info[2], "outputGradients");
      const bool create_graph = info[3].As<Napi::Boolean>().Value();
      const auto results = torch::autograd::grad(tensors_of(info[0], "outputs"), tensors_of(info[1], "inputs"),
                                                 output_gradients, create_graph, create_graph, /*allow_unused=*/true);
      auto array = Napi::Array::New(env, results.size());
      for (uint32_t i = 0; i < results.size(); i++) {
        array.Set(i, results[i].defined() ? wrap(env, results[i]) : env.Null());
      }
      return array;
    });
  });
}

}  // namespace featmatch
