/* VMRUN and what it leaves to software (APM 2, 15.5): general registers, and by VMLOAD/VMSAVE FS, GS, TR, LDTR,
 * KernelGSBase, STAR..SFMASK, SYSENTER_*.
 *
 * IF is set under CLGI: V_INTR_MASKING lets physical interrupts exit by the host's IF at VMRUN (APM 2, 15.21.1). */
        .section .text
/* All of struct svm_regs (svm.h) but rdi, which points to it: `to` or `from` it. */
        .macro regs direction
        .set at, 0
        .irp reg, rbx, rcx, rdx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
        .ifnc \reg, rdi
        .ifc \direction, from
        mov at(%rdi), %\reg
        .else
        mov %\reg, at(%rdi)
        .endif
        .endif
        .set at, at + 8
        .endr
        .endm
#define RDI_AT 40

        .globl svm_run
        .balign 16
svm_run:                                        /* rdi regs, rsi vmcb, rdx host vmcb */
        .irp reg, rbx, rbp, r12, r13, r14, r15, rdx, rdi
        push %\reg
        .endr
        mov %rsi, %rax
        regs from
        mov RDI_AT(%rdi), %rdi
        clgi
        sti
        vmload %rax
        vmrun %rax
        vmsave %rax
        push %rdi
        mov 8(%rsp), %rdi
        regs to
        pop RDI_AT(%rdi)
        pop %rdi
        pop %rax
        vmload %rax                             /* the host's FS, GS, TR...: this_cpu() works again */
        cli
        stgi
        .irp reg, r15, r14, r13, r12, rbp, rbx
        pop %\reg
        .endr
        cld
        ret
        .section .note.GNU-stack, "", @progbits
