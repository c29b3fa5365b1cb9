// SPDX-License-Identifier: GPL-3.0-or-later
// Requests as the servers of user schemes read them, and their answers, in both versions of the
// protocol: struct redox_packet (version 1) and struct redox_sqe, redox_cqe (version 2).
//
//   packet1_write(id, &message, &packet);                 kernel -> server
//   e = packet1_read(&packet, &answer);                   server -> kernel
//
// Pure functions. What comes from a server is hostile: whatever its bits, an answer is refused with
// -EINVAL or understood as one of enum answer_kind. Whether it fits the request it names is the
// reader's business (answer.c). Tests: test/packet.c; tests/fuzz/packet.c.
#pragma once
#include "lib/base.h"
#include <redox/types.h>

enum message_kind {
    MESSAGE_OPEN, // buffer: path; a: flags with mode
    MESSAGE_RMDIR,
    MESSAGE_UNLINK, // buffer: path
    MESSAGE_CLOSE,
    MESSAGE_DUP,  // buffer: a name
    MESSAGE_READ, // a: offset (all ones: the file's own), b: REDOX_RW_*
    MESSAGE_WRITE,
    MESSAGE_SEEK,    // version 1. a: offset, b: whence
    MESSAGE_SIZE,    // version 2
    MESSAGE_MODE,    // a: mode
    MESSAGE_OWNER,   // a: user, b: group
    MESSAGE_CONTROL, // a: command, b: argument (fcntl)
    MESSAGE_EVENT,   // a: REDOX_EVENT_*
    MESSAGE_SEND,    // a: REDOX_SENDFD_*, b: argument
    MESSAGE_PATH,
    MESSAGE_RENAME, // buffer: path
    MESSAGE_STATUS,
    MESSAGE_TOTALS,
    MESSAGE_SYNC,
    MESSAGE_RESIZE, // a: size
    MESSAGE_TIMES,
    MESSAGE_MAP,     // size; a: REDOX_MAP_* and REDOX_PROT_*, b: offset
    MESSAGE_UNMAP,   // size; a: 0, b: offset
    MESSAGE_CANCEL,  // a: id of the request; never answered
    MESSAGE_ENTRIES, // version 2. a: size of a header, b: where to go on
    // Of later versions than 0.5.2, for servers of version 2. Buffers of the first three: a path.
    MESSAGE_OPEN_AT,   // a: flags with mode, b: those of them that fcntl sets
    MESSAGE_REMOVE_AT, // a: REDOX_AT_*
    MESSAGE_LINK,
    MESSAGE_CALL, // a, b, and user and group in place of the caller's: the words of its metadata
    MESSAGE_COUNT
};

struct message {
    enum message_kind kind;
    int32_t process; // of the caller
    uint32_t user, group;
    uint64_t handle;       // the server's number of the open file
    uint64_t buffer, size; // in the server's space
    uint64_t a, b;
};

// All that most requests need is inline: a server's way to read is short.
extern const uint32_t packet1_calls[MESSAGE_COUNT];
void packet1_write_other(const struct message *m, struct redox_packet *p);
static inline void packet1_write(uint64_t id, const struct message *m, struct redox_packet *p)
{
    p->id = id;
    p->pid = (uint64_t)m->process;
    p->uid = m->user;
    p->gid = m->group;
    p->a = packet1_calls[m->kind];
    if (unlikely(m->kind != MESSAGE_READ && m->kind != MESSAGE_WRITE)) {
        packet1_write_other(m, p);
        return;
    }
    p->b = m->handle;
    p->c = m->buffer;
    p->d = m->size;
}

void packet2_write(uint64_t id, const struct message *m, struct redox_sqe *s);

enum answer_kind {
    ANSWER_RESULT,  // to request `id`: `result`, an error among them
    ANSWER_FILE,    // to request `id`: the server's descriptor `result` is the open file
    ANSWER_OBTAIN,  // the file that request `id` sends shall become a descriptor of the server
    ANSWER_EVENT,   // `flags` became true of the file `handle`
    ANSWER_NOTHING, // to be swallowed
};

enum { ANSWER_OBTAIN_AT = 1, ANSWER_OBTAIN_EXCLUSIVE = 2 }; // flags: `result` is a number

struct answer {
    enum answer_kind kind;
    bool positioned; // after open and dup: the kernel keeps the offset
    bool short_id;   // only the lower 32 bits of `id` are known (version 2)
    uint64_t id;
    int64_t result; // >= -4095; negative: an error that a program may see
    uint64_t handle, flags;
};

err_t packet1_read(const struct redox_packet *p, struct answer *a) must_check;
err_t packet2_read(const struct redox_cqe *c, struct answer *a) must_check;

// A server's error as a program may see it: 0 > result >= -4095 becomes a known errno.
int64_t answer_error(int64_t result);
