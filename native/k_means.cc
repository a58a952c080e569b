// The parts of K-means, each for several starts on the same points: k_means_starts draws centers (greedy k-means++, Arthur
// and Vassilvitskii 2007), lloyd moves them (Lloyd 1982), exchange_points moves single points (Hartigan and Wong 1979).
// Each thread takes some of the starts to the end by itself: nothing depends on the number of threads, and they need not
// wait for each other.
//
// What costs is the distance of every point to every center. Points lie in tiles of sixteen, number by number, so that a
// vector holds the same number of sixteen points: distances, the nearest center and the comparison need no sums across
// a vector, and any number of centers fills it. Differences are squared as they are, which is exact for points that lie
// close together, where |x|² − 2xc + |c|² is not.
#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <torch/library.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

#include "every_cpu.h"
#include "handle.h"

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wpsabi"  // vectors are only passed to functions that are inlined
#endif

namespace featmatch {
namespace {

using at::Tensor;

constexpr int64_t kTile = 16;               // points
constexpr int kGroup = 6;                   // centers whose distances are kept in registers
constexpr int64_t kBlockNumbers = 1 << 16;  // of points that all starts of a thread look at while the cache holds them
typedef float Floats __attribute__((vector_size(4 * kTile), aligned(4), may_alias));
typedef int32_t Integers __attribute__((vector_size(4 * kTile), aligned(4), may_alias));

// Squared distances of a tile's points from `count` centers.
template <int count>
INLINE void measure(const float* tile, const float* centers, int64_t dimension, Floats* distances) {
  Floats sums[count] = {};
  for (int64_t d = 0; d < dimension; d++) {
    const Floats x = *reinterpret_cast<const Floats*>(tile + d * kTile);
#pragma GCC unroll 8
    for (int c = 0; c < count; c++) {
      const Floats difference = x - centers[c * dimension + d];
      sums[c] += difference * difference;
    }
  }
#pragma GCC unroll 8
  for (int c = 0; c < count; c++) distances[c] = sums[c];
}

// Calls `use(distances, first, count)` for the centers from `first` on, group by group.
template <typename Use>
INLINE void measure_all(const float* tile, const float* centers, int64_t clusters, int64_t dimension, Use use) {
  const int64_t groups = (clusters + kGroup - 1) / kGroup;
  for (int64_t group = 0; group < groups; group++) {
    Floats distances[kGroup];
    const int64_t first = clusters * group / groups, count = clusters * (group + 1) / groups - first;
    const float* from = centers + first * dimension;
    switch (count) {
      case 1: measure<1>(tile, from, dimension, distances); break;
      case 2: measure<2>(tile, from, dimension, distances); break;
      case 3: measure<3>(tile, from, dimension, distances); break;
      case 4: measure<4>(tile, from, dimension, distances); break;
      case 5: measure<5>(tile, from, dimension, distances); break;
      case 6: measure<6>(tile, from, dimension, distances); break;
    }
    use(distances, first, count);
  }
}

INLINE Floats& floats(float* at) { return *reinterpret_cast<Floats*>(at); }

// The nearest of `clusters` centers for each point of some tiles.
FOR_EACH_CPU void find_nearest(const float* tiles, int64_t tile_count, const float* centers, int64_t clusters, int64_t dimension,
                               int32_t* nearest_centers, float* nearest_distances) {
  for (int64_t tile = 0; tile < tile_count; tile++) {
    Floats nearest = Floats{} + std::numeric_limits<float>::infinity();
    Integers center{};
    measure_all(tiles + tile * kTile * dimension, centers, clusters, dimension, [&](const Floats* distances, int64_t first, int64_t count) {
      for (int64_t c = 0; c < count; c++) {
        const Integers is_nearer = distances[c] < nearest;
        nearest = is_nearer ? distances[c] : nearest;
        center = is_nearer ? Integers{} + static_cast<int32_t>(first + c) : center;
      }
    });
    floats(nearest_distances + tile * kTile) = nearest;
    *reinterpret_cast<Integers*>(nearest_centers + tile * kTile) = center;
  }
}

// What the distances of all points from their nearest centers become with each candidate as a further center (candidate
// after candidate), and their sums.
FOR_EACH_CPU void add_remaining(const float* tiles, int64_t tile_count, const float* candidates, int64_t candidate_count, int64_t dimension,
                                const float* nearest, float* remaining, int64_t remaining_stride, Floats* sums) {
  for (int64_t tile = 0; tile < tile_count; tile++) {
    const Floats current = *reinterpret_cast<const Floats*>(nearest + tile * kTile);
    measure_all(tiles + tile * kTile * dimension, candidates, candidate_count, dimension, [&](const Floats* distances, int64_t first, int64_t count) {
      for (int64_t c = 0; c < count; c++) {
        const Floats least = distances[c] < current ? distances[c] : current;
        floats(remaining + (first + c) * remaining_stride + tile * kTile) = least;
        sums[first + c] += least;
      }
    });
  }
}

FOR_EACH_CPU void add_row(const float* row, int64_t dimension, double sign, double* sums) {
#pragma omp simd
  for (int64_t d = 0; d < dimension; d++) sums[d] += sign * row[d];
}

FOR_EACH_CPU double squared_distance(const float* row, const double* center, int64_t dimension) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t d = 0; d < dimension; d++) sum += (row[d] - center[d]) * (row[d] - center[d]);
  return sum;
}

