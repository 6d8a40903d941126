"""Checks eddy-echo from outside: first lines, reports, exit codes, signals. echo.py EDDY_ECHO [pool]"""
import json
import signal
import socket
import subprocess
import sys

program = sys.argv[1]
limit = 30  # seconds; no step here takes as long as one


def check(ok, what):
    if not ok:
        sys.exit(f'echo.py: {what}')


def run(*args):
    return subprocess.run([program, *args], text=True, capture_output=True, timeout=limit)


class Server:
    """Runs `eddy-echo server` on a free port."""

    def __init__(self, *args):
        self.process = subprocess.Popen([program, 'server', '--bind', '127.0.0.1:0', *args], text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        line = self.process.stdout.readline()
        check(line.startswith('listening on 127.0.0.1:'), f'first line of the server: {line!r}')
        self.address = line.removeprefix('listening on ').strip()
        self.port = int(self.address.rpartition(':')[2])
        check(self.port != 0, 'the port is not the real one')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def connect(self):
        return socket.create_connection(('127.0.0.1', self.port), timeout=limit)

    def end(self, number):
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=limit)
        return self.process.returncode, out, err


def exchange(connection, data):
    connection.sendall(data)
    back = b''
    while len(back) < len(data):
        got = connection.recv(65536)
        check(got, 'the server closed a connection')
        back += got
    check(back == data, f'{data!r} came back as {back!r}')


def wrong_arguments():
    for args in ([], ['sing'], ['server', '--bind'], ['server', '--bind', '127.0.0.1'],
                 ['server', '--bind', '127.0.0.1:65536'], ['server', '--max-connections', '0'],
                 ['server', '--json'], ['server', 'extra'], ['client'], ['client', '--connect', 'localhost:http'],
                 ['client', '--connect', '127.0.0.1:1', '--size', '0'],
                 ['client', '--connect', '127.0.0.1:1', '--requests', '-1'],
                 ['client', '--connect', '127.0.0.1:1', '--seconds', '1', '--requests', '1'],
                 ['demo', '--seconds', 'nan'], ['demo', '--connect', '127.0.0.1:1']):
        r = run(*args)
        check(r.returncode == 2 and r.stdout == '' and '\nusage: eddy-echo server' in r.stderr, f'{args}: {r}')
    for args in (('--help',), ('server', '--help')):
        asked = run(*args)
        check(asked.returncode == 0 and asked.stdout.startswith('usage: ') and asked.stderr == '', f'{asked}')


def names_what_failed(r, *words):
    lines = r.stderr.splitlines()
    check(r.returncode == 1 and r.stdout == '' and len(lines) == 1 and all(w in lines[0] for w in words), f'{r}')


def failures():
    with socket.socket() as nobody:  # bound but not listening: reserves a port that refuses connections
        nobody.bind(('127.0.0.1', 0))
        address = f'127.0.0.1:{nobody.getsockname()[1]}'
        names_what_failed(run('client', '--connect', address, '--requests', '1'), address, 'refused')
    names_what_failed(run('client', '--connect', 'no-such-host.invalid:80', '--requests', '1'), 'no-such-host.invalid')
    with Server() as server:
        names_what_failed(run('server', '--bind', server.address), server.address, 'in use')


def load():
    with Server() as server:
        r = run('client', '--connect', server.address, '--connections', '3', '--size', '100000', '--requests', '50',
                '--json')
        check(r.returncode == 0 and r.stderr == '', f'client: {r}')
        report = json.loads(r.stdout)
        check((report['connections'], report['size'], report['requests']) == (3, 100000, 50), f'report: {report}')
        check(report['requests_per_second'] > 0 and report['megabytes_per_second'] > 0, f'report: {report}')
        latency = [report['latency_us'][p] for p in ('p50', 'p90', 'p99', 'p99.9', 'max')]
        check(0 < latency[0] and latency == sorted(latency), f'latency: {latency}')

        r = run('client', '--connect', server.address, '--connections', '2', '--requests', '10')
        check(r.returncode == 0 and r.stdout.startswith('10 requests of 64 bytes over 2 connections'), f'client: {r}')
        status, out, err = server.end(signal.SIGTERM)
        # The server counts each read as a request, and a large request comes in several reads: only bytes are exact.
        words = out.split()
        check((status, err) == (0, '') and words[:3] == ['served', '5', 'connections,'] and int(words[3]) >= 60 and
              words[5] == str(50 * 100000 + 10 * 64), f'served: {status} {out!r} {err!r}')


