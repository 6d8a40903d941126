"""What is measured of whole programs: servers, sizes, compilation."""
import os
import re
import resource
import signal
import statistics
import subprocess
import sys
import time

from .peers import HERE, ROOT, output, want
from .rows import Growth, Skip, row
from .servers import (Server, counted_instructions, counted_server_instructions, raise_descriptor_limit,
                      traced_calls)

ROUNDS = 3


def on_port(*words):
    return lambda port: [*words, str(port)]


def there(makers):
    """Those of {who: how it is made} that can be made."""
    found = {}
    for who, make in makers.items():
        try:
            found[who] = make()
        except Skip as reason:
            if who == 'eddy':
                raise
            print(f'{who}: left out: {reason}', flush=True)
    return found


def echo_servers(b):
    """{who: command(port)} of the servers that send back what comes."""
    eddy = b.program('apps', 'echo', 'eddy-echo')
    return there({
        'eddy': lambda: lambda port: [eddy, 'server', '--bind', f'127.0.0.1:{port}'],
        'epoll in C': lambda: on_port(b.c_peer('epoll_echo')),
        'libuv in C': lambda: on_port(b.c_peer('libuv_echo', '-luv')),
        'Tokio': lambda: on_port(b.tokio('echo')),
        'Asio': lambda: on_port(b.asio()),
    })


def rounds_of(servers, measure, rounds=ROUNDS):
    """{who: [figure of a round, ...]}, in turns."""
    seen = {who: [] for who in servers}
    for _ in range(rounds):
        for who, command in servers.items():
            seen[who].append(measure(command))
    return seen


# ---- echo: instructions and system calls do not move with the machine's noise

CONNECTIONS, BYTES, SHORT, LONG, TIMED = 50, 64, 20, 220, 1000


def requests_to(b, n):
    return lambda server: output(b.c_peer('echo_fixed'), server.port, CONNECTIONS, BYTES, n)


def a_request(b, count):
    """By difference, so that beginning and end do not matter."""
    return lambda command: (count(command, requests_to(b, LONG)) - count(command, requests_to(b, SHORT))) / (
        (LONG - SHORT) * CONNECTIONS)


def echo(b):
    servers = echo_servers(b)

    def timed(command):
        with Server(command) as s:
            s.wait_until_listening()
            cpu, clock = s.cpu_ns(), time.monotonic_ns()
            requests_to(b, TIMED)(s)
            return (s.cpu_ns() - cpu) / (TIMED * CONNECTIONS), TIMED * CONNECTIONS * 1e9 / (time.monotonic_ns() - clock)

    want('valgrind', 'strace')
    yield row('echo', 'user instructions a request', '', rounds_of(servers, a_request(b, counted_server_instructions), 1),
              limits=(320, 220))
    yield row('echo', 'system calls a request', '', rounds_of(servers, a_request(b, traced_calls), 1), limits=(2.05, None))
    seen = rounds_of(servers, timed)
    yield row('echo', 'processor time of the server, a request', 'ns', {w: [v[0] for v in r] for w, r in seen.items()})
    yield row('echo', 'requests a second', '', {w: [v[1] for v in r] for w, r in seen.items()}, more=True)


# ---- loops: what a pool of two costs a server, how fair it is, how idle

MOST_OF_ONE_LOOP, LATEST_US = 1.3, 2000


def loops(b):
    eddy, bench = b.program('apps', 'echo', 'eddy-echo'), b.program('test', 'eddy-pool-bench')
    one, net = 'eddy, one loop', b.program('test', 'eddy-net-bench')

    def server(*words):
        return lambda port: [eddy, 'server', '--bind', f'127.0.0.1:{port}', *words]

    want('valgrind', 'strace')
    for name, count in (('user instructions', counted_server_instructions), ('system calls', traced_calls)):
        for how, command in (('a listener a loop', server('--threads', '2')),
                             ('every task on another loop than its socket', on_port(net, 'stolen'))):
            yield row('loops', f'{name} an echo request, {how}', '',
                      rounds_of({'eddy': command, one: server()}, a_request(b, count), 1), one, (MOST_OF_ONE_LOOP, None))
    late = [float(re.search(r'p99 ([\d.]+) us', output(bench, 'fairness')).group(1)) for _ in range(ROUNDS)]
    yield row('loops', 'delay behind a task that computes for 10 ms at a time, p99 of 10 000', 'us', {'eddy': late},
              limits=(LATEST_US, None))
    idle = int(re.search(r'(\d+) wake-ups', output(bench, 'idle')).group(1))
    yield row('loops', 'wake-ups of an idle pool in 5 s', '', {'eddy': [idle]}, limits=(0, None))


