// SPDX-License-Identifier: GPL-3.0-or-later
// Requests that files answer beside read and write (what ioctl and fcntl ask for), in neutral form.
//
//   uint64_t waiting;
//   err_t e = file_control(f, CONTROL_BYTES_READY, &waiting);
//
// `argument` is always kernel memory of the type named beside the request; each ABI copies it in
// and out. A file that does not know a request answers -ENOTTY. Numbers below 0x100 belong to this
// room; a room that has requests of its own takes a range here and lists them in a header of its
// own.
#pragma once

enum control_request {
    CONTROL_BYTES_READY = 1, // uint64_t *: how many bytes a read would get now (FIONREAD)
    CONTROL_BYTES_QUEUED,    // uint64_t *: written but not yet taken (TIOCOUTQ)
    CONTROL_PIPE_SIZE,       // uint64_t *: capacity of a pipe in bytes (F_GETPIPE_SZ)
    CONTROL_SET_PIPE_SIZE,   // uint64_t *: wish in, result out (F_SETPIPE_SZ)
    CONTROL_DEVICE_SIZE,     // uint64_t *: bytes of a block device (BLKGETSIZE64)

    CONTROL_TERMINAL_FIRST = 0x100, // the terminal's, to 0x1ff
    CONTROL_BLOCK_FIRST = 0x200,    // block devices', to 0x2ff
};
