// When operators run, for as long as somebody wants to know: libtorch calls back at the start and the end of each, forward
// and backward (ATen/record_function.h). Without a callback it asks nothing, so that this costs nothing.
#include <ATen/record_function.h>

#include <chrono>
#include <mutex>
#include <vector>

#include "handle.h"

namespace featmatch {
namespace {

struct Span {
  std::string name;
  uint64_t thread;
  double start, end;  // µs of the monotonic clock, which process.hrtime() of Node reads too
};

struct OpenSpan : at::ObserverContext {
  Span span;
};

double now() {
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::mutex mutex;
std::vector<Span> finished;
bool is_running = false;
at::CallbackHandle callback;

std::unique_ptr<at::ObserverContext> begin(const at::RecordFunction& function) {
  auto open = std::make_unique<OpenSpan>();
  open->span = {function.name(), at::RecordFunction::currentThreadId(), now(), 0};
  return open;
}

void end(const at::RecordFunction&, at::ObserverContext* context) {
  auto& span = static_cast<OpenSpan*>(context)->span;
  span.end = now();
  std::lock_guard<std::mutex> lock(mutex);
  if (is_running) finished.push_back(std::move(span));
}

// → the number of the calling thread
Napi::Value start_profiling(const Napi::CallbackInfo& info) {
  std::lock_guard<std::mutex> lock(mutex);
  if (is_running) throw Napi::Error::New(info.Env(), "operators are being timed already");
  finished.clear();
  is_running = true;
  const auto scopes = {at::RecordScope::FUNCTION, at::RecordScope::BACKWARD_FUNCTION, at::RecordScope::USER_SCOPE};
  callback = at::addGlobalCallback(at::RecordFunctionCallback(begin, end).scopes(scopes));
  return Napi::Number::New(info.Env(), static_cast<double>(at::RecordFunction::currentThreadId()));
}

Napi::Value stop_profiling(const Napi::CallbackInfo& info) {
  std::vector<Span> spans;
  {
    std::lock_guard<std::mutex> lock(mutex);
    if (is_running) at::removeCallback(callback);
    is_running = false;
    spans.swap(finished);
  }
  auto array = Napi::Array::New(info.Env(), spans.size());
  for (uint32_t i = 0; i < spans.size(); i++) {
    auto span = Napi::Object::New(info.Env());
    span.Set("name", spans[i].name);
    span.Set("thread", static_cast<double>(spans[i].thread));
    span.Set("start", spans[i].start);
    span.Set("end", spans[i].end);
    array.Set(i, span);
  }
  return array;
}

}  // namespace

void export_profiler(Napi::Env env, Napi::Object exports) {
  exports.Set("startProfiling", Napi::Function::New(env, start_profiling));
  exports.Set("stopProfiling", Napi::Function::New(env, stop_profiling));
}

}  // namespace featmatch
