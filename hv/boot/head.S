/* From the boot loader to C, and the application processors' way there.
 *
 * Multiboot 1 with address fields (flag bit 16): the image is a flat binary, so a loader that refuses 64-bit ELF
 * files takes it. Entered in 32-bit protected mode, paging off, EAX = magic, EBX = info (Multiboot 0.6.96, 3.2).
 * The boot page tables map the first 4 GiB three times: identity, direct map, and 1 GiB at the link address;
 * mm/hostmap.c replaces them. */
#include "hv/boot/layout.h"

#define MB_MAGIC  0x1BADB002
#define MB_FLAGS  0x00010003                    /* page-align modules, memory info, address fields */
#define PHYS(sym) ((sym) - LINK_BASE)

#define CR0_BITS  0x80010033                    /* PG WP NE ET MP PE */
#define CR4_BITS  0x00000620                    /* OSXMMEXCPT OSFXSR PAE; tables are made before PGE is set */
#define MSR_EFER  0xC0000080
#define EFER_BITS 0x00000900                    /* NXE LME */

        .macro long_mode_on                     /* EAX = CR3; leaves in compatibility mode */
        mov %eax, %cr3
        mov $CR4_BITS, %eax
        mov %eax, %cr4
        mov $MSR_EFER, %ecx
        rdmsr
        or $EFER_BITS, %eax
        wrmsr
        mov $CR0_BITS, %eax
        mov %eax, %cr0
        .endm

        .section .head, "ax"
        .code32
        .balign 4
multiboot_header:
        .long MB_MAGIC, MB_FLAGS, -(MB_MAGIC + MB_FLAGS)
        .long PHYS(multiboot_header)            /* header_addr */
        .long HV_PHYS_BASE                      /* load_addr */
        .long PHYS(_data_end)                   /* load_end_addr */
        .long PHYS(_bss_end)                    /* bss_end_addr */
        .long PHYS(start32)                     /* entry_addr */

        .globl start32
start32:
        cli
        cld
        mov %eax, %esi                          /* magic, kept for boot_main */
        mov $PHYS(boot_stack_top), %esp
        push $0                                 /* no flags left behind */
        popf
        mov %ebx, %edi                          /* info; CPUID changes EBX */
        mov $0x80000000, %eax
        cpuid
        cmp $0x80000001, %eax
        jb no_long_mode
        mov $0x80000001, %eax
        cpuid
        bt $29, %edx                            /* LM (APM 3, Fn8000_0001_EDX) */
        jnc no_long_mode

        /* Page directories: 2048 entries of 2 MiB, present writable large. */
        mov $PHYS(boot_pd), %ebx
        mov $0x83, %eax
        xor %ecx, %ecx
1:      mov %eax, (%ebx,%ecx,8)
        movl $0, 4(%ebx,%ecx,8)
        add $0x200000, %eax
        inc %ecx
        cmp $2048, %ecx
        jne 1b
        mov $PHYS(boot_pdpt), %ebx
        mov $PHYS(boot_pd) + 3, %eax
        xor %ecx, %ecx
2:      mov %eax, (%ebx,%ecx,8)
        add $0x1000, %eax
        inc %ecx
        cmp $4, %ecx
        jne 2b
        movl $PHYS(boot_pd) + 3, PHYS(boot_pdpt_link) + 510 * 8
        movl $PHYS(boot_pdpt) + 3, PHYS(boot_pml4)
        movl $PHYS(boot_pdpt) + 3, PHYS(boot_pml4) + 256 * 8
        movl $PHYS(boot_pdpt_link) + 3, PHYS(boot_pml4) + 511 * 8

        mov $PHYS(boot_pml4), %eax
        long_mode_on
        lgdt PHYS(boot_gdt_desc)
        ljmp $0x08, $PHYS(start64)

/* Too early for the console: say it on COM1 by hand and stop. */
no_long_mode:
        mov $PHYS(no_long_mode_text), %esi
3:      mov $0x3FD, %dx
        in %dx, %al
        test $0x20, %al
        jz 3b
        lodsb
        test %al, %al
        jz 4f
        mov $0x3F8, %dx
        out %al, %dx
        jmp 3b
4:      hlt
        jmp 4b

        .code64
start64:
        mov $0x10, %eax
        mov %eax, %ds
        mov %eax, %es
        mov %eax, %ss
        xor %eax, %eax
        mov %eax, %fs
        mov %eax, %gs
        movabs $boot_stack_top, %rsp
        mov %edi, %eax
        mov %esi, %edi                          /* boot_main(magic, info) */
        mov %eax, %esi
        xor %ebp, %ebp
        movabs $boot_main, %rax
        call *%rax
        ud2

        .section .head.rodata, "a"
        .balign 16
boot_gdt:
        .quad 0
        .quad 0x00AF9B000000FFFF                /* 64-bit code */
        .quad 0x00CF93000000FFFF                /* data */
        .quad 0x00CF9B000000FFFF                /* 32-bit code, for the trampoline */
boot_gdt_end:
        .globl boot_gdt_desc
boot_gdt_desc:
        .word boot_gdt_end - boot_gdt - 1
        .long PHYS(boot_gdt)
no_long_mode_text:
        .asciz "xenoserver: this CPU has no long mode; a 64-bit AMD CPU with SVM and nested paging is needed\r\n"

/* The application processors: copied below 1 MiB (smp.c), entered in real mode at offset 0, CS = page >> 4. */
        .section .trampoline, "ax"
        .code16
        .globl trampoline, trampoline_end, trampoline_cr3, trampoline_stack, trampoline_entry
trampoline:
        cli
        cld
        mov %cs, %ax
        mov %ax, %ds
        xor %ebx, %ebx
        mov %ax, %bx
        shl $4, %ebx                            /* linear base of this copy */
        lgdtl trampoline_gdt_desc - trampoline
        lea trampoline32 - trampoline(%ebx), %eax
        mov %eax, trampoline_far - trampoline
        mov $1, %eax
        mov %eax, %cr0
        ljmpl *trampoline_far - trampoline
        .code32
trampoline32:
        mov $0x10, %eax
        mov %eax, %ds
        mov %eax, %es
        mov %eax, %ss
        mov trampoline_cr3 - trampoline(%ebx), %eax
        long_mode_on
        lea trampoline64 - trampoline(%ebx), %eax
        mov %eax, trampoline_far - trampoline(%ebx)
        movw $0x08, trampoline_far + 4 - trampoline(%ebx)
        ljmp *trampoline_far - trampoline(%ebx)
        .code64
trampoline64:
        mov trampoline_stack - trampoline(%rbx), %rsp
        mov trampoline_entry - trampoline(%rbx), %rax
        xor %ebp, %ebp
        call *%rax
        ud2
        .balign 8
trampoline_gdt_desc:
        .word boot_gdt_end - boot_gdt - 1
        .long PHYS(boot_gdt)
trampoline_far:
        .long 0
        .word 0x18
        .balign 8
trampoline_cr3:   .quad 0
trampoline_stack: .quad 0
trampoline_entry: .quad 0
trampoline_end:

        .section .bss
        .balign 4096
boot_pml4:      .skip 4096
boot_pdpt:      .skip 4096
boot_pdpt_link: .skip 4096
boot_pd:        .skip 4 * 4096
boot_stack:     .skip 16384
        .globl boot_stack_top
boot_stack_top:

        .section .note.GNU-stack, "", @progbits
