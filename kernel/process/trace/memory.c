// SPDX-License-Identifier: GPL-3.0-or-later
// See memory.h.
#include "kernel/process/trace/memory.h"

static err_t page_for(struct space *s, uaddr_t at, unsigned how, struct page **p)
{
    err_t e = space_page(s, at, how & MEMORY_WRITE ? MAP_WRITE : MAP_READ, p);
    if (e == -EACCES && (how & MEMORY_FORCE))
        e = space_page_own(s, at, p);
    return e == -ENOMEM ? e : e ? -EFAULT : 0;
}

err_t memory_transfer(struct space *s, uaddr_t address, struct io *io, unsigned how)
{
    err_t e = 0;
    uint64_t begun = io->done;
    while (!e && io->left) {
        uaddr_t at = address + (io->done - begun);
        size_t inside = at % PAGE_SIZE, n = (size_t)min_of(io->left, PAGE_SIZE - inside);
        struct page *p;
        e = at >= USER_END || at < address ? -EFAULT : page_for(s, at - inside, how, &p);
        if (e)
            break;
        char *bytes = (char *)page_virt(p) + inside;
        e = how & MEMORY_WRITE ? io_get(io, bytes, n) : io_put(io, bytes, n);
        page_put(p);
    }
    return e;
}
