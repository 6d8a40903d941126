"""Builds the API reference with Doxygen, and holds that every public name is documented.

reference.py ROOT OUT [--check]     into OUT/html; --check: only looks, without pages. 77: there is no doxygen.

Doxygen reads copies of the headers (OUT/headers) without the inline namespace, in which a comment is repeated for
the declarations right below it that it is about too: overloads, `x` after `set_x`, `read_vectored` after `read`.
A name needs no words of its own if one of its overloads has them; if it is a constructor, a destructor or an
operator; or if the standard library or one of eddy's concepts says what it is.
"""
import pathlib
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

# As in the standard library; is_send; the concepts of leaves, streams, codecs, readers and writers.
KNOWN = set("""begin end data size empty clear reserve get swap rep period duration time_point is_steady rebind
not_send poll poll_next is_terminated decode decode_eof encode resynchronises read write flush shutdown_write fill
consume""".split())
BRACKETS = re.compile(r'//.*|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])+\'')


def name_of(declaration):
    code = ' '.join(BRACKETS.sub('', line).strip() for line in declaration)
    code = re.sub(r'\[\[.*?\]\]|\btemplate <.*?> (?=\w)|\brequires ?\(.*?\) (?=\w)', '', code)
    match = re.search(r'(operator\W+|\w+) ?\(', code) or re.search(r'(\w+) ?[;={]', code)
    return match.group(1) if match else ''


def akin(one, other):
    """`set_x` and `x`, `try_read` and `try_read_vectored`, overloads."""
    short, long = sorted((one.removeprefix('set_'), other.removeprefix('set_')), key=len)
    return short != '' and (long == short or long.startswith(short + '_'))


def for_doxygen(text):
    """A header as Doxygen understands it, line by line."""
    text = text.replace('namespace eddy { inline namespace EDDY_ABI {', 'namespace eddy {')
    text = re.sub(r'^}(}+)  // namespace eddy::EDDY_ABI', r'\1', text, flags=re.M)
    text = re.sub(r'explicit\((?:[^()]|\([^()]*\))*\)', 'explicit', text)
    comment, indent, name = [], 0, ''  # the comment that holds, how far it is indented, and whom it is about
    lines, depth = [], 0  # the declaration being read, its open brackets
    for line in text.splitlines():
        words = line.strip()
        here = len(line) - len(line.lstrip())
        if re.fullmatch(r'friend [^(]*;', words):  # taken for a declaration
            continue
        if re.match(r'///(?!<)', words):
            yield from lines
            if lines or name:
                comment, name = [], ''
            line = re.sub(r'(?<![\w:>])::(?=\w)', '', line)  # a link to nothing
            comment, indent, lines, depth = [*comment, line], here, [], 0
            if re.match(r'/// (Cancel safety|Threads|Lifetime|Errors|Cost):', words):  # a paragraph
                yield ' ' * here + '///'
            yield line
        elif not comment or not lines and (
                not words or here != indent or re.match(r'//|#|}|(public|protected|private):', words)):
            comment, name = [], ''
            yield line
        else:
            lines.append(line)
            code = BRACKETS.sub('', words).strip()
            depth += sum(code.count(c) for c in '({[') - sum(code.count(c) for c in ')}]')
            if depth <= 0 and code.endswith((';', '}')):
                own = name_of(lines)
                if name and akin(name, own) and not re.search(rf'\b{own}\((const )?{own}&', ' '.join(lines)):
                    yield from comment
                name = own
                yield from lines
                lines, depth = [], 0
    yield from lines


def reference(headers, out, pages):
    """Runs Doxygen over {name: text}; what it complains about."""
    for folder in ('headers', 'xml', 'html'):
        shutil.rmtree(out / folder, ignore_errors=True)
    for name, text in headers.items():
        copy = out / 'headers' / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text('\n'.join(for_doxygen(text)) + '\n')
    settings = (pathlib.Path(__file__).with_name('Doxyfile').read_text() +
                f'INPUT = "{out}/headers"\nSTRIP_FROM_PATH = "{out}/headers"\nOUTPUT_DIRECTORY = "{out}"\n'
                f'GENERATE_HTML = {"YES" if pages else "NO"}\n')
    run = subprocess.run(['doxygen', '-'], input=settings, text=True, stderr=subprocess.PIPE, check=True)
    # A specialisation of what std has: doxygen knows no std.
    return [w for w in run.stderr.splitlines() if w and 'scope for class std::' not in w]


def plain(name):
    """Without template arguments: a specialisation is called what the template is called."""
    while (shorter := re.sub(r'<[^<>]*>', '', name)) != name:
        name = shorter
    return name.replace(' ', '')


def undocumented(out):
    """The public names in Doxygen's XML that nobody has said anything about, and the file of each."""
    said, where = set(), {}

    def seen(name, item):
        if any((e := item.find(tag)) is not None and ''.join(e.itertext()).strip()
               for tag in ('briefdescription', 'detaileddescription')):
            said.add(name)
        where.setdefault(name, item.find('location').get('file'))

    for file in sorted((out / 'xml').glob('*.xml')):
        for item in ElementTree.parse(file).iter('compounddef'):
            name = plain(item.findtext('compoundname'))
            if item.get('kind') not in ('class', 'struct', 'union', 'concept', 'namespace') or 'detail' in name or \
                    not name.startswith('eddy') or item.get('prot', 'public') != 'public':
                continue
            if item.get('kind') != 'namespace':
                seen(name, item)
            for member in item.iter('memberdef'):
                if member.get('prot') == 'public' and member.get('kind') != 'friend':
                    seen(f'{name}::{plain(member.findtext("name"))}', member)

    def known(name):
        *outer, own = name.split('::')
        return (own in KNOWN or own in outer[-1:] or own.startswith(('~', 'operator')) or own.endswith(('_type', '_')) or
                outer == ['eddy', 'values'])

    return {name: file for name, file in where.items() if name not in said and not known(name)}


def sample(out):
    """The check finds what it should."""
    reference({'sample.hpp': '''
namespace eddy { inline namespace EDDY_ABI {
namespace detail { void inner(); }
/// Words.
struct a {
  /// Two.
  int one() const {
    return 1;
  }
  int one_two;
  int bare;
  int last;  ///< words
};
/// Words.
void f(a);
void f_more(a);
void g(a);

void h(a);

void h(a, a);  ///< one of two
struct bare {};
}}  // namespace eddy::EDDY_ABI
'''}, out, pages=False)
    assert set(undocumented(out)) == {'eddy::a::bare', 'eddy::bare', 'eddy::g'}, undocumented(out)


def main():
    root, out = (pathlib.Path(word).resolve() for word in sys.argv[1:3])
    if shutil.which('doxygen') is None:
        print('skipped: no doxygen here')
        sys.exit(77)
    sample(out)
    include = root / 'lib/include'
    headers = {f.relative_to(include).as_posix(): f.read_text() for f in sorted(include.rglob('*.hpp'))}
    faults = reference(headers, out, pages='--check' not in sys.argv)
    faults += [f'{file}: {name} is not documented' for name, file in undocumented(out).items()]
    print('\n'.join(faults) or f'{len(headers)} headers, all public names are documented')
    sys.exit(bool(faults) or not headers)


main()
