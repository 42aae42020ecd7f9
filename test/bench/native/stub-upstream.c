// A llama-server that needs a few µs per request: one thread, epoll. `stub-upstream PORT SOCKET [keep]` listens on loopback
// and on a unix socket. The model's name TOKENS:DELAY:BURST:WAIT sets the response: TOKENS words, DELAY ms apart (0: at full
// speed), BURST of them per send, the first after WAIT ms; streamed if the body requests it. Like the real one, it closes
// the connection after a stream without announcing it, unless `keep` is given.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "common.h"

#define FRAME "\"created\":1790000000,\"id\":\"chatcmpl-X0looxp3MB51iYG02ZftfBEIIFLe2Ae8\",\"model\":\"stub\"," \
  "\"system_fingerprint\":\"b1-stub\",\"object\":\"chat.completion.chunk\""
#define CHOICE(REASON, DELTA) "\"choices\":[{\"finish_reason\":" REASON ",\"index\":0,\"delta\":" DELTA "}]"
#define EVENT(CHOICES, REST) "data: {" CHOICES "," FRAME REST "}\n\n"
#define ROLE EVENT(CHOICE("null", "{\"role\":\"assistant\",\"content\":null}"), "")
#define WORD EVENT(CHOICE("null", "{\"content\":\" word\"}"), "")
#define COUNTS "\"usage\":{\"completion_tokens\":%ld,\"prompt_tokens\":8,\"total_tokens\":%ld," \
  "\"prompt_tokens_details\":{\"cached_tokens\":0}},\"timings\":{\"cache_n\":0,\"prompt_n\":8,\"prompt_ms\":1.032," \
  "\"prompt_per_token_ms\":0.129,\"prompt_per_second\":7751.9,\"predicted_n\":%ld,\"predicted_ms\":4.276," \
  "\"predicted_per_token_ms\":2.138,\"predicted_per_second\":467.7}"
#define FINISH EVENT(CHOICE("\"stop\"", "{}"), "") EVENT("\"choices\":[]", "," COUNTS)
#define DONE "e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"
#define STREAM_HEAD "HTTP/1.1 200 OK\r\nServer: llama.cpp\r\nAccess-Control-Allow-Origin: \r\nX-Accel-Buffering: no\r\n" \
  "Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
#define PLAIN_HEAD "HTTP/1.1 200 OK\r\nServer: llama.cpp\r\nAccess-Control-Allow-Origin: \r\n" \
  "Content-Type: application/json; charset=utf-8\r\nContent-Length: %zu\r\n\r\n"
#define PROPS "{\"total_slots\":4096,\"model_alias\":\"stub\",\"model_path\":\"/models/stub.gguf\"," \
  "\"default_generation_settings\":{\"n_ctx\":131072},\"modalities\":{\"vision\":false,\"audio\":false}}"

enum { MAX_BURST = 64, MAX_TAIL = 2048, READ_ROOM = 65536 };

struct connection {
  int fd;
  int is_closed, is_waiting_to_write, closes_after_this;
  char *in;
  size_t in_length, in_room;
  char *out;  // not yet accepted by the kernel
  size_t out_length;
  // The current response.
  int is_responding, is_stream, has_begun;
  long tokens, left, burst;
  uint64_t delay, due;
  int heap_place;             // -1: not there
  struct connection *before, *behind;  // in the list of those that send at full speed
};

static int epoll;
static int closes_behind_streams = 1;
static unsigned long requests, connections, open_connections, aborted;
static long active;
static uint64_t last_aborted;
static char word_chunk[512], words[MAX_BURST * 512];
static size_t word_length;
static struct connection fast = {.before = &fast, .behind = &fast};
static struct connection **heap, *closed;
static int heap_size, heap_room;

// ---- timers

static void place(struct connection *one, int at) {
  heap[at] = one;
  one->heap_place = at;
}

static void sift_up(struct connection *one, int at) {
  for (; at > 0 && heap[(at - 1) / 2]->due > one->due; at = (at - 1) / 2) place(heap[(at - 1) / 2], at);
  place(one, at);
}

static void sift_down(struct connection *one, int at) {
  for (;;) {
    int child = 2 * at + 1;
    if (child + 1 < heap_size && heap[child + 1]->due < heap[child]->due) child++;
    if (child >= heap_size || heap[child]->due >= one->due) break;
    place(heap[child], at);
    at = child;
  }
  place(one, at);
}

