"""Runs the programs of apps/examples and checks what they print and answer. examples.py PROGRAM..."""
import json
import pathlib
import signal
import socket
import subprocess
import sys
import threading

programs = {pathlib.Path(p).name.removeprefix('example-'): p for p in sys.argv[1:]}
limit = 60  # seconds; no step here takes as long as one

PRINTED = {
    'blocking': '''\
blocking the loop: 0 beats
sleeping: the heart beats
spawn_blocking: 42, and the heart beats
''',
    'channels': '''\
orders add up to 39
alice: 1 missed
alice: 101
alice: 102
bob: 1 missed
bob: 101
bob: 102
latest: 102
''',
    'cpu_bound': 'value at risk: 2304\n',
    'foreign_loop': '''\
the guest sleeps
the host's timer says 7
the guest has left
''',
    'join_handles': '''\
first begins
second begins
first ends
second ends
results: 42, 100
detached begins
endless: aborted
detached ends
''',
    'mutex_or_channel': 'lock: 100, channel: 100\n',
    'price_fetch': '''\
nothing has been asked yet
asking for BTC
BTC: 50000.00
asking for ETH
ETH: 3000.00
asking for SOL
SOL: 3000.00
''',
    'rate_limiter': '''\
50 requests, not too fast
ten more at once? no
''',
    'select': '''\
got data
timeout
still waiting
the slow answer came too
''',
    'send_bound': '43, 44\n',
    'timeout': '''\
got: 50000.00
too late
nobody there
''',
    'try_join': '''\
ETH came
BTC came
BTC: 50000, ETH: 3000
failed: XYZ is not traded
SOL came
SOL: 150, XYZ: XYZ is not traded
''',
    'yield_points': '''\
a yield every 2000000: sum 500000500000, the other task never ran
a yield every 100000: sum 500000500000, the other task ran now and then
a yield every 1000: sum 500000500000, the other task hardly noticed
''',
}


def check(ok, what):
    if not ok:
        sys.exit(f'examples.py: {what}')


class Server:
    """Runs an example that listens, on a free port."""

    def __init__(self, name, *args):
        self.process = subprocess.Popen([programs[name], *(args or ['127.0.0.1:0'])], text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        line = self.process.stdout.readline()
        check(line.startswith('listening on 127.0.0.1:'), f'first line of {name}: {line!r}')
        self.port = int(line.rpartition(':')[2])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def connect(self):
        return socket.create_connection(('127.0.0.1', self.port), timeout=limit)


def read_all(connection):
    return b''.join(iter(lambda: connection.recv(65536), b''))


def connections():
    with Server('connections') as server:
        clients = [server.connect() for _ in range(3)]
        for n, client in enumerate(clients):
            client.sendall(b'%d' % n * 3000)
            client.shutdown(socket.SHUT_WR)
        for n, client in enumerate(clients):
            back = read_all(client)
            check(back == b'%d' % n * 3000, f'connections: client {n} got {len(back)} bytes back')


def graceful_shutdown():
    for number in (signal.SIGINT, signal.SIGTERM):
        process = subprocess.Popen([programs['graceful_shutdown']], text=True, stdout=subprocess.PIPE)
        try:
            begun = [process.stdout.readline() for _ in range(3)]
            check(begun == [f'worker {n} works\n' for n in range(3)], f'graceful_shutdown: {begun}')
            process.send_signal(number)
            lines = process.communicate(timeout=limit)[0].splitlines()
            check(process.returncode == 0 and lines == [
                f'{number.name}: shutting down', *(f'worker {n} has saved its orders' for n in range(3)),
                'shutdown complete'], f'graceful_shutdown: {lines}')
        finally:
            process.kill()
            process.wait()


def http_prices():
    def get(request):
        with server.connect() as client:
            client.sendall(request)
            head, _, body = read_all(client).partition(b'\r\n\r\n')
            return head.split(b'\r\n')[0], json.loads(body)

    with Server('http_prices') as server:
        check(get(b'GET /price/BTC HTTP/1.0\r\nHost: here\r\n\r\n') ==
              (b'HTTP/1.0 200 OK', {'symbol': 'BTC', 'price': 50000}), 'http_prices: BTC')
        check(get(b'GET /price/XYZ HTTP/1.0\r\n\r\n')[0] == b'HTTP/1.0 404 Not Found', 'http_prices: XYZ')
        check(get(b'POST / HTTP/1.0\r\n\r\n')[0] == b'HTTP/1.0 400 Bad Request', 'http_prices: POST')
        with server.connect() as endless:
            endless.sendall(b'x' * 8192)  # the server reads no more of a line
            check(read_all(endless).startswith(b'HTTP/1.0 400'), 'http_prices: an endless line')


def no_exceptions():
    def answer(listener):
        with listener.accept()[0] as client:
            client.sendall(b'you said: ' + read_all(client))

    with socket.create_server(('127.0.0.1', 0)) as listener:
        address = f'127.0.0.1:{listener.getsockname()[1]}'
        server = threading.Thread(target=answer, args=[listener], daemon=True)
        server.start()
        r = subprocess.run([programs['no_exceptions'], address, 'how much?'], text=True, capture_output=True,
                           timeout=limit)
        check((r.returncode, r.stdout, r.stderr) == (0, 'you said: how much?\n', ''), f'no_exceptions: {r}')
    r = subprocess.run([programs['no_exceptions'], address, '?'], text=True, capture_output=True, timeout=limit)
    check(r.returncode == 1 and r.stdout == '' and f'connect {address}: connection refused' in r.stderr,
          f'no_exceptions, nobody there: {r}')


SERVERS = {'connections': connections, 'graceful_shutdown': graceful_shutdown, 'http_prices': http_prices, 'no_exceptions': no_exceptions}
for name, program in programs.items():
    if name in PRINTED:
        r = subprocess.run([program], text=True, capture_output=True, timeout=limit)
        check((r.returncode, r.stdout, r.stderr) == (0, PRINTED[name], ''), f'{name}: {r}')
    else:
        SERVERS[name]()
check(programs, 'no programs')
print(f'{len(programs)} programs do as they say')
