// SPDX-License-Identifier: GPL-3.0-or-later
// Address spaces: a tree of mappings over memory objects, and the page tables that cache it.
//
//   struct space *s;  err_t e = space_make(&s);
//   uaddr_t at = 0;
//   e = space_map(s, &(struct map_request){ .size = n, .access = MAP_READ | MAP_WRITE }, &at);
//   space_load(s);                    this CPU now runs in it
//   space_put(s);
//
// Invariants: mappings never overlap, are page aligned, and hold a reference on their object;
// neighbours with equal object, continuous offset and equal access are one mapping. A private
// mapping's own copies live in its anonymous overlay (copy-on-write by reference count: a page with
// more than one reference is never written). fork copies mappings and shares the pages read-only.
// Locks: s->lock (RANK_SPACE, many readers for faults); page tables RANK_PAGE_TABLE.
// Context: threads only; everything here may sleep, but space_load().
#pragma once
#include "kernel/arch/x86_64/atomic.h"
#include "kernel/arch/x86_64/paging.h"
#include "kernel/arch/x86_64/percpu.h"
#include "kernel/arch/x86_64/speculation.h"
#include "kernel/memory/object.h"
#include "lib/range_tree.h"

enum map_access { MAP_READ = 1, MAP_WRITE = 2, MAP_EXECUTE = 4 };

enum map_flag {
    MAPF_SHARED = 1 << 0,     // writes go to the object
    MAPF_FIXED = 1 << 1,      // exactly at `address`; replaces what is there
    MAPF_NO_REPLACE = 1 << 2, // with FIXED: -EEXIST when something is there
    MAPF_POPULATE = 1 << 3,   // make the pages now
    MAPF_GROWS_DOWN = 1 << 4, // a stack: grows on faults just below it, up to its limit
    MAPF_STACK = 1 << 5,      // for /proc/PID/maps
    MAPF_HEAP = 1 << 6,
    MAPF_NO_FORK = 1 << 7, // madvise(DONTFORK)
    MAPF_LOCKED = 1 << 8,
    MAPF_LOW = 1 << 9, // below 2 GiB
    MAPF_WIPE_ON_FORK = 1 << 10,
    MAPF_NO_HUGE = 1 << 11,
    MAPF_LENT = 1 << 13,   // private memory that space_share() made shared; fork copies it
    MAPF_PINNED = 1 << 12, // the kernel's, for lending (window.h): the program may not change it
};

struct map_request {
    uaddr_t address;              // wish, or the place with MAPF_FIXED
    uint64_t size;                // bytes; rounded up to pages
    unsigned access;              // enum map_access
    unsigned max_access;          // what mprotect may ask for later; 0: all
    unsigned flags;               // enum map_flag
    struct memory_object *object; // NULL: anonymous (shared anonymous makes an object)
    uint64_t offset;              // bytes into the object, page aligned
    void *file;                   // opaque to memory: the open file, for /proc/PID/maps and counts
    uint64_t file_shift;          // `offset` minus the file's own offset, modulo 2^64
};

struct mapping {
    union {
        struct range_node range; // in space.mappings
        struct {
            struct rb_node node;
            uaddr_t start, end; // the same as range.start, range.end
        };
    };
    uint16_t access, max_access;
    uint32_t flags;
    struct memory_object *object; // NULL: private anonymous
    uint64_t offset;              // into object, of start
    struct list object_link;      // in object.mappings, guarded by the object's lock
    struct space *space;
    void *file;
    uint64_t file_shift; // map_request
};

// Of one mapping: what is in memory, and how much of that is its own (not an object's).
struct mapping_residency {
    uint64_t bytes, own;
};

struct space_usage {
    uint64_t mapped, resident, locked, data, stack, code; // bytes
};

_Static_assert(offsetof(struct mapping, start) == offsetof(struct mapping, range.start) &&
                   offsetof(struct mapping, end) == offsetof(struct mapping, range.end),
               "two names for one place");

// A program's mappings are kernel memory: no more than what Linux allows.
enum { SPACE_MAPPINGS_MAX = 65530 };