static void wake_at(struct connection *one, uint64_t due) {
  one->due = due;
  if (heap_size == heap_room) {
    heap_room = heap_room ? 2 * heap_room : 1024;
    heap = realloc(heap, (size_t)heap_room * sizeof *heap);
  }
  sift_up(one, heap_size++);
}

static void forget_wake(struct connection *one) {
  int at = one->heap_place;
  if (at < 0) return;
  one->heap_place = -1;
  struct connection *last = heap[--heap_size];
  if (last == one) return;
  sift_up(last, at);
  sift_down(last, last->heap_place);
}

static void speak_fast(struct connection *one) {
  if (one->behind) return;
  one->before = fast.before;
  one->behind = &fast;
  fast.before->behind = one;
  fast.before = one;
}

static void hush(struct connection *one) {
  if (!one->behind) return;
  one->before->behind = one->behind;
  one->behind->before = one->before;
  one->before = one->behind = NULL;
}

// ---- connections

static void end_response(struct connection *one) {
  hush(one);
  forget_wake(one);
  active -= one->is_responding;
  one->is_responding = 0;
}

// Freed later, because this round may still have an event for it.
static void close_connection(struct connection *one) {
  if (one->is_closed) return;
  if (one->is_responding) {
    aborted++;
    last_aborted = now_ns();
  }
  end_response(one);
  close(one->fd);
  free(one->in);
  free(one->out);
  open_connections--;
  one->is_closed = 1;
  one->behind = closed;
  closed = one;
}

static void watch(struct connection *one, int for_room_to_write) {
  if (one->is_waiting_to_write == for_room_to_write) return;
  one->is_waiting_to_write = for_room_to_write;
  struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | (for_room_to_write ? EPOLLOUT : 0), .data.ptr = one};
  epoll_ctl(epoll, EPOLL_CTL_MOD, one->fd, &event);
}

// False if not everything could be sent: the rest waits, or the connection is closed.
static int send_bytes(struct connection *one, const char *text, size_t length) {
  ssize_t sent = send(one->fd, text, length, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent == (ssize_t)length) return 1;
  if (sent < 0 && errno != EAGAIN) {
    close_connection(one);
    return 0;
  }
  if (sent < 0) sent = 0;
  one->out_length = length - (size_t)sent;
  one->out = realloc(one->out, one->out_length);
  memcpy(one->out, text + sent, one->out_length);
  hush(one);
  watch(one, 1);
  return 0;
}

static void read_requests(struct connection *one);

static void finish(struct connection *one) {
  end_response(one);
  if (one->out_length > 0) return;
  if (one->closes_after_this) close_connection(one);
  else read_requests(one);
}

// ---- responses