# ---- net: bulk copy, datagrams, short connections

MEGABYTES, FEW_MEGABYTES, MANY_MEGABYTES = 1000, 50, 250
FEW_ROUNDS, MANY_ROUNDS = 2000, 12000
SHORT_CONNECTIONS = 20_000
NET_ROUNDS = 5


def net(b):
    """One connection copied in blocks of 64 kB, datagrams to and fro, short connections."""
    mine = b.program('test', 'eddy-net-bench')
    load = b.c_peer('net_load', '-pthread')
    copying = there({
        'eddy': lambda: on_port(mine, 'copy'),
        'libuv in C': lambda: on_port(b.c_peer('libuv_copy', '-luv')),
        'Tokio': lambda: on_port(b.tokio('net'), 'copy'),
    })

    def copied(command):
        with Server(command) as s:
            s.wait_until_listening()
            before = s.cpu_ns()
            rate = float(output(load, 'copy', s.port, MEGABYTES))
            return rate / 1e6, (s.cpu_ns() - before) / (MEGABYTES << 20)

    def copy_calls(command):
        few, many = (traced_calls(command, lambda s: output(load, 'copy', s.port, megabytes))
                     for megabytes in (FEW_MEGABYTES, MANY_MEGABYTES))
        return (many - few) / (MANY_MEGABYTES - FEW_MEGABYTES)

    def accept_cost(command):
        with Server(command) as s:
            s.wait_until_listening()
            before = s.cpu_ns()
            output(load, 'accept', s.port, SHORT_CONNECTIONS)
            return (s.cpu_ns() - before) / SHORT_CONNECTIONS

    def datagram_instructions(program):
        return (counted_instructions(program, 'udp', MANY_ROUNDS) - counted_instructions(program, 'udp', FEW_ROUNDS)) / (
            MANY_ROUNDS - FEW_ROUNDS)

    seen = rounds_of(copying, copied, NET_ROUNDS)
    rates = {who: [v[0] for v in values] for who, values in seen.items()}
    for who in [w for w in copying if w != 'eddy']:
        yield row('net', f'copy, against {who}', 'MB/s', {w: rates[w] for w in ('eddy', who)}, against=who,
                  limits=(1 / 0.95, None), more=True)
    yield row('net', 'copy, processor time of a byte', 'ns', {who: [v[1] for v in values] for who, values in seen.items()})
    want('strace')
    calls = rounds_of(copying, copy_calls)
    for who in [w for w in copying if w != 'eddy']:
        yield row('net', f'copy, system calls a MB, against {who}', '', {w: calls[w] for w in ('eddy', who)}, against=who,
                  limits=(1, None))
    accepting = there({'eddy': lambda: on_port(mine, 'accept'), 'Tokio': lambda: on_port(b.tokio('net'), 'accept')})
    yield row('net', 'a short connection, processor time', 'ns', rounds_of(accepting, accept_cost, NET_ROUNDS),
              against='Tokio', limits=(1.1, None))
    want('valgrind')
    talking = there({'eddy': lambda: mine, 'Tokio': lambda: b.tokio('net')})
    yield row('net', 'a datagram there and back, user instructions', '', rounds_of(talking, datagram_instructions, 1),
              against='Tokio', limits=(0.5, None))


# ---- connections

FEW, STEP = 1000, 500
CONNECTION_GROWTH = 1.5


