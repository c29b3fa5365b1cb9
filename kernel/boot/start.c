// SPDX-License-Identifier: GPL-3.0-or-later
// From physical addresses to the kernel's own: reads the hand-off, chooses where the image goes
// (KASLR), relocates it, maps it with each part's permissions, and enters kernel_main() there.
//
// boot_start() and what it calls run at physical addresses before relocation: they use no static
// pointer and no switch table that holds addresses, and the build gives this file neither
// sanitizers nor stack protector. The page tables here last until memory_init() makes its own:
// the low 4 GiB in the direct map, and the image.
#include "kernel/boot/parse.h"
#include "kernel/arch/x86_64/percpu.h"
#include "kernel/boot/main.h"
#include "kernel/memory/layout.h"
#include "lib/command_line.h"
#include "lib/string.h"

enum {
    PAGE_PRESENT = 1 << 0,
    PAGE_WRITE = 1 << 1,
    PAGE_LARGE = 1 << 7,
    PAGE_GLOBAL = 1 << 8,

    RELOCATION_RELATIVE = 8,
    KERNEL_TABLES = 16, // page tables for the image's mixed 2 MiB regions
    MSR_GS_BASE = 0xc0000101u,
};
#define PAGE_NO_EXECUTE (1ull << 63)

struct relocation {
    uint64_t offset, info;
    int64_t addend;
};

// A part of the image with one kind of access.
struct part {
    char *start, *end;
    uint64_t flags;
};

extern char kernel_start[], kernel_end[], boot_stack_guard[], boot_stack_top[];
extern struct relocation rela_start[], rela_end[];
extern int32_t user_access_start[][2], user_access_end[][2];
extern uint64_t boot_top_table[512], boot_low_table[512];

// The stack protector's guard, chosen here; everything with a guarded frame runs later.
extern uint64_t __stack_chk_guard;
uint64_t __stack_chk_guard = 0x5bd1e995cafe0000;

static struct handoff handoff;
static char rsdp_copy[36] align_to(16);
static uint64_t image_tables[2 + KERNEL_TABLES][512] align_to(4096);
#ifdef CONFIG_DEBUG
static uint64_t shadow_tables[3][512] align_to(4096);
static char shadow_page[4096] align_to(4096);
#endif

void boot_start(uint32_t magic, uint32_t info, phys_t image) __attribute__((noreturn));
void boot_enter_high(void (*target)(void), void *stack_top) __attribute__((noreturn));

const char *command_line(void)
{
    return handoff.command_line;
}

static void port_write(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port));
}

// For what goes wrong before there is a log.
static void __attribute__((noreturn)) give_up(const char *text)
{
    for (; *text; text++)
        port_write(0x3f8, (uint8_t)*text);
    for (;;)
        __asm__ volatile("cli\n\thlt");
}

