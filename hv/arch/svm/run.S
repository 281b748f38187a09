/* VMRUN and what it leaves to software (APM 2, 15.5): general registers, and by VMLOAD/VMSAVE FS, GS, TR, LDTR,
 * KernelGSBase, STAR..SFMASK, SYSENTER_*.
 *
 * IF is set under CLGI: V_INTR_MASKING lets physical interrupts exit by the host's IF at VMRUN (APM 2, 15.21.1). */
        .section .text
        .globl svm_run
        .balign 16
svm_run:                                        /* rdi regs, rsi vmcb, rdx host vmcb */
        push %rbx
        push %rbp
        push %r12
        push %r13
        push %r14
        push %r15
        push %rdx
        push %rdi
        mov %rsi, %rax
        mov 0(%rdi), %rbx
        mov 8(%rdi), %rcx
        mov 16(%rdi), %rdx
        mov 24(%rdi), %rbp
        mov 32(%rdi), %rsi
        mov 48(%rdi), %r8
        mov 56(%rdi), %r9
        mov 64(%rdi), %r10
        mov 72(%rdi), %r11
        mov 80(%rdi), %r12
        mov 88(%rdi), %r13
        mov 96(%rdi), %r14
        mov 104(%rdi), %r15
        mov 40(%rdi), %rdi
        clgi
        sti
        vmload %rax
        vmrun %rax
        vmsave %rax
        push %rdi
        mov 8(%rsp), %rdi
        mov %rbx, 0(%rdi)
        mov %rcx, 8(%rdi)
        mov %rdx, 16(%rdi)
        mov %rbp, 24(%rdi)
        mov %rsi, 32(%rdi)
        pop %rcx
        mov %rcx, 40(%rdi)
        mov %r8, 48(%rdi)
        mov %r9, 56(%rdi)
        mov %r10, 64(%rdi)
        mov %r11, 72(%rdi)
        mov %r12, 80(%rdi)
        mov %r13, 88(%rdi)
        mov %r14, 96(%rdi)
        mov %r15, 104(%rdi)
        pop %rdi
        pop %rax
        vmload %rax                             /* the host's FS, GS, TR...: this_cpu() works again */
        cli
        stgi
        pop %r15
        pop %r14
        pop %r13
        pop %r12
        pop %rbp
        pop %rbx
        cld
        ret
        .section .note.GNU-stack, "", @progbits
