// SPDX-License-Identifier: GPL-3.0-or-later
// Runs the kernel's build of ACPICA over table files, on the build machine:
//
//   acpi_aml [--paths] [--evaluate NAME]... TABLE...
//
// Makes the tables one machine (RSDP, XSDT; a FADT and FACS where none is given), brings ACPICA up
// as the kernel does, then prints the name space (a path a line) or the value of each NAME.
// aml.py compares what it prints with the expectation in the file and with Debian's acpiexec. Ends
// with status 1 when something fails.
#define _GNU_SOURCE
#include "kernel/acpi/acpica.h"
#include "kernel/acpi/test/host.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { ARENA = 16 << 20, TABLES_MAX = 64 };

// Tables lie below 4 GiB: a FADT of revision 1 knows nothing higher.
static uint8_t *arena;
static size_t arena_used;

bool host_owns(uint64_t address, size_t size)
{
    uint64_t start = (uintptr_t)arena;
    return address >= start && range_fits(address - start, size, ARENA);
}

static void *place(size_t size)
{
    void *at = arena + arena_used;
    arena_used += round_up(size, 64);
    if (arena_used > ARENA)
        exit(2);
    return at;
}

static void checksum(void *table, size_t size, uint8_t *byte)
{
    uint8_t sum = 0;
    *byte = 0;
    for (size_t i = 0; i < size; i++)
        sum = (uint8_t)(sum + ((uint8_t *)table)[i]);
    *byte = (uint8_t)-sum;
}

static struct acpi_table_header *load(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        exit(2);
    }
    fseek(f, 0, SEEK_END);
    long size = ftell(f);
    rewind(f);
    struct acpi_table_header *t = place((size_t)size);
    if (size < (long)sizeof(*t) || fread(t, 1, (size_t)size, f) != (size_t)size) {
        fprintf(stderr, "%s: not a table\n", path);
        exit(2);
    }
    fclose(f);
    return t;
}

static struct acpi_table_header *make(const char *name, size_t size, uint8_t revision)
{
    struct acpi_table_header *t = place(size);
    memcpy(t->signature, name, 4);
    t->length = (u32)size;
    t->revision = revision;
    return t;
}

// Leads from the FADT to the DSDT and the FACS, with whatever fields this FADT has.
static void fadt_connect(struct acpi_table_header *fadt, struct acpi_table_header *dsdt)
{
    struct acpi_table_fadt *f = (void *)fadt;
    struct acpi_table_facs *facs = place(sizeof(*facs));
    memcpy(facs->signature, "FACS", 4);
    facs->length = sizeof(*facs);
    f->facs = (u32)(uintptr_t)facs;
    f->dsdt = (u32)(uintptr_t)dsdt;
    if (fadt->length >= offsetof(struct acpi_table_fadt, Xdsdt) + 8) {
        f->Xfacs = 0;
        f->Xdsdt = 0;
    }
    checksum(fadt, fadt->length, &fadt->checksum);
}

static void machine_make(char **paths, int count)
{
    struct acpi_table_header *fadt = NULL, *dsdt = NULL, *listed[TABLES_MAX];
    unsigned n = 0;
    for (int i = 0; i < count && n < TABLES_MAX - 1; i++) {
        struct acpi_table_header *t = load(paths[i]);
        if (memcmp(t->signature, "DSDT", 4) == 0)
            dsdt = t;
        else
            listed[n++] = t;
        if (memcmp(t->signature, "FACP", 4) == 0)
            fadt = t;
    }
    if (!fadt) {
        fadt = listed[n++] = make("FACP", 276, 5);
        ((struct acpi_table_fadt *)fadt)->flags = ACPI_FADT_HW_REDUCED;
    }
    fadt_connect(fadt, dsdt);

    struct acpi_table_header *xsdt = make("XSDT", sizeof(*xsdt) + 8 * n, 1);
    for (unsigned i = 0; i < n; i++) {
        uint64_t address = (uintptr_t)listed[i];
        memcpy((char *)(xsdt + 1) + 8 * i, &address, 8);
    }
    checksum(xsdt, xsdt->length, &xsdt->checksum);
    struct acpi_table_rsdp *rsdp = place(sizeof(*rsdp));
    memcpy(rsdp->signature, "RSD PTR ", 8);
    rsdp->revision = 2;
    rsdp->length = sizeof(*rsdp);
    rsdp->xsdt_physical_address = (uintptr_t)xsdt;
    checksum(rsdp, 20, &rsdp->checksum);
    checksum(rsdp, sizeof(*rsdp), &rsdp->extended_checksum);
    host_rsdp = (void *)rsdp;
}

