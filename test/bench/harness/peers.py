"""The build that is measured, its peers, and the machine."""
import datetime
import json
import os
import pathlib
import platform
import re
import shutil
import subprocess

from .rows import Skip

HERE = pathlib.Path(__file__).resolve().parent.parent
ROOT = HERE.parent.parent


def output(*command, **options):
    """What a command prints; Skip when it is missing or fails."""
    try:
        run = subprocess.run([str(word) for word in command], text=True, capture_output=True, **options)
    except FileNotFoundError:
        raise Skip(f'{command[0]} is not here') from None
    if run.returncode:
        raise Skip(f'{command[0]} failed: {(run.stderr or run.stdout).strip()[-400:]}')
    return run.stdout


def want(*tools):
    for tool in tools:
        if shutil.which(tool) is None:
            raise Skip(f'{tool} is not here')


class Bench:
    """A meson build directory; its peers are built below it, from peers/, when they are asked for."""

    def __init__(self, build):
        self.build = pathlib.Path(build).resolve()
        self.out = self.build / 'bench-peers'
        self.out.mkdir(exist_ok=True)
        options = {o['name']: o['value'] for o in json.loads(
            output('meson', 'introspect', '--buildoptions', self.build))}
        compilers = json.loads((self.build / 'compile_commands.json').read_text())
        command = next(c['command'] for c in compilers if c['file'].endswith('eddy_bench.cpp')).split()
        words = iter(command)
        self.cxx = []
        for word in words:  # `ccache g++`, `clang++-19`: all up to the first option
            if word.startswith('-'):
                break
            self.cxx.append(word)
        self.flags = [w for w in command if re.fullmatch(r'-(O.|g|f(?!diagnostics).*|std=.*|D_?NDEBUG)', w)]
        self.cc = os.environ.get('CC', 'cc').split()
        self.meaningful = options['b_sanitize'] == 'none' and options['optimization'] in ('2', '3', 's')
        self.built = {}  # name: path, or the Skip that says why not

    def program(self, *path):
        p = self.build.joinpath(*path)
        if not p.exists():
            raise Skip(f'{p.name} is not built')
        return str(p)

    def without_pool(self):
        """eddy-bench of a build with -Dpool=disabled."""
        build = self.out / 'nopool'
        if not (build / 'build.ninja').exists():
            output('meson', 'setup', build, ROOT, '-Dpool=disabled', '-Dapps=false',
                   env={**os.environ, 'CXX': ' '.join(self.cxx)})
        output('ninja', '-C', build, 'test/eddy-bench')
        return str(build / 'test' / 'eddy-bench')

    def once(self, name, make):
        if name not in self.built:
            try:
                self.built[name] = make()
            except Skip as reason:
                self.built[name] = reason
        if isinstance(self.built[name], Skip):
            raise self.built[name]
        return self.built[name]

    def compiled(self, compiler, source, extra, binary):
        target = self.out / (binary or source.stem)

        def make():
            output(*compiler, '-O2', '-w', '-o', target, source, *extra)
            return str(target)
        return self.once(target.name, make)

    def c_peer(self, name, *extra, binary=None):
        return self.compiled(self.cc, HERE / 'peers' / f'{name}.c', extra, binary)

    def asio(self):
        return self.compiled([*self.cxx, '-std=c++20'], HERE / 'peers' / 'asio_echo.cpp', ['-pthread'], None)

    def tokio(self, name):
        def make():
            source = self.out / 'tokio'
            shutil.copytree(HERE / 'peers' / 'tokio', source, dirs_exist_ok=True)
            try:
                want('cargo')
                output('cargo', 'build', '--release', '--quiet', cwd=source,
                       env={**os.environ, 'CARGO_TARGET_DIR': str(self.out / 'target')})
            except Skip as reason:
                raise Skip(f'no Tokio to compare with (cargo and librust-tokio-dev): {reason}') from None
            return self.out / 'target' / 'release'
        return str(self.once('tokio', make) / name)

    def versions(self):
        """{who: version and how it is built}, as far as it is here."""
        def tokio():
            self.tokio('micro')
            lock = (self.out / 'tokio' / 'Cargo.lock').read_text()
            version = re.search(r'name = "tokio"\nversion = "([^"]+)"', lock).group(1)
            return f'{version} with {output("rustc", "--version").strip()}, --release, lto thin'

        def asio():
            text = output(*self.cxx, '-E', '-dM', '-x', 'c++', '-include', 'asio/version.hpp', os.devnull)
            version = int(re.search(r'define ASIO_VERSION (\d+)', text).group(1))
            return f'{version // 100000}.{version // 100 % 1000}.{version % 100}, compiler as eddy, -O2'

        makers = {
            'eddy': lambda: f'{output("git", "-C", ROOT, "describe", "--always", "--dirty").strip()} with '
                            f'{output(*self.cxx, "--version").splitlines()[0]} {" ".join(self.flags)}',
            'libuv': lambda: output('pkg-config', '--modversion', 'libuv').strip(),
            'peers in C': lambda: output(*self.cc, '--version').splitlines()[0] + ' -O2',
            'Tokio': tokio,
            'Asio': asio,
            'valgrind': lambda: output('valgrind', '--version').strip().removeprefix('valgrind-'),
        }
        found = {}
        for who, make in makers.items():
            try:
                found[who] = make()
            except Skip as reason:
                found[who] = f'not here: {reason}'
        return found


def machine():
    def field(file, name):
        match = re.search(rf'^{name}\s*:\s*(.+)$', pathlib.Path(file).read_text(), re.MULTILINE)
        return match.group(1) if match else 'unknown'
    return {
        'date': datetime.date.today().isoformat(),
        'processor': field('/proc/cpuinfo', 'model name'),
        'cores': os.cpu_count(),
        'memory': f'{int(field("/proc/meminfo", "MemTotal").split()[0]) / 2**20:.1f} GiB',
        'system': f'{platform.system()} {platform.release()} {platform.machine()}',
        'load at the start': f'{os.getloadavg()[0]:.2f}',
    }
