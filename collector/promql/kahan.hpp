#pragma once
#include <cmath>

namespace ward::promql {

/// Neumaier's variant of Kahan's summation, as Prometheus sums: the lost low bits are carried beside the sum.
struct KahanSum {
  double sum = 0;
  double lost = 0;
  void add(double v) {
    const double t = sum + v;
    if (std::isinf(t))
      lost = 0;
    else if (std::abs(sum) >= std::abs(v))
      lost += (sum - t) + v;
    else
      lost += (v - t) + sum;
    sum = t;
  }
  [[nodiscard]] double total() const { return std::isinf(sum) ? sum : sum + lost; }
};

/// A mean that does not overflow where the sum would: it goes on incrementally from there.
class KahanMean {
 public:
  void add(double v) {
    count_ += 1;
    if (!incremental_) {
      KahanSum next = sum_;
      next.add(v);
      if (count_ == 1 || !std::isinf(next.sum)) {
        sum_ = next;
        return;
      }
      incremental_ = true;
      sum_.sum /= count_ - 1;
      sum_.lost /= count_ - 1;
    }
    const double share = (count_ - 1) / count_;
    KahanSum mean{share * sum_.sum, share * sum_.lost};
    mean.add(v / count_);
    sum_ = mean;
  }
  [[nodiscard]] double mean() const { return incremental_ ? sum_.sum + sum_.lost : sum_.sum / count_ + sum_.lost / count_; }

 private:
  KahanSum sum_;
  double count_ = 0;
  bool incremental_ = false;
};

/// Welford's variance with compensated sums.
class KahanVariance {
 public:
  void add(double v) {
    count_ += 1;
    const double delta = v - (mean_.sum + mean_.lost);
    mean_.add(delta / count_);
    squares_.add(delta * (v - (mean_.sum + mean_.lost)));
  }
  [[nodiscard]] double variance() const { return (squares_.sum + squares_.lost) / count_; }

 private:
  KahanSum mean_;
  KahanSum squares_;
  double count_ = 0;
};

}  // namespace ward::promql
