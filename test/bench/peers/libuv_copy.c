// libuv_copy PORT: sends back what comes, in blocks of 64 kB; stops reading while a block is being written.
#include <stdlib.h>
#include <uv.h>

typedef struct {
  uv_tcp_t tcp;
  uv_write_t write;
  char data[64 * 1024];
} connection;

static void on_read(uv_stream_t* s, ssize_t n, const uv_buf_t* b);

static void on_alloc(uv_handle_t* h, size_t size, uv_buf_t* b) {
  connection* c = (connection*)h;
  *b = uv_buf_init(c->data, sizeof c->data);
}
static void on_close(uv_handle_t* h) { free(h); }
static void on_written(uv_write_t* w, int status) {
  if (status < 0)
    uv_close((uv_handle_t*)w->handle, on_close);
  else
    uv_read_start(w->handle, on_alloc, on_read);
}
static void on_read(uv_stream_t* s, ssize_t n, const uv_buf_t* b) {
  connection* c = (connection*)s;
  if (n < 0) {
    uv_close((uv_handle_t*)s, on_close);
    return;
  }
  if (n == 0) return;
  uv_buf_t rest = uv_buf_init(c->data, n);
  int done = uv_try_write(s, &rest, 1);
  if (done == n) return;
  if (done < 0) done = 0;
  rest = uv_buf_init(c->data + done, n - done);
  uv_read_stop(s);
  uv_write(&c->write, s, &rest, 1, on_written);
}
static void on_connection(uv_stream_t* l, int status) {
  connection* c = malloc(sizeof *c);
  uv_tcp_init(l->loop, &c->tcp);
  if (uv_accept(l, (uv_stream_t*)c) == 0)
    uv_read_start((uv_stream_t*)c, on_alloc, on_read);
  else
    uv_close((uv_handle_t*)c, on_close);
}
int main(int count, char** words) {
  uv_loop_t* loop = uv_default_loop();
  uv_tcp_t listener;
  struct sockaddr_in a;
  uv_tcp_init(loop, &listener);
  uv_ip4_addr("127.0.0.1", atoi(words[1]), &a);
  uv_tcp_bind(&listener, (void*)&a, 0);
  uv_listen((uv_stream_t*)&listener, 1024, on_connection);
  return uv_run(loop, UV_RUN_DEFAULT);
}
