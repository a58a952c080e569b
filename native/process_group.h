// What other parts exchange between processes.
#pragma once

#ifdef FEATMATCH_GLOO
#include <ATen/core/Tensor.h>
#include <torch/csrc/distributed/c10d/Work.hpp>

namespace featmatch {

int processes();

// Begins to make `tensor` its sum over all processes, which it is once `finish` has returned.
c10::intrusive_ptr<c10d::Work> begin_sum(const at::Tensor& tensor);

// Waits until it is done.
void finish(const c10::intrusive_ptr<c10d::Work>& work);

}  // namespace featmatch
#endif
