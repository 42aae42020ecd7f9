// Sends requests to an OpenAI-compatible endpoint on loopback: one thread, epoll. Closed loop with `--connections N`; open
// loop with `--rate R` on at most N connections, where latency counts from the moment when a request was due. Checks that
// each response is complete and prints one line of JSON. Written in C, because Node would be slower than what it measures.
// Options: --port, --path, --model, --body BYTES, --max-tokens N (`max_tokens` of the requests), --events N (requests
// streams, which are complete after N events), --keys FILE (one API key per line, used in turn), --header 'Name: value',
// --warmup SECONDS, --seconds SECONDS, --window SECONDS (prints a line for each of them, too), --requests N (maximum),
// --pid PID and --upstream-pid PID (whose CPU and memory are measured).
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include "common.h"
#include "measure.h"

enum state { IDLE, SENDING, HEAD, BODY };
enum chunk_state { SIZE, EXTENSION, DATA, DATA_END, LAST };
enum { HEAD_ROOM = 4096, PREFIX = 16, MAX_KEYS = 1000, MAX_FAILURES = 200, MAX_DUE = 1 << 16 };

struct connection {
  int fd;  // -1: closed
  enum state state;
  int is_connecting, is_measured, has_responded_before;
  int key;
  size_t sent;
  uint64_t asked_at, first_at, last_at;
  char head[HEAD_ROOM];
  size_t head_length;
  int status, is_chunked, closes_after_this;
  long body_left;  // of a body with a length; -1: until the end
  enum chunk_state chunk_state;
  long chunk_left;
  char line[PREFIX];  // the begin of the line under way
  size_t line_length;
  char tail[PREFIX];  // the end of a body that is no stream
  long events;
  int is_done;
};

static struct {
  int port, connections, pid, upstream_pid;
  double rate, seconds, warmup, window;
  long body, events, requests, most_tokens;
  const char *model, *path;
} settings = {.connections = 1, .seconds = 2, .body = 900, .most_tokens = 512, .model = "16:0:64", .path = "/v1/chat/completions"};

static int epoll;
static struct sockaddr_in address = {.sin_family = AF_INET};
static struct connection *all;
static char *heads[MAX_KEYS], *body;
static size_t head_lengths[MAX_KEYS], body_length;
static int keys;
static char further_headers[2048];
static char buffer[1 << 18];

static int is_measuring, is_stopping;
static unsigned long sent, completed, events, failures, reconnects, sent_in_all;
static double bytes;
static char failure[400];
static struct histogram latency, first_event, gap;
static uint64_t due[MAX_DUE];  // open loop: when the requests without a connection were due
static unsigned long due_from, due_until;

static void send_request(struct connection *one, uint64_t at);
static void receive(struct connection *one);

// ---- requests

// A chat as clients send them: several messages, the last one of the user, some escapes, some characters of many bytes.
static void make_body(void) {
  static const char *words[] = {"the ", "model ", "answers ", "with ", "caf\xc3\xa9 ", "a \\\"quoted\\\" ", "line\\n",
    "of ", "ordinary ", "text, ", "and ", "then ", "some ", "more. "};
  size_t wanted = (size_t)settings.body, at = 0, word = 0, turn = 0;
  body = malloc(wanted + 4096);
  at += (size_t)sprintf(body, "{\"model\":\"%s\",%s\"temperature\":0.7,\"max_tokens\":%ld,\"messages\":[{\"role\":\"system\",\"content\":\"You are a helpful assistant.\"}",
    settings.model, settings.events ? "\"stream\":true,\"stream_options\":{\"include_usage\":true}," : "", settings.most_tokens);
  do {
    at += (size_t)sprintf(body + at, ",{\"role\":\"%s\",\"content\":\"", turn++ % 2 ? "assistant" : "user");
    for (size_t end = at + 600; at < end && at + 40 < wanted;) at += (size_t)sprintf(body + at, "%s", words[word++ % 14]);
    at += (size_t)sprintf(body + at, "end\"}");
  } while (at + 100 < wanted || turn % 2 == 0);
  at += (size_t)sprintf(body + at, "]}");
  body_length = at;
}

static void make_head(const char *key) {
  char authorization[300] = "";
  if (*key) snprintf(authorization, sizeof authorization, "Authorization: Bearer %s\r\n", key);
  heads[keys] = malloc(HEAD_ROOM);
  head_lengths[keys] = (size_t)snprintf(heads[keys], HEAD_ROOM,
    "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\nAccept: application/json\r\n"
    "User-Agent: OpenAI/JS 6.0.0\r\n%s%sContent-Length: %zu\r\n\r\n",
    settings.path, settings.port, authorization, further_headers, body_length);
  keys++;
}

