// Handles, their shapes and types, and the way of numbers between typed arrays and tensors.
#include "handle.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Functions.h>
#include <c10/util/Exception.h>

#include <cstring>
#include <sstream>

namespace featmatch {
namespace {

// A slot is used again after its handle was freed, with the next generation, so that the old handle is known as freed.
// A handle is generation · 2^24 + slot; generations start high, so that no ordinary number passes for a handle.
struct Slot {
  at::Tensor tensor;
  at::Generator generator;
  int64_t generation = kFirstGeneration;
  static constexpr int64_t kFirstGeneration = int64_t{1} << 20;
};

constexpr int64_t kSlots = int64_t{1} << 24;

std::vector<Slot>& slots() {
  static auto* table = new std::vector<Slot>();  // never destroyed: handles may outlive static destruction
  return *table;
}

std::vector<int64_t>& free_slots() {
  static auto* list = new std::vector<int64_t>();
  return *list;
}

int64_t live_tensors = 0;

Napi::Value new_handle(Napi::Env env, at::Tensor tensor, at::Generator generator) {
  if (free_slots().empty()) {
    TORCH_CHECK(static_cast<int64_t>(slots().size()) < kSlots, "too many tensors are alive");
    free_slots().push_back(static_cast<int64_t>(slots().size()));
    slots().emplace_back();
  }
  const int64_t index = free_slots().back();
  free_slots().pop_back();
  auto& slot = slots()[index];
  slot.tensor = std::move(tensor);
  slot.generator = std::move(generator);
  return Napi::Number::New(env, static_cast<double>(slot.generation * kSlots + index));
}

// The slot of a handle, or null where it was freed.
Slot* slot_of(const Napi::Value& value, const std::string& where) {
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : 0;
  const auto handle = static_cast<int64_t>(number);
  const int64_t index = handle % kSlots, generation = handle / kSlots;
  if (generation < Slot::kFirstGeneration || index >= static_cast<int64_t>(slots().size())) {
    throw Napi::TypeError::New(value.Env(), where + " is not a tensor");
  }
  auto& slot = slots()[index];
  return slot.generation == generation ? &slot : nullptr;
}

void release(const Napi::Value& value) {
  auto* slot = slot_of(value, "the argument of dispose()");
  if (slot == nullptr) return;
  if (slot->tensor.defined()) live_tensors--;
  slot->generation++;
  free_slots().push_back(slot - slots().data());
  // last: what freeing runs may come back here
  const auto tensor = std::move(slot->tensor);
  const auto generator = std::move(slot->generator);
  slot->tensor = at::Tensor();
  slot->generator = at::Generator();
}

const char* dtype_name(at::ScalarType type) {
  switch (type) {
    case at::kByte: return "uint8";
    case at::kChar: return "int8";
    case at::kShort: return "int16";
    case at::kInt: return "int32";
    case at::kLong: return "int64";
    case at::kHalf: return "float16";
    case at::kFloat: return "float32";
    case at::kDouble: return "float64";
    case at::kBool: return "bool";
    case at::kBFloat16: return "bfloat16";
    default: return c10::toString(type);
  }
}

std::vector<int64_t> shape_of(const Napi::Value& value) {
  auto array = value.As<Napi::Array>();
  std::vector<int64_t> shape(array.Length());
  for (uint32_t i = 0; i < shape.size(); i++) {
    shape[i] = array.Get(i).As<Napi::Number>().Int64Value();
  }
  return shape;
}

Napi::Value to_array(Napi::Env env, at::IntArrayRef values) {
  auto array = Napi::Array::New(env, values.size());
  for (uint32_t i = 0; i < values.size(); i++) {
    array.Set(i, Napi::Number::New(env, static_cast<double>(values[i])));
  }
  return array;
}

// A typed array's memory; also of one over a SharedArrayBuffer.
struct Bytes {
  void* data;
  size_t length;
};

Bytes bytes_of(const Napi::Value& value) {
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(value.Env(), value, &type, &length, &data, nullptr, nullptr) != napi_ok) {
    throw Napi::TypeError::New(value.Env(), "expected a typed array");
  }
  static constexpr size_t sizes[] = {1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8};
  return {data, length * sizes[type]};
}

}  // namespace

Napi::Value wrap(Napi::Env env, at::Tensor tensor) {
  live_tensors++;
  return new_handle(env, std::move(tensor), at::Generator());
}

Napi::Value wrap(Napi::Env env, at::Generator generator) {
  return new_handle(env, at::Tensor(), std::move(generator));
}

const at::Tensor& tensor_of(const Napi::Value& value, const std::string& where) {
  const auto* slot = slot_of(value, where);
  if (slot == nullptr) {
    throw Napi::Error::New(value.Env(), where + " was already freed: its tidy() scope has ended or dispose() was called");
  }
  if (!slot->tensor.defined()) throw Napi::TypeError::New(value.Env(), where + " is not a tensor");
  return slot->tensor;
}

const at::Generator& generator_of(const Napi::Value& value, const std::string& where) {
  const auto* slot = slot_of(value, where);
  if (slot == nullptr || !slot->generator.defined()) {
    throw Napi::TypeError::New(value.Env(), where + " is not a generator");
  }
  return slot->generator;
}

