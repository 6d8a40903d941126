"""Checks eddy-ticker from outside: protocol, limits, lag, shutdown, metrics, clients. ticker.py EDDY_TICKER"""
import json
import os
import pathlib
import pty
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

program = sys.argv[1]
limit = 60  # seconds; no step here takes as long as one


def check(ok, what):
    if not ok:
        sys.exit(f'ticker.py: {what}')


def run(*args):
    return subprocess.run([program, *args], text=True, capture_output=True, timeout=limit)


class Server:
    """Runs `eddy-ticker serve` on a free port."""

    def __init__(self, *args, bind='127.0.0.1:0'):
        self.process = subprocess.Popen([program, 'serve', '--bind', bind, *args], text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        line = self.process.stdout.readline()
        check(line.startswith('listening on 127.0.0.1:'), f'first line of the server: {line!r}')
        self.address = line.removeprefix('listening on ').strip()
        self.port = int(self.address.rpartition(':')[2])
        if '--metrics' in args:
            line = self.process.stdout.readline()
            check(line.startswith('metrics on 127.0.0.1:'), f'second line of the server: {line!r}')
            self.metrics_port = int(line.rpartition(':')[2])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def metrics(self):
        with socket.create_connection(('127.0.0.1', self.metrics_port), timeout=limit) as c:
            c.sendall(b'GET / HTTP/1.0\r\n\r\n')
            head, _, body = b''.join(iter(lambda: c.recv(65536), b'')).decode().partition('\r\n\r\n')
        check(head.startswith('HTTP/1.0 200 OK\r\n') and f'Content-Length: {len(body)}' in head, f'{head!r}')
        return {name: int(value) for name, value in (line.split(' ') for line in body.splitlines())}

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=limit)
        return self.process.returncode, out, err


class Client:
    def __init__(self, server):
        self.socket = socket.create_connection(('127.0.0.1', server.port), timeout=limit)
        self.lines = self.socket.makefile('rb')
        check(self.next('systemStatus') == {'event': 'systemStatus', 'status': 'online'}, 'the greeting')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.lines.close()
        self.socket.close()

    def send(self, message):
        self.socket.sendall(json.dumps(message).encode() + b'\n')

    def next(self, event=None):
        """Returns the next message, or the next one with that event."""
        while True:
            line = self.lines.readline()
            check(line.endswith(b'\n'), f'the server closed the connection; waited for {event}')
            message = json.loads(line)
            if event is None or message['event'] == event:
                return message

    def subscribe(self, *pairs, name='ticker', event='subscribe', **more):
        self.send({'event': event, 'pair': pairs, 'subscription': {'name': name}, **more})
        return [self.next('subscriptionStatus') for _ in pairs]


def wrong_arguments():
    for args in ([], ['sing'], ['serve', '--bind'], ['serve', '--bind', 'here'], ['serve', '--rate', '0'],
                 ['serve', '--rate', 'nan'], ['serve', '--seed', '-1'], ['serve', '--speed', '2'],
                 ['serve', '--replay', 'x', '--rate', '1'], ['serve', '--pair', 'A/B'],
                 ['watch', '--connect', '127.0.0.1:1'], ['watch', '--pair', 'A/B'], ['load'],
                 ['load', '--connect', '127.0.0.1:1', '--clients', '0'], ['demo', '--seconds', '-1']):
        r = run(*args)
        check(r.returncode == 2 and r.stdout == '' and '\nusage: eddy-ticker serve' in r.stderr, f'{args}: {r}')
    for args, words in ((['--symbols', 'A/B,A/B'], ('twice', 'A/B')), (['--symbols', 'A B'], ("'A B'",)),
                        (['--symbols', '0'], ('1 to',)), (['--symbols', ','], ("''",)),
                        (['--replay', '/no/such/file'], ('/no/such/file', 'no such file'))):
        r = run('serve', '--bind', '127.0.0.1:0', *args)
        check(r.returncode == 1 and len(r.stderr.splitlines()) == 1 and all(w in r.stderr for w in words), f'{args}: {r}')
    for args in (('--help',), ('serve', '--rate', '5', '--help')):
        asked = run(*args)
        check(asked.returncode == 0 and asked.stdout.startswith('usage: ') and asked.stderr == '', f'{asked}')