static void make_heads(const char *key_file) {
  FILE *file = key_file ? fopen(key_file, "r") : NULL;
  if (key_file && !file) {
    perror(key_file);
    exit(2);
  }
  char line[256];
  while (file && keys < MAX_KEYS && fgets(line, sizeof line, file)) {
    line[strcspn(line, "\r\n")] = 0;
    if (*line) make_head(line);
  }
  if (file) fclose(file);
  if (keys == 0) make_head("");
}

// ---- connections

static void watch(struct connection *one, int for_room_to_write, int how) {
  struct epoll_event event = {.events = EPOLLIN | (for_room_to_write ? EPOLLOUT : 0), .data.ptr = one};
  epoll_ctl(epoll, how, one->fd, &event);
}

static void close_connection(struct connection *one) {
  if (one->fd >= 0) close(one->fd);
  one->fd = -1;
}

static void next(struct connection *one) {
  one->state = IDLE;
  if (is_stopping) close_connection(one);
  else if (settings.rate == 0) send_request(one, now_ns());
  else if (due_from < due_until) send_request(one, due[due_from++ % MAX_DUE]);
}

static void fail(struct connection *one, const char *why) {
  if (failures++ == 0)
    snprintf(failure, sizeof failure, "%s; status %d, %ld events, %.*s", why, one->status, one->events, 160,
      one->status >= 400 ? strstr(one->head, "\r\n\r\n") + 4 : "");
  close_connection(one);
  if (failures >= MAX_FAILURES) is_stopping = 1;
  next(one);
}

