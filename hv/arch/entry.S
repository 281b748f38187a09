/* Exception and interrupt stubs: 256 of them, 16 bytes apart, all leading to trap(struct trap_frame *). */
        .section .text
        .balign 16
        .globl trap_stubs
trap_stubs:
        .set vector, 0
        .rept 256
        .balign 16
        /* Vectors that push an error code themselves (APM 2, table 8-1): 8, 10-14, 17, 21, 29, 30. */
        .if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30)
        push $0
        .endif
        push $vector
        jmp trap_common
        .set vector, vector + 1
        .endr

trap_common:
        push %rax
        push %rcx
        push %rdx
        push %rbx
        push %rbp
        push %rsi
        push %rdi
        push %r8
        push %r9
        push %r10
        push %r11
        push %r12
        push %r13
        push %r14
        push %r15
        cld
        mov %rsp, %rdi
        call trap
        pop %r15
        pop %r14
        pop %r13
        pop %r12
        pop %r11
        pop %r10
        pop %r9
        pop %r8
        pop %rdi
        pop %rsi
        pop %rbp
        pop %rbx
        pop %rdx
        pop %rcx
        pop %rax
        add $16, %rsp
        iretq
        .section .note.GNU-stack, "", @progbits
