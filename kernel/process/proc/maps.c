// SPDX-License-Identifier: GPL-3.0-or-later
// /proc/PID/maps, smaps, mounts and mountinfo: lists that another room hands out one by one.
#include "kernel/memory/heap.h"
#include "kernel/process/proc/proc.h"
#include "lib/string.h"

struct visit {
    struct text *out;
    struct view view;
    char *path; // PATH_LENGTH_MAX bytes
    unsigned number;
};

static err_t visit_begin(struct visit *v, struct text *out, struct credentials **hold)
{
    *v = (struct visit){ .out = out, .path = heap_alloc(PATH_LENGTH_MAX) };
    if (!v->path)
        return -ENOMEM;
    view_begin(&v->view, hold);
    return 0;
}

static void visit_end(struct visit *v, struct credentials *hold)
{
    view_end(&v->view, hold);
    heap_free(v->path);
}

static bool map_line(const struct mapping *m, void *data)
{
    struct visit *v = data;
    struct file *f = m->file;
    uint64_t device = 0, inode = 0;
    size_t length = 0;
    if (f && f->node) {
        device = f->node->scheme->device;
        inode = f->node->inode;
        if (!f->where || name_path(&v->view, f->where, true, v->path, PATH_LENGTH_MAX, &length))
            length = 0;
    }
    const char *pager = m->object ? m->object->pager->name : "";
    const char *label = m->flags & MAPF_STACK  ? "[stack]"
                        : m->flags & MAPF_HEAP ? "[heap]"
                        : *pager == '['        ? pager
                                               : "";
    text_add(v->out, "%08lx-%08lx %c%c%c%c %08lx %02lx:%02lx %lu ", m->start, m->end,
             m->access & MAP_READ ? 'r' : '-', m->access & MAP_WRITE ? 'w' : '-',
             m->access & MAP_EXECUTE ? 'x' : '-', m->flags & MAPF_SHARED ? 's' : 'p',
             m->offset - m->file_shift, device >> 8, device & 0xff, inode);
    text_add(v->out, "%*s%.*s%s\n", 20, "", (int)length, v->path, label);
    return !v->out->cut;
}

// What the mappings have in memory, in bytes.
struct sizes {
    uint64_t mapped, resident, own, locked;
};

static void sizes_of(const struct mapping *m, struct sizes *all)
{
    struct mapping_residency r;
    mapping_residency(m, &r);
    all->mapped += m->end - m->start;
    all->resident += r.bytes;
    all->own += r.own;
    all->locked += m->flags & MAPF_LOCKED ? r.bytes : 0;
}

static void size_add(struct text *out, const char *name, uint64_t bytes)
{
    text_add(out, "%s:%*s%8lu kB\n", name, 15 - (int)strlen(name), "", bytes >> 10);
}

// Pss: how many share an object's page is not counted.
static void residency_add(struct text *out, const struct sizes *all)
{
    size_add(out, "Rss", all->resident);
    size_add(out, "Pss", all->resident);
    size_add(out, "Shared_Clean", all->resident - all->own);
    size_add(out, "Shared_Dirty", 0);
    size_add(out, "Private_Clean", 0);
    size_add(out, "Private_Dirty", all->own);
    size_add(out, "Referenced", all->resident);
    size_add(out, "Anonymous", all->own);
    size_add(out, "Swap", 0);
    size_add(out, "SwapPss", 0);
    size_add(out, "Locked", all->locked);
}

static void sizes_add(struct text *out, const struct mapping *m)
{
    struct sizes all = { 0 };
    sizes_of(m, &all);
    size_add(out, "Size", all.mapped);
    size_add(out, "KernelPageSize", PAGE_SIZE);
    size_add(out, "MMUPageSize", PAGE_SIZE);
    residency_add(out, &all);
}

