// SPDX-License-Identifier: GPL-3.0-or-later
// Making and ending user schemes.
#include "kernel/memory/heap.h"
#include "kernel/scheme/kernel_schemes.h"
#include "kernel/scheme/namespace.h"
#include "kernel/scheme/path_scheme.h"
#include "kernel/scheme/user/inside.h"
#include "kernel/scheme/user/limits.h"
#include "lib/string.h"

static void scheme_drop(struct scheme *scheme)
{
    struct user_scheme *s = user_scheme_of(scheme);
    requests_fail(&s->queue, false); // for one that was never registered
    request_queue_drop(&s->queue);
    account_put(s->account);
    heap_free(s);
}

static const struct scheme_ops user_scheme_ops = {
    .root = path_scheme_root,
    .open_path = client_open,
    .remove_path = client_remove,
    .drop = scheme_drop,
};

void user_scheme_get(struct user_scheme *s)
{
    scheme_get(&s->scheme);
}

void user_scheme_put(struct user_scheme *s)
{
    scheme_put(&s->scheme);
}

static bool name_is_fit(const char *name, size_t length)
{
    if (length == 0 || length >= SCHEME_NAME_MAX || name[0] == '.')
        return false;
    for (size_t i = 0; i < length; i++)
        if (name[i] == '/' || name[i] == ':' || (unsigned char)name[i] <= ' ')
            return false;
    return true;
}

static err_t scheme_make(const char *name, size_t length, const struct caller *c, bool version2,
                         struct user_scheme **scheme)
{
    struct window *window = NULL;
    struct user_scheme *s = heap_alloc(sizeof(*s) + length + 1);
    struct scheme_account *account = account_get(c->user);
    err_t e = s && account ? window_make(c->space, &window) : -ENOMEM;
    if (!e && !account_take(&account->schemes, account->schemes_max))
        e = -EAGAIN;
    if (e) {
        if (window)
            window_put(window);
        account_put(account);
        heap_free(s);
        return e;
    }
    memcpy(s->name, name, length);
    s->scheme.name = s->name;
    s->scheme.ops = &user_scheme_ops;
    s->scheme.references = 1;
    s->account = account;
    s->version2 = version2;
    request_queue_init(&s->queue, window);
    spin_init(&s->clients_lock, RANK_QUEUE);
    hash_table_init(&s->clients, s->client_buckets, CLIENT_BUCKETS);
    *scheme = s;
    return 0;
}

err_t user_scheme_make(const char *name, size_t length, unsigned flags, struct file **server)
{
    struct caller c;
    caller_look(&c);
    if (!c.override || !c.space)
        return -EACCES;
    if (!name_is_fit(name, length))
        return -EINVAL;
    struct user_scheme *s;
    err_t e = scheme_make(name, length, &c, flags & OPEN_SYNC, &s);
    if (e)
        return e;
    e = namespace_add(c.names, &s->scheme); // which holds the first reference
    if (e) {
        account_give(&s->account->schemes);
        scheme_drop(&s->scheme);
        return e;
    }
    user_scheme_get(s); // the file's
    unsigned stay = OPEN_READ | OPEN_WRITE | OPEN_NONBLOCK;
    e = file_make(s->version2 ? &server_files2 : &server_files, NULL, NULL, flags & stay, s,
                  server);
    if (e) {
        user_scheme_end(s, false);
        user_scheme_put(s);
    }
    return e;
}

void user_scheme_end(struct user_scheme *s, bool serves_on)
{
    requests_fail(&s->queue, serves_on);
    events_hang_up(s);
    if (__atomic_exchange_n(&s->removed, true, __ATOMIC_ACQ_REL))
        return;
    account_give(&s->account->schemes);
    namespace_remove(&s->scheme);
}

err_t user_scheme_remove(const char *name, size_t length)
{
    struct caller c;
    caller_look(&c);
    if (!c.override)
        return -EACCES;
    struct scheme *s;
    err_t e = namespace_find(c.names, name, length, &s);
    if (e)
        return e;
    if (s->ops == &user_scheme_ops)
        user_scheme_end(user_scheme_of(s), true);
    else
        e = -EPERM;
    scheme_put(s);
    return e;
}

void user_schemes_init(void)
{
    root_scheme_set_makers(
        &(struct scheme_makers){ .make = user_scheme_make, .remove = user_scheme_remove });
}
