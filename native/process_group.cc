// Collectives between processes that train together: c10d of libtorch, with Gloo for tensors on CPUs and NCCL for those
// on GPUs where libtorch has it. Every call waits until it is done, or throws after the group's timeout. Where libtorch
// comes without the headers of Gloo (Debian: libgloo-dev) the add-on is built without, and says so by `collectives()`.
#include "process_group.h"

#include "handle.h"

#ifdef FEATMATCH_GLOO
#define USE_C10D_GLOO
#if defined(FEATMATCH_CUDA) && __has_include(<torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>) && __has_include(<nccl.h>)
#define FEATMATCH_NCCL
#define USE_C10D_NCCL
#endif
#endif

#ifdef FEATMATCH_GLOO
#include <ATen/Functions.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/distributed/c10d/FileStore.hpp>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <torch/library.h>
#include <torch/version.h>
#ifdef FEATMATCH_NCCL
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif
#endif

namespace featmatch {
namespace {

Napi::Value collectives(const Napi::CallbackInfo& info) {
  auto names = Napi::Array::New(info.Env());
#ifdef FEATMATCH_GLOO
  names.Set(names.Length(), "gloo");
#endif
#ifdef FEATMATCH_NCCL
  names.Set(names.Length(), "nccl");
#endif
  return names;
}

#ifdef FEATMATCH_GLOO

using at::Tensor;
using std::chrono::milliseconds;

#if TORCH_VERSION_MAJOR >= 2
using Backend = c10d::Backend;
#else
using Backend = c10d::ProcessGroup;
#endif

struct Group {
  c10::intrusive_ptr<c10d::Store> store;
  c10::intrusive_ptr<Backend> gloo;
  c10::intrusive_ptr<Backend> nccl;  // null where there is none
  milliseconds timeout{0};

  Backend& of(const Tensor& tensor) const {
    TORCH_CHECK(gloo, "the processes are not connected");
    if (!tensor.is_cuda()) return *gloo;
    TORCH_CHECK(nccl, "this libtorch has no NCCL, which tensors on a GPU need");
    return *nccl;
  }
};

// One group a process is all that training needs.
Group& group() {
  static auto* instance = new Group();  // never destroyed: its threads may outlive static destruction
  return *instance;
}

std::vector<uint8_t> bytes_of(const std::string& text) { return {text.begin(), text.end()}; }

// openTcpStore(address, port, isServer, timeout, prefix): one store for all processes at an address
Napi::Value open_tcp_store(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), "TCPStore", [&]() -> Napi::Value {
    c10d::TCPStoreOptions options;
    options.port = static_cast<uint16_t>(info[1].As<Napi::Number>().Uint32Value());
    options.isServer = info[2].As<Napi::Boolean>().Value();
    options.waitWorkers = false;
    options.timeout = milliseconds(info[3].As<Napi::Number>().Int64Value());
    auto store = c10::make_intrusive<c10d::TCPStore>(info[0].As<Napi::String>().Utf8Value(), options);
    group().store = c10::make_intrusive<c10d::PrefixStore>(info[4].As<Napi::String>().Utf8Value(), store);
    return info.Env().Undefined();
  });
}

// openFileStore(path, processes): one store for all processes that see a file
Napi::Value open_file_store(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), "FileStore", [&]() -> Napi::Value {
    group().store = c10::make_intrusive<c10d::FileStore>(info[0].As<Napi::String>().Utf8Value(),
                                                         info[1].As<Napi::Number>().Int32Value());
    return info.Env().Undefined();
  });
}

// announce(key): tells the others that it is there
Napi::Value announce(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), "the rendezvous", [&]() -> Napi::Value {
    group().store->set(info[0].As<Napi::String>().Utf8Value(), bytes_of("here"));
    return info.Env().Undefined();
  });
}

// isAnnounced(key)
Napi::Value is_announced(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), "the rendezvous", [&]() -> Napi::Value {
    return Napi::Boolean::New(info.Env(), group().store->check({info[0].As<Napi::String>().Utf8Value()}));
  });
}

