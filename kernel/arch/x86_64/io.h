// SPDX-License-Identifier: GPL-3.0-or-later
// Port I/O and device registers in memory. Any context; the caller's locks order the accesses.
//
//   uint8_t status = port_in8(0x3fd);
//   mmio_write32(base + 0x10, value);
#pragma once
#include "lib/base.h"

static force_inline uint8_t port_in8(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

static force_inline uint16_t port_in16(uint16_t port)
{
    uint16_t value;
    __asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

static force_inline uint32_t port_in32(uint16_t port)
{
    uint32_t value;
    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

static force_inline void port_out8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port) : "memory");
}

static force_inline void port_out16(uint16_t port, uint16_t value)
{
    __asm__ volatile("outw %0, %1" ::"a"(value), "Nd"(port) : "memory");
}

static force_inline void port_out32(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" ::"a"(value), "Nd"(port) : "memory");
}

// Plain moves of the width said, which hypervisors can decode; addresses are mapped uncached.
static force_inline uint32_t mmio_read32(const volatile void *at)
{
    uint32_t value;
    __asm__ volatile("movl %1, %0" : "=r"(value) : "m"(*(const volatile uint32_t *)at) : "memory");
    return value;
}

static force_inline uint64_t mmio_read64(const volatile void *at)
{
    uint64_t value;
    __asm__ volatile("movq %1, %0" : "=r"(value) : "m"(*(const volatile uint64_t *)at) : "memory");
    return value;
}

static force_inline void mmio_write32(volatile void *at, uint32_t value)
{
    __asm__ volatile("movl %1, %0" : "=m"(*(volatile uint32_t *)at) : "r"(value) : "memory");
}

static force_inline void mmio_write64(volatile void *at, uint64_t value)
{
    __asm__ volatile("movq %1, %0" : "=m"(*(volatile uint64_t *)at) : "r"(value) : "memory");
}
