"""A file that must not compile, and whose error must match the regex of its first line `// expect: REGEX`.

compile_fail.py FILE -- COMPILER FLAGS...
"""
import pathlib
import re
import subprocess
import sys

source = sys.argv[1]
compile = sys.argv[sys.argv.index('--') + 1:]

first = pathlib.Path(source).read_text().split('\n', 1)[0]
if not first.startswith('// expect: '):
    sys.exit(f'{source}: the first line is not `// expect: REGEX`')
expected = first.removeprefix('// expect: ').strip()

run = subprocess.run(compile + ['-fsyntax-only', source], text=True, capture_output=True)
if run.returncode == 0:
    sys.exit(f'{source} compiles')
# Only the messages count: the compiler also quotes the source, and with it the expectation's own words.
messages = [line for line in run.stderr.splitlines() if re.search(r'\b(error|note|required)\b', line)]
if not any(re.search(expected, line) for line in messages):
    sys.exit(f'{source}: no message matches {expected!r}:\n{run.stderr}')
print(next(line for line in messages if re.search(expected, line)))
