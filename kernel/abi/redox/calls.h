// SPDX-License-Identifier: GPL-3.0-or-later
// Every Redox call there is here: CALL(number, name, kinds of arguments), in the order of
// include/redox/call.h. Kinds: d number, x hexadecimal, f descriptor, s path (pointer and size), p
// pointer, z size, g signal. Included several times: no guard.
CALL(REDOX_SYS_CLOSE, close, "f")
CALL(REDOX_SYS_READ, read, "fpz")
CALL(REDOX_SYS_WRITE, write, "fpz")
CALL(REDOX_SYS_EXIT, exit, "d")
CALL(REDOX_SYS_GETPID, getpid, "")
CALL(REDOX_SYS_YIELD, yield, "")