class Idle:
    """Idle connections to a server, held by a process of their own."""

    def __init__(self, server):
        self.server = server
        self.own = server.settled_descriptors()
        self.held = 0
        self.clients = subprocess.Popen([sys.executable, HERE / 'idle_clients.py', str(server.port)], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        preexec_fn=raise_descriptor_limit)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.clients.stdin.close()
        self.clients.wait()

    def add(self, n):
        """Opens n more; the server's processor time for it, ns a connection.

        The server is stopped until all are in its backlog: how often it is woken would depend on what else
        the machine does, and costs ten times an accept.
        """
        s = self.server
        os.kill(s.process.pid, signal.SIGSTOP)
        before = s.cpu_ns()
        self.clients.stdin.write(f'{n}\n')
        self.clients.stdin.flush()
        if not self.clients.stdout.readline():
            raise Skip('the clients failed')
        self.held += n
        os.kill(s.process.pid, signal.SIGCONT)
        for _ in range(1000):
            if s.descriptors() >= self.own + self.held:
                break
            time.sleep(0.01)
        else:
            raise Skip(f'the server has accepted {s.descriptors() - self.own} of {self.held}')
        time.sleep(0.05)
        return (s.cpu_ns() - before) / n

    def grow_to(self, n):
        """The median cost of one more on the last steps to n."""
        steps = [self.add(STEP) for _ in range((n - self.held) // STEP)]
        return statistics.median(steps[-5:])


def connections(b):
    """Idle connections with their tasks: anonymous memory of the server, and what one more costs it."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    most = (min(hard, 1_000_000) - 200) // STEP * STEP
    if most < 4 * FEW:
        raise Skip(f'{hard} descriptors are too few')
    counts = [n for n in (FEW, 10 * FEW, 100 * FEW) if n < most / 2] + [most]
    few, each, costs = {}, {}, {}
    for who, command in echo_servers(b).items():
        with Server(command) as s:
            s.wait_until_listening()
            with Idle(s) as idle:
                idle.add(10)
                begin, kb_begin = idle.held, s.memory_kb('RssAnon')

                def bytes_each():
                    return (s.memory_kb('RssAnon') - kb_begin) * 1024 / (idle.held - begin)
                idle.add(FEW - begin)
                few[who] = [bytes_each()]
                costs[who] = [statistics.median([idle.add(STEP) for _ in range(5)])]
                costs[who] += [idle.grow_to(n) for n in counts[1:]]
                each[who] = [bytes_each()]
    yield row('connections', f'an idle connection, of {FEW}', 'bytes', few)
    yield row('connections', f'an idle connection, of {most}', 'bytes', each, limits=(800, 512))
    yield Growth('connections', 'an idle connection, accepted', 'ns', counts, costs, CONNECTION_GROWTH)


# ---- size

def size(b):
    eddy = b.program('apps', 'echo', 'eddy-echo')
    programs = there({'eddy': lambda: eddy, 'libuv in C': lambda: b.c_peer('libuv_echo', '-luv'),
                      'Tokio': lambda: b.tokio('echo'), 'Asio': lambda: b.asio()})

    def stripped_kb(program):
        target = b.out / 'stripped'
        output('strip', '-o', target, program)
        return target.stat().st_size / 1000

    def resident(command):
        with Server(command) as s:
            s.wait_until_listening()
            return s.memory_kb('VmRSS')

    yield row('size', 'echo server, stripped', 'kB', rounds_of(programs, stripped_kb, 1), limits=(250, None))
    servers = echo_servers(b)
    servers['libuv in C, with libstdc++'] = on_port(
        b.c_peer('libuv_echo', '-luv', '-Wl,--no-as-needed', '-lstdc++', binary='libuv_echo_with_libstdcxx'))
    yield row('size', 'echo server, resident at start', 'kB', rounds_of(servers, resident, 5),
              against='libuv in C, with libstdc++', limits=(1.2, None))


# ---- compilation

def compile_time(b):
    """A one-page echo server at -O2."""
    include = [f'-I{ROOT / "lib/include"}', f'-I{b.build / "lib/include"}']

    def seconds(source, *flags):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        output(*b.cxx, '-std=c++20', '-O2', *flags, '-c', source, '-o', os.devnull)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def asio():
        b.asio()
        return lambda: seconds(HERE / 'peers' / 'asio_echo.cpp')

    pages = there({'eddy': lambda: lambda: seconds(HERE / 'one_page.cpp', *include), 'Asio': asio})
    yield row('compile', 'a one-page echo server at -O2, processor time', 's',
              rounds_of(pages, lambda compile_one: compile_one()), against='Asio', limits=(0.5, 0.35))
