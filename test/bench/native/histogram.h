// Counts of durations in buckets that grow with them: every quantile is right within 1.6 %.
#pragma once
#include <stdint.h>
#include <stdio.h>

enum { STEPS = 64, OCTAVES = 58 };

struct histogram {
  uint64_t counts[OCTAVES * STEPS];
  uint64_t total;
  uint64_t most;
};

static inline int bucket_of(uint64_t value) {
  if (value < STEPS) return (int)value;
  int shift = 57 - __builtin_clzll(value);
  return (shift + 1) * STEPS + (int)((value >> shift) - STEPS);
}

// The middle of a bucket.
static inline double value_of(int bucket) {
  if (bucket < STEPS) return bucket;
  int shift = bucket / STEPS - 1;
  return (double)((uint64_t)(bucket % STEPS + STEPS) << shift) + (double)(1ull << shift) / 2;
}

static inline void add_to(struct histogram *histogram, uint64_t value) {
  histogram->counts[bucket_of(value)]++;
  histogram->total++;
  if (value > histogram->most) histogram->most = value;
}

static inline double quantile(const struct histogram *histogram, double part) {
  uint64_t wanted = (uint64_t)(part * (double)histogram->total), seen = 0;
  for (int bucket = 0; bucket < OCTAVES * STEPS; bucket++) {
    seen += histogram->counts[bucket];
    if (seen > wanted) return value_of(bucket);
  }
  return (double)histogram->most;
}

// Of nanoseconds, shown in milliseconds; null where nothing was counted.
static inline void print_histogram(const char *name, const struct histogram *histogram) {
  if (histogram->total == 0) {
    printf(",\"%s\":null", name);
    return;
  }
  printf(",\"%s\":{\"count\":%lu", name, (unsigned long)histogram->total);
  static const double parts[] = {0.5, 0.9, 0.95, 0.99};
  for (int i = 0; i < 4; i++) printf(",\"p%.0f\":%.4f", parts[i] * 100, quantile(histogram, parts[i]) / 1e6);
  printf(",\"max\":%.4f}", (double)histogram->most / 1e6);
}
