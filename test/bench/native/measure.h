// What the load generator measures: durations in a histogram, CPU and memory of processes.
#pragma once
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

// Buckets grow with the durations, so that each quantile is exact within 1.6 %.
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

// Prints nanoseconds as milliseconds; null if there is no duration.
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

// CPU time of all running threads of a process, in nanoseconds.
static inline uint64_t cpu_ns_of(int pid) {
  char path[320];
  snprintf(path, sizeof path, "/proc/%d/task", pid);
  DIR *folder = opendir(path);
  if (!folder) return 0;
  uint64_t sum = 0;
  for (struct dirent *thread; (thread = readdir(folder));) {
    if (thread->d_name[0] == '.') continue;
    snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", pid, thread->d_name);
    FILE *file = fopen(path, "r");
    if (!file) continue;
    unsigned long long ns = 0;
    if (fscanf(file, "%llu", &ns) == 1) sum += ns;
    fclose(file);
  }
  closedir(folder);
  return sum;
}

// A line of /proc/PID/status in kB, such as "VmRSS:".
static inline long memory_kb_of(int pid, const char *line_name) {
  char path[64], line[256];
  snprintf(path, sizeof path, "/proc/%d/status", pid);
  FILE *file = fopen(path, "r");
  if (!file) return 0;
  long kb = 0;
  while (fgets(line, sizeof line, file)) {
    if (strncmp(line, line_name, strlen(line_name)) == 0) {
      sscanf(line + strlen(line_name), "%ld", &kb);
      break;
    }
  }
  fclose(file);
  return kb;
}