// center += share·(row − center)
FOR_EACH_CPU void move_center(double* center, const float* row, int64_t dimension, double share) {
#pragma omp simd
  for (int64_t d = 0; d < dimension; d++) center[d] += share * (row[d] - center[d]);
}

// The same points for all starts: as rows and in tiles, the last one filled up with zeros.
struct Points {
  explicit Points(const Tensor& points)
      : rows(points.data_ptr<float>()), count(points.size(0)), dimension(points.size(1)), tile_count((count + kTile - 1) / kTile),
        padded_count(tile_count * kTile), tiles(padded_count * dimension) {
    at::parallel_for(0, count, 1024, [&](int64_t from, int64_t to) {
      for (int64_t i = from; i < to; i++) {
        float* tile = tiles.data() + i / kTile * kTile * dimension + i % kTile;
        for (int64_t d = 0; d < dimension; d++) tile[d * kTile] = rows[i * dimension + d];
      }
    });
  }
  const float* row(int64_t i) const { return rows + i * dimension; }
  const float* tile(int64_t t) const { return tiles.data() + t * kTile * dimension; }

  // Calls `use(first tile, number of tiles)` block by block.
  template <typename Use>
  void for_each_block(Use use) const {
    const int64_t size = std::max<int64_t>(1, kBlockNumbers / (kTile * dimension));
    for (int64_t tile = 0; tile < tile_count; tile += size) use(tile, std::min(size, tile_count - tile));
  }

  const float* rows;
  const int64_t count, dimension, tile_count, padded_count;
  std::vector<float> tiles;
};

// Greedy k-means++ for one start: of a few points drawn in proportion to their squared distance from the nearest center
// so far, the next center is the one that leaves the smallest sum of these distances. The first center is drawn among
// all points alike.
class Drawing {
 public:
  Drawing(const Points& points, int64_t candidate_count)
      : points_(points), candidate_count_(candidate_count), candidates_(candidate_count * points.dimension), nearest_(points.padded_count),
        remaining_(candidate_count * points.padded_count), sums_(candidate_count), sums_of_weights_(points.count) {
    // what fills the last tile is never drawn
    std::fill_n(nearest_.begin(), points.count, std::numeric_limits<float>::infinity());
  }

  // By uniform numbers, one for each candidate.
  void draw_candidates(const double* shares, bool is_first) {
    double sum = 0;
    for (int64_t i = 0; i < points_.count; i++) sums_of_weights_[i] = sum += is_first ? 1 : nearest_[i];
    for (int64_t c = 0; c < candidate_count_; c++) {
      const int64_t point = std::upper_bound(sums_of_weights_.begin(), sums_of_weights_.end(), shares[c] * sum) - sums_of_weights_.begin();
      // beyond the last one where all points coincide with centers
      std::copy_n(points_.row(std::min(point, points_.count - 1)), points_.dimension, candidates_.begin() + c * points_.dimension);
    }
    std::fill(sums_.begin(), sums_.end(), Floats{});
  }

  void try_candidates(int64_t first_tile, int64_t tile_count) {
    add_remaining(points_.tile(first_tile), tile_count, candidates_.data(), candidate_count_, points_.dimension, nearest_.data() + first_tile * kTile,
                  remaining_.data() + first_tile * kTile, points_.padded_count, sums_.data());
  }