static void respond_plain(struct connection *one) {
  static char response[1 << 20];
  static long built_for = -1;
  static size_t length;
  if (built_for != one->tokens) {
    if (one->tokens > 100000) one->tokens = 100000;
    size_t room = (size_t)one->tokens * 5 + 2048;
    char *body = malloc(room);
    int at = sprintf(body, "{\"choices\":[{\"finish_reason\":\"stop\",\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"");
    for (long i = 0; i < one->tokens; i++) at += sprintf(body + at, " word");
    at += sprintf(body + at, "\"}}],\"created\":1790000000,\"model\":\"stub\",\"system_fingerprint\":\"b1-stub\",\"object\":\"chat.completion\",");
    at += sprintf(body + at, COUNTS ",\"id\":\"chatcmpl-AV9bdPmtyN2ATgxysrZDN8spXdqfcKeW\"}", one->tokens, one->tokens + 8, one->tokens);
    length = (size_t)snprintf(response, sizeof response, PLAIN_HEAD "%s", (size_t)at, body);
    built_for = one->tokens;
    free(body);
  }
  send_bytes(one, response, length);
  if (!one->is_closed) finish(one);
}

// The head is sent with the first word, the end with the last, like the real one does.
static void speak(struct connection *one) {
  static char piece[MAX_BURST * 512 + 4096];
  size_t length = 0;
  long now = one->left < one->burst ? one->left : one->burst;
  if (!one->has_begun) {
    one->has_begun = 1;
    length = (size_t)sprintf(piece, STREAM_HEAD "%zx\r\n" ROLE "\r\n", sizeof ROLE - 1);
  }
  memcpy(piece + length, words, (size_t)now * word_length);
  length += (size_t)now * word_length;
  one->left -= now;
  if (one->left > 0) {
    if (one->delay > 0) wake_at(one, one->due + one->delay);
    send_bytes(one, piece, length);
    return;
  }
  char end[MAX_TAIL];
  int end_length = sprintf(end, FINISH, one->tokens, one->tokens + 8, one->tokens);
  length += (size_t)sprintf(piece + length, "%x\r\n%s\r\n" DONE, (unsigned)end_length, end);
  one->closes_after_this |= closes_behind_streams;
  send_bytes(one, piece, length);
  if (!one->is_closed) finish(one);
}

static void go_on(struct connection *one) {
  if (one->out_length > 0) wake_at(one, now_ns() + (one->delay ? one->delay : 1000000));
  else if (one->is_stream) speak(one);
  else respond_plain(one);
  if (!one->is_closed && one->is_responding && one->delay == 0 && one->out_length == 0) {
    forget_wake(one);
    speak_fast(one);
  }
}

static int has(const char *from, size_t length, const char *words_sought) {
  return memmem(from, length, words_sought, strlen(words_sought)) != NULL;
}

// The model is at the beginning of the body; a gateway adds fields at the end.
static void begin_response(struct connection *one, const char *body, size_t length) {
  size_t edge = length < 512 ? length : 512;
  one->is_stream = has(body, edge, "\"stream\":true") || has(body + length - edge, edge, "\"stream\":true");
  long tokens = 1, delay = 0, burst = 1, wait = 0;
  const char *model = memmem(body, edge, "\"model\":\"", 9);
  if (model) sscanf(model + 9, "%ld:%ld:%ld:%ld", &tokens, &delay, &burst, &wait);
  one->tokens = one->left = tokens;
  one->burst = burst > MAX_BURST ? MAX_BURST : burst;
  one->delay = (uint64_t)delay * 1000000;
  one->has_begun = 0;
  one->is_responding = 1;
  active++;
  one->due = now_ns() + (uint64_t)wait * 1000000;
  if (wait > 0) wake_at(one, one->due);
  else go_on(one);
}

static void respond_to_get(struct connection *one, const char *path) {
  char body[512], response[1024];
  if (!strncmp(path, "/props", 6)) strcpy(body, PROPS);
  else if (!strncmp(path, "/metrics", 8))
    sprintf(body, "llamacpp:requests_processing %ld\nllamacpp:requests_deferred 0\nllamacpp:n_decode_total %lu\n", active, requests);
  else if (!strncmp(path, "/slots", 6)) strcpy(body, "[]");
  else if (!strncmp(path, "/v1/models", 10)) strcpy(body, "{\"object\":\"list\",\"data\":[{\"id\":\"stub\",\"object\":\"model\"}]}");
  else if (!strncmp(path, "/stats", 6))
    sprintf(body, "{\"requests\":%lu,\"connections\":%lu,\"open\":%lu,\"active\":%ld,\"aborted\":%lu,\"lastAbortedNs\":\"%lu\"}",
      requests, connections, open_connections, active, aborted, (unsigned long)last_aborted);
  else strcpy(body, "{\"status\":\"ok\"}");
  int length = sprintf(response, PLAIN_HEAD "%s", strlen(body), body);
  send_bytes(one, response, (size_t)length);
  if (!one->is_closed) finish(one);
}

// The length of the first request in the buffer; 0 while it is incomplete.
static size_t whole_request(struct connection *one, const char **body, size_t *body_length) {
  const char *end = memmem(one->in, one->in_length, "\r\n\r\n", 4);
  if (!end) return 0;
  *body = end + 4;
  size_t head = (size_t)(end + 4 - one->in), had = one->in_length - head;
  const char *value = header_of(one->in, end + 2, "connection");
  one->closes_after_this = value && !strncasecmp(value, "close", 5);
  *body_length = 0;
  if ((value = header_of(one->in, end + 2, "content-length"))) *body_length = strtoul(value, NULL, 10);
  else if (header_of(one->in, end + 2, "transfer-encoding")) {
    const char *last = had < 5 ? NULL : memmem(*body, had, "\r\n0\r\n\r\n", 7);
    if (!last) return 0;
    *body_length = (size_t)(last + 7 - *body);
  }
  return had < *body_length ? 0 : head + *body_length;
}

static void read_requests(struct connection *one) {
  const char *body;
  size_t body_length, whole;
  while (!one->is_closed && !one->is_responding && one->out_length == 0 && one->in_length > 0 &&
         (whole = whole_request(one, &body, &body_length)) > 0) {
    requests++;
    // A response may read more input: remove the request first.
    static char content[1024];
    int is_post = one->in[0] == 'P';
    if (is_post && body_length > 1024) {
      memcpy(content, body, 512);
      memcpy(content + 512, body + body_length - 512, 512);
      body_length = 1024;
    } else if (is_post) memcpy(content, body, body_length);
    else {
      const char *path = memchr(one->in, ' ', one->in_length);
      snprintf(content, 64, "%.*s", (int)(whole - 8), path ? path + 1 : one->in);
    }
    memmove(one->in, one->in + whole, one->in_length - whole);
    one->in_length -= whole;
    if (is_post) begin_response(one, content, body_length);
    else respond_to_get(one, content);
  }
}

// ---- main loop

static void receive(struct connection *one) {
  if (one->in_room - one->in_length < READ_ROOM) {
    one->in_room = one->in_length + 2 * READ_ROOM;
    one->in = realloc(one->in, one->in_room);
  }
  ssize_t got = recv(one->fd, one->in + one->in_length, one->in_room - one->in_length, MSG_DONTWAIT);
  if (got == 0 || (got < 0 && errno != EAGAIN)) close_connection(one);
  if (got <= 0) return;
  one->in_length += (size_t)got;
  read_requests(one);
}

static void write_rest(struct connection *one) {
  ssize_t sent = send(one->fd, one->out, one->out_length, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0 && errno != EAGAIN) {
    close_connection(one);
    return;
  }
  if (sent <= 0) return;
  one->out_length -= (size_t)sent;
  memmove(one->out, one->out + sent, one->out_length);
  if (one->out_length > 0) return;
  watch(one, 0);
  if (!one->is_responding) finish(one);
  else if (one->delay == 0) speak_fast(one);
}

static void accept_all(int listener, int is_tcp) {
  for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
    int on = 1;
    if (is_tcp) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct connection *one = calloc(1, sizeof *one);
    one->fd = fd;
    one->heap_place = -1;
    connections++;
    open_connections++;
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = one};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
  }
}

