# SPDX-License-Identifier: GPL-3.0-or-later
"""The screen: screenshots over QMP, read back into text with the very font that drew them; and the
PS/2 keyboard, pressed over QMP."""
import re
import time

import pytest
from harness import Guest

import cache

WIDTH, HEIGHT = 8, 16


def glyphs():
    """Bitmaps (16 bytes) to characters, from the PSF 1 font that the kernel has built in."""
    data = (cache.third_party_dir() / "font/Uni2-Terminus16.psf").read_bytes()
    assert data[:2] == b"\x36\x04" and data[3] == HEIGHT
    count = 512 if data[2] & 1 else 256
    table = data[4 + count * HEIGHT:]
    found, glyph = {}, 0
    for at in range(0, len(table) - 1, 2):
        code = table[at] | table[at + 1] << 8
        if code == 0xFFFF:
            glyph += 1
        elif code < 0xFFFE:
            bits = data[4 + glyph * HEIGHT:4 + (glyph + 1) * HEIGHT]
            if bits not in found or code < 0x80:
                found[bits] = chr(code)
    found[bytes(HEIGHT)] = " "
    return found


class Screen:
    """The text of a screenshot. A cell's darkest corner colour is its paper."""

    def __init__(self, picture, known):
        self.picture = picture
        self.known = known
        self.rows, self.columns = picture.height // HEIGHT, picture.width // WIDTH

    def cell(self, row, column):
        """(character, ink, paper): the paper is the colour of the cell's first pixel, which no
        letter of the font touches."""
        line = self.picture.width * 3
        start = row * HEIGHT * line + column * WIDTH * 3
        paper = self.picture.data[start:start + 3]
        ink, bits = paper, bytearray()
        for y in range(HEIGHT):
            pixels = self.picture.data[start + y * line:start + y * line + WIDTH * 3]
            byte = 0
            for x in range(WIDTH):
                pixel = pixels[3 * x:3 * x + 3]
                byte = byte << 1 | (pixel != paper)
                if pixel != paper:
                    ink = pixel
            bits.append(byte)
        return self.known.get(bytes(bits), "\ufffd"), tuple(ink), tuple(paper)

    def text(self):
        return "\n".join("".join(self.cell(r, c)[0] for c in range(self.columns)).rstrip()
                         for r in range(self.rows)).rstrip("\n")

    def find(self, text):
        """Row and column of the last place where the text stands."""
        for number, line in reversed(list(enumerate(self.text().split("\n")))):
            if text in line:
                return number, line.rindex(text)
        raise AssertionError(f"{text!r} is not on the screen:\n{self.text()}")


class Desk(Guest):
    known = glyphs()

    def screen(self):
        return Screen(self.screenshot(), self.known)

    def wait_for_screen(self, pattern, seconds=90, last=False):
        """Waits until a line matches, or the `last` one does."""
        end = time.monotonic() + seconds
        while True:
            screen = self.screen()
            text = screen.text()
            if re.search(pattern, text.split("\n")[-1] if last else text, re.MULTILINE):
                return screen
            if time.monotonic() > end:
                raise AssertionError(f"{pattern!r} does not come on the screen:\n{screen.text()}")
            self.settle(0.3)    # also keeps the serial line from filling up, which blocks its shell

    def type_text(self, text):
        names = {" ": "spc", "\n": "ret", "-": "minus", "/": "slash", "=": "equal", ";": "semicolon",
                 ".": "dot", ">": "shift+dot", ",": "comma", "'": "apostrophe", "|": "shift+backslash",
                 "$": "shift+4", "(": "shift+9", ")": "shift+0", "*": "shift+8",
                 "+": "shift+equal", "_": "shift+minus", "?": "shift+slash"}
        self.type_keys([names.get(c, c if not c.isupper() else "shift+" + c.lower())
                        for c in text])


@pytest.fixture(scope="module", params=["bios", "uefi"])
def desk(request):
    guest = Desk(firmware=request.param, display=True, timeout=1200).__enter__()
    guest.wait_for(r"root@cryptos[^\n]*[#$] ", 180)
    yield guest
    guest.__exit__()


@pytest.mark.cryptos
def test_log_and_prompt_are_on_the_screen(desk):
    screen = desk.wait_for_screen(r"^root@cryptos.*[#$]")
    assert re.search(r"^\[ *\d+\.\d{6}\] ", screen.text(), re.MULTILINE), screen.text()


@pytest.mark.cryptos
def test_typing(desk):
    desk.type_text("echo Hello $((6*7))\n")
    desk.wait_for_screen(r"^Hello 42$")
    desk.type_text("exec sh\n")
    desk.wait_for_screen(r"^~ # $|^~ #$")
    desk.type_text("echo begins; cat\n")
    desk.wait_for_screen(r"^begins$")    # the terminal is the program's by then, no more the shell's
    desk.type_text("abd")
    desk.type_keys(["backspace", "c", "ret"])
    desk.wait_for_screen(r"^abc\nabc$")
    desk.type_keys(["ctrl+c"])
    desk.wait_for_screen(r"^~ #$", last=True)
    desk.type_text("echo waits > /tmp/job; tail -f /tmp/job\n")
    desk.wait_for_screen(r"^waits$")
    desk.type_keys(["ctrl+z"])
    desk.wait_for_screen(r"Stopped +tail")
    desk.type_text("kill ")
    desk.type_keys(["shift+5", "1", "ret"])
    desk.type_text("echo firstt")
    desk.type_keys(["backspace", "ret"])
    desk.wait_for_screen(r"^first$")
    desk.type_text("clear\n")
    desk.wait_for_screen(r"\A~ #$")
    desk.type_keys(["up", "up", "ret"])
    desk.wait_for_screen(r"^first$")


@pytest.mark.cryptos
def test_colours(desk):
    desk.send("printf '\\033[2J\\033[3;5H\\033[31;44mred\\033[m\\033[5;5H\\033[38;2;1;2;3mrgb\\033[m"
              "\\033[38;5;208morange\\033[7mback\\033[m\\033[9;1H' > /dev/tty1\n")
    screen = desk.wait_for_screen("back")
    row, column = screen.find("red")
    assert (row, column) == (2, 4)
    assert screen.cell(row, column) == ("r", (0xaa, 0, 0), (0, 0, 0xaa))
    row, column = screen.find("rgborangeback")
    assert screen.cell(row, column) == ("r", (1, 2, 3), (0, 0, 0))
    assert screen.cell(row, column + 3) == ("o", (255, 135, 0), (0, 0, 0))
    assert screen.cell(row, column + 9) == ("b", (0, 0, 0), (255, 135, 0))


@pytest.mark.cryptos
def test_size_and_drawing(desk):
    screen = desk.screen()
    desk.send("stty size < /dev/tty1\n")
    desk.wait_for(rf"\n{screen.rows} {screen.columns}\n")
    desk.send("printf '\\033[2J\\033[H\\303\\244\\342\\202\\254\\033(0lqk\\033(B' > /dev/tty1\n")
    desk.wait_for_screen("^\u00e4\u20ac\u250c\u2500\u2510")


@pytest.mark.cryptos
def test_scrolling(desk):
    desk.send("printf '\\033[2J\\033[H' > /dev/tty1; seq 1 500 > /dev/tty1; echo done\n")
    desk.wait_for(r"\ndone\n")
    screen = desk.wait_for_screen("^500")
    lines = screen.text().split("\n")
    row = lines.index("500")
    assert lines[row - 20:row + 1] == [str(n) for n in range(480, 501)]