  void take_best(float* center) {
    int64_t best = 0;
    double smallest = std::numeric_limits<double>::infinity();
    for (int64_t c = 0; c < candidate_count_; c++) {
      double sum = 0;
      for (int64_t lane = 0; lane < kTile; lane++) sum += sums_[c][lane];
      if (sum < smallest) best = c, smallest = sum;
    }
    std::copy_n(remaining_.begin() + best * points_.padded_count, points_.padded_count, nearest_.begin());
    std::copy_n(candidates_.begin() + best * points_.dimension, points_.dimension, center);
  }

 private:
  const Points& points_;
  const int64_t candidate_count_;
  std::vector<float> candidates_;
  std::vector<float> nearest_, remaining_;  // squared distances: now, and with each candidate as a further center
  std::vector<Floats> sums_;                // of the remaining ones
  std::vector<double> sums_of_weights_;
};

// One start: its centers, and what its points belong to.
class Clustering {
 public:
  Clustering(const Points& points, const float* initial, int64_t clusters)
      : points_(points), clusters_(clusters), centers_(initial, initial + clusters * points.dimension), assignment_(points.padded_count, -1),
        previous_(points.padded_count), distances_(points.padded_count), sums_(clusters * points.dimension, 0.0), sizes_(clusters, 0) {}

  // Assigns the points of some tiles anew and keeps the sums of the clusters up to date.
  void assign(int64_t first_tile, int64_t tile_count) {
    const int64_t first = first_tile * kTile, end = std::min(points_.count, first + tile_count * kTile), dimension = points_.dimension;
    std::copy(assignment_.begin() + first, assignment_.begin() + end, previous_.begin() + first);
    find_nearest(points_.tile(first_tile), tile_count, centers_.data(), clusters_, dimension, assignment_.data() + first, distances_.data() + first);
    for (int64_t i = first; i < end; i++) {
      const int32_t from = previous_[i], to = assignment_[i];
      if (from == to) continue;
      has_changed_ = true;
      if (from >= 0) add_row(points_.row(i), dimension, -1, sums_.data() + from * dimension), sizes_[from]--;
      add_row(points_.row(i), dimension, 1, sums_.data() + to * dimension), sizes_[to]++;
    }
  }

  // Moves each center to the mean of its points, and one without points to the farthest point. Returns the sum of the
  // squared ways.
  double move() {
    const int64_t dimension = points_.dimension;
    double way = 0;
    std::vector<int64_t> farthest;
    for (int64_t c = 0; c < clusters_; c++) {
      const float* replacement = nullptr;
      if (sizes_[c] == 0) {
        if (farthest.empty()) farthest = farthest_points();
        replacement = points_.row(farthest.back());
        farthest.pop_back();
      }
      for (int64_t d = 0; d < dimension; d++) {
        float& center = centers_[c * dimension + d];
        const float moved = replacement ? replacement[d] : static_cast<float>(sums_[c * dimension + d] / sizes_[c]);
        way += (static_cast<double>(moved) - center) * (static_cast<double>(moved) - center);
        center = moved;
      }
    }
    has_changed_ = false;
    return way;
  }

  // Whether a point has changed its cluster since the centers moved.
  bool has_changed() const { return has_changed_; }

  void write(float* centers, int64_t* assignment, double* inertia) const {
    std::copy(centers_.begin(), centers_.end(), centers);
    std::copy_n(assignment_.begin(), points_.count, assignment);
    *inertia = std::accumulate(distances_.begin(), distances_.begin() + points_.count, 0.0);
  }

 private:
  // As many as there are clusters, the farthest last.
  std::vector<int64_t> farthest_points() const {
    std::vector<int64_t> order(points_.count);
    std::iota(order.begin(), order.end(), 0);
    const int64_t count = std::min(points_.count, clusters_);
    const auto is_farther = [&](int64_t a, int64_t b) { return distances_[a] != distances_[b] ? distances_[a] > distances_[b] : a < b; };
    std::partial_sort(order.begin(), order.begin() + count, order.end(), is_farther);
    order.resize(count);
    std::reverse(order.begin(), order.end());
    return order;
  }

  const Points& points_;
  const int64_t clusters_;
  std::vector<float> centers_;
  std::vector<int32_t> assignment_, previous_;
  std::vector<float> distances_;
  std::vector<double> sums_;
  std::vector<int64_t> sizes_;
  bool has_changed_ = false;
};

void check_points(const Tensor& points, const char* what) {
  TORCH_CHECK(points.dim() == 2 && points.numel() > 0 && points.device().is_cpu() && points.scalar_type() == at::kFloat, what,
              ": points (N, D) of float32 on the CPU are needed, not ", points.sizes(), " of ", points.scalar_type());
}