static bool sizes_line(const struct mapping *m, void *data)
{
    struct visit *v = data;
    if (!map_line(m, data))
        return false;
    sizes_add(v->out, m);
    text_add(v->out, "VmFlags:%s%s%s%s mr mw me%s%s%s%s%s \n", m->access & MAP_READ ? " rd" : "",
             m->access & MAP_WRITE ? " wr" : "", m->access & MAP_EXECUTE ? " ex" : "",
             m->flags & MAPF_SHARED ? " sh" : "", m->flags & MAPF_GROWS_DOWN ? " gd" : "",
             m->flags & MAPF_LOCKED ? " lo" : "", m->flags & MAPF_NO_FORK ? " dc" : "",
             m->flags & MAPF_WIPE_ON_FORK ? " wf" : "", m->flags & MAPF_NO_HUGE ? " nh" : "");
    return !v->out->cut;
}

static err_t maps_text(const struct proc_target *t, struct text *out,
                       bool (*line)(const struct mapping *m, void *data))
{
    struct visit v;
    struct credentials *hold;
    struct space *s;
    err_t e = process_inspect_space(t->process, &s);
    if (e || !s)
        return e;
    e = visit_begin(&v, out, &hold);
    if (!e) {
        space_visit(s, line, &v);
        visit_end(&v, hold);
    }
    space_put(s);
    return e;
}

err_t proc_maps_text(const struct proc_target *t, struct text *out)
{
    return maps_text(t, out, map_line);
}

err_t proc_maps_sizes_text(const struct proc_target *t, struct text *out)
{
    return maps_text(t, out, sizes_line);
}

static bool sum_line(const struct mapping *m, void *data)
{
    sizes_of(m, data);
    return true;
}

err_t proc_maps_sum_text(const struct proc_target *t, struct text *out)
{
    struct sizes all = { 0 };
    struct space *s;
    err_t e = process_inspect_space(t->process, &s);
    if (e || !s)
        return e;
    space_visit(s, sum_line, &all);
    space_put(s);
    text_add(out, "%08lx-%08lx ---p 00000000 00:00 0 %26s[rollup]\n", (unsigned long)PAGE_SIZE,
             (unsigned long)USER_END, "");
    residency_add(out, &all);
    return 0;
}

// Linux's names of the schemes that are its file systems.
static const char *kind_of(const struct scheme *s)
{
    static const char *const names[][2] = {
        { "tmp", "tmpfs" },
        { "dev", "devtmpfs" },
        { "pts", "devpts" },
    };
    for (size_t i = 0; i < array_len(names); i++) {
        if (!strcmp(names[i][0], s->name))
            return names[i][1];
    }
    return s->name;
}

static bool mount_path(struct visit *v, const struct mount *m, size_t *length)
{
    return !name_path(&v->view, m->root, false, v->path, PATH_LENGTH_MAX, length);
}

static bool mount_line(struct mount *m, void *data)
{
    struct visit *v = data;
    size_t length;
    if (!mount_path(v, m, &length))
        return true;
    text_add(v->out, "%s %.*s %s %s%s%s%s 0 0\n", m->source ? m->source : "none", (int)length,
             v->path, kind_of(m->scheme), m->flags & MOUNT_READ_ONLY ? "ro" : "rw",
             m->flags & MOUNT_NO_SUID ? ",nosuid" : "", m->flags & MOUNT_NO_DEVICES ? ",nodev" : "",
             m->flags & MOUNT_NO_EXECUTE ? ",noexec" : "");
    return !v->out->cut;
}

static bool mount_info_line(struct mount *m, void *data)
{
    struct visit *v = data;
    size_t length;
    unsigned number = ++v->number;
    if (!mount_path(v, m, &length))
        return true;
    text_add(v->out, "%u 1 0:%u / %.*s %s - %s %s rw\n", number, m->scheme->device, (int)length,
             v->path, m->flags & MOUNT_READ_ONLY ? "ro" : "rw", kind_of(m->scheme),
             m->source ? m->source : "none");
    return !v->out->cut;
}

static err_t visit_mounts(struct text *out, bool (*line)(struct mount *m, void *data))
{
    struct visit v;
    struct credentials *hold;
    err_t e = visit_begin(&v, out, &hold);
    if (e)
        return e;
    mount_visit(line, &v);
    visit_end(&v, hold);
    return 0;
}

err_t proc_mounts_text(const struct proc_target *t, struct text *out)
{
    return visit_mounts(out, mount_line);
}

err_t proc_mount_info_text(const struct proc_target *t, struct text *out)
{
    return visit_mounts(out, mount_info_line);
}
