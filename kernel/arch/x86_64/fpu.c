// SPDX-License-Identifier: GPL-3.0-or-later
// Floating point and vector state (fpu.h). Intel SDM volume 1, chapter 13.
//
// percpu_head.fpu_loaded is the state whose values this CPU's registers hold or held last;
// state->cpu says on which CPU it was loaded last. Registers still hold a state exactly when both
// agree, so a thread that comes back to its CPU with only kernel threads in between is not loaded
// again. `fpu_live`: the registers are newer than the state, their thread runs. Each CPU touches
// only its own variables, with preemption off; a state belongs to its thread.
#include "kernel/arch/x86_64/fpu.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/fpu_frame.h"
#include "kernel/arch/x86_64/needs.h"
#include "kernel/arch/x86_64/preempt.h"
#include "kernel/arch/x86_64/registers.h"
#include "kernel/console/log.h"
#include "kernel/console/panic.h"
#include "lib/string.h"

#define XCR0_AVX512    (7 << 5)
#define CPUID7_AVX512F (1 << 16)

enum {
    CONTROL_INITIAL = 0x37f, // x87: all exceptions masked, extended precision
    MXCSR_INITIAL = 0x1f80,
    MXCSR_MASK_AT = 28,      // offset in the legacy area
    MXCSR_MASK_OLD = 0xffbf, // where the processor does not tell
    AREA_AT = 64,
};

_Static_assert(offsetof(struct fpu_state, area) == AREA_AT, "XSAVE needs 64-byte alignment");

static struct fpu_layout layout = { .area_size = FPU_LEGACY_SIZE };
static struct slab_cache *cache;
static char *initial; // a fresh area

static DEFINE_PERCPU(bool, in_simd);
struct fpu_switch fpu_switching;

static inline void area_save(char *area)
{
    uint32_t low = (uint32_t)layout.features, high = (uint32_t)(layout.features >> 32);
    if (likely(fpu_switching.optimised))
        __asm__ volatile("xsaveopt64 (%0)" ::"r"(area), "a"(low), "d"(high) : "memory");
    else if (layout.extended)
        __asm__ volatile("xsave64 (%0)" ::"r"(area), "a"(low), "d"(high) : "memory");
    else
        __asm__ volatile("fxsave64 (%0)" ::"r"(area) : "memory");
}

static inline void area_load(const char *area)
{
    uint32_t low = (uint32_t)layout.features, high = (uint32_t)(layout.features >> 32);
    if (layout.extended)
        __asm__ volatile("xrstor64 (%0)" ::"r"(area), "a"(low), "d"(high) : "memory");
    else
        __asm__ volatile("fxrstor64 (%0)" ::"r"(area) : "memory");
}

// What XCR0 gets: whatever of x87, SSE, AVX and AVX-512 is there.
static uint64_t features_wanted(void)
{
    uint64_t features = XCR0_X87 | XCR0_SSE;
    uint32_t there = cpuid(0xd, 0).a;
    if (cpu_has(CPU_AVX) && (there & XCR0_AVX)) {
        features |= XCR0_AVX;
        bool avx512 = cpuid(0, 0).a >= 7 && (cpuid(7, 0).b & CPUID7_AVX512F);
        if (avx512 && (there & XCR0_AVX512) == XCR0_AVX512)
            features |= XCR0_AVX512;
    }
    return features;
}

static void features_enable(void)
{
    cr4_write(cr4_read() | CR4_OSFXSR | CR4_OSXMMEXCPT | (layout.extended ? CR4_OSXSAVE : 0));
    if (layout.extended)
        xcr_write(0, layout.features);
}

void fpu_init_cpu(void)
{
    features_enable();
    area_load(initial);
}

static void find_mxcsr_mask(void)
{
    static char area[FPU_LEGACY_SIZE] align_to(64);
    __asm__ volatile("fxsave64 (%0)" ::"r"(area) : "memory");
    memcpy(&layout.mxcsr_mask, area + MXCSR_MASK_AT, sizeof(uint32_t));
    if (layout.mxcsr_mask == 0)
        layout.mxcsr_mask = MXCSR_MASK_OLD;
}

