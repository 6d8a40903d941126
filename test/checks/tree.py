"""House rules that can be read off the files: include direction, banned includes, file length.

tree.py ROOT
"""
import pathlib
import re
import sys

# An include may only point to a folder of a smaller rank (or the file's own).
RANKS = [['base'], ['core'], ['task'], ['runtime'], ['time'], ['sync'], ['combine'], ['stream'], ['signal'], ['io'],
         ['net', 'fs', 'process'], ['codec', 'testing']]
RANK = {folder: rank for rank, folders in enumerate(RANKS) for folder in folders}
BANNED_IN_PUBLIC = {'iostream', 'functional', 'regex'}
MAX_LINES = 500
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def faults(path, text):
    """Yields what is wrong with a file; path is relative to the root and starts with lib/."""
    parts = pathlib.PurePosixPath(path).parts
    public = parts[1] == 'include'
    inner = parts[3:] if public else parts[2:]
    folder = inner[0] if len(inner) > 1 else None  # None: eddy/eddy.hpp, eddy/config.hpp
    lines = text.splitlines()
    if len(lines) > MAX_LINES:
        yield f'{path}: {len(lines)} lines, more than {MAX_LINES}'
    if folder is not None and folder not in RANK:
        yield f'{path}: {folder} is no layer'
        return
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        quote, target = match.groups()
        at = f'{path}:{number}: {line.strip()}'
        if re.match(r'uv(\.h$|/)', target):
            if public or folder != 'runtime':
                yield f'{at}: only lib/src/runtime sees libuv'
        elif quote == '<' and not target.startswith('eddy/'):
            if public and target in BANNED_IN_PUBLIC:
                yield f'{at}: not in a public header'
        elif quote == '"' and public:
            yield f'{at}: a public header includes <eddy/...> only'
        else:
            where = target.removeprefix('eddy/').split('/')
            if quote == '<' and where == ['config.hpp']:
                continue
            if len(where) < 2 or where[0] not in RANK:
                if folder is not None:
                    yield f'{at}: not by layer (<eddy/LAYER/x.hpp>, "LAYER/x.hpp")'
            elif folder is not None and where[0] != folder and RANK[where[0]] >= RANK[folder]:
                yield f'{at}: {folder} may not include {where[0]}'


BAD = {
    'lib/include/eddy/core/a.hpp': '#include <uv.h>',
    'lib/include/eddy/core/b.hpp': '#include <functional>',
    'lib/include/eddy/core/c.hpp': '#include <eddy/time/sleep.hpp>',
    'lib/include/eddy/core/d.hpp': '#include <eddy/eddy.hpp>',
    'lib/include/eddy/core/e.hpp': '#include "core/detail/chain.hpp"',
    'lib/include/eddy/soup/f.hpp': '',
    'lib/src/time/g.cpp': '# include <uv.h>',
    'lib/src/base/h.cpp': '#include "runtime/loop.hpp"',
    'lib/src/base/i.cpp': '#include "i.hpp"',
    'lib/src/net/j.cpp': '#include <eddy/fs/file.hpp>',
    'lib/src/base/k.cpp': '\n' * (MAX_LINES + 1),
}
GOOD = {
    'lib/include/eddy/eddy.hpp': '#include <eddy/net/tcp.hpp>',
    'lib/include/eddy/net/a.hpp': '#include <eddy/config.hpp>\n#include <eddy/net/b.hpp>\n#include <vector>',
    'lib/src/runtime/loop.cpp': '#include "runtime/loop.hpp"\n#include <uv.h>\n#include <functional>',
    'lib/src/base/k.cpp': '\n' * MAX_LINES,
}
for path, text in BAD.items():
    assert len(list(faults(path, text))) == 1, path
for path, text in GOOD.items():
    assert not list(faults(path, text)), path

root = pathlib.Path(sys.argv[1])
files = [f for f in sorted((root / 'lib').rglob('*')) if f.suffix in ('.hpp', '.cpp')]
found = [e for f in files for e in faults(f.relative_to(root).as_posix(), f.read_text())]
print('\n'.join(found) or f'{len(files)} files keep the rules')
sys.exit(bool(found) or not files)
