// What both programs share: the clock, and headers of HTTP messages.
#pragma once
#define _GNU_SOURCE
#include <stdint.h>
#include <string.h>
#include <strings.h>
#include <time.h>

// Nanoseconds of CLOCK_MONOTONIC, the clock of Node's process.hrtime.
static inline uint64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000ull + (uint64_t)time.tv_nsec;
}

// The value of a header; NULL if it is missing. `head` is the first line, `end` is after the last one.
static inline const char *header_of(const char *head, const char *end, const char *name) {
  size_t length = strlen(name);
  for (const char *line = head; line < end;) {
    const char *line_end = memchr(line, '\n', (size_t)(end - line));
    if (!line_end) line_end = end;
    if ((size_t)(line_end - line) > length && line[length] == ':' && !strncasecmp(line, name, length)) {
      const char *value = line + length + 1;
      while (*value == ' ') value++;
      return value;
    }
    line = line_end + 1;
  }
  return NULL;
}