// points (N, D), uniform numbers (starts, clusters, candidates) → centers (starts, clusters, D)
Tensor k_means_starts(const Tensor& given_points, const Tensor& given_shares) {
  check_points(given_points, "k_means_starts");
  TORCH_CHECK(given_shares.dim() == 3 && given_shares.numel() > 0 && given_shares.device().is_cpu() && given_shares.scalar_type() == at::kDouble,
              "k_means_starts: numbers (starts, clusters, candidates) of float64 on the CPU are needed, not ", given_shares.sizes());
  const auto rows = given_points.contiguous(), shares = given_shares.contiguous();
  const Points points(rows);
  const int64_t clusters = shares.size(1), candidates = shares.size(2);
  auto centers = at::empty({shares.size(0), clusters, points.dimension}, at::kFloat);
  at::parallel_for(0, shares.size(0), 1, [&](int64_t from, int64_t to) {
    std::vector<Drawing> drawings(to - from, Drawing(points, candidates));
    for (int64_t c = 0; c < clusters; c++) {
      for (int64_t s = from; s < to; s++) drawings[s - from].draw_candidates(shares.data_ptr<double>() + (s * clusters + c) * candidates, c == 0);
      points.for_each_block([&](int64_t first_tile, int64_t tile_count) {
        for (auto& drawing : drawings) drawing.try_candidates(first_tile, tile_count);
      });
      for (int64_t s = from; s < to; s++) drawings[s - from].take_best(centers.data_ptr<float>() + (s * clusters + c) * points.dimension);
    }
  });
  return centers;
}

// Points that go to another cluster, one by one, where that makes the inertia smaller.
class Exchange {
 public:
  Exchange(const float* rows, int64_t count, int64_t dimension, int64_t clusters, int64_t* assignment)
      : rows_(rows), count_(count), dimension_(dimension), clusters_(clusters), assignment_(assignment), sizes_(clusters, 0), centers_(clusters * dimension, 0.0) {
    for (int64_t i = 0; i < count; i++) {
      sizes_[assignment[i]]++;
      add_row(row(i), dimension, 1, center(assignment[i]));
    }
    for (int64_t c = 0; c < clusters; c++) {
      for (int64_t d = 0; d < dimension; d++) center(c)[d] /= std::max<int64_t>(1, sizes_[c]);
    }
  }

  // Returns whether any point has moved, which has to make the inertia smaller by more than `least_gain`.
  bool sweep(double least_gain) {
    bool has_moved = false;
    for (int64_t i = 0; i < count_; i++) {
      const int64_t own = assignment_[i];
      if (sizes_[own] < 2) continue;
      const double n = sizes_[own], gain = squared_distance(row(i), center(own), dimension_) * n / (n - 1);
      int64_t best = own;
      double smallest = gain - least_gain;
      for (int64_t c = 0; c < clusters_; c++) {
        if (c == own) continue;
        const double size = sizes_[c], loss = squared_distance(row(i), center(c), dimension_) * size / (size + 1);
        if (loss < smallest) best = c, smallest = loss;
      }
      if (best == own) continue;
      sizes_[own]--;
      move_center(center(own), row(i), dimension_, -1.0 / sizes_[own]);
      sizes_[best]++;
      move_center(center(best), row(i), dimension_, 1.0 / sizes_[best]);
      assignment_[i] = best;
      has_moved = true;
    }
    return has_moved;
  }

  double inertia() {
    double sum = 0;
    for (int64_t i = 0; i < count_; i++) sum += squared_distance(row(i), center(assignment_[i]), dimension_);
    return sum;
  }

  const std::vector<double>& centers() const { return centers_; }

 private:
  const float* row(int64_t i) const { return rows_ + i * dimension_; }
  double* center(int64_t c) { return centers_.data() + c * dimension_; }

  const float* rows_;
  const int64_t count_, dimension_, clusters_;
  int64_t* assignment_;
  std::vector<int64_t> sizes_;
  std::vector<double> centers_;
};