// connect(rank, size, timeout, address, useNccl): connects this process, which the others reach at `address`
Napi::Value connect(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), "connecting the processes", [&]() -> Napi::Value {
    const int rank = info[0].As<Napi::Number>().Int32Value();
    const int size = info[1].As<Napi::Number>().Int32Value();
    auto& own = group();
    own.timeout = milliseconds(info[2].As<Napi::Number>().Int64Value());
    own.store->setTimeout(own.timeout);
    auto options = c10d::ProcessGroupGloo::Options::create(own.timeout);
    options->devices.push_back(c10d::ProcessGroupGloo::createDeviceForHostname(info[3].As<Napi::String>().Utf8Value()));
    options->threads = 2;
    own.gloo = c10::make_intrusive<c10d::ProcessGroupGloo>(own.store, rank, size, options);
    if (info[4].As<Napi::Boolean>().Value()) {
#ifdef FEATMATCH_NCCL
      auto nccl_options = c10d::ProcessGroupNCCL::Options::create();
      nccl_options->timeout = own.timeout;
      own.nccl = c10::make_intrusive<c10d::ProcessGroupNCCL>(
          c10::make_intrusive<c10d::PrefixStore>("nccl", own.store), rank, size, nccl_options);
#else
      TORCH_CHECK(false, "this libtorch has no NCCL, which training on several GPUs needs");
#endif
    }
    return info.Env().Undefined();
  });
}

Napi::Value disconnect(const Napi::CallbackInfo& info) {
  group() = Group();
  return info.Env().Undefined();
}

// What goes wrong begins with the same words everywhere, also where it comes out of a backward pass.
template <typename Call>
auto in_contact(Call call) {
  try {
    return call();
  } catch (const std::exception& error) {
    TORCH_CHECK(false, "lost contact with another process: ", message_of(error));
  }
}

void sum_in_place(const Tensor& tensor) { finish(begin_sum(tensor)); }

// broadcast(tensor): it becomes that of the first process
Napi::Value broadcast(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), "the broadcast", [&]() -> Napi::Value {
    std::vector<Tensor> tensors{tensor_of(info[0], "the tensor")};
    finish(group().of(tensors[0]).broadcast(tensors));
    return info.Env().Undefined();
  });
}

// gather(tensor): those of all processes, which have the same shape (N, …), one after the other (processes·N, …)
Napi::Value gather(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), "the gathering", [&]() -> Napi::Value {
    std::vector<Tensor> inputs{tensor_of(info[0], "the tensor").detach().contiguous()};
    auto& backend = group().of(inputs[0]);
    std::vector<std::vector<Tensor>> outputs(1);
    for (int i = 0; i < backend.getSize(); i++) outputs[0].push_back(at::empty_like(inputs[0]));
    finish(backend.allgather(outputs, inputs));
    return wrap(info.Env(), at::cat(outputs[0]));
  });
}

Napi::Value barrier(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), "the barrier", [&]() -> Napi::Value {
    TORCH_CHECK(group().gloo, "the processes are not connected");
    finish(group().gloo->barrier());
    return info.Env().Undefined();
  });
}

// y = Σ_r x_r. What the loss of any process owes to y it owes to x_r, so the gradients are summed likewise.
struct SumFunction : torch::autograd::Function<SumFunction> {
  static Tensor forward(torch::autograd::AutogradContext*, const Tensor& x) {
    auto sum = x.detach().clone(at::MemoryFormat::Contiguous);
    sum_in_place(sum);
    return sum;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext*,
                                                 torch::autograd::variable_list gradients) {
    return {SumFunction::apply(gradients[0])};
  }
};

#endif

}  // namespace

#ifdef FEATMATCH_GLOO
int processes() { return group().gloo->getSize(); }

c10::intrusive_ptr<c10d::Work> begin_sum(const Tensor& tensor) {
  auto& backend = group().of(tensor);
  std::vector<Tensor> tensors{tensor};
  return in_contact([&] { return backend.allreduce(tensors); });
}

void finish(const c10::intrusive_ptr<c10d::Work>& work) {
  in_contact([&] { return work->wait(); });
}
#endif

void export_process_group(Napi::Env env, Napi::Object exports) {
  auto define = [&](const char* name, Napi::Value (*function)(const Napi::CallbackInfo&)) {
    exports.Set(name, Napi::Function::New(env, function, name));
  };
  define("collectives", collectives);
#ifdef FEATMATCH_GLOO
  define("openTcpStore", open_tcp_store);
  define("openFileStore", open_file_store);
  define("announce", announce);
  define("isAnnounced", is_announced);
  define("connect", connect);
  define("disconnect", disconnect);
  define("broadcast", broadcast);
  define("gather", gather);
  define("barrier", barrier);
#endif
}

#ifdef FEATMATCH_GLOO
TORCH_LIBRARY_FRAGMENT(featmatch, library) {
  library.def("sum_over_processes(Tensor input) -> Tensor", [](const Tensor& input) { return SumFunction::apply(input); });
}
#endif

}  // namespace featmatch