struct space {
    uint32_t references;
    struct rwlock lock;
    struct rb_tree mappings;
    struct spinlock table_lock; // RANK_PAGE_TABLE
    phys_t top_table;
    uint64_t cpus_loaded;    // bit for each CPU that has it loaded: who gets TLB requests
    uint64_t cpus_lazy;      // those of them that run a kernel thread
    uint32_t mapping_count;  // at most SPACE_MAPPINGS_MAX are made by a program
    uint64_t id;             // never used twice
    uint32_t user;           // who runs in it: speculation.h forgets between users
    uint64_t tlb_generation; // counts TLB requests: a CPU that missed some forgets what it kept
    uint64_t resident_pages, mapped_bytes, resident_peak;
    uint64_t mapped_limit, data_limit, stack_limit; // bytes, from the process's limits
    unsigned lock_later;                            // map_flags that new mappings get (mlockall)
    uaddr_t map_lowest;                             // below it nothing is mapped unless fixed
    bool fixed_places;                              // nothing in it is put at random places
    uaddr_t map_hint, heap_start, heap_end;         // brk
    uaddr_t stack_top, arguments_start, arguments_end, environment_start, environment_end;
    uaddr_t auxiliary_start, auxiliary_end; // of the first stack
    uaddr_t code_start, code_end, data_start, data_end;
};

// How the scheme room counts references on a mapping's `file`, and is told that [offset, offset +
// size) of it is no longer mapped at one place. Set once at boot. Called in thread context without
// locks; `unmapped` may be called while a process ends, so it must not wait for another one.
struct space_file_hooks {
    void (*get)(void *file);
    void (*put)(void *file);
    void (*unmapped)(void *file, uint64_t offset, uint64_t size);
};
void space_set_file_hooks(const struct space_file_hooks *hooks);

// Called, in the thread that asked, when there is no memory for a user page that the kernel itself
// touches (user_memory.h, whose caller then sees -EFAULT). Set once at boot by the process room.
void space_set_exhausted_hook(void (*hook)(void));

// Called, in the thread that faulted, for each page fault that was settled: it counts them. Set
// once.
void space_set_fault_hook(void (*hook)(void));

err_t space_make(struct space **space) must_check;
void space_fix_places(struct space *s); // of a fresh one
void space_get(struct space *s);
void space_put(struct space *s);                                    // the last one unmaps all
err_t space_fork(struct space *from, struct space **to) must_check; // copy on write
// The same without the mappings that `keep` does not want.
err_t space_fork_some(struct space *from, bool (*keep)(const struct mapping *m), struct space **to)
    must_check;

// Switches this CPU's page tables. Interrupts off or preemption off. NULL: the kernel's own.
void space_load(struct space *s);
void space_switch(struct space *s); // the same with interrupts off
// The same from one program's, whose thread runs, to another's.
static force_inline void space_exchange(struct space *from, struct space *to)
{
    if (unlikely(!switch_is_plain)) {
        space_switch(to);
        return;
    }
    uint64_t number = cpu_number();
    atomic_bit_set(&to->cpus_loaded, number);
    cr3_write(to->top_table);
    percpu_set_spaces(to);
    atomic_bit_clear(&from->cpus_loaded, number);
}

err_t space_map(struct space *s, const struct map_request *r, uaddr_t *address) must_check;
err_t space_unmap(struct space *s, uaddr_t start, uint64_t size) must_check;
err_t space_protect(struct space *s, uaddr_t start, uint64_t size, unsigned access) must_check;
err_t space_protect_sparse(struct space *s, uaddr_t start, uint64_t size, unsigned access)
    must_check; // passes over what is not mapped
enum remap_flag {
    REMAP_MAY_MOVE = 1,
    REMAP_FIXED = 2,      // to *address, replacing what is there
    REMAP_NO_REPLACE = 4, // with FIXED: -EEXIST when something is there
    REMAP_KEEP_OLD = 8,   // with MAY_MOVE and the size as it is: moves the pages, the mapping stays
};
// mremap: to a new size, in place or elsewhere. `flags`: enum remap_flag.
err_t space_remap(struct space *s, uaddr_t old, uint64_t old_size, uint64_t new_size,
                  unsigned flags, uaddr_t *address) must_check;
err_t space_set_heap_end(struct space *s, uaddr_t end) must_check;             // brk
err_t space_discard(struct space *s, uaddr_t start, uint64_t size) must_check; // MADV_DONTNEED
err_t space_sync(struct space *s, uaddr_t start, uint64_t size, bool invalidate)
    must_check; // msync
