/* The one HVM parameter that hv itself looks at. */
#ifndef DOMCTL_HVM_OP_H
#define DOMCTL_HVM_OP_H

#include "hv/domain/domain.h"

/* Where d wants its event upcalls (HVM_PARAM_CALLBACK_IRQ, vector form); 0: it has not said. */
uint8_t hvm_callback_vector(const struct domain *d);

#endif
