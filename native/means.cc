// Means over the processes that train together. Tensors travel in buffers, many in one, each on its way as soon as all of
// its tensors are there: those of gradients while the backward pass still computes others (Li et al. 2020, PyTorch
// Distributed, section 3.2.3).
#include "handle.h"
#include "process_group.h"

#ifdef FEATMATCH_GLOO
#include <ATen/Functions.h>
#include <ATen/record_function.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

#include <algorithm>
#include <functional>
#endif

namespace featmatch {
#ifdef FEATMATCH_GLOO
namespace {

using at::Tensor;

// All processes have to give tensors of the same shapes and strides in the same order.
class Means {
 public:
  // Room for tensors like these, in buffers of about so many bytes.
  Means(const std::vector<Tensor>& likes, int64_t buffer_bytes) {
    int64_t room = 0;
    for (size_t i = 0; i < likes.size(); i++) {
      const auto& like = likes[i];
      const auto bytes = static_cast<int64_t>(like.nbytes());
      const bool fits = i > 0 && bytes <= room && like.options().type_equal(likes[i - 1].options());
      if (!fits) {
        buffers_.emplace_back();
        room = buffer_bytes;
      }
      buffers_.back().missing++;
      buffers_.back().elements += like.numel();
      places_.push_back({buffers_.size() - 1, {}});
      room -= bytes;
    }
    size_t next = 0;
    for (auto& buffer : buffers_) {
      buffer.values = at::empty({buffer.elements}, likes[next].options().requires_grad(false));
      int64_t offset = 0;
      for (size_t end = next + buffer.missing; next < end; next++) {
        const auto& like = likes[next];
        auto& values = places_[next].values;
        values = like.is_non_overlapping_and_dense()
                     ? buffer.values.as_strided(like.sizes(), like.strides(), offset)
                     : buffer.values.narrow(0, offset, like.numel()).view(like.sizes());
        offset += like.numel();
      }
    }
  }

  // What this process has of a tensor; undefined: zeros.
  void put(size_t index, const Tensor& own) {
    auto& [buffer, values] = places_[index];
    if (own.defined()) {
      values.copy_(own);
    } else {
      values.zero_();
    }
    buffers_[buffer].missing--;
    // in their order, so that the same buffers meet
    for (; next_ < buffers_.size() && buffers_[next_].missing == 0; next_++) {
      buffers_[next_].under_way = begin_sum(buffers_[next_].values);
    }
  }

  // Waits for the means of all that was put.
  void finish() {
    for (auto& [elements, missing, values, under_way] : buffers_) {
      featmatch::finish(under_way);
      values.mul_(1.0 / processes());
    }
  }

  const Tensor& operator[](size_t index) const { return places_[index].values; }

 private:
  struct Buffer {
    int64_t elements = 0;
    size_t missing = 0;
    Tensor values;
    c10::intrusive_ptr<c10d::Work> under_way;
  };
  struct Place {
    size_t buffer;
    Tensor values;  // a part of the buffer, with the strides of the tensor
  };
  std::vector<Buffer> buffers_;
  std::vector<Place> places_;
  size_t next_ = 0;
};

// Tensors that are there from the start.
class MeansInPlace {
 public:
  MeansInPlace(std::vector<Tensor> tensors, int64_t buffer_bytes)
      : tensors_(std::move(tensors)), means_(tensors_, buffer_bytes) {
    for (size_t i = 0; i < tensors_.size(); i++) means_.put(i, tensors_[i]);
  }

  void finish() {
    means_.finish();
    for (size_t i = 0; i < tensors_.size(); i++) tensors_[i].copy_(means_[i]);
  }

 private:
  std::vector<Tensor> tensors_;
  Means means_;
};

struct Hook : torch::autograd::FunctionPostHook {
  explicit Hook(std::function<void()> then) : then(std::move(then)) {}
  torch::autograd::variable_list operator()(const torch::autograd::variable_list& outputs,
                                            const torch::autograd::variable_list&) override {
    then();
    return outputs;
  }
  std::function<void()> then;
};

// The means of gradients, each put as soon as a backward pass has accumulated it, for as long as this object lives.
class GradientMeans {
 public:
  GradientMeans(std::vector<Tensor> parameters, int64_t buffer_bytes)
      : parameters_(std::move(parameters)), means_(parameters_, buffer_bytes), is_put_(parameters_.size(), false) {
    for (size_t i = 0; i < parameters_.size(); i++) {
      auto accumulator = torch::autograd::impl::grad_accumulator(parameters_[i]);
      const auto key = accumulator->add_post_hook(std::make_unique<Hook>([this, i] { put(i); }));
      hooks_.emplace_back(std::move(accumulator), key);
    }
  }

  ~GradientMeans() {
    for (const auto& [accumulator, key] : hooks_) accumulator->del_post_hook(key);
  }

  // Waits for all; what the backward pass did not reach keeps no gradient.
  void finish() {
    for (size_t i = 0; i < parameters_.size(); i++) {
      if (!is_put_[i]) put(i);
    }
    means_.finish();
    for (size_t i = 0; i < parameters_.size(); i++) {
      auto& gradient = parameters_[i].mutable_grad();
      if (gradient.defined()) gradient = means_[i];
    }
  }

 private:
  void put(size_t index) {
    is_put_[index] = true;
    means_.put(index, parameters_[index].grad());
  }

  std::vector<Tensor> parameters_;
  Means means_;
  std::vector<bool> is_put_;
  std::vector<std::pair<std::shared_ptr<torch::autograd::Node>, uintptr_t>> hooks_;
};

// average(tensors, bufferBytes): each becomes its mean
Napi::Value average(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), "means over all processes", [&]() -> Napi::Value {
    at::NoGradGuard no_grad;
    MeansInPlace means(tensors_of(info[0], "tensors"), info[1].As<Napi::Number>().Int64Value());
    means.finish();
    return info.Env().Undefined();
  });
}

// backwardToMeans(loss, parameters, others, bufferBytes): the gradients of the parameters, and the others, become means
Napi::Value backward_to_means(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), "backward()", [&]() -> Napi::Value {
    const auto buffer_bytes = info[3].As<Napi::Number>().Int64Value();
    auto parameters = tensors_of(info[1], "parameters");
    std::reverse(parameters.begin(), parameters.end());  // a backward pass reaches the last of them first
    at::NoGradGuard no_grad;                             // of what is done here; autograd has a mode of its own
    MeansInPlace others(tensors_of(info[2], "others"), buffer_bytes);
    GradientMeans gradients(std::move(parameters), buffer_bytes);
    torch::autograd::backward({tensor_of(info[0], "the loss")}, {});
    RECORD_FUNCTION("exchange", std::vector<c10::IValue>());  // what is left of it
    gradients.finish();
    others.finish();
    return info.Env().Undefined();
  });
}

}  // namespace
#endif

void export_means(Napi::Env env, Napi::Object exports) {
#ifdef FEATMATCH_GLOO
  exports.Set("average", Napi::Function::New(env, average, "average"));
  exports.Set("backwardToMeans", Napi::Function::New(env, backward_to_means, "backwardToMeans"));
#endif
}

}  // namespace featmatch