def wrong_answer_is_noticed():
    with socket.create_server(('127.0.0.1', 0)) as liar:
        liar.settimeout(limit)
        client = subprocess.Popen([program, 'client', '--connect', f'127.0.0.1:{liar.getsockname()[1]}',
                                   '--connections', '1', '--requests', '1'], text=True, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE)
        try:
            with liar.accept()[0] as connection:
                connection.settimeout(limit)
                got = connection.recv(64, socket.MSG_WAITALL)
                connection.sendall(got[:-1] + bytes([got[-1] ^ 1]))
                out, err = client.communicate(timeout=limit)
            check(client.returncode == 1 and out == '' and 'not what was sent' in err, f'{client.returncode} {err!r}')
        finally:
            client.kill()
            client.wait()


def demo():
    r = run('demo', '--connections', '2', '--seconds', '0.2')
    check(r.returncode == 0 and '\nlistening on 127.0.0.1:' in r.stdout and '\nserved 2 connections, ' in r.stdout,
          f'demo: {r}')


def signals():
    for number in (signal.SIGINT, signal.SIGTERM):
        with Server() as server, server.connect() as idle:
            exchange(idle, b'one')
            status, out, err = server.end(number)
            check((status, out, err) == (0, 'served 1 connections, 1 requests, 3 bytes\n', ''),
                  f'{number.name}: {status} {out!r} {err!r}')
            check(idle.recv(1) == b'', 'an idle connection stays open')


def fill(connection):
    """Sends without reading until the server can send no more answers."""
    connection.settimeout(1)  # full means: no progress for this long
    try:
        while True:
            connection.send(b'x' * 65536)
    except TimeoutError:
        connection.settimeout(limit)


def ends_in_the_middle():
    # The server delivers the answer that it has begun before it ends.
    with Server() as server, server.connect() as idle, server.connect() as slow:
        exchange(idle, b'accepted')
        fill(slow)
        server.process.send_signal(signal.SIGTERM)
        check(idle.recv(1) == b'', 'an idle connection stays open')  # the server has seen the signal
        check(server.process.poll() is None, 'the first signal did not wait for the answer')
        got = 0
        try:
            while data := slow.recv(1 << 20):
                got += len(data)
        except ConnectionResetError:  # the server never read some of what was sent
            pass
        out, err = server.process.communicate(timeout=limit)
        check((server.process.returncode, err) == (0, '') and got > 0, f'{server.process.returncode} {err!r}')
        check(out.startswith('served 2 connections, '), f'{out!r}')
    # A second signal ends the server at once.
    with Server() as server, server.connect() as idle, server.connect() as slow:
        exchange(idle, b'accepted')
        fill(slow)
        server.process.send_signal(signal.SIGTERM)
        check(idle.recv(1) == b'', 'an idle connection stays open')
        check(server.process.poll() is None, 'the first signal did not wait for the answer')
        status, out, err = server.end(signal.SIGTERM)
        check((status, out, err) == (128 + signal.SIGTERM, '', ''), f'second signal: {status} {out!r} {err!r}')


def most_connections():
    with Server('--max-connections', '1') as server, server.connect() as first:
        exchange(first, b'first')
        with server.connect() as second:  # in the backlog: accepted by the kernel, not by the server
            second.sendall(b'second')
            exchange(first, b'again')
            second.setblocking(False)
            try:
                check(False, f'a second connection was served: {second.recv(6)!r}')
            except BlockingIOError:
                pass
            second.settimeout(limit)
            first.close()
            check(second.recv(6, socket.MSG_WAITALL) == b'second', 'no room was made')
            status, out, err = server.end(signal.SIGTERM)
            check((status, out, err) == (0, 'served 2 connections, 3 requests, 16 bytes\n', ''),
                  f'{status} {out!r} {err!r}')


def threads():
    """Checks that connections on several loops are all answered, and that all loops end."""
    with Server('--threads', '3') as server:
        connections = [server.connect() for _ in range(30)]
        for n, connection in enumerate(connections):
            exchange(connection, b'%d' % n * 1000)
        status, out, err = server.end(signal.SIGTERM)
        total = sum(len(b'%d' % n) * 1000 for n in range(30))
        words = out.split()
        check((status, err, words[1], words[5]) == (0, '', '30', str(total)), f'threads: {status} {out!r} {err!r}')
        for connection in connections:
            check(connection.recv(1) == b'', 'an idle connection stays open')
            connection.close()
    with Server('--threads', '2') as server:
        names_what_failed(run('server', '--bind', server.address), server.address, 'in use')


wrong_arguments()
failures()
load()
wrong_answer_is_noticed()
demo()
signals()
ends_in_the_middle()
most_connections()
if sys.argv[2:] == ['pool']:
    threads()