def talks():
    with Server('--symbols', 'BTC/USD,ETH/USD', '--rate', '1000', '--seed', '7') as server, Client(server) as client:
        status, = client.subscribe('BTC/USD', reqid=5)
        check(status == {'event': 'subscriptionStatus', 'status': 'subscribed', 'pair': 'BTC/USD', 'reqid': 5,
                         'subscription': {'name': 'ticker'}}, f'{status}')
        ticks = [client.next('ticker') for _ in range(10)]
        if ticks[0].pop('snapshot', False):  # there was a tick before the client subscribed
            ticks = ticks[1:]
        for tick in ticks:
            check(set(tick) == {'event', 'pair', 'seq', 'time', 'last', 'bid', 'ask', 'volume'} and
                  tick['pair'] == 'BTC/USD' and tick['bid'] <= tick['last'] <= tick['ask'] and tick['volume'] > 0 and
                  abs(tick['time'] / 1e6 - time.time()) < limit, f'{tick}')
        seqs = [tick['seq'] for tick in ticks]
        check(seqs == list(range(seqs[0], seqs[0] + len(seqs))), f'{seqs}')

        client.subscribe('ETH/USD', name='trade')
        trade = client.next('trade')
        trade.pop('snapshot', None)
        check(set(trade) == {'event', 'pair', 'seq', 'time', 'price', 'size', 'side'} and trade['pair'] == 'ETH/USD' and
              trade['side'] in ('buy', 'sell') and trade['price'] > 0 and trade['size'] > 0, f'{trade}')

        again, unknown = client.subscribe('BTC/USD', 'XYZ/USD')
        check((again['status'], again['errorMessage']) == ('error', 'already subscribed'), f'{again}')
        check((unknown['status'], unknown['pair'], unknown['errorMessage']) == ('error', 'XYZ/USD', 'unknown pair'),
              f'{unknown}')
        gone, = client.subscribe('ETH/USD', name='trade', event='unsubscribe')
        check(gone['status'] == 'unsubscribed', f'{gone}')
        never, = client.subscribe('ETH/USD', event='unsubscribe')
        check((never['status'], never['errorMessage']) == ('error', 'not subscribed'), f'{never}')
        client.subscribe('BTC/USD', event='unsubscribe')
        client.send({'event': 'ping', 'reqid': 6})
        check(client.next() == {'event': 'pong', 'reqid': 6}, 'ping, after everything was unsubscribed')
        client.send({'event': 'pairs'})
        check(client.next() == {'event': 'pairs', 'pair': ['BTC/USD', 'ETH/USD']}, 'pairs')
        check(client.next() == {'event': 'heartbeat'}, 'heartbeat')


BAD = [  # what a client sends, and what the error message contains
    (b'{"event":', 'not JSON from byte'),
    (b'\xff\xfe{}', 'not JSON from byte 1'),
    (b'{"event":"\xc3("}', 'not JSON from byte'),
    (b'[' * 3000, 'not JSON from byte'),
    (b'x' * 5000, 'a line of more than 4096 bytes'),
    (b'7', 'the message: an object, not number'),
    (b'{}', '"event" is missing'),
    (b'{"event": 1}', '"event": a string, not number'),
    (b'{"event":"sing"}', '"event": none of subscribe, unsubscribe, ping, pairs'),
    (b'{"event":"ping","reqid":"x"}', '"reqid": a whole number, not string'),
    (b'{"event":"subscribe"}', '"pair" is missing'),
    (b'{"event":"subscribe","pair":"BTC/USD"}', '"pair": a list of names, not string'),
    (b'{"event":"subscribe","pair":[]}', '"pair": the list is empty'),
    (b'{"event":"subscribe","pair":["BTC/USD",null]}', '"pair"[1]: a name, not null'),
    (b'{"event":"subscribe","pair":["BTC/USD"]}', '"subscription" is missing'),
    (b'{"event":"subscribe","pair":["BTC/USD"],"subscription":[]}', '"subscription": an object, not array'),
    (b'{"event":"subscribe","pair":["BTC/USD"],"subscription":{}}', '"subscription": "name" is missing'),
    (b'{"event":"subscribe","pair":["BTC/USD"],"subscription":{"name":3}}', '"subscription"."name": a string, not number'),
    (b'{"event":"subscribe","pair":["BTC/USD"],"subscription":{"name":"news"}}', 'neither ticker nor trade'),
]


