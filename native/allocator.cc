// A caching allocator for CPU tensors. A training step asks for the same sizes again and again; memory that goes back
// to the system comes back as untouched pages, and the first touch of a page costs several times more than the
// arithmetic on it. Freed blocks are kept in a list per size class and handed out again; blocks of 2 MiB and more are
// backed by huge pages where the system has them.
#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <malloc.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "handle.h"

namespace featmatch {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kHugePage = size_t{2} << 20;

// The block's size stands in front of the memory that is handed out.
struct alignas(kAlignment) Header {
  size_t block_bytes;
};

// Eight classes between two powers of two: at most an eighth of a block is unused.
size_t size_class(size_t bytes) {
  if (bytes <= 8 * kAlignment) return (bytes + kAlignment - 1) / kAlignment * kAlignment;
  const size_t step = size_t{1} << (63 - __builtin_clzll(bytes - 1) - 3);  // from 2 MiB on a multiple of the page
  return (bytes + step - 1) / step * step;
}

class CachingAllocator final : public c10::Allocator {
 public:
  // The base class declares the first in libtorch before 2.3, the other two since; hence no `override`.
  c10::DataPtr allocate(size_t bytes) const { return make(bytes); }
  c10::DataPtr allocate(size_t bytes) { return make(bytes); }
  void copy_data(void* destination, const void* source, std::size_t count) const {
    std::memcpy(destination, source, count);
  }

  c10::DeleterFnPtr raw_deleter() const override { return &CachingAllocator::release; }

  void empty_cache() {
    std::lock_guard<std::mutex> lock(mutex_);
    empty_cache_locked();
  }

  void set_limit(size_t bytes) {
    std::lock_guard<std::mutex> lock(mutex_);
    limit_ = bytes;
    if (cached_ > limit_) empty_cache_locked();
  }

  struct Statistics {
    size_t allocated, cached, peak, limit;
  };
  Statistics statistics(bool reset_peak) {
    std::lock_guard<std::mutex> lock(mutex_);
    const Statistics result{allocated_, cached_, peak_, limit_};
    if (reset_peak) peak_ = allocated_;
    return result;
  }

 private:
  c10::DataPtr make(size_t bytes) const;
  static void release(void* data);

  void* take(size_t block_bytes) {
    std::lock_guard<std::mutex> lock(mutex_);
    allocated_ += block_bytes;
    peak_ = std::max(peak_, allocated_);
    auto found = free_.find(block_bytes);
    if (found != free_.end() && !found->second.empty()) {
      void* block = found->second.back();
      found->second.pop_back();
      cached_ -= block_bytes;
      return block;
    }
    void* block = from_system(block_bytes);
    if (block == nullptr) {  // give the cache back and try once more
      empty_cache_locked();
      block = from_system(block_bytes);
    }
    if (block == nullptr) allocated_ -= block_bytes;
    return block;
  }

  void give(void* block, size_t block_bytes) {
    std::lock_guard<std::mutex> lock(mutex_);
    allocated_ -= block_bytes;
    if (cached_ + block_bytes > limit_) {
      to_system(block, block_bytes);
      return;
    }
    cached_ += block_bytes;
    free_[block_bytes].push_back(block);
  }

  // Large blocks are mapped one by one, so that freeing them gives the pages back whatever else is on the heap.
  static void* from_system(size_t block_bytes) {
    if (block_bytes < kHugePage) {
      void* block = nullptr;
      return posix_memalign(&block, kAlignment, block_bytes) == 0 ? block : nullptr;
    }
    const size_t mapped = block_bytes + kHugePage;  // the surplus goes back once the block is aligned
    void* start = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED) return nullptr;
    const auto address = reinterpret_cast<uintptr_t>(start);
    const uintptr_t aligned = (address + kHugePage - 1) / kHugePage * kHugePage;
    const size_t before = aligned - address, after = mapped - before - block_bytes;
    if (before > 0) munmap(start, before);
    if (after > 0) munmap(reinterpret_cast<void*>(aligned + block_bytes), after);
    auto* block = reinterpret_cast<void*>(aligned);
    madvise(block, block_bytes, MADV_HUGEPAGE);  // advice: without it the block works as well
    return block;
  }

  static void to_system(void* block, size_t block_bytes) {
    if (block_bytes < kHugePage) {
      std::free(block);
    } else {
      munmap(block, block_bytes);
    }
  }

  void empty_cache_locked() {
    for (auto& entry : free_) {
      for (void* block : entry.second) to_system(block, entry.first);
    }
    free_.clear();
    cached_ = 0;
#ifdef __GLIBC__
    malloc_trim(0);  // or small blocks stay with the C library
#endif
  }

  std::mutex mutex_;
  std::unordered_map<size_t, std::vector<void*>> free_;
  size_t allocated_ = 0, cached_ = 0, peak_ = 0;
  size_t limit_ = size_t{8} << 30;
};

// Never destroyed: tensors may outlive static destruction.
CachingAllocator& allocator() {
  static auto* instance = new CachingAllocator();
  return *instance;
}

c10::DataPtr CachingAllocator::make(size_t bytes) const {
  const c10::Device cpu(c10::DeviceType::CPU);
  if (bytes == 0) return {nullptr, nullptr, &CachingAllocator::release, cpu};
  const size_t block_bytes = size_class(bytes + sizeof(Header));
  auto* header = static_cast<Header*>(featmatch::allocator().take(block_bytes));
  TORCH_CHECK(header != nullptr, "out of memory: ", bytes, " bytes for a tensor");
  header->block_bytes = block_bytes;
  void* data = header + 1;
  return {data, data, &CachingAllocator::release, cpu};
}

void CachingAllocator::release(void* data) {
  if (data == nullptr) return;
  auto* header = static_cast<Header*>(data) - 1;
  featmatch::allocator().give(header, header->block_bytes);
}

}  // namespace

void export_allocator(Napi::Env env, Napi::Object exports) {
  c10::SetCPUAllocator(&allocator(), /*priority=*/1);

  exports.Set("emptyCache", Napi::Function::New(env, [](const Napi::CallbackInfo&) { allocator().empty_cache(); }));
  exports.Set("setCacheLimit", Napi::Function::New(env, [](const Napi::CallbackInfo& info) {
                allocator().set_limit(static_cast<size_t>(info[0].As<Napi::Number>().Int64Value()));
              }));
  exports.Set("memory", Napi::Function::New(env, [](const Napi::CallbackInfo& info) -> Napi::Value {
                const auto statistics = allocator().statistics(info[0].ToBoolean());
                auto result = Napi::Object::New(info.Env());
                result.Set("allocated", static_cast<double>(statistics.allocated));
                result.Set("cached", static_cast<double>(statistics.cached));
                result.Set("peak", static_cast<double>(statistics.peak));
                result.Set("limit", static_cast<double>(statistics.limit));
                return result;
              }));
}

}  // namespace featmatch
