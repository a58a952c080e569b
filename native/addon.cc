// The add-on: tensors, operators by schema, autograd, memory. No layers, no training: those are TypeScript.
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <ATen/Context.h>
#if __has_include(<torch/version.h>)
#include <torch/version.h>
#elif __has_include(<torch/csrc/api/include/torch/version.h>)
#include <torch/csrc/api/include/torch/version.h>
#endif

#include "handle.h"

namespace {

Napi::Value engine_information(const Napi::CallbackInfo& info) {
  auto result = Napi::Object::New(info.Env());
  result.Set("version", TORCH_VERSION);
  result.Set("threads", at::get_num_threads());
  result.Set("cuda", at::hasCUDA());
  result.Set("oneDnn", at::hasMKLDNN());
  // names the CPU capability in use and every library behind the operators
  result.Set("description", at::show_config());
  return result;
}

Napi::Value set_threads(const Napi::CallbackInfo& info) {
  at::set_num_threads(info[0].As<Napi::Number>().Int32Value());
  return info.Env().Undefined();
}

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  featmatch::export_allocator(env, exports);
  featmatch::export_handles(env, exports);
  featmatch::export_dispatch(env, exports);
  featmatch::export_autograd(env, exports);
  featmatch::export_profiler(env, exports);
  featmatch::export_process_group(env, exports);
  featmatch::export_means(env, exports);
  exports.Set("engineInformation", Napi::Function::New(env, engine_information));
  exports.Set("setThreads", Napi::Function::New(env, set_threads));
  return exports;
}

}  // namespace

NODE_API_MODULE(featmatch_native, initialize)