static void make_initial(void)
{
    const uint16_t control = CONTROL_INITIAL;
    const uint32_t mxcsr = MXCSR_INITIAL;
    initial = vmap_alloc(layout.area_size); // for its alignment
    if (initial == NULL)
        panic("fpu: no memory for %u bytes at boot", layout.area_size);
    memcpy(initial, &control, sizeof(control));
    memcpy(initial + FPU_MXCSR_AT, &mxcsr, sizeof(mxcsr));
}

void fpu_init(void)
{
    layout.extended = cpu_has(CPU_XSAVE);
    if (layout.extended)
        layout.features = features_wanted();
    fpu_switching = (struct fpu_switch){
        .optimised = layout.extended && cpu_has(CPU_XSAVEOPT),
        .low = (uint32_t)layout.features,
        .high = (uint32_t)(layout.features >> 32),
    };
    features_enable();
    if (layout.extended)
        layout.area_size = cpuid(0xd, 0).b; // for the features in XCR0
    find_mxcsr_mask();
    make_initial();
    area_load(initial);
    cache = slab_cache_make("fpu", fpu_state_size(), 64);
    log_info("fpu: %s, features %#lx, %u bytes a thread",
             !layout.extended        ? "FXSAVE"
             : cpu_has(CPU_XSAVEOPT) ? "XSAVEOPT"
                                     : "XSAVE",
             layout.features, (unsigned)fpu_state_size());
}

size_t fpu_state_size(void)
{
    return AREA_AT + layout.area_size;
}

void fpu_state_reset(struct fpu_state *s)
{
    s->cpu = -1;
    memcpy(s->area, initial, layout.area_size);
}

struct fpu_state *fpu_state_make(void)
{
    struct fpu_state *s = slab_alloc(cache);
    if (s != NULL)
        fpu_state_reset(s);
    return s;
}

void fpu_state_drop(struct fpu_state *s)
{
    if (s == NULL)
        return;
    s->cpu = -1;
    slab_free(cache, s);
}

void fpu_state_copy(struct fpu_state *to, const struct fpu_state *from)
{
    to->cpu = -1;
    memcpy(to->area, from->area, layout.area_size);
}

static inline void state_load(struct fpu_state *s)
{
    struct percpu_head *c = percpu_self();
    if (c->fpu_loaded != s || s->cpu != (int32_t)c->number) {
        area_load(s->area);
        c->fpu_loaded = s;
        s->cpu = (int32_t)c->number;
    }
    c->fpu_live = true;
}

void fpu_switch(struct fpu_state *from, struct fpu_state *to)
{
    struct percpu_head *c = percpu_self();
    if (from && c->fpu_live)
        area_save(from->area);
    c->fpu_live = false;
    if (to)
        state_load(to);
}

void fpu_save_current(struct fpu_state *s)
{
    area_save(s->area);
}

// The caller wrote the state, so the registers are old even when they are this state's.
void fpu_load_current(const struct fpu_state *s)
{
    struct fpu_state *own = (struct fpu_state *)s;
    own->cpu = -1;
    state_load(own);
}

const struct fpu_layout *fpu_layout(void)
{
    return &layout;
}

size_t fpu_frame_size(void)
{
    return fpu_frame_bytes(&layout);
}

void fpu_frame_write(const struct fpu_state *s, void *to)
{
    fpu_frame_pack(&layout, s->area, to);
}

err_t fpu_frame_read(struct fpu_state *s, const void *from, size_t size)
{
    s->cpu = -1;
    return fpu_frame_unpack(&layout, from, size, s->area);
}

// The interrupted code's section, not the thread's, owns the registers then.
bool simd_begin(void)
{
    preempt_off();
    uint64_t flags = irq_save();
    struct percpu_head *c = percpu_self();
    bool free = !this_cpu(in_simd);
    if (free) {
        this_cpu(in_simd) = true;
        if (c->fpu_live)
            area_save(c->fpu_loaded->area);
        else
            c->fpu_loaded = NULL;
    }
    irq_restore(flags);
    if (!free)
        preempt_on();
    return free;
}

void simd_end(void)
{
    uint64_t flags = irq_save();
    struct percpu_head *c = percpu_self();
    if (c->fpu_live)
        area_load(c->fpu_loaded->area);
    this_cpu(in_simd) = false;
    irq_restore(flags);
    preempt_on();
}
