"""The habits of the house, held by reading the source. `make docs` (this file as a program) redraws the settings table.

A rule is a function from a syntax tree to the lines that break it. Each is shown a snippet that it must refuse and
one that it must let pass, so that no rule can fall asleep.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

from cryptotrader.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("cryptotrader", "blocks", "tasks", "flows", "deployments", "dashboard")
MONEY_ROOMS = ("cryptotrader/core", "cryptotrader/store", "cryptotrader/execution")
RUNTIME_DOOR = "cryptotrader/runtime.py"
RIMS: frozenset[str] = frozenset()  # files in which one broad except stands, which alerts and re-raises
LONGEST_FILE = 400

Rule = Callable[[ast.Module], Iterator[int]]

RAW = re.compile(
    r"(time|random|secrets)\.\w+"
    r"|(datetime\.)?(datetime|date)\.(now|utcnow|today)"
    r"|(pandas|pendulum)\.(Timestamp\.)?(now|utcnow|today)"
    r"|asyncio\.sleep|os\.urandom|uuid\.uuid[14]|numpy\.random\.\w+"
)
SEEDED = {"random.Random", *(f"numpy.random.{name}" for name in ("default_rng", "Generator", "PCG64", "SeedSequence"))}


# -- the rules


def names_of(tree: ast.Module) -> dict[str, str]:
    """Map each imported name to what it stands for: `from time import sleep as s` gives {"s": "time.sleep"}."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {a.asname: a.name for a in node.names if a.asname}
            names |= {top: top for top in (a.name.split(".")[0] for a in node.names if not a.asname)}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    return names


def dotted(node: ast.AST, names: dict[str, str]) -> str:
    """Return what an expression such as `dt.now` refers to, or nothing."""
    if isinstance(node, ast.Attribute):
        owner = dotted(node.value, names)
        return f"{owner}.{node.attr}" if owner else ""
    return names.get(node.id, "") if isinstance(node, ast.Name) else ""


