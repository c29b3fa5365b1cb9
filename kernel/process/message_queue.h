// SPDX-License-Identifier: GPL-3.0-or-later
// Message queues with keys (System V; msgget(2) and its kin).
//
//   int id;  err_t e = messages_get(key, IPC_MAKE, 0600, &id);
//   struct ipc_message *m;  e = ipc_message_make(size, &m);  ... fill m->bytes, m->type ...
//   e = messages_send(id, m, true);                     `m` is the queue's, unless it fails
//   e = messages_receive(id, &wish, &m);  ... take m->bytes ...  ipc_message_drop(m);
//
// A message is charged to the user who made it until it is dropped. A queue has a spin lock
// (RANK_QUEUE) for its messages and for who waits: who sends hands its message to a waiting
// receiver, who receives lets in what waiting senders have. Thread context; may sleep. Tests:
// tests/programs/messages.c.
#pragma once
#include "kernel/process/ipc.h"

enum {
    MESSAGE_QUEUES_MAX = 4096,
    MESSAGE_SIZE_MAX = 8192,
    MESSAGES_BYTES_MAX = 16384, // in one queue, unless its owner may raise that
};

struct ipc_message {
    struct list link;
    int64_t type; // > 0
    size_t size;
    struct scheme_account *account;
    char bytes[];
};

enum message_choice {
    MESSAGE_ANY,
    MESSAGE_OF_TYPE,
    MESSAGE_NOT_OF_TYPE,
    MESSAGE_UP_TO,
    MESSAGE_AT
};
struct message_wish {
    enum message_choice choice;
    int64_t type;      // UP_TO: the lowest type that is at most this; AT: which of all, from 0
    size_t room;       // -E2BIG where the message is longer, unless it may be `cut`
    bool cut, no_wait; // -ENOMSG instead of waiting; AT never waits and leaves the message
};

struct messages_status {
    struct ipc ipc;
    int64_t sent_time, received_time, change_time;
    uint64_t bytes, count, bytes_max;
    int32_t last_sender, last_receiver;
};

struct messages_totals {
    unsigned queues, last_place;
    uint64_t messages, bytes;
};

void message_queues_init(void);
err_t ipc_message_make(size_t size, struct ipc_message **m) must_check; // -ENOMEM
void ipc_message_drop(struct ipc_message *m);                           // NULL: nothing to do

err_t messages_get(int32_t key, unsigned flags, unsigned mode, int *id) must_check;
// -EINVAL, -EACCES, -EAGAIN: no room and it is not to wait; -EIDRM: removed meanwhile; -EINTR.
err_t messages_send(int id, struct ipc_message *m, bool no_wait) must_check;
// The caller's to drop. -EINVAL, -EACCES, -E2BIG, -ENOMSG, -EIDRM, -EINTR, -ENOMEM.
err_t messages_receive(int id, const struct message_wish *wish, struct ipc_message **m) must_check;
err_t messages_remove(int id) must_check; // -EINVAL, -EPERM
// -EPERM: more bytes than MESSAGES_BYTES_MAX, without the right to.
err_t messages_set(int id, const struct ipc_owner *owner, uint64_t bytes_max) must_check;
err_t messages_status(int id, bool by_place, bool any, struct messages_status *status) must_check;
void messages_totals(struct messages_totals *totals);