// Until no point of a start changes its center, or the sum of its centers' squared ways is at most `least_way`.
std::tuple<Tensor, Tensor, Tensor> lloyd(const Tensor& given_points, const Tensor& given_centers, double least_way, int64_t iterations) {
  check_points(given_points, "lloyd");
  TORCH_CHECK(given_centers.dim() == 3 && given_centers.size(2) == given_points.size(1) && given_centers.numel() > 0 &&
                  given_centers.device().is_cpu() && given_centers.scalar_type() == at::kFloat,
              "lloyd: centers (starts, clusters, D) of float32 on the CPU are needed for points ", given_points.sizes(), ", not ", given_centers.sizes());
  const auto contiguous_points = given_points.contiguous(), initial = given_centers.contiguous();
  const Points points(contiguous_points);
  const int64_t clusters = initial.size(1), numbers = clusters * points.dimension;
  auto centers = at::empty_like(initial);
  auto assignment = at::empty({initial.size(0), points.count}, at::kLong);
  auto inertias = at::empty({initial.size(0)}, at::kDouble);
  at::parallel_for(0, initial.size(0), 1, [&](int64_t from, int64_t to) {
    std::vector<Clustering> clusterings;
    for (int64_t s = from; s < to; s++) clusterings.emplace_back(points, initial.data_ptr<float>() + s * numbers, clusters);
    std::vector<Clustering*> moving;
    for (auto& clustering : clusterings) moving.push_back(&clustering);
    const auto assign = [&] {
      points.for_each_block([&](int64_t first_tile, int64_t tile_count) {
        for (auto* clustering : moving) clustering->assign(first_tile, tile_count);
      });
    };
    assign();
    for (int64_t iteration = 0; iteration < iterations && !moving.empty(); iteration++) {
      std::vector<double> ways;
      for (auto* clustering : moving) ways.push_back(clustering->move());
      assign();
      std::vector<Clustering*> still_moving;
      for (size_t i = 0; i < moving.size(); i++) {
        if (ways[i] > least_way && moving[i]->has_changed()) still_moving.push_back(moving[i]);
      }
      moving = still_moving;
    }
    for (int64_t s = from; s < to; s++) {
      clusterings[s - from].write(centers.data_ptr<float>() + s * numbers, assignment.data_ptr<int64_t>() + s * points.count, inertias.data_ptr<double>() + s);
    }
  });
  return {centers, assignment, inertias};
}

// A point has to make the inertia smaller by this share of it, so that rounding cannot move points in circles.
constexpr double kLeastGain = 1e-9;

// Until no point moves. Clusters keep at least one point.
std::tuple<Tensor, Tensor, Tensor> exchange_points(const Tensor& given_points, const Tensor& given_assignment, int64_t clusters, int64_t sweeps) {
  check_points(given_points, "exchange_points");
  TORCH_CHECK(given_assignment.dim() == 2 && given_assignment.size(1) == given_points.size(0) && given_assignment.device().is_cpu() &&
                  given_assignment.scalar_type() == at::kLong,
              "exchange_points: the clusters (starts, N) of points ", given_points.sizes(), " are needed, int64, not ", given_assignment.sizes());
  TORCH_CHECK(given_assignment.numel() == 0 || (given_assignment.min().item<int64_t>() >= 0 && given_assignment.max().item<int64_t>() < clusters),
              "exchange_points: there are ", clusters, " clusters, and a point belongs to none of them");
  const auto points = given_points.contiguous();
  auto assignment = given_assignment.clone(at::MemoryFormat::Contiguous);
  const int64_t starts = assignment.size(0), count = points.size(0), dimension = points.size(1);
  auto centers = at::empty({starts, clusters, dimension}, at::kFloat);
  auto inertias = at::empty({starts}, at::kDouble);
  at::parallel_for(0, starts, 1, [&](int64_t from, int64_t to) {
    for (int64_t s = from; s < to; s++) {
      Exchange exchange(points.data_ptr<float>(), count, dimension, clusters, assignment.data_ptr<int64_t>() + s * count);
      const double least_gain = kLeastGain * exchange.inertia();
      for (int64_t sweep = 0; sweep < sweeps && exchange.sweep(least_gain); sweep++) {
      }
      inertias.data_ptr<double>()[s] = exchange.inertia();
      std::copy(exchange.centers().begin(), exchange.centers().end(), centers.data_ptr<float>() + s * clusters * dimension);
    }
  });
  return {centers, assignment, inertias};
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(featmatch, library) {
  library.def("k_means_starts(Tensor points, Tensor shares) -> Tensor", k_means_starts);
  library.def("lloyd(Tensor points, Tensor centers, float least_way, int iterations) -> (Tensor, Tensor, Tensor)", lloyd);
  library.def("exchange_points(Tensor points, Tensor assignment, int clusters, int sweeps) -> (Tensor, Tensor, Tensor)", exchange_points);
}

}  // namespace featmatch
