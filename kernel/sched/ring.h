// SPDX-License-Identifier: GPL-3.0-or-later
// The ring: which thread runs on which core, and when. Policy only; the kernel (turn.c) and the
// host simulation (test/ring_sim.c) both run these files.
//
// The wake-up IPI is the scheduler. Its handler ends in ring_turn(), the one place where a core
// chooses what runs next; a thread that blocks takes the same turn directly, without the interrupt.
// One turn token goes round the cores in the order of their numbers (APIC IDs), to cores that have
// use for it only:
//
//      core 0       core 1       core 2       core 3           core 2 sleeps: it is passed over
//     +------+     +------+     +------+     +------+
//     | turn | --> | turn |     | idle |  -> | turn |          --> one IPI, sent when the holder's
//     +------+ hop +------+ ----+------+-/   +------+              hop timer fires
//        ^                                      |              hop = slice / cores on the lap
//        +--------------------------------------+
//
// A core that gets the token charges its thread, takes work from a core that is behind, chooses,
// and arms one timer: its hop. So one lap is one time slice, slices are staggered by construction,
// and balancing needs no lock but two run queues', because only the holder balances. When nobody
// has use for the token it rests; a core that gets use for a resting token claims it by one
// compare-and-swap. An idle machine sends nothing and arms nothing.
//
//   ring_wake(r, me, item, RING_WOKEN, now);     a thread became runnable; at most one IPI
//   next = ring_turn(r, me, blocks, now);        the turn; NULL: idle
//   ring_timer(r, me, now);                      the core's timer fired
//
// A thread that calls another and waits for its answer hands it the core: ring_hand() before, and
// ring_turn_to_heir() in place of ring_turn() when it blocks (ring_heir.h).
//
// Fairness is by virtual time (service divided by weight), comparable between all cores: a thread
// that waits and has less of it than another core's threads is taken there on the token's lap, so
// 3 threads on 2 cores get two thirds each. Real-time threads go first, idle-class threads last.
//
// Invariants (checked at each step of the simulation; test/ring_sim.c):
//  1. One token: held by one core, on its way to one core, or at rest.
//  2. A wake-up sends at most one IPI, and none when the thread fits the core it woke on.
//  3. No core idles for longer than a lap while a thread that may run there waits.
//  4. A runnable thread of the fair class waits for a bounded time (laps x threads of its core).
//  5. When no core has use for the token, no timer is armed and no IPI is sent.
//
// Context: interrupts off, on the core `me`. Locks: each core's queue has one, taken by
// ring_port_lock; a second one only by ring_port_try_lock. Atomics, in pairs: `holder`
// store-release in pass / acquire in ring_turn (the token's payload before the token); `crowd` set,
// then `holder` read in ring_wake / `holder` set to rest, then `crowd` read in rest (both
// sequentially consistent: no use is missed).
#pragma once
#include "lib/base.h"
#include "lib/list.h"
#include "lib/rbtree.h"

#ifdef HOST_TEST
#define RING_CORES 1024 // the simulation's largest machine
#else
#define RING_CORES 64
#endif
enum { RING_WORDS = RING_CORES / 64, RING_NONE = UINT16_MAX };

// Times, ns.
#define RING_SLICE     (4 * NANOS_PER_MILLI)   // one lap
#define RING_HOP_LEAST (25 * NANOS_PER_MICRO)  // hops are not shorter
#define RING_HOP_ROOM  (200 * NANOS_PER_MICRO) // hop while a core idles that could help
#define RING_GRANULE   NANOS_PER_MILLI         // lead in virtual time that preempts
#define RING_LAG       (4 * RING_SLICE)        // virtual time that cores may lie apart
#define RING_NEVER     ((nanos_t)INT64_MAX)

// Scheduling class, most urgent first.
enum thread_class {
    CLASS_FIFO,  // real time: runs until it blocks
    CLASS_ROUND, // real time with time slices among equals
    CLASS_FAIR,  // by virtual time and weight
    CLASS_BATCH, // as fair, but never preempts on waking
    CLASS_IDLE,  // only when nothing else wants to run
};

// A set of cores.
struct ring_set {
    uint64_t word[RING_WORDS];
};

// What the ring knows of one thread.
struct ring_item {
    struct rb_node node;  // in the queue of `core`: fair and idle classes
    struct list link;     // the same: real time
    int64_t virtual_time; // weighted ns; while attached relative to core->base
    nanos_t since;        // charged up to here
    nanos_t ran;          // ns in all
    nanos_t queued_at;
    nanos_t slice_left; // CLASS_ROUND
    nanos_t woke_at;    // last woke another thread; 0: not since it last blocked
    uint32_t weight;
    uint16_t core;
    uint8_t class;     // enum thread_class
    uint8_t priority;  // 1..99 in the real-time classes, 99 most urgent
    int8_t nice;       // -20..19
    uint8_t inherited; // urgency lent by waiters for a mutex; 0: none
    uint8_t urgency;   // the higher of both: 0 idle, 1..40 fair (20 - nice), 101..199 real time
    uint8_t hand_over; // 0..8: how surely it blocks soon after waking another
    bool attached;     // counted in its core's load
    bool queued;       // waits in its core's queue
    bool rewoken;      // woken on its way to sleep: the turn keeps it
    bool misplaced;    // left a core it may no longer run on: place it once its stack is free
    bool on_core;      // its stack is in use (atomic)
    struct ring_set allowed;
};