std::vector<at::Tensor> tensors_of(const Napi::Value& value, const std::string& where) {
  if (!value.IsArray()) {
    throw Napi::TypeError::New(value.Env(), where + " is not an array of tensors");
  }
  auto array = value.As<Napi::Array>();
  std::vector<at::Tensor> tensors(array.Length());
  for (uint32_t i = 0; i < tensors.size(); i++) {
    tensors[i] = tensor_of(array.Get(i), where + "[" + std::to_string(i) + "]");
  }
  return tensors;
}

std::string describe(const at::Tensor& tensor) {
  std::ostringstream text;
  text << dtype_name(tensor.scalar_type()) << tensor.sizes();
  return text.str();
}

std::string message_of(const std::exception& error) {
  if (const auto* torch_error = dynamic_cast<const c10::Error*>(&error)) {
    return torch_error->what_without_backtrace();
  }
  return error.what();
}

void export_handles(Napi::Env env, Napi::Object exports) {
  auto define = [&](const char* name, Napi::Value (*function)(const Napi::CallbackInfo&)) {
    exports.Set(name, Napi::Function::New(env, function, name));
  };

  define("dispose", [](const Napi::CallbackInfo& info) -> Napi::Value {
    release(info[0]);
    return info.Env().Undefined();
  });
  define("isDisposed", [](const Napi::CallbackInfo& info) -> Napi::Value {
    return Napi::Boolean::New(info.Env(), slot_of(info[0], "the tensor") == nullptr);
  });
  define("liveTensors", [](const Napi::CallbackInfo& info) -> Napi::Value {
    return Napi::Number::New(info.Env(), static_cast<double>(live_tensors));
  });
  define("bytes", [](const Napi::CallbackInfo& info) -> Napi::Value {
    return Napi::Number::New(info.Env(), static_cast<double>(tensor_of(info[0], "the tensor").nbytes()));
  });
  // reportMemory(bytes): so much more (or less) is kept alive by JavaScript objects
  define("reportMemory", [](const Napi::CallbackInfo& info) -> Napi::Value {
    Napi::MemoryManagement::AdjustExternalMemory(info.Env(), info[0].As<Napi::Number>().Int64Value());
    return info.Env().Undefined();
  });
  define("shape", [](const Napi::CallbackInfo& info) -> Napi::Value {
    return to_array(info.Env(), tensor_of(info[0], "the tensor").sizes());
  });
  define("strides", [](const Napi::CallbackInfo& info) -> Napi::Value {
    return to_array(info.Env(), tensor_of(info[0], "the tensor").strides());
  });
  define("dtype", [](const Napi::CallbackInfo& info) -> Napi::Value {
    return Napi::Number::New(info.Env(), static_cast<int>(tensor_of(info[0], "the tensor").scalar_type()));
  });
  define("device", [](const Napi::CallbackInfo& info) -> Napi::Value {
    return Napi::String::New(info.Env(), tensor_of(info[0], "the tensor").device().str());
  });
  define("isChannelsLast", [](const Napi::CallbackInfo& info) -> Napi::Value {
    return Napi::Boolean::New(info.Env(), tensor_of(info[0], "the tensor").is_contiguous(at::MemoryFormat::ChannelsLast));
  });

  // fromData(typedArray, dtype, shape): a new tensor with a copy of the numbers.
  define("fromData", [](const Napi::CallbackInfo& info) -> Napi::Value {
    return guarded(info.Env(), "tensor()", [&]() -> Napi::Value {
      const auto bytes = bytes_of(info[0]);
      auto result = at::empty(shape_of(info[2]), at::ScalarType(info[1].As<Napi::Number>().Int32Value()));
      TORCH_CHECK(bytes.length == result.nbytes(), "the array has ", bytes.length, " bytes but ", describe(result),
                  " needs ", result.nbytes());
      if (bytes.length > 0) std::memcpy(result.data_ptr(), bytes.data, bytes.length);
      return wrap(info.Env(), result);
    });
  });
  // readData(tensor, typedArray): copies the numbers, in row-major order, into an array of the same byte length.
  define("readData", [](const Napi::CallbackInfo& info) -> Napi::Value {
    return guarded(info.Env(), "data()", [&]() -> Napi::Value {
      const auto source = tensor_of(info[0], "the tensor").detach().cpu().contiguous();
      const auto bytes = bytes_of(info[1]);
      TORCH_CHECK(bytes.length == source.nbytes(), "the array has ", bytes.length, " bytes but ", describe(source),
                  " has ", source.nbytes());
      if (bytes.length > 0) std::memcpy(bytes.data, source.data_ptr(), bytes.length);
      return info.Env().Undefined();
    });
  });
  define("item", [](const Napi::CallbackInfo& info) -> Napi::Value {
    return guarded(info.Env(), "item()", [&]() -> Napi::Value {
      return Napi::Number::New(info.Env(), tensor_of(info[0], "the tensor").item().toDouble());
    });
  });

  define("createGenerator", [](const Napi::CallbackInfo& info) -> Napi::Value {
    return wrap(info.Env(), at::detail::createCPUGenerator(static_cast<uint64_t>(info[0].As<Napi::Number>().Int64Value())));
  });
  define("generatorState", [](const Napi::CallbackInfo& info) -> Napi::Value {
    return wrap(info.Env(), generator_of(info[0], "the generator").get_state());
  });
  define("setGeneratorState", [](const Napi::CallbackInfo& info) -> Napi::Value {
    return guarded(info.Env(), "Generator.state", [&]() -> Napi::Value {
      auto generator = generator_of(info[0], "the generator");
      generator.set_state(tensor_of(info[1], "the state"));
      return info.Env().Undefined();
    });
  });
}

}  // namespace featmatch
