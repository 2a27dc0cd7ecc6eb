/* Listeners that cost as little as possible: connect, ask, read everything, look at what matters.
 *
 * readers HOST_PORT REQUEST N RATE SECONDS MODE — N connections to 127.0.0.1:PORT, RATE a second, until SECONDS after the
 * last one joined. MODE `frames` checks the sequence numbers of MEDIA frames (docs/protocol.md §3), `bytes` only counts,
 * `poll` sends REQUEST and REQUEST2 (environment variable) once a second over keep-alive and reads both answers.
 * Prints one line of JSON.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTING, HEAD, BODY, GONE };
struct listener {
  double began, first, last, longest;
  uint64_t bytes, settled;
  int64_t seq;
  uint32_t left;
  int fd, gaps;
  unsigned char state, filled, match, frame[8];
};
static struct listener *all;
static const char *ask, *ask2, *mode;
static int framed;
static double measuring;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static void frames(struct listener *l, const unsigned char *data, size_t size) {
  while (size) {
    if (l->left) {
      size_t take = l->left < size ? l->left : size;
      l->left -= take, data += take, size -= take;
      continue;
    }
    l->frame[l->filled++] = *data++, size--;
    int need = l->frame[0] == 2 ? 8 : 4;
    if (l->filled < need) continue;
    uint32_t length = l->frame[1] << 16 | l->frame[2] << 8 | l->frame[3];
    if (need == 8) {
      int64_t seq = (int64_t)l->frame[4] << 24 | l->frame[5] << 16 | l->frame[6] << 8 | l->frame[7];
      if (l->seq >= 0 && seq != l->seq + 1) l->gaps++;
      l->seq = seq, length -= 4;
    }
    l->left = length, l->filled = 0;
  }
}

static void take(struct listener *l, unsigned char *data, ssize_t size, double at) {
  if (l->state == HEAD) {
    static const char end[] = "\r\n\r\n";
    ssize_t i = 0;
    for (; i < size && l->match < 4; i++) l->match = data[i] == end[l->match] ? l->match + 1 : data[i] == '\r';
    if (l->match < 4) return;
    l->state = BODY, data += i, size -= i;
  }
  if (!size) return;
  if (!l->first) l->first = at;
  if (measuring && at > measuring) {
    if (l->last > measuring && at - l->last > l->longest) l->longest = at - l->last;
    l->settled += size;
  }
  l->last = at;
  l->bytes += size;
  if (framed) frames(l, data, size);
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

int main(int argc, char **argv) {
  if (argc != 7) return 2;
  int port = atoi(argv[1]), n = atoi(argv[3]);
  double rate = atof(argv[4]), seconds = atof(argv[5]);
  ask = argv[2], mode = argv[6], ask2 = getenv("REQUEST2"), framed = !strcmp(mode, "frames");
  int polling = !strcmp(mode, "poll");
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  all = calloc(n, sizeof *all);
  int poll = epoll_create1(0), joined = 0, on = 1;
  static unsigned char buffer[256 * 1024];
  struct epoll_event events[1024];
  double began = now(), end = 0;
  int polled = 0;
  double round_began = 0;
  long polls = 0;
  while (!end || now() < end) {
    double t = now();
    int due = (t - began) * rate + 1;
    for (int batch = 0; joined < n && joined < due && batch < 64; batch++) {
      struct listener *l = &all[joined];
      struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000002 + joined / 5000)};
      struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
      l->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
      l->seq = -1, l->began = now();
      setsockopt(l->fd, IPPROTO_IP, 24 /* IP_BIND_ADDRESS_NO_PORT */, &on, sizeof on);
      bind(l->fd, (void *)&from, sizeof from);
      if (connect(l->fd, (void *)&to, sizeof to) && errno != EINPROGRESS) l->state = GONE;
      struct epoll_event event = {.events = EPOLLOUT, .data.u32 = joined++};
      if (l->state != GONE) epoll_ctl(poll, EPOLL_CTL_ADD, l->fd, &event);
    }
    if (joined == n && !end) end = now() + seconds, measuring = now() + seconds / 3;
    if (polling && joined == n) { /* one second's polls, spread over the second */
      if (!round_began || (polled == n && now() - round_began >= 1)) round_began = now(), polled = 0;
      int until = (now() - round_began) * n;
      for (; polled < until && polled < n; polled++)
        if (all[polled].state == BODY) {
          if (write(all[polled].fd, ask, strlen(ask)) < 0) all[polled].gaps++;
          if (ask2 && write(all[polled].fd, ask2, strlen(ask2)) < 0) all[polled].gaps++;
          if (measuring && now() > measuring) polls++;
        }
    }
    int ready = epoll_wait(poll, events, 1024, joined < n || polling ? 1 : 20);
    for (int i = 0; i < ready; i++) {
      struct listener *l = &all[events[i].data.u32];
      if (l->state == CONNECTING) {
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = events[i].data.u32};
        epoll_ctl(poll, EPOLL_CTL_MOD, l->fd, &event);
        l->state = HEAD;
        if (write(l->fd, ask, strlen(ask)) < 0) l->state = GONE, close(l->fd);
        continue;
      }
      ssize_t size = read(l->fd, buffer, sizeof buffer);
      if (size > 0) take(l, buffer, size, now());
      else if (size == 0 || errno != EAGAIN) epoll_ctl(poll, EPOLL_CTL_DEL, l->fd, 0), close(l->fd), l->state = GONE;
    }
  }
  double *first = calloc(n, sizeof *first), longest = 0;
  int heard = 0, lost = 0, gaps = 0;
  uint64_t least = UINT64_MAX, most = 0;
  for (int i = 0; i < n; i++) {
    struct listener *l = &all[i];
    if (l->state == GONE || !l->first) lost++;
    if (l->first) first[heard++] = (l->first - l->began) * 1000;
    if (l->settled < least) least = l->settled;
    if (l->settled > most) most = l->settled;
    if (l->longest > longest) longest = l->longest;
    gaps += l->gaps;
  }
  qsort(first, heard, sizeof *first, compare);
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  printf("{\"listeners\": %d, \"heard\": %d, \"lost\": %d, \"gaps\": %d, \"first_p50_ms\": %.1f, \"first_p99_ms\": %.1f, "
         "\"bytes_least\": %lu, \"bytes_most\": %lu, \"longest_silence_ms\": %.0f, \"polls_hz\": %.1f, \"cpu_s\": %.1f}\n",
         n, heard, lost, gaps, heard ? first[heard / 2] : -1, heard ? first[heard * 99 / 100] : -1, (unsigned long)least,
         (unsigned long)most, longest * 1000, polls / (seconds * 2 / 3), used.ru_utime.tv_sec + used.ru_utime.tv_usec / 1e6 + used.ru_stime.tv_sec + used.ru_stime.tv_usec / 1e6);
}