static bool step(const char *what, acpi_status status)
{
    if (ACPI_FAILURE(status))
        fprintf(stderr, "%s: %s\n", what, acpi_format_exception(status));
    return ACPI_SUCCESS(status);
}

// The same steps as load() in start.c.
static bool bring_up(void)
{
    acpi_gbl_enable_interpreter_slack = TRUE;
    return step("subsystem", acpi_initialize_subsystem()) &&
           step("tables", acpi_initialize_tables(NULL, 16, TRUE)) &&
           step("load", acpi_load_tables()) &&
           step("enable", acpi_enable_subsystem(ACPI_FULL_INITIALIZATION)) &&
           step("objects", acpi_initialize_objects(ACPI_FULL_INITIALIZATION));
}

static void value_print(const union acpi_object *o)
{
    switch (o->type) {
    case ACPI_TYPE_INTEGER:
        printf("int %llu", (unsigned long long)o->integer.value);
        break;
    case ACPI_TYPE_STRING:
        printf("str \"%s\"", o->string.pointer);
        break;
    case ACPI_TYPE_BUFFER:
        printf("buf");
        for (u32 i = 0; i < o->buffer.length; i++)
            printf(" %02x", o->buffer.pointer[i]);
        break;
    case ACPI_TYPE_PACKAGE:
        printf("pkg [");
        for (u32 i = 0; i < o->package.count; i++) {
            printf(i ? ", " : "");
            value_print(&o->package.elements[i]);
        }
        printf("]");
        break;
    case ACPI_TYPE_LOCAL_REFERENCE:
        printf("ref");
        break;
    default:
        printf("type %u", o->type);
    }
}

static void evaluate(char *name)
{
    struct acpi_buffer result = { ACPI_ALLOCATE_BUFFER, NULL };
    acpi_status status = acpi_evaluate_object(NULL, name, NULL, &result);
    if (ACPI_FAILURE(status))
        printf("error %s", acpi_format_exception(status));
    else if (result.length && result.pointer)
        value_print(result.pointer);
    else
        printf("nothing");
    printf("\n");
    acpi_os_free(result.pointer);
}

static acpi_status path_print(acpi_handle object, u32 level, void *context, void **result)
{
    static char path[512];
    struct acpi_buffer buffer = { sizeof(path), path };
    if (ACPI_SUCCESS(acpi_get_name(object, ACPI_FULL_PATHNAME, &buffer)))
        printf("%s\n", path);
    return AE_OK;
}

int main(int count, char **arguments)
{
    char *names[TABLES_MAX];
    int name_count = 0, i = 1;
    bool paths = false;
    for (; i < count && arguments[i][0] == '-'; i++) {
        if (strcmp(arguments[i], "--paths") == 0)
            paths = true;
        else if (i + 1 < count && name_count < TABLES_MAX)
            names[name_count++] = arguments[++i];
    }
    arena =
        mmap(NULL, ARENA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    if (arena == MAP_FAILED)
        return 2;
    machine_make(arguments + i, count - i);
    if (!bring_up())
        return 1;
    if (paths)
        acpi_walk_namespace(ACPI_TYPE_ANY, ACPI_ROOT_OBJECT, UINT32_MAX, path_print, NULL, NULL,
                            NULL);
    for (int n = 0; n < name_count; n++)
        evaluate(names[n]);
    acpi_terminate();
    return 0;
}
