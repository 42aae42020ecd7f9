// What both programs read of the head of an HTTP message.
#pragma once
#define _GNU_SOURCE
#include <string.h>
#include <strings.h>

// The value of a header; NULL where it is not there. `head` runs from the first line to `end`, behind the last one.
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
