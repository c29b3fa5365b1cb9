# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs of Debian's, dynamically linked and unmodified: languages, a compiler, an editor."""
import pathlib

import pytest
from harness import Guest, debian, execute

DATA = pathlib.Path(__file__).parents[1] / "data"

LUA = """
local parts = {}
for line in io.popen("seq 1 3"):lines() do parts[#parts + 1] = line * 2 end
local name = os.tmpname()
local file = assert(io.open(name, "w"))
for i = 1, 20000 do file:write(("%05d\\n"):format(i)) end
file:close()
local count, sum = 0, 0
for line in io.lines(name) do count, sum = count + 1, sum + tonumber(line) end
local generate = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end)
print(_VERSION, table.concat(parts, " "), count, sum, generate() + generate() + generate(),
      os.remove(name), os.execute("exit 3"))
"""

C = r"""
int printf(const char *format, ...);
static int fibonacci(int n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }
int main(int count, char **arguments)
{
    printf("%d %d %s\n", fibonacci(20), count, arguments[count - 1]);
    return 5;
}
"""


def test_lua():
    result = execute("lua5.4", "-", stdin=LUA.encode(), add=debian("lua", "readline", "tinfo"))
    assert result.text.split() == ["Lua", "5.4", "2", "4", "6", "20000", "200010000", "6", "true",
                                   "nil", "exit", "3"], result


def test_compiler():
    """Into memory, and into a file that is then executed."""
    script = """cat > /tmp/a.c; tcc -run /tmp/a.c one; echo $?
tcc -o /tmp/a /tmp/a.c && /tmp/a two words; echo $?
tcc -c -o /tmp/a.o /tmp/a.c && tcc -o /tmp/b /tmp/a.o && /tmp/b three; echo $?"""
    result = execute("sh", "-c", script, stdin=C.encode(), add=debian("tcc", "glibc-dev"))
    assert result.text.splitlines() == ["6765 2 one", "5", "6765 3 words", "5", "6765 2 three",
                                        "5"], result


PYTHON = """(3, 11) posix 2
files
150000 True 1000000000000000001 3 b'!' ['0.z', '1.z', '10.z']
False
processes
3 b'got text\\n'
-15
2
{'square': [0, 1, 4, 9, 16]} 7
threads
4000 1
signals
['SIGALRM', 'user']
waiting
[] True
[1]
True True
memory
2621440 40
20000
"""


def test_python():
    result = execute("python3.11", "/python.py", smp=2, memory="512M",
                     add=debian("python", "python-library", "zlib-library", "expat")
                     + [f"{DATA}/python.py:/python.py"])
    assert result.text == PYTHON and result.status == 0, result


@pytest.fixture(scope="module")
def terminal():
    with Guest(append="quiet", add=debian("nano", "less", "ncurses", "tinfo")) as guest:
        guest.wait_for_prompt()
        yield guest


def test_editor(terminal):
    terminal.send("TERM=vt220 nano /tmp/text\n")
    terminal.wait_for("New File")
    terminal.send("first line\rsecnd line\x1b[D\x1b[D\x1b[D\x1b[D\x1b[D\x1b[D\x1b[Do")
    terminal.wait_for("o")
    terminal.send("\x0f")
    terminal.wait_for("File Name to Write")
    terminal.send("\r")
    terminal.wait_for("Wrote 2 lines")
    terminal.send("\x18")
    terminal.wait_for_prompt()
    assert terminal.command("cat /tmp/text") == "first line\nsecond line\n"


def test_pager(terminal):
    terminal.command("seq 500 | sed 's/.*/line &./' > /tmp/lines")
    terminal.send("TERM=vt220 less /tmp/lines\n")
    terminal.wait_for(r"line 1\.")
    terminal.wait_for("/tmp/lines")
    terminal.send("G")
    terminal.wait_for(r"line 500\.")
    terminal.wait_for("END")
    terminal.send("g/e 34[5]\r")
    terminal.wait_for(r"line 345\.")
    terminal.send("q")
    terminal.wait_for_prompt()