static void cpuid(uint32_t leaf, uint32_t r[4])
{
    __asm__ volatile("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3]) : "a"(leaf), "c"(0));
}

// Entropy from RDRAND where there is one, stirred with the time stamp counter.
static uint64_t random_word(void)
{
    uint64_t word = __builtin_ia32_rdtsc(), drawn;
    uint32_t r[4];
    cpuid(1, r);
    if (r[2] & 1u << 30)
        for (unsigned tries = 0; tries < 10; tries++) {
            bool good;
            __asm__ volatile("rdrand %0" : "=r"(drawn), "=@ccc"(good));
            if (good) {
                word ^= drawn;
                break;
            }
        }
    word = (word ^ word >> 31) * 0x9e3779b97f4a7c15ull;
    return (word ^ word >> 29) * 0xbf58476d1ce4e5b9ull;
}

static uint64_t choose_slide(void)
{
    if (command_line_has(handoff.command_line, "nokaslr"))
        return 0;
    uint64_t size = round_up((uint64_t)(kernel_end - kernel_start), LARGE_PAGE_SIZE);
    uint64_t places = (GIB(1) - size) / LARGE_PAGE_SIZE;
    return (random_word() >> 16) % places * LARGE_PAGE_SIZE;
}

// In the part of the image that will be read-only.
struct kernel_layout kernel_layout __attribute__((section(".data.rel.ro.layout")));

static uint64_t random_below(uint64_t limit)
{
    return (random_word() >> 16) % limit;
}

// Where the early tables' one gigabyte table can show four gigabytes.
enum { FIRST_GIB = 4, LAST_GIB = 508 };

static void choose_layout(void)
{
    kernel_layout = (struct kernel_layout){ DIRECT_MAP_START, PAGE_ARRAY_START, 0 };
    if (command_line_has(handoff.command_line, "nokaslr"))
        return;
    const struct framebuffer *f = &handoff.framebuffer;
    uint64_t top = GIB(4), slot = GIB(512);
    for (unsigned i = 0; i < handoff.range_count; i++)
        if (handoff.ranges[i].kind == MEMORY_USABLE)
            top = max_of(top, handoff.ranges[i].start + handoff.ranges[i].size);
    if (f->width)
        top = max_of(top, f->address + (uint64_t)f->pitch * f->height);
    uint64_t slots = (DIRECT_MAP_END - DIRECT_MAP_START) / slot, needed = top / slot + 2;
    if (needed < slots)
        kernel_layout.direct_map += random_below(slots - needed) * slot +
                                    (FIRST_GIB + random_below(LAST_GIB - FIRST_GIB + 1)) * GIB(1);
    uint64_t places = (PAGE_ARRAY_END - PAGE_ARRAY_START) / GIB(1) - 512; // 512 GiB at the most
    kernel_layout.page_array += random_below(places) * GIB(1);
    kernel_layout.vmap_skip = random_below(GIB(64) / MIB(1)) * MIB(1);
}

// The image at `image` is made to run at `slide` above its link address.
static void relocate(phys_t image, uint64_t slide)
{
    for (struct relocation *r = rela_start; r < rela_end; r++) {
        if ((uint32_t)r->info != RELOCATION_RELATIVE)
            give_up("CryptOS: the kernel image holds a relocation that is not relative\r\n");
        *(uint64_t *)(image + (r->offset - KERNEL_LINK_BASE)) = (uint64_t)r->addend + slide;
    }
}

// Turns the no-operations of user_access.h into STAC and CLAC where the CPU has them.
static void patch_user_access(void)
{
    uint32_t r[4];
    cpuid(0, r);
    if (r[0] < 7 || command_line_lists(handoff.command_line, "no", "smap"))
        return;
    cpuid(7, r);
    if (!(r[1] & 1u << 20))
        return;
    for (int32_t(*site)[2] = user_access_start; site < user_access_end; site++) {
        uint8_t *at = (uint8_t *)&(*site)[0] + (*site)[0];
        at[1] = 0x01;
        at[2] = (uint8_t)(*site)[1];
    }
}

// Table flags of the image's page at `p`, 0 for the stack's guard page.
static uint64_t part_flags(const struct part *parts, const char *p)
{
    if (p == boot_stack_guard)
        return 0;
    for (; parts->start; parts++)
        if (p >= parts->start && p < parts->end)
            return parts->flags | PAGE_PRESENT | PAGE_GLOBAL;
    return 0;
}

static bool uniform(const struct part *parts, const char *p, uint64_t flags)
{
    for (uint64_t i = 0; i < LARGE_PAGE_SIZE; i += PAGE_SIZE)
        if (p + i >= kernel_end || part_flags(parts, p + i) != flags)
            return false;
    return true;
}

// A linker symbol's address where this code runs now; a table of them would hold relocated ones.
#define HERE(symbol)                                        \
    ({                                                      \
        char *here;                                         \
        __asm__("lea " #symbol "(%%rip), %0" : "=r"(here)); \
        here;                                               \
    })

// Maps the image: 2 MiB pages where a whole one has one kind of access, 4 KiB pages elsewhere.
static void map_image(phys_t image, uint64_t slide)
{
    const struct part parts[] = {
        { HERE(text_start), HERE(text_end), 0 },
        { HERE(rodata_start), HERE(rodata_end), PAGE_NO_EXECUTE },
        { HERE(data_start), HERE(bss_end), PAGE_WRITE | PAGE_NO_EXECUTE },
        { NULL, NULL, 0 },
    };
    uint64_t *upper = image_tables[0], *directory = image_tables[1];
    unsigned used = 2;
    boot_top_table[511] = (uint64_t)upper | PAGE_PRESENT | PAGE_WRITE;
    upper[510] = (uint64_t)directory | PAGE_PRESENT | PAGE_WRITE;

    uint64_t first = slide / LARGE_PAGE_SIZE;
    for (char *p = kernel_start; p < kernel_end; p += LARGE_PAGE_SIZE, first++) {
        uint64_t at = image + (uint64_t)(p - kernel_start);
        uint64_t flags = part_flags(parts, p);
        if (uniform(parts, p, flags)) {
            directory[first] = at | flags | PAGE_LARGE;
            continue;
        }
        if (used == array_len(image_tables))
            give_up("CryptOS: the kernel image needs more page tables than start.c has\r\n");
        uint64_t *table = image_tables[used++];
        for (unsigned i = 0; i < 512 && p + i * PAGE_SIZE < kernel_end; i++) {
            flags = part_flags(parts, p + i * PAGE_SIZE);
            table[i] = flags ? (at + i * PAGE_SIZE) | flags : 0;
        }
        directory[first] = (uint64_t)table | PAGE_PRESENT | PAGE_WRITE;
    }
}

// Debug builds: one page is all shadow memory until memory_init() makes the real one. Frames of the
// stack leave their marks in it, but nobody looks yet.
static void map_shadow(void)
{
#ifdef CONFIG_DEBUG
    uint64_t top = KASAN_OFFSET + (DIRECT_MAP >> 3);
    for (unsigned i = 0; i < 512; i++) {
        shadow_tables[0][i] = (uint64_t)shadow_tables[1] | PAGE_PRESENT | PAGE_WRITE;
        shadow_tables[1][i] = (uint64_t)shadow_tables[2] | PAGE_PRESENT | PAGE_WRITE;
        shadow_tables[2][i] = (uint64_t)shadow_page | PAGE_PRESENT | PAGE_WRITE | PAGE_NO_EXECUTE;
    }
    for (unsigned i = top >> 39 & 511; i < 511; i++)
        if (!boot_top_table[i] && i < (0xfffffc0000000000ull >> 39 & 511))
            boot_top_table[i] = (uint64_t)shadow_tables[0] | PAGE_PRESENT | PAGE_WRITE;
#endif
}

static void start_high(void)
{
    boot_top_table[0] = 0;
    __asm__ volatile("mov %%cr3, %%rax\n\tmov %%rax, %%cr3" ::: "rax", "memory");
    uint64_t base = (uint64_t)percpu_start;
    __asm__ volatile("wrmsr" ::"c"(MSR_GS_BASE), "a"((uint32_t)base), "d"((uint32_t)(base >> 32)));
    kernel_main(&handoff);
}

// The loader's copy of ACPI's root pointer may be overwritten: keep one of our own.
static void keep_rsdp(const struct boot_memory *m)
{
    if (!handoff.rsdp || !boot_memory_read(m, handoff.rsdp, rsdp_copy, 20))
        return;
    bool is_long = rsdp_copy[15] >= 2; // revision
    if (is_long && !boot_memory_read(m, handoff.rsdp, rsdp_copy, sizeof(rsdp_copy)))
        return;
    handoff.rsdp = (phys_t)rsdp_copy;
}

void boot_start(uint32_t magic, uint32_t info, phys_t image)
{
    struct boot_memory low = { .bytes = NULL, .start = 0, .size = GIB(4) };
    err_t e = magic == PVH_MAGIC          ? pvh_parse(&low, info, &handoff)
              : magic == MULTIBOOT2_MAGIC ? multiboot2_parse(&low, info, &handoff)
                                          : -1;
    if (e)
        give_up("CryptOS: the boot loader's information makes no sense\r\n");

    uint64_t slide = choose_slide();
    uint64_t move = KERNEL_LINK_BASE + slide - image;
    keep_rsdp(&low);
    handoff.kernel_start = image;
    handoff.kernel_end = image + (uint64_t)(kernel_end - kernel_start);
    handoff.kernel_slide = slide;
    handoff.protocol += move;
    __stack_chk_guard = random_word() << 8;

    relocate(image, slide);
    patch_user_access();
    choose_layout();
    for (unsigned i = 0; i < 4; i++) // beside the identity map, which goes when this code has run
        boot_low_table[(DIRECT_MAP >> 30 & 511) + i] = boot_low_table[i];
    boot_top_table[DIRECT_MAP >> 39 & 511] =
        (uint64_t)boot_low_table | PAGE_PRESENT | PAGE_WRITE | PAGE_NO_EXECUTE;
    map_image(image, slide);
    map_shadow();
    boot_enter_high((void (*)(void))((char *)start_high + move), boot_stack_top + move);
}
