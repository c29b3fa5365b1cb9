// SPDX-License-Identifier: GPL-3.0-or-later
// The vDSO: a small shared object (user/vdso) that every program finds mapped, for the calls that
// only read the clock. In front of it lies the page that the kernel keeps the clock's numbers in.
//
// Both are memory objects made once at boot and never changed but for the numbers; programs map
// them privately and may neither write the one nor execute the other.
#include "kernel/abi/linux/linux.h"
#include "kernel/console/log.h"
#include "kernel/sched/clock_page.h"
#include "lib/string.h"

// Made by the build from user/vdso.
extern const unsigned char vdso_image[];
extern const unsigned long vdso_image_size;

static const struct pager data_pager = { .name = "[vvar]" };
static const struct pager code_pager = { .name = "[vdso]" };
static struct memory_object *data, *code; // both, or none

// An object of the bytes' copy.
static struct memory_object *object_of(const void *bytes, size_t size)
{
    struct memory_object *o = object_make(&code_pager, NULL, round_up(size, PAGE_SIZE));
    for (size_t at = 0; o && at < size; at += PAGE_SIZE) {
        struct page *p;
        if (object_page(o, at >> PAGE_SHIFT, true, &p)) {
            object_put(o);
            return NULL;
        }
        memcpy(page_virt(p), (const char *)bytes + at, min_of(size - at, (size_t)PAGE_SIZE));
        page_put(p);
    }
    return o;
}

static struct memory_object *object_of_clock(void)
{
    struct page *p = clock_page_make();
    if (!p)
        return NULL;
    struct memory_object *o = object_make(&data_pager, NULL, PAGE_SIZE);
    if (o && !object_adopt(o, 0, p))
        return o;
    if (o)
        object_put(o);
    return NULL; // the page stays: the clock knows it
}

void linux_vdso_init(void)
{
    code = object_of(vdso_image, vdso_image_size);
    data = code ? object_of_clock() : NULL;
    if (!data)
        log_warn("linux: no memory for the vDSO: programs ask the time by calls");
}

uaddr_t linux_vdso_map(struct space *s)
{
    if (!data)
        return 0;
    struct map_request code_request = {
        .size = vdso_image_size,
        .access = MAP_READ | MAP_EXECUTE,
        .max_access = MAP_READ | MAP_EXECUTE,
        .flags = MAPF_POPULATE,
        .object = code,
    };
    uaddr_t at;
    if (space_map(s, &code_request, &at))
        return 0;
    struct map_request data_request = {
        .address = at - PAGE_SIZE,
        .size = PAGE_SIZE,
        .access = MAP_READ,
        .max_access = MAP_READ,
        .flags = MAPF_FIXED | MAPF_NO_REPLACE | MAPF_POPULATE,
        .object = data,
    };
    uaddr_t data_at;
    if (!space_map(s, &data_request, &data_at))
        return at;
    // Without its data the code must not stay.
    (void)!space_unmap(s, at, vdso_image_size);
    return 0;
}
