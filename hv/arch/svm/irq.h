/* Installs the handlers of physical interrupts. */
#ifndef ARCH_SVM_IRQ_H
#define ARCH_SVM_IRQ_H

void svm_irq_init(void);

#endif