err_t space_populate(struct space *s, uaddr_t start, uint64_t size) must_check;
// Makes the pages present for one kind of access (MADV_POPULATE_*). -ENOMEM: also a hole; -EINVAL:
// a mapping without that right; -EFAULT: past an object's end.
err_t space_prefault(struct space *s, uaddr_t start, uint64_t size, unsigned access) must_check;
err_t space_set_flags(struct space *s, uaddr_t start, uint64_t size, unsigned set, unsigned clear)
    must_check;
// Keeps what is mapped there resident, as long as no more than `limit` bytes of the space are then
// (UINT64_MAX: no bound). -ENOMEM: more, or a hole. `populate`: makes the pages now. Unlocked by
// space_set_flags(). A fork's copy is not locked.
err_t space_lock(struct space *s, uaddr_t start, uint64_t size, uint64_t limit, bool populate)
    must_check;
// The same of all mappings there are (`now`) and of those to come (`later`).
err_t space_lock_all(struct space *s, bool now, bool later, uint64_t limit, bool populate)
    must_check;
void space_unlock_all(struct space *s);
// mincore: one byte a page, bit 0: resident. `out` is kernel memory.
err_t space_residency(struct space *s, uaddr_t start, uint64_t pages, uint8_t *out) must_check;

// A page fault at `address` from user mode or from user_memory.c. 0: settled, run again.
// -EFAULT: no mapping or no right (SIGSEGV); -EACCES: mapping there but the right is missing
// (SIGSEGV/SEGV_ACCERR); -EIO: past the object's end (SIGBUS); -ENOMEM: kill the process.
err_t space_fault(struct space *s, uaddr_t address, unsigned access) must_check;

// The page behind an address of any space, with a reference, faulted in for `access` (for
// /proc/PID/mem, ptrace, futexes on shared memory, lending to servers).
err_t space_page(struct space *s, uaddr_t address, unsigned access, struct page **page) must_check;

// The page behind an address of private memory, made the space's own, whatever the program itself
// may do there: what a debugger writes into code is seen by this program alone. The rights stay as
// they are. -EFAULT: nothing there; -EACCES: shared memory.
err_t space_page_own(struct space *s, uaddr_t address, struct page **page) must_check;

// An object over [start, start + size) of any space, so that another space can map the same frames.
// What was private to `s` becomes shared memory of it, in place; its later children share it too.
// -EFAULT: not mapped as a whole; -EINVAL: not one piece of memory that can be shared (a growing
// stack, several objects); -EBUSY: on loan; -ENOMEM.
struct space_shared {
    struct memory_object *object; // with a reference
    uint64_t offset;              // of `start` in it
    bool writable;                // `s` may write there: else nobody should by a shared mapping
};
err_t space_share(struct space *s, uaddr_t start, uint64_t size, struct space_shared *shared)
    must_check;
// What was lent and is mapped by nobody else any more becomes private again. Before a program runs
// in `s`: futexes there are found by another key after it.
void space_reclaim(struct space *s);

// Where the memory behind an address is, made present and, if the mapping may be written, its own
// (so that it stays there while nobody forks). -EFAULT.
err_t space_physical(struct space *s, uaddr_t address, phys_t *at) must_check;

// What names a futex: private -> (space, address); shared -> (object, offset).
struct futex_key {
    uint64_t object; // address of the space or the memory object
    uint64_t offset;
};
err_t space_futex_key(struct space *s, uaddr_t address, bool shared, struct futex_key *key)
    must_check;

// For those whom space_visit() calls.
void mapping_residency(const struct mapping *m, struct mapping_residency *r);

// Whether any page of [start, start + size) lies in a mapping.
bool space_is_mapped(struct space *s, uaddr_t start, uint64_t size);

// Visits mappings in order of address; stops when `visit` returns false. Holds the lock for
// reading.
void space_visit(struct space *s, bool (*visit)(const struct mapping *m, void *data), void *data);
// The same from the mapping at `start`, or the first above, on.
void space_visit_from(struct space *s, uaddr_t start,
                      bool (*visit)(const struct mapping *m, void *data), void *data);
void space_usage(struct space *s, struct space_usage *usage);

// The space of the thread that runs on this CPU (NULL: a kernel thread).
static inline struct space *space_current(void)
{
    return percpu_space();
}
