# SPDX-License-Identifier: GPL-3.0-or-later
# What shells and common tools do, alike in ash and bash and on both kernels: test_shell.py compares.
set -u
x=abc; echo ${x#a} ${#x} $((0x10 + 3 * 2))
f() { echo "f $# $1"; return 3; }; f a b; echo $?
for i in a b c; do printf '%s-' $i; done; echo
echo one two three | { read a b; echo "$b"; }
seq 5 | while read n; do [ $n -gt 3 ] && echo big $n; done
cat <<EOF | tr a-z A-Z
here $x
EOF
(cd /usr; pwd); pwd
mkdir -p /tmp/t/d; cd /tmp/t; echo 1 > a; echo 2 >> a; cat a; ln a b; ln -s a c
ls -l c | sed 's/.*c -> /c -> /'
stat -c '%h %s %F' a b c
mv a e; cat c 2>&1 | sed 's/.*: //'; rm c; cp e g; cmp e g && echo same
chmod 600 e; stat -c %a e; touch -d '2020-01-02 03:04:05' e; stat -c %Y e
find . -type f | sort; du -s . >/dev/null; rmdir d; ls
cd /; rm -rf /tmp/t
sleep 100 & p=$!; kill -TERM $p; wait $p; echo "term $?"
sleep 100 & p=$!; kill -KILL $p; wait $p; echo "kill $?"
sh -c 'kill -STOP $$; echo resumed' & p=$!
until grep -q 'State:.T' /proc/$p/status; do sleep 0.05; done
grep -h State /proc/$p/status; kill -CONT $p; wait $p; echo "cont $?"
trap 'echo trapped' USR1; kill -USR1 $$; trap - USR1
(trap 'echo bye; exit 5' TERM; sleep 0.2 & wait; : > /tmp/ready; while :; do sleep 0.05; done) & p=$!
until [ -e /tmp/ready ]; do sleep 0.05; done; rm /tmp/ready; kill $p; wait $p; echo "trap $?"
yes | head -1000 | wc -l
dd if=/dev/zero bs=4096 count=100 2>/dev/null | md5sum
exec 3>/tmp/fd3; echo three >&3; exec 3>&-; cat /tmp/fd3; rm /tmp/fd3
echo $(echo nested $(echo deep))
true && echo and; false || echo or
[ -t 0 ] && echo tty || echo notty
mkfifo /tmp/p; (echo through > /tmp/p) & cat /tmp/p; wait; rm /tmp/p
ulimit -n; ulimit -s; umask
awk 'BEGIN{for(i=0;i<3;i++) s=s i; print s}'
sort -r <<X
b
c
a
X
expr 7 \* 6; basename /a/b/c.d .d; dirname /a/b/c
timeout 0.2 sleep 5; echo "timeout $?"
id -u
(exec -a foo sleep 0) 2>/dev/null; echo $?
nosuch 2>/dev/null; echo $?; /etc/passwd 2>/dev/null; echo $?; sh -c 'exit 300'; echo $?
kill -l 15; test -e /proc/self/exe && readlink /proc/self/exe | wc -l
head -c 5 /dev/urandom | wc -c; echo done
