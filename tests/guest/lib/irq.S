/* Interrupts and a second CPU for the kernels that want them: entries for the vectors 32 to 255 and for NMIs, which save
 * what C changes and come back, and the way of a CPU from SIPI to long mode. */
    .text
    .altmacro
    .macro interrupt n
    .balign 16
    push $\n
    jmp interrupt_common
    .endm
    .balign 16
    .globl interrupt_entries, nmi_entry
interrupt_entries:                      /* 16 bytes each, from vector 32 on */
    .set i, 32
    .rept 224
    interrupt %i
    .set i, i + 1
    .endr
nmi_entry:
    push $2
interrupt_common:
    push %rax
    push %rcx
    push %rdx
    push %rsi
    push %rdi
    push %r8
    push %r9
    push %r10
    push %r11
    push %rbx
    push %rbp
    mov 88(%rsp), %rdi                  /* the vector */
    mov %rsp, %rbp
    and $-16, %rsp
    cld
    call guest_interrupt
    mov %rbp, %rsp
    pop %rbp
    pop %rbx
    pop %r11
    pop %r10
    pop %r9
    pop %r8
    pop %rdi
    pop %rsi
    pop %rdx
    pop %rcx
    pop %rax
    add $8, %rsp
    iretq

/* Copied below 1 MiB; entered in real mode at its first byte, CS = address / 16 (APM 2, 16.5). */
    .globl second_start, second_start_end, second_stack
    .balign 16
second_start:
    .code16
    cli
    mov %cs, %ax
    mov %ax, %ds
    lgdtl second_gdt - second_start
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
    ljmpl $8, $second_start64
second_gdt:
    .word 23
    .long gdt
second_start_end:
    .code64
second_start64:
    mov $16, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov second_stack, %rsp
    call second_cpu
    ud2

    .bss
    .balign 8
second_stack:
    .skip 8
    .section .note.GNU-stack, "", @progbits
