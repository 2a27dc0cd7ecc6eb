/* The floor of a visit: the least that a server can do for who joins, hears the first chunk and leaves.
 *
 * doorman PORT ANSWER SOUND — accepts connections, answers a POST with the bytes of the file ANSWER and any other
 * request with those of SOUND, and closes what its peer closed. Nothing is read, checked, signed or counted: what it
 * costs is what the system calls cost. Prints nothing; measured from outside.
 */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 512, ACCEPTS_PER_TURN = 256 };

struct text {
  size_t size;
  char bytes[256 * 1024];
};

static struct text whole(const char *path) {
  static struct text text;
  FILE *file = fopen(path, "rb");
  if (!file) exit(1);
  text.size = fread(text.bytes, 1, sizeof text.bytes, file);
  fclose(file);
  return text;
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  static struct text answer, sound;
  answer = whole(argv[2]), sound = whole(argv[3]);
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  int on = 1, room = 64 * 1024, poll = epoll_create1(0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int door = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(door, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  setsockopt(door, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (bind(door, (void *)&address, sizeof address) || listen(door, 65535)) return 1;
  struct epoll_event event = {.events = EPOLLIN, .data.fd = door}, events[EVENTS];
  epoll_ctl(poll, EPOLL_CTL_ADD, door, &event);
  for (;;) {
    int ready = epoll_wait(poll, events, EVENTS, -1);
    for (int i = 0; i < ready; i++) {
      char request[4096];
      int fd = events[i].data.fd;
      if (fd == door) {
        for (int n = 0; n < ACCEPTS_PER_TURN && (fd = accept4(door, 0, 0, SOCK_NONBLOCK)) >= 0; n++) {
          struct epoll_event one = {.events = EPOLLIN, .data.fd = fd};
          epoll_ctl(poll, EPOLL_CTL_ADD, fd, &one);
        }
      } else if (read(fd, request, sizeof request) <= 0) {
        close(fd);
      } else {
        const struct text *told = *request == 'P' ? &answer : &sound;
        if (write(fd, told->bytes, told->size) < 0) close(fd);
      }
    }
  }
}