def bad_input():
    with Server() as server, Client(server) as client:
        for number, (line, told) in enumerate(BAD, 1):
            client.socket.sendall(line + b'\n')
            error = client.next('error')
            check(told in error['errorMessage'] and error['message'] == number, f'{line!r}: {error}')
        client.send({'event': 'ping'})
        check(client.next('pong'), 'the connection did not survive')
    with Server() as server, Client(server) as client:
        client.socket.sendall(b'{"event": "ping"}')  # a last line without a line end
        client.socket.shutdown(socket.SHUT_WR)
        check(client.next() == {'event': 'pong'} and client.lines.read() == b'', 'the end of a client')


def rate_limit():
    with Server('--metrics', '127.0.0.1:0') as server, Client(server) as flood, Client(server) as other:
        flood.socket.sendall(b'{"event":"ping"}\n' * 60)
        answers = [flood.next() for _ in range(55)]
        pongs = sum(a['event'] == 'pong' for a in answers)
        told = [a for a in answers if a['event'] == 'error']
        check(pongs >= 50 and told and 'more than 50 messages per second' in told[0]['errorMessage'], f'{pongs} {told}')
        other.send({'event': 'ping'})
        check(other.next('pong'), 'another client')
        check(server.metrics()['clients'] == 2, 'clients')


