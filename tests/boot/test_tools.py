# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine's own procps, util-linux and lsof find in /proc and /sys what they look for."""
import pathlib
import pytest
from harness import execute


def tools(*paths):
    for path in paths:
        if not pathlib.Path(path).exists():
            pytest.skip(f"this machine has no {path}")
    return list(paths)


def run(script, programs, smp=2, **more):
    result = execute("sh", "-c", script, smp=smp, add_program=tools(*programs), **more)
    assert result.status == 0 and result.err == b"", result
    return result.text


def test_processors():
    text = run("lscpu -p=CPU,CORE,SOCKET,NODE,ONLINE; lscpu -C=NAME,LEVEL,TYPE; lscpu; lsblk; "
               "cat /sys/devices/system/cpu/possible", ["/usr/bin/lscpu", "/usr/bin/lsblk"], smp=3)
    lines = text.splitlines()
    assert [l for l in lines if l[:1].isdigit() and "," in l] == ["0,0,0,0,Y", "1,1,0,0,Y", "2,2,0,0,Y"]
    assert "L1d      1 Data" in text and "On-line CPU(s) list:" in text and lines[-1] == "0-2"
    assert "Core(s) per socket:" in text and "Flags:" in text and " sse2 " in text


def test_processes():
    ps, vmstat, free, uptime = "/usr/bin/ps", "/usr/bin/vmstat", "/usr/bin/free", "/usr/bin/uptime"
    text = run(f"exec 4</etc/passwd 5>/tmp/x 6<>/tmp/x; {ps} -e -o pid,ppid,user,nlwp,ni,stat,cmd | cat; "
               f"{vmstat} | tail -1 | wc -w; {vmstat} -s | wc -l; {vmstat} -d; {free} | grep -c Mem:; "
               f"{uptime} | grep -c 'load average'; lsof -p $$ | tail -3",
               [ps, vmstat, free, uptime, "/usr/bin/lsof"])
    lines = [line.split() for line in text.splitlines()]
    assert ["1", "0", "root", "1", "0", "Ss", "/init"] in lines
    assert [line for line in lines if line[-1] == "pid,ppid,user,nlwp,ni,stat,cmd"]
    assert ["17"] in lines and lines.count(["1"]) == 2
    assert [(line[3], line[-1]) for line in lines[-3:]] == \
        [("4r", "/etc/passwd"), ("5w", "/tmp/x"), ("6u", "/tmp/x")]


TERMINFO = ["/lib/terminfo:/lib/terminfo"]
LOCALE = "/usr/lib/locale/C.utf8"


TMUX = """
export TERM=linux LC_ALL=C.UTF-8 SHELL=/bin/sh
tmux -f /dev/null new-session -d -s one -x 60 -y 20
tmux split-window -t one
tmux list-panes -t one -F '#{pane_index} #{pane_width}x#{pane_height} #{pane_tty}'
tmux send-keys -t one.1 'stty size; tty; echo $((6 * 7)) >/tmp/done; tmux wait-for -S over' Enter
tmux wait-for over
cat /tmp/done
tmux capture-pane -p -t one.1 | grep -x '9 60\\|/dev/pts/1'
tmux kill-server
"""


def test_tmux():
    tools(LOCALE)
    text = run(TMUX, ["/usr/bin/tmux"], add=TERMINFO + [f"{LOCALE}:{LOCALE}"])
    assert text.splitlines() == ["0 60x10 /dev/pts/0", "1 60x9 /dev/pts/1", "42", "9 60", "/dev/pts/1"]