def raw_clock_or_chance(tree: ast.Module) -> Iterator[int]:
    """Clock, sleep, randomness and ids come from the runtime. A generator built from a seed is arithmetic."""
    names = names_of(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and dotted(node.func, names) in SEEDED and not (node.args or node.keywords):
            yield node.lineno
        elif isinstance(node, ast.Attribute | ast.Name):
            what = dotted(node, names)
            if RAW.fullmatch(what) and what not in SEEDED:
                yield node.lineno


def float_arithmetic(tree: ast.Module) -> Iterator[int]:
    """Money is exact: no float literal is computed with, compared or made a Decimal, and nothing becomes a float."""
    for node in ast.walk(tree):
        match node:
            case ast.BinOp(left=left, right=right) if is_float(left) or is_float(right):
                yield node.lineno
            case ast.AugAssign(value=value) if is_float(value):
                yield node.lineno
            case ast.Compare(left=left, comparators=others) if any(map(is_float, [left, *others])):
                yield node.lineno
            case ast.Call(func=ast.Name(id="float")):
                yield node.lineno
            case ast.Call(func=ast.Name(id="Decimal"), args=[only]) if is_float(only):
                yield node.lineno


def is_float(node: ast.AST) -> bool:
    """Whether this is a float literal, signed or not."""
    inner = node.operand if isinstance(node, ast.UnaryOp) else node
    return isinstance(inner, ast.Constant) and isinstance(inner.value, float)


def broad_except(tree: ast.Module) -> Iterator[int]:
    """An except names what it expects; the rims that catch everything are few and listed."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("suppress", "contextlib.suppress"):
            caught = node.args
        else:
            continue
        if any(c is None or ast.unparse(c) in ("Exception", "BaseException") for c in caught):
            yield node.lineno


def undocumented(tree: ast.Module) -> Iterator[int]:
    """A module and every public class, function and method says what it is for; a Protocol's `...` may be silent."""
    if tree.body and ast.get_docstring(tree) is None:
        yield 1
    for node in public_definitions(tree.body):
        is_stub = ast.unparse(node.body[-1]) == "..." and len(node.body) == 1
        if not is_stub and ast.get_docstring(node) is None:
            yield node.lineno


def public_definitions(body: Iterable[ast.stmt]) -> Iterator[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield what a reader may use: nothing private, nothing inside a function."""
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from public_definitions(node.body)


# -- the rules held against the source


@cache
def sources(*rooms: str) -> dict[str, str]:
    """Return the text of every Python file of these rooms, generated migrations apart, by its path from the root."""
    paths = sorted(path for room in rooms for path in (ROOT / room).rglob("*.py"))
    named = {path.relative_to(ROOT).as_posix(): path for path in paths if "versions" not in path.parts}
    return {name: path.read_text(encoding="utf-8") for name, path in named.items()}


def broken(rule: Rule, *rooms: str, except_in: Iterable[str] = ()) -> list[str]:
    """Return "file:line" wherever a rule is broken."""
    files = {name: text for name, text in sources(*rooms).items() if name not in set(except_in)}
    assert files, f"no source found in {rooms}"
    return [f"{name}:{line}" for name, text in files.items() for line in rule(ast.parse(text))]


def test_time_and_chance_come_from_runtime() -> None:
    assert broken(raw_clock_or_chance, *ROOMS, except_in=[RUNTIME_DOOR]) == []


def test_money_is_never_a_float() -> None:
    assert broken(float_arithmetic, *MONEY_ROOMS) == []


def test_broad_excepts_stand_at_rims() -> None:
    assert broken(broad_except, *ROOMS, except_in=RIMS) == []


def test_each_listed_rim_is_one() -> None:
    files = sources(*ROOMS)
    assert [rim for rim in RIMS if len(list(broad_except(ast.parse(files[rim])))) != 1] == []


def test_public_names_are_documented() -> None:
    assert broken(undocumented, *ROOMS) == []


def too_long(files: dict[str, str]) -> list[str]:
    """Return the files that hold more than one noun or verb can need."""
    lengths = {name: len(text.splitlines()) for name, text in files.items()}
    return [f"{name}: {lines} lines" for name, lines in lengths.items() if lines > LONGEST_FILE]


def test_files_are_short() -> None:
    assert too_long(sources(*ROOMS, "tests")) == []


REFUSED: list[tuple[Rule, str]] = [
    (raw_clock_or_chance, "import time\ntime.sleep(1)"),
    (raw_clock_or_chance, "import time as t\nt.monotonic()"),
    (raw_clock_or_chance, "from time import time\ntime()"),
    (raw_clock_or_chance, "from time import sleep as rest\nwait = rest"),
    (raw_clock_or_chance, "import datetime\ndatetime.datetime.now()"),
    (raw_clock_or_chance, "from datetime import datetime, UTC\ndatetime.now(UTC)"),
    (raw_clock_or_chance, "from datetime import datetime\ndatetime.utcnow()"),
    (raw_clock_or_chance, "from datetime import date\ndate.today()"),
    (raw_clock_or_chance, "import random\nrandom.choice([1])"),
    (raw_clock_or_chance, "from random import Random\nRandom()"),
    (raw_clock_or_chance, "import numpy as np\nnp.random.default_rng()"),
    (raw_clock_or_chance, "import numpy as np\nnp.random.normal()"),
    (raw_clock_or_chance, "import uuid\nuuid.uuid4()"),
    (raw_clock_or_chance, "from uuid import uuid1\nuuid1()"),
    (raw_clock_or_chance, "import asyncio\nasync def f():\n    await asyncio.sleep(0)"),
    (raw_clock_or_chance, "import secrets\nsecrets.token_hex()"),
    (raw_clock_or_chance, "import os\nos.urandom(8)"),
    (float_arithmetic, "x = 1.5 * y"),
    (float_arithmetic, "x = y - -0.1"),
    (float_arithmetic, "x += 0.5"),
    (float_arithmetic, "y = x > 0.0"),
    (float_arithmetic, "x = float(y)"),
    (float_arithmetic, "x = Decimal(0.1)"),
    (broad_except, "try:\n    f()\nexcept:\n    pass"),
    (broad_except, "try:\n    f()\nexcept Exception:\n    pass"),
    (broad_except, "try:\n    f()\nexcept (ValueError, BaseException) as e:\n    pass"),
    (broad_except, "with suppress(Exception):\n    f()"),
    (undocumented, "def f():\n    return 1"),
    (undocumented, '"""Module."""\nclass Public:\n    x = 1'),
    (undocumented, '"""Module."""\nclass Public:\n    """Doc."""\n    async def f(self):\n        return 1'),
]

ALLOWED: list[tuple[Rule, str]] = [
    (raw_clock_or_chance, "from datetime import datetime\ndef f(now: datetime): return now.date()"),
    (raw_clock_or_chance, "import random\ndef f(chance: random.Random): return random.Random(7)"),
    (raw_clock_or_chance, "import numpy as np\nnp.random.default_rng(seed)"),
    (raw_clock_or_chance, "def f(runtime): return runtime.wall.now(), runtime.random.random()"),
    (float_arithmetic, "timeout: float = 1.5\nx = Decimal('0.1') * 2"),
    (broad_except, "try:\n    f()\nexcept (ValueError, OSError):\n    pass"),
    (undocumented, '"""Module."""\ndef _private(): return 1\nclass P:\n    """Doc."""\n    def f(self): ...'),
]


@pytest.mark.parametrize(("rule", "snippet"), REFUSED)
def test_rule_refuses(rule: Rule, snippet: str) -> None:
    assert list(rule(ast.parse(snippet)))


@pytest.mark.parametrize(("rule", "snippet"), ALLOWED)
def test_rule_lets_pass(rule: Rule, snippet: str) -> None:
    assert not list(rule(ast.parse(snippet)))


def test_length_rule_refuses() -> None:
    assert too_long({"a.py": "x\n" * LONGEST_FILE, "b.py": "x\n" * (LONGEST_FILE + 1)}) == ["b.py: 401 lines"]


# -- lock files


def lock_faults(text: str) -> list[str]:
    """Return what a lock file must not have: an index host or another source, or a pin without a hash."""
    hosts = re.findall(r"https?://\S+|^\s*-(?:-\S+|[a-z]\b).*", re.sub(r"--hash=\S+", "", text), re.MULTILINE)
    blocks = re.split(r"\n(?=\S)", text.strip())
    pins = [block for block in blocks if not block.startswith(("#", "-"))]
    return hosts + [pin.splitlines()[0] for pin in pins if "==" not in pin or "--hash=sha256:" not in pin]


@pytest.mark.parametrize("name", ["uv", "runtime", "dev"])
def test_lock_has_hashes_and_no_host(name: str) -> None:
    text = (ROOT / f"requirements/{name}.lock").read_text(encoding="utf-8")
    assert text.strip()
    assert lock_faults(text) == []


def pins_of(name: str) -> set[str]:
    """Return the "name==version" of a lock file."""
    return set(re.findall(r"^\S+==\S+", (ROOT / f"requirements/{name}.lock").read_text(encoding="utf-8"), re.MULTILINE))


def test_dev_lock_runs_what_users_run() -> None:
    assert pins_of("runtime") <= pins_of("dev")


@pytest.mark.parametrize(
    "lock",
    [
        "a==1 \\\n    --hash=sha256:00\nb==2\n",
        "a>=1 \\\n    --hash=sha256:00\n",
        "--index-url https://example.org/simple\na==1 \\\n    --hash=sha256:00\n",
        "a @ https://example.org/a.whl \\\n    --hash=sha256:00\n",
        "-i mirror\na==1 \\\n    --hash=sha256:00\n",
    ],
)
def test_lock_rule_refuses(lock: str) -> None:
    assert lock_faults("x==1 \\\n    --hash=sha256:00\n") == []
    assert lock_faults(lock)


# -- what the documents say


def settings_table() -> str:
    """Draw the settings as a Markdown table: name, default, meaning."""
    rows = ["| Setting | Default | Meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = str(field.default).lower() if isinstance(field.default, bool) else field.default
        shown = "" if default in (None, "") else f"`{default}`"
        rows.append(f"| `{name.upper()}` | {shown} | {field.description} |")
    return "\n".join(rows)


TABLE = re.compile(r"(?<=<!-- settings -->\n).*?(?=\n<!-- /settings -->)", re.DOTALL)


def test_readme_shows_the_settings() -> None:
    shown = TABLE.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    assert shown == [settings_table()], "redraw it with `make docs`"


def dead_links(document: Path) -> list[str]:
    """Return the relative links of a Markdown document that lead nowhere."""
    targets = re.findall(r"\]\(([^)#\s]+)", document.read_text(encoding="utf-8"))
    return [t for t in targets if not t.startswith(("http:", "https:")) and not (document.parent / t).exists()]


@pytest.mark.parametrize("document", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))], ids=lambda p: p.name)
def test_documents_link_to_what_exists(document: Path) -> None:
    assert dead_links(document) == []


def test_link_rule_refuses(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("[there](a.md) and [not](b.md#part)", encoding="utf-8")
    assert dead_links(tmp_path / "a.md") == ["b.md"]


def redraw() -> None:
    """Write the settings table into README.md."""
    readme = ROOT / "README.md"
    text, found = TABLE.subn(lambda _: settings_table(), readme.read_text(encoding="utf-8"))
    assert found == 1
    readme.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    redraw()
