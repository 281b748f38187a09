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
        .irp reg, rax, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
        push %\reg
        .endr
        cld
        mov %rsp, %rdi
        call trap
        .irp reg, r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax
        pop %\reg
        .endr
        add $16, %rsp
        iretq
        .section .note.GNU-stack, "", @progbits