static void open_connection(struct connection *one) {
  int on = 1;
  one->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  setsockopt(one->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  one->is_connecting = 1;
  one->has_responded_before = 0;
  if (connect(one->fd, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS) fail(one, strerror(errno));
  else watch(one, 1, EPOLL_CTL_ADD);
}

// A server may close a kept connection just when a request is sent: it is sent again.
static void reconnect(struct connection *one) {
  reconnects++;
  close_connection(one);
  one->state = SENDING;
  one->sent = 0;
  open_connection(one);
}

static void broke(struct connection *one, const char *why) {
  if (one->has_responded_before && one->head_length == 0) reconnect(one);
  else fail(one, why);
}

static void send_rest(struct connection *one) {
  size_t head_length = head_lengths[one->key], whole = head_length + body_length;
  while (one->sent < whole) {
    struct iovec parts[2] = {{heads[one->key] + one->sent, 0}, {body, body_length}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    if (one->sent < head_length) parts[0].iov_len = head_length - one->sent;
    else {
      parts[1].iov_base = body + (one->sent - head_length);
      parts[1].iov_len = whole - one->sent;
      message.msg_iov = parts + 1;
      message.msg_iovlen = 1;
    }
    ssize_t sent = sendmsg(one->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EAGAIN) {
      watch(one, 1, EPOLL_CTL_MOD);
      return;
    }
    if (sent < 0) {
      broke(one, strerror(errno));
      return;
    }
    one->sent += (size_t)sent;
  }
  one->state = HEAD;
}

static void send_request(struct connection *one, uint64_t at) {
  if (settings.requests > 0 && sent_in_all >= (unsigned long)settings.requests) {
    is_stopping = 1;
    one->state = IDLE;
    return;
  }
  one->state = SENDING;
  one->key = (int)(sent_in_all++ % (unsigned long)keys);
  one->sent = one->head_length = one->line_length = 0;
  one->first_at = one->last_at = 0;
  one->status = one->is_chunked = one->closes_after_this = one->is_done = 0;
  one->body_left = -1;
  one->chunk_state = SIZE;
  one->chunk_left = one->events = 0;
  one->asked_at = at;
  one->is_measured = is_measuring;
  sent += (unsigned long)is_measuring;
  if (one->fd < 0) open_connection(one);
  else send_rest(one);
}

// ---- responses

static void complete(struct connection *one, uint64_t now) {
  int is_complete = settings.events ? one->is_done && one->events == settings.events : memchr(one->tail, '}', PREFIX) != NULL;
  if (one->status != 200) return fail(one, "no success");
  if (!is_complete) return fail(one, "incomplete response");
  if (one->is_measured && is_measuring) {
    completed++;
    add_to(&latency, now - one->asked_at);
  }
  one->has_responded_before = 1;
  char peeked;
  // After a stream, a server may have closed the connection without announcing it.
  if (one->closes_after_this || (settings.events && recv(one->fd, &peeked, 1, MSG_PEEK | MSG_DONTWAIT) == 0)) close_connection(one);
  next(one);
}

static void take_event(struct connection *one, uint64_t now) {
  if (one->events++ == 0) {
    one->first_at = now;
    if (is_measuring && one->is_measured) add_to(&first_event, now - one->asked_at);
  }
  if (!is_measuring) return;
  events++;
  // The end of a stream comes with its last token.
  if (one->last_at && one->events <= settings.events - 3) add_to(&gap, now - one->last_at);
}

static void take_lines(struct connection *one, const char *text, size_t length, uint64_t now) {
  while (length > 0) {
    const char *end = memchr(text, '\n', length);
    size_t part = end ? (size_t)(end - text) : length;
    if (one->line_length < PREFIX) {
      size_t room = PREFIX - one->line_length;
      memcpy(one->line + one->line_length, text, part < room ? part : room);
    }
    one->line_length += part;
    if (!end) return;
    if (one->line_length >= 6 && !memcmp(one->line, "data: ", 6)) {
      take_event(one, now);
      one->last_at = now;
      if (one->line_length >= 8 && !memcmp(one->line + 6, "[D", 2)) one->is_done = 1;
    }
    one->line_length = 0;
    text = end + 1;
    length -= part + 1;
  }
}

static void take_body(struct connection *one, const char *text, size_t length, uint64_t now) {
  if (is_measuring) bytes += (double)length;
  if (settings.events) take_lines(one, text, length, now);
  else if (length >= PREFIX) memcpy(one->tail, text + length - PREFIX, PREFIX);
  else {
    memmove(one->tail, one->tail + length, PREFIX - length);
    memcpy(one->tail + PREFIX - length, text, length);
  }
}

static int hex_digit(char letter) {
  if (letter >= '0' && letter <= '9') return letter - '0';
  letter |= 32;
  return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

// True at the end of the response.
static int take_chunks(struct connection *one, const char *text, size_t length, uint64_t now) {
  for (const char *end = text + length; text < end;) {
    switch (one->chunk_state) {
      case SIZE:
        if (hex_digit(*text) >= 0) one->chunk_left = one->chunk_left * 16 + hex_digit(*text);
        else if (*text == ';') one->chunk_state = EXTENSION;
        // fall through
      case EXTENSION:
        if (*text++ == '\n') one->chunk_state = one->chunk_left ? DATA : LAST;
        break;
      case DATA: {
        long part = end - text < one->chunk_left ? end - text : one->chunk_left;
        take_body(one, text, (size_t)part, now);
        text += part;
        one->chunk_left -= part;
        if (one->chunk_left == 0) one->chunk_state = DATA_END;
        break;
      }
      case DATA_END:
        if (*text++ == '\n') one->chunk_state = SIZE;
        break;
      case LAST:
        if (*text++ == '\n') return 1;
    }
  }
  return 0;
}

static int take(struct connection *one, const char *text, size_t length, uint64_t now) {
  if (one->is_chunked) return take_chunks(one, text, length, now);
  if (one->body_left >= 0 && (long)length > one->body_left) length = (size_t)one->body_left;
  take_body(one, text, length, now);
  if (one->body_left < 0) return 0;
  one->body_left -= (long)length;
  return one->body_left == 0;
}

// How many bytes belong to the head; all of them while it is incomplete.
static size_t take_head(struct connection *one, const char *text, size_t length) {
  size_t room = HEAD_ROOM - 1 - one->head_length, before = one->head_length;
  size_t part = length < room ? length : room;
  memcpy(one->head + before, text, part);
  one->head_length += part;
  one->head[one->head_length] = 0;
  char *end = memmem(one->head, one->head_length, "\r\n\r\n", 4);
  if (!end) return length;
  one->status = atoi(one->head + 9);
  const char *value = header_of(one->head, end + 2, "transfer-encoding");
  one->is_chunked = value && !strncasecmp(value, "chunked", 7);
  if ((value = header_of(one->head, end + 2, "content-length"))) one->body_left = atol(value);
  value = header_of(one->head, end + 2, "connection");
  one->closes_after_this = value && !strncasecmp(value, "close", 5);
  one->state = BODY;
  return (size_t)(end + 4 - one->head) - before;
}

static void receive(struct connection *one) {
  for (;;) {
    ssize_t got = recv(one->fd, buffer, sizeof buffer, MSG_DONTWAIT);
    uint64_t now = now_ns();
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
      int is_end = got == 0 && one->state == BODY && !one->is_chunked && one->body_left < 0;
      one->closes_after_this = 1;
      if (one->state == IDLE) close_connection(one);
      else if (is_end) complete(one, now);
      else broke(one, got == 0 ? "closed during a response" : strerror(errno));
      return;
    }
    size_t at = 0;
    if (one->state != BODY) at = take_head(one, buffer, (size_t)got);
    if (one->state == BODY && (one->body_left == 0 || take(one, buffer + at, (size_t)got - at, now))) {
      complete(one, now);
      return;
    }
    if (got < (ssize_t)sizeof buffer) return;
  }
}

static void serve(struct connection *one, uint32_t happened) {
  if (one->fd < 0) return;
  if (happened & EPOLLOUT) {
    int error = 0;
    socklen_t length = sizeof error;
    if (one->is_connecting) getsockopt(one->fd, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error) {
      fail(one, strerror(error));
      return;
    }
    one->is_connecting = 0;
    watch(one, 0, EPOLL_CTL_MOD);
    if (one->state == SENDING) send_rest(one);
    if (one->fd < 0 || one->is_connecting) return;
  }
  if (happened & (EPOLLIN | EPOLLHUP | EPOLLERR)) receive(one);
}

// ---- main loop

static double own_cpu(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
    (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

struct reading {
  uint64_t at;
  double cpu, upstream_cpu, own_cpu;
};

static struct reading read_now(void) {
  return (struct reading){now_ns(), settings.pid ? (double)cpu_ns_of(settings.pid) / 1e9 : 0,
    settings.upstream_pid ? (double)cpu_ns_of(settings.upstream_pid) / 1e9 : 0, own_cpu()};
}

// Open loop: sends all requests that are due, each on a free connection or as soon as one is free.
static void ask_what_is_due(uint64_t from, uint64_t now) {
  static unsigned long offered;
  static int place;
  while (!is_stopping && (double)offered < (double)(now - from) / 1e9 * settings.rate) {
    uint64_t at = from + (uint64_t)((double)offered++ / settings.rate * 1e9);
    int tried = 0;
    while (tried < settings.connections && all[place].state != IDLE) {
      place = (place + 1) % settings.connections;
      tried++;
    }
    if (tried < settings.connections) send_request(&all[place], at);
    else if (due_until - due_from < MAX_DUE) due[due_until++ % MAX_DUE] = at;
    else fail(&all[place], "more requests are offered than completed");
  }
}

// Closed loop: one after the other over the first half of the warm-up, as people come, not all at once.
static void start_more(uint64_t from, uint64_t now) {
  static int started;
  double ramp = settings.warmup / 2 < 1 ? settings.warmup / 2 : 1;
  double part = ramp > 0 ? (double)(now - from) / 1e9 / ramp : 1;
  while (!is_stopping && started < settings.connections && started <= part * settings.connections) send_request(&all[started++], now_ns());
}

static void print_failures(void) {
  printf(",\"failures\":%lu,\"failure\":\"", failures);
  for (const char *letter = failure; *letter; letter++) putchar(strchr("\"\\\r\n", *letter) || *letter < ' ' ? '\'' : *letter);
  printf("\"");
}

static void report_window(struct reading from, struct reading until) {
  static unsigned long completed_before, events_before;
  printf("{\"requests\":%lu,\"events\":%lu,\"cpuSeconds\":%.4f", completed - completed_before, events - events_before,
    until.cpu - from.cpu);
  print_failures();
  printf("}\n");
  fflush(stdout);
  completed_before = completed;
  events_before = events;
}

static void report(struct reading from, struct reading until) {
  double seconds = (double)(until.at - from.at) / 1e9;
  printf("{\"seconds\":%.3f,\"requests\":%lu,\"requestsPerSecond\":%.2f,\"events\":%lu,\"eventsPerSecond\":%.2f", seconds,
    completed, (double)completed / seconds, events, (double)events / seconds);
  printf(",\"megabytes\":%.3f,\"reconnects\":%lu", bytes / 1e6, reconnects);
  print_failures();
  printf(",\"sent\":%lu,\"cpuSeconds\":%.4f,\"upstreamCpuSeconds\":%.4f,\"ownCpuSeconds\":%.4f", sent, until.cpu - from.cpu,
    until.upstream_cpu - from.upstream_cpu, until.own_cpu - from.own_cpu);
  if (settings.pid) printf(",\"memoryMb\":%.1f,\"peakMemoryMb\":%.1f", (double)memory_kb_of(settings.pid, "VmRSS:") / 1024, (double)memory_kb_of(settings.pid, "VmHWM:") / 1024);
  print_histogram("latencyMs", &latency);
  print_histogram("firstEventMs", &first_event);
  print_histogram("gapMs", &gap);
  printf("}\n");
}

static void run(void) {
  uint64_t from = now_ns(), warm = from + (uint64_t)(settings.warmup * 1e9), end = warm + (uint64_t)(settings.seconds * 1e9);
  uint64_t window = (uint64_t)(settings.window * 1e9);
  struct reading begin = read_now(), window_begin = begin;
  struct epoll_event happened[256];
  is_measuring = settings.warmup <= 0;
  for (;;) {
    uint64_t now = now_ns();
    if (!is_measuring && now >= warm) {
      is_measuring = 1;
      begin = window_begin = read_now();
    }
    if (window && is_measuring && now >= window_begin.at + window) {
      struct reading window_end = read_now();
      report_window(window_begin, window_end);
      window_begin = window_end;
    }
    if (now >= end || is_stopping) break;
    if (settings.rate > 0) ask_what_is_due(from, now);
    else start_more(from, now);
    int wait = settings.rate > 0 ? 0 : 1;
    struct timespec time = {0, settings.rate > 0 ? 50000 : 1000000};
    int count = wait || settings.rate < 2000 ? epoll_pwait2(epoll, happened, 256, &time, NULL) : epoll_wait(epoll, happened, 256, 0);
    for (int i = 0; i < count; i++) serve(happened[i].data.ptr, happened[i].events);
  }
  report(begin, read_now());
}

static void read_wishes(int count, char **arguments) {
  static const struct option options[] = {{"port", 1, 0, 'p'}, {"connections", 1, 0, 'c'}, {"rate", 1, 0, 'r'},
    {"seconds", 1, 0, 's'}, {"warmup", 1, 0, 'w'}, {"model", 1, 0, 'm'}, {"body", 1, 0, 'b'}, {"events", 1, 0, 'e'},
    {"requests", 1, 0, 'n'}, {"max-tokens", 1, 0, 't'}, {"keys", 1, 0, 'k'}, {"header", 1, 0, 'H'}, {"path", 1, 0, 'P'}, {"pid", 1, 0, 'i'},
    {"upstream-pid", 1, 0, 'u'}, {"window", 1, 0, 'W'}, {0, 0, 0, 0}};
  const char *key_file = NULL;
  for (int option; (option = getopt_long(count, arguments, "", options, NULL)) != -1;) {
    switch (option) {
      case 'p': settings.port = atoi(optarg); break;
      case 'c': settings.connections = atoi(optarg); break;
      case 'r': settings.rate = atof(optarg); break;
      case 's': settings.seconds = atof(optarg); break;
      case 'w': settings.warmup = atof(optarg); break;
      case 'W': settings.window = atof(optarg); break;
      case 'm': settings.model = optarg; break;
      case 'b': settings.body = atol(optarg); break;
      case 'e': settings.events = atol(optarg); break;
      case 'n': settings.requests = atol(optarg); break;
      case 't': settings.most_tokens = atol(optarg); break;
      case 'k': key_file = optarg; break;
      case 'P': settings.path = optarg; break;
      case 'i': settings.pid = atoi(optarg); break;
      case 'u': settings.upstream_pid = atoi(optarg); break;
      case 'H': snprintf(further_headers + strlen(further_headers), sizeof further_headers - strlen(further_headers), "%s\r\n", optarg); break;
      default: exit(2);
    }
  }
  make_body();
  make_heads(key_file);
}

int main(int count, char **arguments) {
  signal(SIGPIPE, SIG_IGN);
  read_wishes(count, arguments);
  address.sin_port = htons((uint16_t)settings.port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  epoll = epoll_create1(0);
  all = calloc((size_t)settings.connections, sizeof *all);
  for (int i = 0; i < settings.connections; i++) all[i].fd = -1;
  run();
}
