"""Are the documents' snippets the tested code, and do their links lead anywhere? Compares every ```cpp block of the .md
files with its source.

snippets.py ROOT [--fix]

A block stands right below `<!-- snippet: test/docs/x.cpp NAME -->` and is what x.cpp has between the lines
`// [guide:NAME]` and `// [/guide:NAME]`, with the common indentation taken off. --fix rewrites the documents.
"""
import pathlib
import re
import sys
import textwrap

BLOCK = re.compile(r'^```cpp\n(.*?)^```$', re.MULTILINE | re.DOTALL)
MARKER = re.compile(r'<!-- snippet: (\S+) (\S+) -->\n\Z')


def snippet(source, name):
    """The code between the markers; None when they are not there exactly once."""
    inside = re.findall(rf'^[ \t]*// \[guide:{re.escape(name)}\]\n(.*?)^[ \t]*// \[/guide:{re.escape(name)}\]$',
                        source, re.MULTILINE | re.DOTALL)
    return textwrap.dedent(inside[0]).strip('\n') + '\n' if len(inside) == 1 else None


def compare(text, read):
    """The document with its blocks replaced, and what was wrong with it: (line, message) pairs."""
    faults = []

    def replaced(block):
        line = text.count('\n', 0, block.start()) + 1
        marker = MARKER.search(text, 0, block.start())
        source = marker and read(marker[1])
        code = source and snippet(source, marker[2])
        if not marker:
            faults.append((line, 'a cpp block without a snippet marker above it'))
        elif not code:
            faults.append((line, f'{marker[1]} has no snippet {marker[2]}'))
        elif code != block[1]:
            faults.append((line, f'differs from {marker[2]} of {marker[1]}'))
        return f'```cpp\n{code or block[1]}```'

    return BLOCK.sub(replaced, text), faults


def prose(text):
    return re.sub(r'^```.*?^```$', '', text, flags=re.MULTILINE | re.DOTALL)


def broken_links(document, text):
    """Links to files that are not there, and to headings that their file does not have."""
    for path, heading in re.findall(r'\]\(([^)#\s]*)(?:#([^)]*))?\)', re.sub(r'`[^`\n]*`', '', prose(text))):
        target = document.parent / path if path else document
        headings = heading and target.is_file() and re.findall(r'^#+ (.*)$', prose(target.read_text()), re.MULTILINE)
        known = {re.sub(r'[^\w\- ]', '', h.lower()).replace(' ', '-') for h in headings or []}
        if not path.startswith('http') and not (target.exists() and (not heading or heading in known)):
            yield f'{path}#{heading}' if heading else path


# It must be able to fail.
SOURCE = 'int x;\n  // [guide:a]\n  f();\n    g();\n  // [/guide:a]\n'
for document, wrong in {
        '<!-- snippet: s a -->\n```cpp\nf();\n  g();\n```\n': 0,
        '<!-- snippet: s a -->\n```cpp\nf();\n```\n': 1,
        '<!-- snippet: s b -->\n```cpp\nf();\n```\n': 1,
        '<!-- snippet: t a -->\n```cpp\nf();\n```\n': 1,
        '```cpp\nf();\n```\n': 1,
        '```sh\nf\n```\n': 0}.items():
    assert len(compare(document, {'s': SOURCE}.get)[1]) == wrong, document
assert list(broken_links(pathlib.Path(__file__), '[a](b.c) [d](#e) [f](snippets.py)')) == ['b.c', '#e']

root = pathlib.Path(sys.argv[1])
fix = '--fix' in sys.argv[2:]


def read(path):
    file = root / path
    return file.read_text() if file.is_file() else None


found, blocks, used = [], 0, set()
for document in sorted([*root.glob('*.md'), *root.glob('docs/**/*.md')]):
    before = document.read_text()
    after, faults = compare(before, read)
    found += [f'{document.relative_to(root)}:{line}: {what}' for line, what in faults]
    found += [f'{document.relative_to(root)}: the link to {to} leads nowhere' for to in broken_links(document, before)]
    blocks += len(BLOCK.findall(before))
    used |= set(re.findall(r'<!-- snippet: (\S+ \S+) -->', before))
    if fix and after != before:
        document.write_text(after)
for source in sorted(root.glob('test/docs/*.cpp')):
    name = source.relative_to(root)
    found += [f'{name}: no document shows {n}' for n in re.findall(r'// \[guide:(\S+)\]', source.read_text())
              if f'{name} {n}' not in used]
print('\n'.join(found) or f'{blocks} snippets are as tested')
sys.exit(bool(found) or not blocks)