def slow_client():
    pairs = [f'S{n:03}/USD' for n in range(20)]
    with Server('--symbols', '100', '--rate', '40000', '--metrics', '127.0.0.1:0') as server, Client(server) as fast:
        fast.subscribe('S099/USD')

        def wait_for_ticks(count):
            until = fast.next('ticker')['seq'] + count
            while fast.next('ticker')['seq'] < until:
                pass

        with Client(server) as slow:
            slow.subscribe(*pairs)
            while server.metrics()['queue_longest'] < 256:  # how many messages a channel keeps
                wait_for_ticks(10)
            wait_for_ticks(50)
            # It reads again: it learns what it has missed, and goes on with the newest quote.
            told = slow.next('lag')
            check(told['pair'] in pairs and told['subscription'] == {'name': 'ticker'} and told['missed'] > 0, f'{told}')
            newest = slow.next()
            check(newest['pair'] == told['pair'] and newest['snapshot'], f'{newest} after {told}')
            following = slow.next()
            while following.get('pair') != told['pair']:
                following = slow.next()
            check(following['event'] == 'lag' or following['seq'] > newest['seq'], f'{following} after {newest}')
            # It does not read for too long: the server drops it, and only it.
            wait_for_ticks(256 + 10_000 // len(pairs) + 200)
            last = json.loads(slow.lines.read().splitlines()[-1])
            check(last['event'] == 'error' and 'too slow: ' in last['errorMessage'], f'{last}')
        fast.next('ticker')
        counts = server.metrics()
        check(counts['clients_dropped'] == 1 and counts['clients'] == 1 and counts['clients_total'] == 2 and
              counts['messages_missed'] > 10_000 and counts['ticks'] > 0 and counts['messages'] > 0 and
              counts['pairs'] == 100 and counts['tasks'] > 0 and counts['loop_turns'] > 0 and
              counts['queue_length'] >= counts['queue_longest'] >= 0, f'{counts}')


def ends():
    for number in (signal.SIGINT, signal.SIGTERM):
        with Server('--symbols', 'A/B', '--rate', '1000') as server, Client(server) as client, Client(server) as idle:
            client.subscribe('A/B')
            client.next('ticker')
            status, out, err = server.end(number)
            check(status == 0 and err == '' and re.fullmatch(
                r'served 2 clients, \d+ ticks, \d+ messages, 0 missed\n', out), f'{number.name}: {status} {out!r} {err!r}')
            for one in (client, idle):
                messages = [json.loads(line) for line in one.lines.read().splitlines()]
                check(messages[-1] == {'event': 'systemStatus', 'status': 'shutdown'}, f'{number.name}: {messages[-1]}')


def replay(folder):
    csv = folder / 'ticks.csv'
    csv.write_text('time,pair,price,size,side\n100,A/B,1.5,2,sell\n100.2,A/B,1.6,1\n400,C/D,7,1\n')
    lines = folder / 'ticks.json'
    lines.write_text('{"time": 100, "pair": "A/B", "price": 1.5, "size": 2, "side": "sell"}\n'
                     '{"time": 100.2, "pair": "A/B", "price": 1.6, "size": 1}\n'
                     '{"time": 400, "pair": "C/D", "price": 7, "size": 1}\n')
    for path in (csv, lines):
        with Server('--replay', str(path), '--speed', '200') as server, Client(server) as client:
            client.subscribe('C/D', name='trade')
            trade = client.next('trade')
            check((trade['price'], trade['size'], trade['side']) == (7, 1, 'buy'), f'{path.name}: {trade}')
            client.subscribe('A/B')  # the recording has ended; the quotes stay
            quote = client.next('ticker')
            check((quote['last'], quote['volume'], quote['seq'], quote['snapshot']) == (1.6, 3, 2, True),
                  f'{path.name}: {quote}')
    for text, told in (('1,A/B,1,1\n1,A/B,x,1\n', ':2: the price is not a number'), ('1,A/B,1\n', ':1: not time,pair'),
                       ('2,A/B,1,1\n1,A/B,1,1\n', ':2: the time goes back'), ('1,A/B,0,1\n', ':1: the price is not above 0'),
                       ('{"time": 1}\n', ':1: "pair" is not a string'), ('{"time"\n', ':1: not a JSON object'),
                       ('1,A/B,1,1,hold\n', ':1: the side is neither'), ('1,A B,1,1\n', ':1: the pair is not a name'),
                       ('', 'no ticks in')):
        bad = folder / 'bad'
        bad.write_text(text)
        r = run('serve', '--bind', '127.0.0.1:0', '--replay', str(bad))
        check(r.returncode == 1 and told in r.stderr and str(bad) in r.stderr, f'{text!r}: {r}')


def symbols_file(folder):
    path = folder / 'symbols'
    path.write_text('# majors\nBTC/USD\nETH/USD\n')
    with Server('--symbols', str(path)) as server, Client(server) as client:
        client.send({'event': 'pairs'})
        check(client.next('pairs')['pair'] == ['BTC/USD', 'ETH/USD'], 'symbols from a file')


def watch():
    with Server('--symbols', 'A/B', '--rate', '1000') as server:
        unknown = run('watch', '--connect', server.address, '--pair', 'X/Y')
        check(unknown.returncode == 1 and 'unknown pair' in unknown.stderr and 'X/Y' in unknown.stderr, f'{unknown}')
        watcher = subprocess.Popen([program, 'watch', '--connect', server.address, '--pair', 'A/B'], text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            check(watcher.stdout.readline().startswith('A/B '), 'the first line of watch')
            port = server.port
            server.end()
            for line in watcher.stderr:
                if 'again in' in line:
                    break
            with Server('--symbols', 'A/B', '--rate', '1000', bind=f'127.0.0.1:{port}') as second:
                for line in watcher.stderr:
                    if 'connected' in line:
                        break
                check(watcher.stdout.readline().startswith('A/B '), 'after it has connected again')
                watcher.send_signal(signal.SIGINT)
                watcher.communicate(timeout=limit)
                check(watcher.returncode == 0, f'watch ends with {watcher.returncode}')
        finally:
            watcher.kill()
            watcher.communicate()
    with Server('--symbols', 'A/B,C/D', '--rate', '1000') as server:  # on a terminal: one table that is redrawn
        master, slave = pty.openpty()
        watcher = subprocess.Popen([program, 'watch', '--connect', server.address, '--pair', 'A/B,C/D'],
                                   stdout=slave, stderr=subprocess.DEVNULL)
        try:
            os.close(slave)
            screen = b''
            while screen.count(b'\x1b[4A') < 3:  # moves up by the heading, two pairs and the note
                screen += os.read(master, 65536)
            check(b'pair ' in screen and b'A/B ' in screen and b'C/D ' in screen, f'{screen[:300]}')
        finally:
            watcher.kill()
            watcher.wait()
            os.close(master)


def load():
    with Server('--symbols', '20', '--rate', '200') as server:
        r = run('load', '--connect', server.address, '--clients', '20', '--pairs', '5', '--seconds', '0.5', '--json')
        check(r.returncode == 0 and r.stderr == '', f'load: {r}')
        report = json.loads(r.stdout)
        check(report['clients'] == 20 and report['messages'] > 0 and report['messages_per_second'] > 0, f'{report}')
        latency = [report['latency_us'][p] for p in ('p50', 'p90', 'p99', 'p99.9', 'max')]
        check(0 < latency[0] and latency == sorted(latency), f'latency: {latency}')
        r = run('load', '--connect', server.address, '--clients', '2', '--seconds', '0.2')
        check(r.returncode == 0 and ' messages to 2 clients in ' in r.stdout and 'tick to receipt: p50' in r.stdout,
              f'load: {r}')
    r = run('load', '--connect', server.address, '--clients', '1')
    check(r.returncode == 1 and server.address in r.stderr and 'refused' in r.stderr, f'nobody there: {r}')


def threads():
    one = run('serve', '--bind', '127.0.0.1:0', '--threads', '0')
    check(one.returncode == 2 and '--threads takes 1' in one.stderr, f'{one}')
    if 'without the pool' in one.stderr:
        return
    # Messages that `load` cannot read in time pile up. 500 per second are few even with a sanitizer.
    with Server('--symbols', '20', '--rate', '20', '--threads', '4', '--metrics', '127.0.0.1:0') as server:
        r = run('load', '--connect', server.address, '--clients', '50', '--pairs', '10', '--seconds', '0.5', '--json')
        check(r.returncode == 0 and json.loads(r.stdout)['messages'] > 0, f'load on four threads: {r}')
        check(server.metrics()['clients_total'] == 51, 'clients on four threads')
        with Client(server) as client:
            client.subscribe('S000/USD')
            client.next('ticker')
            status, out, err = server.end()
            check(status == 0 and err == '' and out.startswith('served 52 clients, '), f'{status} {out!r} {err!r}')
            check(b'"shutdown"' in client.lines.read().splitlines()[-1], 'the end on four threads')


def demo():
    r = run('demo', '--clients', '5', '--seconds', '0.3', '--rate', '500')
    check(r.returncode == 0 and r.stderr == '' and ' messages to 5 clients in ' in r.stdout and
          re.search(r'\nserved 6 clients, \d+ ticks, \d+ messages, \d+ missed\n', r.stdout), f'demo: {r}')


with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    wrong_arguments()
    talks()
    bad_input()
    rate_limit()
    slow_client()
    ends()
    replay(folder)
    symbols_file(folder)
    watch()
    load()
    threads()
    demo()
