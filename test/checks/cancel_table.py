"""Is everything that says `Cancel safety:` in a public header named in docs/cancellation.md?

cancel_table.py ROOT

The name is that of the first function or class declared below the comment, and must stand in a row of the
document's table between backquotes.
"""
import pathlib
import re
import sys

COMMENT = re.compile(r'(?:^[ \t]*///.*\n)+', re.MULTILINE)
TYPE = re.compile(r'\b(?:class|struct)\b(?:\s*\[\[.*?\]\])?\s+([a-z]\w*)', re.DOTALL)
FUNCTION = re.compile(r'\b([a-z]\w*)\s*\(')


def awaitables(header):
    """Names of what has a comment with `Cancel safety:`, in order."""
    for comment in COMMENT.finditer(header):
        if 'Cancel safety:' not in comment[0]:
            continue
        below = re.sub(r'^[ \t]*(?:template <.*>|requires.*)\n(?:[ \t]{6,}.*\n)*', '', header[comment.end():comment.end() + 600],
                       flags=re.MULTILINE)
        name = (TYPE if re.match(r'\s*(?:class|struct)\b', below) else FUNCTION).search(below)
        yield name[1] if name else '?'


assert list(awaitables('/// A.\n/// Cancel safety: x.\ntemplate <class T>\n  requires a<T>\nauto f(int);\n'
                       '/// Cancel safety: y.\nclass [[nodiscard("a (b)")]] g {};\n/// No.\nvoid h();\n')) == ['f', 'g']

root = pathlib.Path(sys.argv[1])
rows = '\n'.join(line for line in (root / 'docs/cancellation.md').read_text().splitlines() if line.startswith('|'))
names, missing = 0, []
for header in sorted((root / 'lib/include').rglob('*.hpp')):
    for name in awaitables(header.read_text()):
        names += 1
        if not re.search(rf'`[^`]*\b{re.escape(name)}\b[^`]*`', rows):
            missing.append(f'{header.relative_to(root)}: {name} is not in the table of docs/cancellation.md')
print('\n'.join(missing) or f'{names} awaitables are in the table')
sys.exit(bool(missing) or not names)