static int listen_on(struct sockaddr *address, socklen_t length, void *mark) {
  int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd, address, length) || listen(fd, 4096)) {
    perror("stub-upstream cannot listen");
    exit(1);
  }
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = mark};
  epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
  return fd;
}

static int wait_for_events(struct epoll_event *events, int most) {
  if (fast.behind != &fast) return epoll_wait(epoll, events, most, 0);
  if (heap_size == 0) return epoll_wait(epoll, events, most, -1);
  uint64_t now = now_ns(), due = heap[0]->due, wait = due > now ? due - now : 0;
  struct timespec time = {(time_t)(wait / 1000000000), (long)(wait % 1000000000)};
  return epoll_pwait2(epoll, events, most, &time, NULL);
}

int main(int count, char **arguments) {
  if (count < 3) {
    fprintf(stderr, "usage: stub-upstream PORT SOCKET [keep]\n");
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  closes_behind_streams = count < 4 || strcmp(arguments[3], "keep") != 0;
  word_length = (size_t)sprintf(word_chunk, "%zx\r\n" WORD "\r\n", sizeof WORD - 1);
  for (int i = 0; i < MAX_BURST; i++) memcpy(words + (size_t)i * word_length, word_chunk, word_length);
  epoll = epoll_create1(0);
  int tcp, local;
  struct sockaddr_in on_loopback = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(arguments[1]))};
  on_loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  struct sockaddr_un in_folder = {.sun_family = AF_UNIX};
  snprintf(in_folder.sun_path, sizeof in_folder.sun_path, "%s", arguments[2]);
  unlink(arguments[2]);
  tcp = listen_on((struct sockaddr *)&on_loopback, sizeof on_loopback, &tcp);
  local = listen_on((struct sockaddr *)&in_folder, sizeof in_folder, &local);
  struct epoll_event events[256];
  for (;;) {
    int happened = wait_for_events(events, 256);
    for (int i = 0; i < happened; i++) {
      void *mark = events[i].data.ptr;
      struct connection *one = mark;
      if (mark == &tcp || mark == &local) accept_all(*(int *)mark, mark == &tcp);
      else {
        if (!one->is_closed && events[i].events & EPOLLOUT && one->out_length > 0) write_rest(one);
        if (!one->is_closed && events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP)) receive(one);
      }
    }
    for (uint64_t now = now_ns(); heap_size > 0 && heap[0]->due <= now;) {
      struct connection *one = heap[0];
      forget_wake(one);
      go_on(one);
    }
    for (struct connection *one = fast.behind, *next; one != &fast; one = next) {
      next = one->behind;
      go_on(one);
    }
    while (closed) {
      struct connection *one = closed;
      closed = one->behind;
      free(one);
    }
  }
}