// One core. The second part is published for other cores (atomics).
struct ring_core {
    struct ring_item *current; // NULL: idle
    struct rb_tree fair, idle;
    struct list real_time[100];
    uint64_t real_time_bits[2];
    uint32_t waiting; // queued items
    int64_t base;     // added to relative virtual times gives the machine's
    int64_t floor;    // least relative virtual time, never goes back
    nanos_t hop_at, guard_at;
    nanos_t chosen_at;      // when a turn last chose what runs, by the rules
    struct ring_item *heir; // takes the place of `current` when that blocks; in no queue
    nanos_t heir_at;        // when to look whether it still waits
    uint64_t heir_seen;     // `switches` when that was decided: since one, it is another heir
    uint16_t number;
    bool has_token, online;
    bool late;     // the guard came before the token
    uint8_t shown; // which of the machine's sets it is in, as queue_publish() left them
    uint64_t turns, passes, wake_ipis, pulls, switches; // counters

    bool sent align_to(64); // a turn is on its way here
    uint8_t urgency;        // of what runs; 0: idle
    uint32_t load;          // weights of all attached
    int64_t least;          // least virtual time here (the machine's); INT64_MAX: none
    int64_t first_free;     // the same of those that wait and may run anywhere
};

// The token. Only its holder touches all but `holder`.
enum { RING_RESTS = 1u << 31 };
struct ring_token {
    uint32_t holder;    // core number, | RING_RESTS
    uint16_t resume;    // where the lap goes on after a detour to an idle core
    uint16_t looked_at; // the crowded core whose waiting threads were last considered
    uint64_t laps;
};

struct ring {
    struct ring_core *core[RING_CORES];
    uint32_t cores;
    struct ring_token token align_to(64);
    int64_t clock align_to(64); // about the greatest floor of all cores, the machine's virtual time
    struct ring_set idle align_to(64);       // cores without anything to run
    struct ring_set crowd align_to(64);      // cores where something waits
    struct ring_set crowd_free align_to(64); // where something waits that may run anywhere
    struct ring_set calm align_to(64);       // cores not running real time
    struct ring_set urgent align_to(64);     // cores where real time waits
    struct ring_set online;
};

enum ring_wake { RING_WOKEN, RING_NEW, RING_MOVED };

void ring_init(struct ring *r);
void ring_core_init(struct ring *r, struct ring_core *c, unsigned number);
void ring_item_init(struct ring_item *i); // fair, nice 0, every core
// Class, priority, nice, inherited or allowed changed: works out the rest. Any core's item.
void ring_item_changed(struct ring *r, struct ring_core *me, struct ring_item *i,
                       void (*change)(struct ring_item *i, void *data), void *data, nanos_t now);

void ring_wake(struct ring *r, struct ring_core *me, struct ring_item *i, enum ring_wake how,
               nanos_t now);
struct ring_item *ring_turn(struct ring *r, struct ring_core *me, bool blocks, nanos_t now);
// After ring_hand(), when me->heir_at is RING_NEVER: sees to it that the heir does not wait long.
void ring_guard_heir(struct ring_core *me, nanos_t now);
void ring_timer(struct ring *r, struct ring_core *me, nanos_t now);
void ring_charge(struct ring_core *me, nanos_t now); // what runs; own queue locked
// What the item ran in all; any core's.
nanos_t ring_ran(struct ring *r, struct ring_item *i, nanos_t now);
// What runs on this core already (at boot) becomes an item.
void ring_adopt(struct ring *r, struct ring_core *me, struct ring_item *i, nanos_t now);
void ring_yield(struct ring_core *me, nanos_t now); // lets others of its urgency go first

static inline bool ring_set_has(const struct ring_set *s, unsigned n)
{
    unsigned word = RING_WORDS == 1 ? 0 : n / 64;
    return __atomic_load_n(&s->word[word], __ATOMIC_RELAXED) >> (n % 64) & 1;
}

bool ring_set_put(struct ring_set *s, unsigned n, bool in); // atomic
bool ring_set_empty(const struct ring_set *s);
// The first of a & b after `n` going round (n itself last); RING_NONE. b == NULL: all.
unsigned ring_set_next(const struct ring_set *a, const struct ring_set *b, unsigned n);

// The kernel (turn.h) and the simulation provide these.
#ifdef HOST_TEST
void ring_port_lock(struct ring_core *c);
void ring_port_unlock(struct ring_core *c);
bool ring_port_try_lock(struct ring_core *c);
#endif
void ring_port_send(struct ring_core *to);            // VECTOR_TURN
void ring_port_turn_here(struct ring_core *me);       // as soon as preemption is on
void ring_port_arm(struct ring_core *me, nanos_t at); // this core's timer; RING_NEVER: none
