// What JavaScript holds: a number that stands for one tensor or one generator in a table here. Numbers cost the garbage
// collector nothing; that every handle is freed in time is the business of tidy() in src/tensor/scope.ts.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>
#include <napi.h>

#include <string>

namespace featmatch {

// A new handle that owns `tensor`. Counts as live until `dispose`.
Napi::Value wrap(Napi::Env env, at::Tensor tensor);
Napi::Value wrap(Napi::Env env, at::Generator generator);

// The tensor behind a handle. Throws a TypeError for anything else and an Error for a tensor that was freed; `where`
// names the argument in the message.
const at::Tensor& tensor_of(const Napi::Value& value, const std::string& where);
const at::Generator& generator_of(const Napi::Value& value, const std::string& where);
std::vector<at::Tensor> tensors_of(const Napi::Value& value, const std::string& where);

// "float32[2, 3]"; for messages.
std::string describe(const at::Tensor& tensor);

// Runs `body`; a C++ exception becomes a JavaScript Error that begins with `what`.
template <typename Body>
auto guarded(Napi::Env env, const std::string& what, Body body) -> decltype(body());

std::string message_of(const std::exception& error);

template <typename Body>
auto guarded(Napi::Env env, const std::string& what, Body body) -> decltype(body()) {
  try {
    return body();
  } catch (const Napi::Error&) {
    throw;
  } catch (const std::exception& error) {
    throw Napi::Error::New(env, what + ": " + message_of(error));
  }
}

void export_handles(Napi::Env env, Napi::Object exports);
void export_dispatch(Napi::Env env, Napi::Object exports);
void export_autograd(Napi::Env env, Napi::Object exports);
void export_allocator(Napi::Env env, Napi::Object exports);
void export_profiler(Napi::Env env, Napi::Object exports);
void export_process_group(Napi::Env env, Napi::Object exports);
void export_means(Napi::Env env, Napi::Object exports);

}  // namespace featmatch
