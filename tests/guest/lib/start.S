/* From the PVH entry (32-bit, paging off, EBX = start info; xen/arch-x86/hvm/start_info.h)
 * to guest_start() in long mode: the first 4 GiB mapped one to one, nothing above. */
    .section .note.Xen, "a", @note
    .balign 4
    .long 4, 4, 18                      /* XEN_ELFNOTE_PHYS32_ENTRY */
    .asciz "Xen"
    .long start32

    .text
    .code32
    .globl start32
start32:
    cli
    cld
    mov %ebx, %edi                      /* first argument of guest_start */
    mov $pml4, %eax
    mov %eax, %cr3
    mov $0x20, %eax                     /* CR4.PAE */
    mov %eax, %cr4
    mov $0xc0000080, %ecx               /* EFER */
    rdmsr
    or $0x100, %eax                     /* LME */
    wrmsr
    mov $0x80010001, %eax               /* PG, WP, PE */
    mov %eax, %cr0
    lgdt gdt_pointer
    ljmp $8, $start64

    .code64
start64:
    mov $16, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    xor %eax, %eax
    mov %eax, %fs
    mov %eax, %gs
    mov $stack_top, %rsp
    mov %edi, %edi
    call guest_start
    ud2

/* Exceptions 0 to 31: vector and error code to guest_exception. */
    .altmacro
    .macro exception n
exception_\n:
    .if (\n != 8) && ((\n < 10) || (\n > 14)) && (\n != 17) && (\n != 21) && (\n != 29) && (\n != 30)
    push $0
    .endif
    push $\n
    jmp exception_common
    .endm
    .set i, 0
    .rept 32
    exception %i
    .set i, i + 1
    .endr

exception_common:
    mov (%rsp), %rdi
    mov 8(%rsp), %rsi
    mov 16(%rsp), %rdx
    and $-16, %rsp
    call guest_exception
    ud2

    .section .rodata
    .macro exception_address n
    .quad exception_\n
    .endm
    .globl exception_entries
exception_entries:
    .set i, 0
    .rept 32
    exception_address %i
    .set i, i + 1
    .endr

    .data
    .balign 8
    .globl gdt, pml4
gdt:
    .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff
gdt_pointer:
    .word gdt_pointer - gdt - 1
    .long gdt

    .balign 4096
pml4:
    .quad pdpt + 3
    .fill 511, 8, 0
pdpt:
    .quad pd + 3, pd + 0x1003, pd + 0x2003, pd + 0x3003
    .fill 508, 8, 0
pd:
    .set i, 0
    .rept 2048
    .quad (i << 21) | 0x83
    .set i, i + 1
    .endr

    .bss
    .balign 16
    .skip 16384
stack_top:
    .section .note.GNU-stack, "", @progbits
