// What the kernel counts of a process, all its threads together.
#pragma once
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

// Nanoseconds of CPU that its living threads have had.
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
